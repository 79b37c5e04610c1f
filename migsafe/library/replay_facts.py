"""The facts about a whole replay that a release meeting asks for: where its rows came from, which budgets it kept, and what is missing."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from migsafe.linting.finding import Severity
from migsafe.linting.verdict import Verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.queries.index_findings import MISSING_INDEX
from migsafe.replaying.replay import ReplayedMigration
from migsafe.sql.operations import Name

BudgetName = Literal["blocked", "hold", "wal"]
Answer = Literal["kept", "exceeded", "unknown", "no budget"]

_REASONS = {
    "replay-fails": "failed",
    "replay-fails-on-generated-rows": "ran with empty tables only",
    "replay-lock-timeout": "cannot be run again after a lock_timeout",
    "replay-left-out": "ran in part only",
    "replay-query-breaks": "broke queries of the application",
    "replay-write-breaks": "broke queries of the application",
    "replay-deadlock": "deadlocked with queries",
    "replay-blocked-over-budget": "exceeded a budget",
    "replay-hold-over-budget": "exceeded a budget",
    "replay-wal-over-budget": "exceeded a budget",
    "replay-plan-regressed": "made queries read whole tables",
    "replay-crash-leaves-it-stuck": "failed an experiment",
    "replay-not-rerunnable": "failed an experiment",
    "replay-way-back-fails": "failed an experiment",
}
"""What a finding says about a migration."""


class Rows(Struct, frozen=True, kw_only=True):
    """The rows that a replay began with.

    `origin` is a phrase such as `generated` or `those of the template shop`. `tables` are the rows of each table that the migrations locked,
    when the first of them did, as far as they were counted. `generated` are the tables whose rows were generated.
    """

    origin: str = "generated"
    tables: Mapping[str, int] = {}
    generated: tuple[str, ...] = ()


class BudgetResult(Struct, frozen=True, kw_only=True):
    """A budget, in milliseconds or bytes, and the largest measurement. Within a budget the answer is `kept` only if every migration ran
    completely, with its tables' rows."""

    name: BudgetName
    limit: float | None
    measured: float
    answer: Answer


class Facts(Struct, frozen=True, kw_only=True):
    """The facts about a replay.

    `date` is when it began, in ISO 8601; `command` the command line without passwords; `revision` git's commit. The last two are empty if they
    are not known. `reasons` say why the replay is not a pass; without any, it is one.
    """

    date: str = ""
    command: str = ""
    revision: str = ""
    rows: Rows = Rows()
    budgets: tuple[BudgetResult, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every migration ran, within the budgets and without failing an experiment."""
        return not self.reasons


def rows_at_start(replayed: Iterable[ReplayedMigration], origin: str, filled: Collection[Name]) -> Rows:
    """Returns the rows that the migrations met, of each table the most. `origin` is the database that the replay began with; empty for an empty
    one. `filled` are the tables with generated rows."""
    tables: dict[str, int] = {}
    for migration in replayed:
        for record in migration.recording.statements:
            for measured in record.measured_effects:
                if measured.rows is not None and not measured.effect.new:
                    # A table that had to be emptied for one migration is filled again for the next.
                    name = str(measured.effect.relation)
                    tables[name] = max(measured.rows, tables.get(name, 0))
    generated = tuple(str(name) for name in filled if str(name) in tables) if origin else ()
    return Rows(origin=origin or ("generated" if filled else "none: the tables were not filled"), tables=tables, generated=generated)


def budget_results(replayed: Collection[ReplayedMigration], budgets: Budgets, *, complete: bool) -> tuple[BudgetResult, ...]:
    """Returns the result for each budget; `complete` says whether every migration ran completely, with its tables' rows."""
    longest_wait = max((migration.longest_wait for migration in replayed), default=0.0)
    wal = max((sum(record.wal_bytes for record in migration.recording.statements) for migration in replayed), default=0)
    measured: tuple[tuple[BudgetName, float | None, float], ...] = (
        ("blocked", budgets.blocked, longest_wait),
        ("hold", budgets.hold, longest_hold(replayed)),
        ("wal", budgets.wal, wal),
    )
    return tuple(
        BudgetResult(name=name, limit=limit, measured=value, answer=_answer(limit, value, complete)) for name, limit, value in measured
    )


def longest_hold(replayed: Iterable[ReplayedMigration]) -> float:
    """Returns how long a lock that blocks reads or writes of an existing relation was held at most, in milliseconds."""
    effects = (measured for migration in replayed for record in migration.recording.statements for measured in record.measured_effects)
    return max(
        (measured.held_ms for measured in effects if measured.takes_lock and measured.effect.blocks and not measured.effect.new), default=0.0
    )


def _answer(limit: float | None, measured: float, complete: bool) -> Answer:
    if limit is None:
        return "no budget"
    return "exceeded" if measured > limit else "kept" if complete else "unknown"


def is_complete(replayed: Iterable[ReplayedMigration], not_run: Collection[str], verdict: Verdict) -> bool:
    """Whether every migration ran to its end, completely and with its tables' rows."""
    partial = {"replay-fails", "replay-fails-on-generated-rows", "replay-left-out"}
    is_partial = any(finding.rule in partial and finding.severity >= Severity.WARNING for finding in verdict.findings)
    return not (is_partial or not_run or verdict.problems or any(migration.untried for migration in replayed))


def reasons(
    replayed: Collection[ReplayedMigration], not_run: Collection[str], verdict: Verdict, *, interrupted: bool = False
) -> tuple[str, ...]:
    """Returns why a replay is not a pass, as clauses: `2 migrations failed`."""
    migrations: dict[str, set[str]] = {phrase: set() for phrase in _REASONS.values()}
    not_tried = {migration.migration.up.file.path for migration in replayed if migration.untried}
    for finding in verdict.findings:
        if finding.severity >= Severity.WARNING and finding.rule in _REASONS and finding.script.path not in not_tried:
            migrations[_REASONS[finding.rule]].add(finding.script.path)
    untried = len(not_tried)
    counts = Counter({phrase: len(paths) for phrase, paths in migrations.items()})
    counts["was not tried" if untried == 1 else "were not tried"] = untried
    counts["did not run"] = len(not_run)
    ended = ("it was interrupted",) if interrupted else ()
    return (*ended, *_clauses(counts), *_queries_without_index(verdict), *_other_errors(len(verdict.problems) - untried - len(ended)))


def _queries_without_index(verdict: Verdict) -> Iterator[str]:
    number = len({query.fingerprint for finding in verdict.findings if finding.rule == MISSING_INDEX for query in finding.queries})
    if number:
        yield f"{number} {'query lacks' if number == 1 else 'queries lack'} an index"


def _clauses(counts: Mapping[str, int]) -> Iterator[str]:
    yield from (f"{count} migration{'' if count == 1 else 's'} {phrase}" for phrase, count in counts.items() if count)


def _other_errors(number: int) -> Iterator[str]:
    if number > 0:
        yield f"{number} error{'' if number == 1 else 's'}"
