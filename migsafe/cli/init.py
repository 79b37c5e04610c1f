"""`migsafe init`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migsafe.cli.console import look
from migsafe.errors import ConfigError, MigsafeError

if TYPE_CHECKING:
    from migsafe.setup import Ci, Proposal, Repository

_CI = ("github", "gitlab", "none")


def init(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATHS]...", help="The migrations. Without any: those that are found.")] = None,
    ci: Annotated[str | None, typer.Option(metavar="github|gitlab|none", help="Whose CI. [default: what the repository uses]")] = None,
    no_hook: Annotated[bool, typer.Option("--no-hook", help="Write no hook for pre-commit.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would write.")] = False,
) -> None:
    """Set migsafe up in a repository: configuration, hook, CI job.

    It finds the migrations and their runner, shows what it would write, and
    writes it when you say so. What is there already is added to, or left
    alone; nothing is overwritten.

    \b
      migsafe init                       look, show, ask
      migsafe init db/migrations --yes   these migrations, without asking
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.setup import Wish, propose, survey  # noqa: PLC0415  # the other commands need none of it

    found = survey(paths or [])
    proposals = propose(found, Wish(hook=not no_hook, ci=_ci(ci)))
    _show(found, proposals)
    wanted = [one for one in proposals if one.text is not None]
    if not wanted:
        print("Nothing to write.")
        return
    if dry_run or not (yes or _agreed(len(wanted))):
        print("Nothing was written." if dry_run or sys.stdin.isatty() else "Nothing was written: --yes writes it.")
        return
    for one in wanted:
        _write(found.root / one.path, one)
    print(f"\nWritten: {', '.join(one.path for one in wanted)}.")
    print("Next: `migsafe lint` judges the whole history; `pre-commit install` lets the hook look at every commit.")


def _ci(given: str | None) -> "Ci | None":
    if given is not None and given not in _CI:
        raise ConfigError(f"--ci: there is no {given}", f"Say {', '.join(_CI[:-1])} or {_CI[-1]}.")
    return given  # type: ignore[return-value]  # it is one of the three


def _show(found: "Repository", proposals: "list[Proposal]") -> None:
    bold, plain = ("\x1b[1m", "\x1b[0m") if look(None).colour else ("", "")
    some_are = any(history.is_production for history in found.histories)
    print("Found:")
    for history in found.histories:
        left_out = "" if history.is_production or not some_are else " (left out: name it if it is production's)"
        print(f"  {history.path}  {history.counted}, {history.runner}{left_out}")
    for one in proposals:
        what = "new" if one.new else "added to it" if one.text is not None else "left alone"
        print(f"\n{bold}{one.path}{plain}  {what}{': ' + one.why if one.why else ''}")
        print("".join(f"  {line}" for line in one.added.splitlines(keepends=True)), end="")
    print()


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    files = "this file" if count == 1 else f"these {count} files"
    return input(f"Write {files}? [y/N] ").strip().lower() in ("y", "yes")


def _write(path: Path, one: "Proposal") -> None:
    assert one.text is not None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x" if one.new else "w", encoding="utf-8") as file:
            file.write(one.text)
    except OSError as error:
        raise MigsafeError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
