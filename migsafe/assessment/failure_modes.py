"""The ways in which a migration can fail, described as the team would meet them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from migsafe.assessment.blocking import BlockedRelation, RowWork, find_blocked_relations, find_row_work, total_duration
from migsafe.assessment.durations import Work, format_exact
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.assessment.premortem import FailureMode
from migsafe.linting.finding import Finding
from migsafe.lock import LockMode
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from migsafe.replaying.replay import ReplayedMigration

LineOf = Callable[[int], int]
"""The line of a statement, by its number."""

_REFUSED = ("concurrently-in-transaction", "enum-value-used-in-transaction", "syntax-error")
_OPAQUE = ("opaque-code", "unparsed-statement")
_DOES = {
    Work.READ: "reads every row of",
    Work.INDEX: "builds an index over",
    Work.REWRITE: "rewrites every row of",
    Work.CHANGE: "changes every row of",
}
_SHOWN = 3
_MOST_MET = 6
ROWS_VIOLATE = "Existing rows make it fail"
"""The title of the failure mode in which existing rows make a migration fail."""
_COPIES = (Work.REWRITE, Work.CHANGE)
NOT_ANALYSED = "Statements that migsafe cannot analyse"
"""The title of the failure mode for statements that were not analysed."""


def find_failure_modes(
    observed: Sequence[OperationFacts], findings: Sequence[Finding], line: LineOf, replayed: "ReplayedMigration | None" = None
) -> Iterator[FailureMode]:
    """Yields the failure modes, each cause once, those that happen first at the top."""
    if replayed is not None and replayed.recording.failure is not None:
        yield _failed(replayed, line)
    yield from _refused(findings)
    found = find_blocked_relations(observed)
    yield from _queues(found, line)
    yield from _held(found, line)
    yield from _deadlocks(found, line)
    yield from _backfills(observed, found, line)
    yield from _data(observed, line)
    for one in observed:
        yield from _changes(one, line)
        yield from _concurrently(one, line)
    yield from _opaque(findings)


def _failed(replayed: "ReplayedMigration", line: LineOf) -> FailureMode:
    recording = replayed.recording
    return FailureMode(
        title="It fails",
        sees="The migration fails at this statement, as it did in the replay.",
        because=f"PostgreSQL says: {recording.failure.message if recording.failure is not None else ''}",
        lines=(line(recording.statements[-1].statement.index),),
    )


def _refused(findings: Sequence[Finding]) -> Iterator[FailureMode]:
    for finding in findings:
        if finding.rule in _REFUSED:
            yield FailureMode(
                title="PostgreSQL refuses it",
                sees="The migration fails at this statement on every server.",
                because=finding.message,
                lines=(finding.script.position(finding.span.start).line,),
            )


def _queues(found: Sequence[BlockedRelation], line: LineOf) -> Iterator[FailureMode]:
    """Yields the lock queues: one for all relations with the same lock and timeout, each relation with its strongest lock."""
    worst: dict[Name, int] = {}
    for one in found:
        worst[one.relation] = max(worst.get(one.relation, 0), one.effect.lock.strength)
    alike: dict[tuple[LockMode, int, int | None], list[BlockedRelation]] = {}
    for one in found:
        if one.effect.lock.strength == worst[one.relation]:
            alike.setdefault((one.effect.lock, len(one.effect.blocks), one.lock_timeout), []).append(one)
    for (lock, level, timeout), group in alike.items():
        relations = list(dict.fromkeys(one.relation for one in group))
        it = "it" if len(relations) == 1 else "them"
        yield FailureMode(
            title=f"The lock queue on {joined(relations)}",
            sees=f"Every {group[0].effect.blocked_commands} there hangs while CPU and disks are idle; connections pile up until the pool is "
            "empty, and then unrelated requests fail, too.",
            because=f"the statement waits for {lock} behind {_users(lock, level, it)}, and "
            f"{'every later query waits' if level > 1 else 'every later write waits'} behind the statement",
            lasts=_waits(timeout),
            lines=_lines(line, (one.statement for one in group)),
        )


def _users(lock: LockMode, level: int, it: str) -> str:
    """Returns the transactions that a lock request waits for."""
    if level > 1:
        return f"every open transaction that has used {it} (a report, a backup, a session that is idle in transaction)"
    did = "has written to it or locked rows of it" if lock is LockMode.EXCLUSIVE else "has written to it"
    return f"every open transaction that {did.replace(' it', f' {it}')} (a batch job, a session that is idle in transaction)"


def _waits(timeout: int | None) -> str:
    if timeout:
        return (
            f"{format_exact(timeout)} at most: then lock_timeout cancels the statement, the migration fails, and the waiting queries continue"
        )
    if timeout == 0:
        return "as long as the longest of these transactions: no lock_timeout is in effect"
    return "as long as the longest of these transactions, unless the role or the server sets a lock_timeout"


def _held(found: Sequence[BlockedRelation], line: LineOf) -> Iterator[FailureMode]:
    """Yields the work on every row that is done under a blocking lock: once per transaction and kind of blocked query."""
    together: dict[tuple[int, int], list[BlockedRelation]] = {}
    for one in found:
        if one.row_work:
            together.setdefault((one.transaction, len(one.effect.blocks)), []).append(one)
    for group in together.values():
        labour = max((one.row_work for one in group), key=len)
        relations = list(dict.fromkeys(one.relation for one in group))
        names, stays = joined(relations), "stays" if len(relations) == 1 else "stay"
        worst = max(group, key=lambda one: one.effect.lock.strength).effect
        full = ", and the disk fills with a second copy of the rows and with WAL" if any(one.work in _COPIES for one in labour) else ""
        apart = {one.statement for one in labour} != {one.statement for one in group}
        yield FailureMode(
            title=f"{names} {stays} locked while {_doing(labour, relations)}",
            sees=f"Every {worst.blocked_commands} on {names} waits until that is done{full}. "
            "No lock_timeout ends this wait: the migration already holds the lock.",
            because=_because(labour, line, worst.lock),
            lasts=_long(labour),
            instead="release the lock first: use one transaction or migration for each of the two" if apart else "",
            lines=_lines(line, (one.statement for one in group)),
        )


def _doing(labour: Sequence[RowWork], relations: Sequence[Name]) -> str:
    first = labour[0]
    passive = {Work.READ: "read", Work.INDEX: "indexed", Work.REWRITE: "rewritten", Work.CHANGE: "changed"}
    subject = "it" if [first.relation] == list(relations) else first.relation
    more = len({(one.statement, one.relation) for one in labour}) - 1
    return f"{subject} is {passive[first.work]}" + (f", and {more} more" if more else "")


def _because(labour: Sequence[RowWork], line: LineOf, lock: LockMode) -> str:
    said = []
    for one in labour[:_SHOWN]:
        rows = f" ({one.rows:,})" if one.rows is not None else ""
        said.append(f"line {line(one.statement)} {_DOES[one.work]} {one.relation}{rows}" + (f", as {one.reason}" if one.reason else ""))
    rest = len(labour) - _SHOWN
    return "; ".join(said) + (f"; and {rest} more" if rest > 0 else "") + f"; {lock} is held until the end of the transaction"


def _long(labour: Sequence[RowWork]) -> str:
    unknown = [one.relation for one in labour if one.rows is None]
    known = total_duration(labour)
    if unknown and known.high == 0:
        return f"longer with more rows: the row count of {joined(unknown)} is not known (--stats)"
    least = f", plus the time for {joined(unknown)}, whose row count is not known" if unknown else ""
    return f"{known}, by {'an estimate from what the replay measured' if any(one.measured_duration for one in labour) else 'estimate'}{least}"


def _deadlocks(found: Sequence[BlockedRelation], line: LineOf) -> Iterator[FailureMode]:
    """Yields the transactions that lock several relations, which other transactions may lock in another order."""
    transactions: dict[int, dict[Name, int]] = {}
    for one in found:
        transactions.setdefault(one.transaction, {}).setdefault(one.relation, one.statement)
    for taken in transactions.values():
        if len(set(taken.values())) < 2:
            continue
        names = list(taken)
        order = " and then ".join(map(str, names[:_SHOWN])) + (" and so on" if len(names) > _SHOWN else "")
        yield FailureMode(
            title=f"A deadlock on {joined(names)}",
            sees="The migration, or a request, fails with `deadlock detected` after a second of waiting (deadlock_timeout).",
            because=f"one transaction locks {order} and holds these locks; "
            "a transaction of the application that uses them in another order waits for it, and it waits for that transaction",
            instead="use one transaction or migration for each relation",
            lines=_lines(line, taken.values()),
        )


def _backfills(observed: Sequence[OperationFacts], found: Sequence[BlockedRelation], line: LineOf) -> Iterator[FailureMode]:
    """Yields the changes of every row that are done without a blocking lock."""
    told = {(one.statement, one.relation) for blocked in found for one in blocked.row_work}
    for one in find_row_work(observed):
        if one.work is Work.CHANGE and (one.statement, one.relation) not in told:
            yield FailureMode(
                title=f"Changing every row of {one.relation} takes long",
                sees="Requests that change the same rows hang until it is done; the replicas fall behind; the table grows by a second copy of "
                "its rows, which VACUUM can free only afterwards.",
                because="one transaction changes all rows, and a failure loses all its work",
                lasts=_long([one]),
                instead="change the rows in batches, each in its own transaction",
                lines=(line(one.statement),),
            )


def _changes(one: OperationFacts, line: LineOf) -> Iterator[FailureMode]:
    """Yields the changes of a number of rows that is not known."""
    operation = one.operation
    if not isinstance(operation, sql.Update | sql.Delete) or operation.where is None or operation.current_of is not None:
        return
    changed = [effect.relation for effect in one.effects if effect.lock is LockMode.ROW_EXCLUSIVE]
    if one.has_small_relations or one.is_in_called_function or not changed or changed[0].name != operation.table.name:
        return
    verb = "changes" if isinstance(operation, sql.Update) else "deletes"
    yield FailureMode(
        title=f"It {verb} more rows of {changed[0]} than expected",
        sees="Requests that change the same rows hang until the transaction ends; the replicas fall behind.",
        because=f"line {line(one.statement)} {verb} all rows that match a condition in one transaction, and their number is not known",
        lasts="longer with more rows",
        check=one.count_query,
        instead="if there are many: in batches, each in its own transaction",
        lines=(line(one.statement),),
    )


def _data(observed: Sequence[OperationFacts], line: LineOf) -> Iterator[FailureMode]:
    """Yields one failure mode for all existing rows that can make the migration fail, which happens in production only."""
    found = [(one, one.violating_rows) for one in observed if one.violating_rows is not None]
    if not found:
        return
    checks = list(dict.fromkeys(misfit.check for _, misfit in found if misfit.check))
    several = len({one.statement for one, _ in found}) > 1
    met = list(dict.fromkeys(misfit.description + (f" (line {line(one.statement)})" if several else "") for one, misfit in found))
    rest = len(met) - _MOST_MET
    yield FailureMode(
        title=ROWS_VIOLATE,
        sees="The migration fails in production, after it has passed every test: PostgreSQL refuses the statement.",
        because=f"it meets {', or '.join(met[:_MOST_MET])}" + (f", or one of {rest} more" if rest > 0 else ""),
        check="\n".join(checks),
        instead="repair such rows first, in a separate migration"
        if len(checks) == len({misfit for _, misfit in found})
        else "find such rows first and repair them",
        lines=_lines(line, (one.statement for one, _ in found)),
    )


def _concurrently(one: OperationFacts, line: LineOf) -> Iterator[FailureMode]:
    builds = isinstance(one.operation, sql.CreateIndex | sql.Reindex)
    if any(effect.waits for effect in one.effects):
        yield FailureMode(
            title="It waits for other transactions",
            sees="The statement seems to hang. It blocks no queries, but the deployment does not continue.",
            because="it works in several transactions, and between them it waits for other transactions that used the table"
            + ("; at the end for every older snapshot in the database, including a report on other tables" if builds else ""),
            lasts="as long as the longest of them",
            lines=(line(one.statement),),
        )
    match one.operation:
        case sql.CreateIndex(concurrently=True, name=name, table=table) if one.effects:
            schema = one.effects[0].relation.schema
            index = str(Name(name, schema)) if name is not None else f"the new index of {table}"
            yield FailureMode(
                title="An INVALID index remains",
                sees=f"The build stops (a cancelled session, a timeout, a duplicate key), and {index} remains as INVALID: every write keeps it "
                "up to date, and no query uses it.",
                because="CREATE INDEX CONCURRENTLY works in several transactions, and the first has already created the index",
                check="SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
                instead=f"DROP INDEX CONCURRENTLY IF EXISTS {index}; before the build"
                if name is not None
                else "name the index, and drop it first",
                lines=(line(one.statement),),
            )
        case sql.Reindex(concurrently=True) if one.effects:
            yield FailureMode(
                title="An INVALID index remains",
                sees="The build stops, and an index whose name ends in _ccnew remains as INVALID: every write keeps it up to date.",
                because="REINDEX CONCURRENTLY works in several transactions, and the first has already created the new index",
                check="SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
                instead="drop it (DROP INDEX CONCURRENTLY), and run the REINDEX again",
                lines=(line(one.statement),),
            )


def _opaque(findings: Sequence[Finding]) -> Iterator[FailureMode]:
    seen = [finding for finding in findings if finding.rule in _OPAQUE]
    if seen:
        yield FailureMode(
            title=NOT_ANALYSED,
            sees="Anything: this pre-mortem does not know everything that the migration does.",
            because="; ".join(dict.fromkeys(finding.message for finding in seen[:_SHOWN])),
            instead="run it on a copy (--replay) and look at what it locks",
            lines=tuple(dict.fromkeys(finding.script.position(finding.span.start).line for finding in seen)),
        )


def _lines(line: LineOf, statements: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({line(statement) for statement in statements}))


def joined(names: Sequence[Name]) -> str:
    """Returns the names of relations for a sentence: of many, the first ones."""
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) <= 2:
        return " and ".join(texts)
    rest = len(texts) - _SHOWN
    return f"{', '.join(texts[:_SHOWN])} and {rest} more" if rest > 0 else f"{texts[0]}, {texts[1]} and {texts[2]}"
