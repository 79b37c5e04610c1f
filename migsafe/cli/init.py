"""`migsafe init`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migsafe.cli.completion import choices
from migsafe.cli.help import RUN, WRITE
from migsafe.errors import ConfigError, unwritable
from migsafe.terminal.colours import BOLD
from migsafe.terminal.display import display_for
from migsafe.terminal.output import write_whole
from migsafe.text import newline_of

if TYPE_CHECKING:
    from migsafe.setup import Ci, Proposal, Repository

_CI = ("github", "gitlab", "none")
_MOST_SHOWN = 5


def init(
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATHS", help="The migrations. [default: those that it finds]")] = None,
    ci: Annotated[
        str | None,
        typer.Option(
            metavar="github|gitlab|none",
            autocompletion=choices(_CI),
            rich_help_panel=WRITE,
            help="Which CI job to write. [default: the CI that the repository uses]",
        ),
    ] = None,
    no_hook: Annotated[bool, typer.Option("--no-hook", rich_help_panel=WRITE, help="Do not write a pre-commit hook.")] = False,
    agents: Annotated[
        bool | None,
        typer.Option(
            "--agents/--no-agents",
            rich_help_panel=WRITE,
            help="Write a section for coding agents into AGENTS.md. [default: if the file exists]",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", rich_help_panel=RUN, help="Write the files without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", rich_help_panel=RUN, help="Only show what would be written.")] = False,
) -> None:
    """Set up migsafe in a repository: configuration, pre-commit hook, CI job.

    The command finds the migrations and their runner, and the
    application's queries, shows what it would write, and asks. It adds
    to existing files or leaves them alone; it overwrites nothing.

    \b
      migsafe init                       find, show, ask
      migsafe init db/migrations --yes   these migrations, without asking
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.setup import AGENTS, Wish, propose, survey  # noqa: PLC0415  # the other commands do not need it

    repository = survey(paths or [])
    proposals = propose(repository, Wish(hook=not no_hook, ci=_check_ci(ci), agents=agents))
    _show(repository, proposals)
    if agents is None and not any(proposal.path == AGENTS for proposal in proposals):
        print("For coding agents: `migsafe init --agents` also writes a section of AGENTS.md.\n")
    to_write = [proposal for proposal in proposals if proposal.text is not None]
    if not to_write:
        print("Nothing to write.")
        return
    if dry_run or not (yes or _confirmed(len(to_write))):
        print("Nothing was written." if dry_run or sys.stdin.isatty() else "Nothing was written. To write the files, use --yes.")
        return
    for proposal in to_write:
        _write(repository.root / proposal.path, proposal)
    print(f"\nWritten: {', '.join(proposal.path for proposal in to_write)}.")
    if any("git+file:" in proposal.added for proposal in to_write):
        print("The hook and the job install migsafe from a path of this computer (git+file:): replace it with a URL that others reach.")
    print("Next: run `migsafe lint` to check the whole history, and `pre-commit install` to check every commit.")


def _check_ci(ci: str | None) -> "Ci | None":
    if ci is not None and ci not in _CI:
        raise ConfigError(f"--ci: unknown CI: {ci}", f"Use {', '.join(_CI[:-1])} or {_CI[-1]}.")
    return ci  # type: ignore[return-value]  # it is one of the three


def _show(repository: "Repository", proposals: "list[Proposal]") -> None:
    from migsafe.setup import summarised  # noqa: PLC0415

    display = display_for(None)
    offered = repository.offered
    print("Found:")
    for history in offered:
        print(f"  {history.path}  {history.counted}, {history.runner}")
    for source in repository.queries:
        print(f"  {source.path}  {source.counted}, {source.title}")
    left_out = [history for history in repository.histories if history not in offered]
    if left_out:
        print("Left out (name the path if it belongs to production):")
    for history in left_out[:_MOST_SHOWN]:
        print(f"  {history.path}  {history.counted}, {history.runner}: {history.left_out}")
    if len(left_out) > _MOST_SHOWN:
        print(f"  and {len(left_out) - _MOST_SHOWN} more folders")
    if repository.unread:
        print("Not read by migsafe:")
    for unread in summarised(repository.unread):
        print(f"  {unread.path}  {unread.counted}, {unread.tool}")
    if repository.unread and repository.schemas:
        print(f"  Check the SQL that they send with `migsafe lint --schema {repository.schemas[0]} changes.sql`.")
    for command in dict.fromkeys(unread.prints for unread in repository.unread if unread.prints):
        print(f"  `{command} | migsafe lint -` checks the SQL of one.")
    if repository.unread:
        print("  docs/frameworks.md says how to get the SQL of other runners.")
    for proposal in proposals:
        change = "new file" if proposal.new else "added" if proposal.text is not None else "unchanged"
        print(f"\n{display.paint(proposal.path, BOLD)}  {change}{': ' + proposal.why if proposal.why else ''}")
        print("".join(f"  {line}" for line in proposal.added.splitlines(keepends=True)), end="")
    print()


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        return False
    files = "this file" if count == 1 else f"these {count} files"
    return input(f"Write {files}? [y/N] ").strip().lower() in ("y", "yes")


def _write(path: Path, proposal: "Proposal") -> None:
    assert proposal.text is not None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if proposal.new:
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(proposal.text)
        else:
            write_whole(proposal.text, path, newline_of(path))
    except OSError as error:
        raise unwritable(path, error) from error
