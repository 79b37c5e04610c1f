"""`migsafe lint --fix` and `--diff`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from migsafe.cli.fix_options import FixOptions
from migsafe.cli.results import FAILED, FOUND, exit_code
from migsafe.cli.written_reports import ReportFile, write_reports
from migsafe.configuration import Configuration
from migsafe.errors import ConfigError
from migsafe.library.fixes import Fixes, Proof, fix_plan, require_new_migrations
from migsafe.sources import Plan
from migsafe.terminal.output import show_error, write_output
from migsafe.terminal.progress import track

_SHOWN = 10
_REPEATED = 2
"""A reason that more rules or files have is told once for all of them."""


def run_fixes(plan: Plan, settings: Configuration, options: FixOptions, reports: Sequence[ReportFile]) -> int:
    """Fixes the migrations of a plan, with `--diff` only shows the changes, reports what remains, and returns the exit code. Raises
    MigsafeError."""
    require_new_migrations(plan, settings)
    if options.fix and any(file.up.path == "-" for source in plan.sources for file in source.files):
        raise ConfigError("--fix cannot edit standard input", "`--diff` shows what would change.")
    if options.prove:
        fixes = _proved(plan, settings, options)
    else:
        fixes = fix_plan(plan, settings, unsafe=options.unsafe, track=lambda steps: track(steps, "migsafe: migration"))
    if options.diff:
        write_output(fixes.diff(), None)
        code = FOUND if fixes.changes else 0
    else:
        fixes.write()
        # The messages below say what else can be fixed.
        write_reports(replace(fixes.verdict, editable=False), reports)
        code = exit_code(fixes.verdict.worst(), settings)
    proved = _proof_messages(fixes.proof, settings) if fixes.proof is not None else ()
    for message in (*fixes.verdict.problems, *messages_of(fixes, options), *proved):
        show_error(message)
    return FAILED if fixes.verdict.problems else code


def _proved(plan: Plan, settings: Configuration, options: FixOptions) -> Fixes:
    from migsafe.cli.running_host import running_host  # noqa: PLC0415  # only needed with a server
    from migsafe.library.prove import proved_fixes  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions  # noqa: PLC0415

    with running_host(ServerOptions(superuser=options.superuser), settings.pg_version) as wait_for_host:
        host, show = wait_for_host()
        return proved_fixes(plan, settings, host, unsafe=options.unsafe, on_progress=show)


def _proof_messages(proof: Proof, settings: Configuration) -> Iterator[str]:
    weaker = "".join(f"\n  {line}" for line in proof.weaker)
    same = "the schema at the end is the same" if proof.other_rows else "the schema and the rows at the end are the same"
    yield f"proved on {proof.server}: {same}, and no lock is stronger{weaker}"
    yield from proof.limits(settings.pg_version)


def messages_of(fixes: Fixes, options: FixOptions) -> list[str]:
    """Returns the messages about fixes: what was changed, what could not be, and what to do later."""
    messages = []
    if fixes.changes:
        verb = "fixed" if options.fix else "can fix"
        new = [change.path for change in fixes.changes if change.before is None]
        edited = len(fixes.changes) - len(new)
        edits = f"{_counted(edited, 'file')} {'' if options.fix else 'would be '}edited" if edited else ""
        files = ", ".join(filter(None, (edits, f"{_counted(len(new), 'file')} new: {_some(new)}" if new else "")))
        rules = ", ".join(
            f"{rule}{f' ({number})' if number > 1 else ''}" for rule, number in Counter(each.rule for each in fixes.applied).items()
        )
        parts = (f"{verb} {_counted(len(fixes.applied), 'finding')}: {rules}", files, fixes.new_because)
        messages.append("\n  ".join(filter(None, parts)))
    elif not fixes.refused:
        messages.append("nothing to fix")
    refused: dict[tuple[str, str, str], list[int]] = {}
    for each in fixes.refused:
        line = each.finding.script.position(each.finding.span.start).line
        refused.setdefault((each.finding.script.path, each.finding.rule, each.reason), []).append(line)
    repeated = Counter(reason for _, _, reason in refused)
    for reason in (reason for reason, number in repeated.items() if number > _REPEATED):
        places = [f"{path}:{own[0]}: {rule}" for (path, rule, why), own in refused.items() if why == reason]
        number = sum(len(own) for (_, _, why), own in refused.items() if why == reason)
        more = f"\n  and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        messages.append(f"{_counted(number, 'finding')} are not fixed: {reason}" + "".join(f"\n  {place}" for place in places[:_SHOWN]) + more)
    for (path, rule, reason), own in refused.items():
        if repeated[reason] > _REPEATED:
            continue
        others = f" (also in line{'s' if len(own) > 2 else ''} {', '.join(map(str, own[1:]))})" if len(own) > 1 else ""
        messages.append(f"{path}:{own[0]}: {rule} is not fixed{others}: {reason}")
    if fixes.unsafe:
        messages.append(
            f"--unsafe-fixes fixes {_counted(len(fixes.unsafe), 'more finding')}: `migsafe explain RULE` says what to know about each"
        )
    messages += fixes.notes
    for step in fixes.later:
        lines = step.sql.replace("\n", "\n    ")
        messages.append(f"for a later deployment, {step.after}:\n    {lines}")
    return messages


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _some(paths: Sequence[str]) -> str:
    names = [Path(path).as_posix() for path in paths]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
