"""The verdict on a replay: its findings and their counts."""

from collections.abc import Iterable
from itertools import chain

from migsafe.errors import MigsafeError
from migsafe.linting.finding import Severity
from migsafe.linting.verdict import Summary, Verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.findings import findings_of
from migsafe.replaying.queries.index_findings import index_findings
from migsafe.replaying.queries.index_results import IndexResults
from migsafe.replaying.replay import ReplayedMigration


def replay_verdict(
    replays: Iterable[ReplayedMigration],
    budgets: Budgets,
    problems: list[MigsafeError],
    pg_version: int,
    indexes: Iterable[IndexResults] = (),
) -> Verdict:
    """Returns the findings about replayed migrations and about queries without an index, in the order of the linter's reports, with their
    counts."""
    replays = list(replays)
    findings = sorted(
        chain(*(findings_of(replayed, budgets) for replayed in replays), *map(index_findings, indexes)),
        key=lambda finding: (finding.script.path, finding.span.start, finding.rule),
    )
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    paths = tuple(sorted({replayed.migration.up.file.path for replayed in replays}))
    summary = Summary(
        files=len(paths),
        statements=sum(len(replayed.recording.statements) for replayed in replays),
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        infos=counts[Severity.INFO],
    )
    return Verdict(findings=findings, summary=summary, problems=problems, pg_version=pg_version, paths=paths)
