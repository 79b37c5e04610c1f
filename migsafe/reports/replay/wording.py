"""The sentences about a replay that the text and the page have in common."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from migsafe.library.replay import Replay
from migsafe.library.replay_facts import BudgetResult, Rows
from migsafe.linting.facts.wording import join_queries
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.recording.held_locks import HeldLock, stronger_lock
from migsafe.replaying.recording.records import MeasuredEffect, Recording, StatementRecord, Wait, waiting_queries
from migsafe.replaying.replay import ReplayedMigration
from migsafe.sql.operations import Name
from migsafe.terminal.quantities import format_duration, format_size

QUESTIONS = {
    "rerun": "runs a second time?",
    "crash": "reruns after a crash?",
    "round trip": "downgrades and upgrades?",
    "agreement": "as predicted?",
}
"""The question that each experiment answers."""

_BUDGETS = {"blocked": "longest wait of a query", "hold": "longest lock that blocks queries", "wal": "most WAL of a migration"}
_MOST_TABLES = 6


class LockLine(Struct, frozen=True):
    """The lock on a relation while a statement runs: the strongest one that is held, for how long or since when, and what it blocks.

    `blocks` are the kinds of queries that wait, `also` is a weaker lock that the statement took; empty if it took none.
    """

    relation: Name
    lock: str
    held: str
    blocks: tuple[str, ...]
    also: str
    is_new: bool

    @property
    def consequence(self) -> str:
        """What the lock blocks, as a phrase."""
        blocked = "blocks nothing: it is new" if self.is_new else f"blocks {' and '.join(self.blocks) or 'nothing'}"
        return blocked + (f"; takes {self.also}, too" if self.also else "")


def lock_line(measured: MeasuredEffect, record: StatementRecord, recording: Recording, held: Mapping[Name, Sequence[HeldLock]]) -> LockLine:
    """Returns the line about a statement's effect on a relation. `held` are the locks that the migration held, by relation."""
    effect = measured.effect
    force = stronger_lock(measured, record, held)
    if force is not None:
        also = str(effect.lock) if measured.takes_lock else ""
        since = f"since line {line_of(recording, force.statement)}"
        return LockLine(effect.relation, str(force.lock), since, force.blocks, also, effect.new)
    duration = f"held {format_duration(measured.held_ms):>8}" if measured.held_ms or not record.outside_transaction else "held briefly"
    return LockLine(effect.relation, str(effect.lock), duration, effect.blocks, "", effect.new)


def work(measured: MeasuredEffect) -> str:
    """Returns what a statement does with all rows or indexes of a relation; empty if nothing, or if the relation is new."""
    effect, rows = measured.effect, measured.rows or 0
    if effect.new:
        return ""
    parts = []
    if effect.rewrite:
        parts.append(f"rewrites its {rows:,} rows")
    elif effect.scan:
        parts.append(f"reads all of its {rows:,} rows")
    if effect.rebuilt:
        parts.append(f"rebuilds {', '.join(effect.rebuilt)}")
    return "; ".join(parts) + (": time grows with the rows" if parts else "")


class Blocked(Struct, frozen=True):
    """How long queries of a relation waited, by the kind of access, and the line of the statement whose lock they waited for. `queries` are
    those of the application, the one that waited longest first."""

    relation: Name
    longest: dict[str, float]
    line: int | None
    queries: tuple[NamedQuery, ...] = ()

    @property
    def sentence(self) -> str:
        """The longest wait: `reads and writes of public.orders waited up to 1.8 s for the lock of line 2: show (shop/orders.py:27)`."""
        waits = f"{' and '.join(self.longest)} of {self.relation} waited up to {format_duration(max(self.longest.values()))}"
        cause = f" for the lock of line {self.line}" if self.line is not None else ""
        return waits + cause + (f": {join_queries(self.queries)}" if self.queries else "")


def blocked(recording: Recording) -> list[Blocked]:
    """Returns how long queries waited, for each relation and cause."""
    by_cause: dict[tuple[Name, int | None], list[Wait]] = {}
    for wait in recording.waits:
        by_cause.setdefault((wait.relation, wait.statement), []).append(wait)
    result = []
    for (relation, statement), waits in by_cause.items():
        longest: dict[str, float] = {
            access: max(wait.ms for wait in waits if wait.access == access) for access in sorted({wait.access for wait in waits})
        }
        line = line_of(recording, statement) if statement is not None else None
        result.append(Blocked(relation, longest, line, tuple(waiting_queries(waits))))
    return result


def line_of(recording: Recording, statement: int) -> int:
    """Returns the line of the migration's file where a statement begins."""
    half = recording.migration.up
    record = next(record for record in recording.statements if record.statement.index == statement)
    return half.file.position(half.file_span(record.statement.span).start).line


def status(replayed: ReplayedMigration) -> str:
    """Returns why a migration's results are not those of one complete run; empty if they are."""
    return "; ".join(_states(replayed))


def _states(replayed: ReplayedMigration) -> Iterator[str]:
    first, emptying = replayed.lock_timeout, replayed.emptying
    if first is not None:
        yield (
            f"a first run ended with its lock_timeout after {format_duration(first.waited_ms)}, and queries waited up to "
            f"{format_duration(first.longest_wait)}; this is the second run, without the long query"
        )
    if replayed.untried:
        yield f"not tried: {replayed.untried}"
    elif replayed.recording.failure is not None:
        ended = "interrupted" if replayed.recording.failure.is_interruption else "failed"
        yield f"{ended}: the statements after the {'interruption' if ended == 'interrupted' else 'failure'} did not run"
    elif replayed.left_out:
        number = len(replayed.left_out)
        yield f"ran in part only: {number} statement{'' if number == 1 else 's'} {'was' if number == 1 else 'were'} left out"
    if emptying is not None:
        tables = ", ".join(sorted(map(str, emptying.tables)))
        yield (
            f"{emptying.event} ({emptying.message}), and ran again after {tables} had been emptied: its times are not those of tables with rows"
        )


def verdict(replay: Replay) -> str:
    """Returns whether a replay is a pass, and if not, why."""
    reasons = replay.facts.reasons
    return f"not passed: {', '.join(reasons)}" if reasons else "passed"


def facts(replay: Replay) -> Iterator[tuple[str, str]]:
    """Yields what a release meeting asks for, with its names. Facts that are not known are left out."""
    known = replay.facts
    lines = (
        ("date", known.date),
        ("command", known.command),
        ("revision", known.revision),
        ("server", replay.host),
        ("rows", _rows(known.rows)),
    )
    yield from ((name, text) for name, text in lines if text)
    yield from ((_BUDGETS[budget.name], budget_text(budget)) for budget in known.budgets)


def _rows(rows: Rows) -> str:
    by_number: dict[int, list[str]] = {}
    for table, number in sorted(rows.tables.items(), key=lambda item: -item[1]):
        by_number.setdefault(number, []).append(table)
    parts = []
    for number, tables in by_number.items():
        names = tables[:_MOST_TABLES]
        more = f" and {len(tables) - len(names)} more" if len(tables) > len(names) else ""
        parts.append(f"{number:,} in {'each of ' if len(tables) > 1 else ''}{', '.join(names)}{more}")
    generated = f", generated where it had none ({', '.join(rows.generated[:_MOST_TABLES])})" if rows.generated else ""
    return rows.origin + generated + (f": {'; '.join(parts)}" if parts else "")


def budget_text(budget: BudgetResult) -> str:
    """Returns a measurement and its budget: `1.8 s; the budget is 200 ms: exceeded`."""
    measured, limit = (None if value is None else _quantity(budget, value) for value in (budget.measured, budget.limit))
    match budget.answer:
        case "no budget":
            return f"{measured} (no budget)"
        case "unknown":
            return f"{measured} so far; the budget is {limit}: not known, because not every migration ran completely"
        case _:
            return f"{measured}; the budget is {limit}: {budget.answer}"


def _quantity(budget: BudgetResult, value: float) -> str:
    if budget.name == "wal":
        return format_size(int(value))
    return format_duration(value) if value else "none"
