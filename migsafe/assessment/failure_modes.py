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

_REFUSED_RULES = ("concurrently-in-transaction", "enum-value-used-in-transaction", "syntax-error")
_OPAQUE_RULES = ("opaque-code", "unparsed-statement")
_WORK_VERBS = {
    Work.READ: "reads every row of",
    Work.INDEX: "builds an index over",
    Work.REWRITE: "rewrites every row of",
    Work.CHANGE: "changes every row of",
}
_MAX_SHOWN = 3
_MAX_DESCRIPTIONS = 6
ROWS_VIOLATE = "Existing rows make it fail"
"""The title of the failure mode in which existing rows make a migration fail."""
_COPYING_WORK = (Work.REWRITE, Work.CHANGE)
NOT_ANALYSED = "Statements that migsafe cannot analyse"
"""The title of the failure mode for statements that were not analysed."""


def find_failure_modes(
    all_facts: Sequence[OperationFacts], findings: Sequence[Finding], line_of: LineOf, replayed: "ReplayedMigration | None" = None
) -> Iterator[FailureMode]:
    """Yields the failure modes, each cause once, those that happen first at the top."""
    if replayed is not None and replayed.recording.failure is not None:
        yield _replay_failure(replayed, line_of)
    yield from _refused_statements(findings)
    blocked_relations = find_blocked_relations(all_facts)
    yield from _lock_queues(blocked_relations, line_of)
    yield from _work_under_locks(blocked_relations, line_of)
    yield from _deadlocks(blocked_relations, line_of)
    yield from _backfills(all_facts, blocked_relations, line_of)
    yield from _violating_rows(all_facts, line_of)
    for facts in all_facts:
        yield from _uncounted_changes(facts, line_of)
        yield from _concurrent_work(facts, line_of)
    yield from _unanalysed_statements(findings)


def _replay_failure(replayed: "ReplayedMigration", line_of: LineOf) -> FailureMode:
    recording = replayed.recording
    return FailureMode(
        title="It fails",
        sees="The migration fails at this statement, as it did in the replay.",
        because=f"PostgreSQL says: {recording.failure.message if recording.failure is not None else ''}",
        lines=(line_of(recording.statements[-1].statement.index),),
    )


def _refused_statements(findings: Sequence[Finding]) -> Iterator[FailureMode]:
    for finding in findings:
        if finding.rule in _REFUSED_RULES:
            yield FailureMode(
                title="PostgreSQL refuses it",
                sees="The migration fails at this statement on every server.",
                because=finding.message,
                lines=(finding.script.position(finding.span.start).line,),
            )


def _lock_queues(blocked_relations: Sequence[BlockedRelation], line_of: LineOf) -> Iterator[FailureMode]:
    """Yields the lock queues: one for all relations with the same lock and timeout, each relation with its strongest lock."""
    strongest: dict[Name, int] = {}
    for blocked in blocked_relations:
        strongest[blocked.relation] = max(strongest.get(blocked.relation, 0), blocked.effect.lock.strength)
    groups: dict[tuple[LockMode, int, int | None], list[BlockedRelation]] = {}
    for blocked in blocked_relations:
        if blocked.effect.lock.strength == strongest[blocked.relation]:
            groups.setdefault((blocked.effect.lock, len(blocked.effect.blocks), blocked.lock_timeout), []).append(blocked)
    for (lock, level, timeout), group in groups.items():
        relations = list(dict.fromkeys(blocked.relation for blocked in group))
        pronoun = "it" if len(relations) == 1 else "them"
        yield FailureMode(
            title=f"The lock queue on {joined(relations)}",
            sees=f"Every {group[0].effect.blocked_commands} there hangs while CPU and disks are idle; connections pile up until the pool is "
            "empty, and then unrelated requests fail, too.",
            because=f"the statement waits for {lock} behind {_describe_lock_holders(lock, level, pronoun)}, and "
            f"{'every later query waits' if level > 1 else 'every later write waits'} behind the statement",
            lasts=_describe_wait(timeout),
            lines=_lines_of(line_of, (blocked.statement for blocked in group)),
        )


def _describe_lock_holders(lock: LockMode, level: int, pronoun: str) -> str:
    """Returns the transactions that a lock request waits for."""
    if level > 1:
        return f"every open transaction that has used {pronoun} (a report, a backup, a session that is idle in transaction)"
    use = "has written to it or locked rows of it" if lock is LockMode.EXCLUSIVE else "has written to it"
    return f"every open transaction that {use.replace(' it', f' {pronoun}')} (a batch job, a session that is idle in transaction)"


def _describe_wait(timeout: int | None) -> str:
    if timeout:
        return (
            f"{format_exact(timeout)} at most: then lock_timeout cancels the statement, the migration fails, and the waiting queries continue"
        )
    if timeout == 0:
        return "as long as the longest of these transactions: no lock_timeout is in effect"
    return "as long as the longest of these transactions, unless the role or the server sets a lock_timeout"


def _work_under_locks(blocked_relations: Sequence[BlockedRelation], line_of: LineOf) -> Iterator[FailureMode]:
    """Yields the work on every row that is done under a blocking lock: once per transaction and kind of blocked query."""
    groups: dict[tuple[int, int], list[BlockedRelation]] = {}
    for blocked in blocked_relations:
        if blocked.row_work:
            groups.setdefault((blocked.transaction, len(blocked.effect.blocks)), []).append(blocked)
    for group in groups.values():
        row_work = max((blocked.row_work for blocked in group), key=len)
        relations = list(dict.fromkeys(blocked.relation for blocked in group))
        names, verb = joined(relations), "stays" if len(relations) == 1 else "stay"
        strongest = max(group, key=lambda blocked: blocked.effect.lock.strength).effect
        disk_effect = (
            ", and the disk fills with a second copy of the rows and with WAL" if any(work.work in _COPYING_WORK for work in row_work) else ""
        )
        is_separable = {work.statement for work in row_work} != {blocked.statement for blocked in group}
        yield FailureMode(
            title=f"{names} {verb} locked while {_describe_work(row_work, relations)}",
            sees=f"Every {strongest.blocked_commands} on {names} waits until that is done{disk_effect}. "
            "No lock_timeout ends this wait: the migration already holds the lock.",
            because=_explain_hold(row_work, line_of, strongest.lock),
            lasts=_describe_work_duration(row_work),
            instead="release the lock first: use one transaction or migration for each of the two" if is_separable else "",
            lines=_lines_of(line_of, (blocked.statement for blocked in group)),
        )


def _describe_work(row_work: Sequence[RowWork], relations: Sequence[Name]) -> str:
    first_work = row_work[0]
    passive = {Work.READ: "read", Work.INDEX: "indexed", Work.REWRITE: "rewritten", Work.CHANGE: "changed"}
    subject = "it" if [first_work.relation] == list(relations) else first_work.relation
    further = len({(work.statement, work.relation) for work in row_work}) - 1
    return f"{subject} is {passive[first_work.work]}" + (f", and {further} more" if further else "")


def _explain_hold(row_work: Sequence[RowWork], line_of: LineOf, lock: LockMode) -> str:
    reasons = []
    for work in row_work[:_MAX_SHOWN]:
        rows = f" ({work.rows:,})" if work.rows is not None else ""
        reasons.append(
            f"line {line_of(work.statement)} {_WORK_VERBS[work.work]} {work.relation}{rows}" + (f", as {work.reason}" if work.reason else "")
        )
    omitted = len(row_work) - _MAX_SHOWN
    return "; ".join(reasons) + (f"; and {omitted} more" if omitted > 0 else "") + f"; {lock} is held until the end of the transaction"


def _describe_work_duration(row_work: Sequence[RowWork]) -> str:
    uncounted = [work.relation for work in row_work if work.rows is None]
    duration = total_duration(row_work)
    if uncounted and duration.high == 0:
        return f"longer with more rows: the row count of {joined(uncounted)} is not known (--stats)"
    addition = f", plus the time for {joined(uncounted)}, whose row count is not known" if uncounted else ""
    is_measured = any(work.measured_duration for work in row_work)
    return f"{duration}, by {'an estimate from what the replay measured' if is_measured else 'estimate'}{addition}"


def _deadlocks(blocked_relations: Sequence[BlockedRelation], line_of: LineOf) -> Iterator[FailureMode]:
    """Yields the transactions that lock several relations, which other transactions may lock in another order."""
    transactions: dict[int, dict[Name, int]] = {}
    for blocked in blocked_relations:
        transactions.setdefault(blocked.transaction, {}).setdefault(blocked.relation, blocked.statement)
    for statements in transactions.values():
        if len(set(statements.values())) < 2:
            continue
        relations = list(statements)
        order = " and then ".join(map(str, relations[:_MAX_SHOWN])) + (" and so on" if len(relations) > _MAX_SHOWN else "")
        yield FailureMode(
            title=f"A deadlock on {joined(relations)}",
            sees="The migration, or a request, fails with `deadlock detected` after a second of waiting (deadlock_timeout).",
            because=f"one transaction locks {order} and holds these locks; "
            "a transaction of the application that uses them in another order waits for it, and it waits for that transaction",
            instead="use one transaction or migration for each relation",
            lines=_lines_of(line_of, statements.values()),
        )


def _backfills(all_facts: Sequence[OperationFacts], blocked_relations: Sequence[BlockedRelation], line_of: LineOf) -> Iterator[FailureMode]:
    """Yields the changes of every row that are done without a blocking lock."""
    reported = {(work.statement, work.relation) for blocked in blocked_relations for work in blocked.row_work}
    for work in find_row_work(all_facts):
        if work.work is Work.CHANGE and (work.statement, work.relation) not in reported:
            yield FailureMode(
                title=f"Changing every row of {work.relation} takes long",
                sees="Requests that change the same rows hang until it is done; the replicas fall behind; the table grows by a second copy of "
                "its rows, which VACUUM can free only afterwards.",
                because="one transaction changes all rows, and a failure loses all its work",
                lasts=_describe_work_duration([work]),
                instead="change the rows in batches, each in its own transaction",
                lines=(line_of(work.statement),),
            )


def _uncounted_changes(facts: OperationFacts, line_of: LineOf) -> Iterator[FailureMode]:
    """Yields the changes of a number of rows that is not known."""
    operation = facts.operation
    if not isinstance(operation, sql.Update | sql.Delete) or operation.where is None or operation.current_of is not None:
        return
    changed = [effect.relation for effect in facts.effects if effect.lock is LockMode.ROW_EXCLUSIVE]
    if facts.has_small_relations or facts.is_in_called_function or not changed or changed[0].name != operation.table.name:
        return
    verb = "changes" if isinstance(operation, sql.Update) else "deletes"
    yield FailureMode(
        title=f"It {verb} more rows of {changed[0]} than expected",
        sees="Requests that change the same rows hang until the transaction ends; the replicas fall behind.",
        because=f"line {line_of(facts.statement)} {verb} all rows that match a condition in one transaction, and their number is not known",
        lasts="longer with more rows",
        check=facts.count_query,
        instead="if there are many: in batches, each in its own transaction",
        lines=(line_of(facts.statement),),
    )


def _violating_rows(all_facts: Sequence[OperationFacts], line_of: LineOf) -> Iterator[FailureMode]:
    """Yields one failure mode for all existing rows that can make the migration fail, which happens in production only."""
    violations = [(facts, facts.violating_rows) for facts in all_facts if facts.violating_rows is not None]
    if not violations:
        return
    checks = list(dict.fromkeys(rows.check for _, rows in violations if rows.check))
    has_several_statements = len({facts.statement for facts, _ in violations}) > 1
    descriptions = list(
        dict.fromkeys(
            rows.description + (f" (line {line_of(facts.statement)})" if has_several_statements else "") for facts, rows in violations
        )
    )
    omitted = len(descriptions) - _MAX_DESCRIPTIONS
    yield FailureMode(
        title=ROWS_VIOLATE,
        sees="The migration fails in production, after it has passed every test: PostgreSQL refuses the statement.",
        because=f"it meets {', or '.join(descriptions[:_MAX_DESCRIPTIONS])}" + (f", or one of {omitted} more" if omitted > 0 else ""),
        check="\n".join(checks),
        instead="repair such rows first, in a separate migration"
        if len(checks) == len({rows for _, rows in violations})
        else "find such rows first and repair them",
        lines=_lines_of(line_of, (facts.statement for facts, _ in violations)),
    )


def _concurrent_work(facts: OperationFacts, line_of: LineOf) -> Iterator[FailureMode]:
    builds = isinstance(facts.operation, sql.CreateIndex | sql.Reindex)
    if any(effect.waits for effect in facts.effects):
        yield FailureMode(
            title="It waits for other transactions",
            sees="The statement seems to hang. It blocks no queries, but the deployment does not continue.",
            because="it works in several transactions, and between them it waits for other transactions that used the table"
            + ("; at the end for every older snapshot in the database, including a report on other tables" if builds else ""),
            lasts="as long as the longest of them",
            lines=(line_of(facts.statement),),
        )
    match facts.operation:
        case sql.CreateIndex(concurrently=True, name=name, table=table) if facts.effects:
            schema = facts.effects[0].relation.schema
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
                lines=(line_of(facts.statement),),
            )
        case sql.Reindex(concurrently=True) if facts.effects:
            yield FailureMode(
                title="An INVALID index remains",
                sees="The build stops, and an index whose name ends in _ccnew remains as INVALID: every write keeps it up to date.",
                because="REINDEX CONCURRENTLY works in several transactions, and the first has already created the new index",
                check="SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;",
                instead="drop it (DROP INDEX CONCURRENTLY), and run the REINDEX again",
                lines=(line_of(facts.statement),),
            )


def _unanalysed_statements(findings: Sequence[Finding]) -> Iterator[FailureMode]:
    opaque_findings = [finding for finding in findings if finding.rule in _OPAQUE_RULES]
    if opaque_findings:
        yield FailureMode(
            title=NOT_ANALYSED,
            sees="Anything: this pre-mortem does not know everything that the migration does.",
            because="; ".join(dict.fromkeys(finding.message for finding in opaque_findings[:_MAX_SHOWN])),
            instead="run it on a copy (--replay) and look at what it locks",
            lines=tuple(dict.fromkeys(finding.script.position(finding.span.start).line for finding in opaque_findings)),
        )


def _lines_of(line_of: LineOf, statements: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({line_of(statement) for statement in statements}))


def joined(names: Sequence[Name]) -> str:
    """Returns the names of relations for a sentence: of many, the first ones."""
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) <= 2:
        return " and ".join(texts)
    omitted = len(texts) - _MAX_SHOWN
    return f"{', '.join(texts[:_MAX_SHOWN])} and {omitted} more" if omitted > 0 else f"{texts[0]}, {texts[1]} and {texts[2]}"
