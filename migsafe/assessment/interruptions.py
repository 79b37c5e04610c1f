"""What a migration leaves behind when it fails half-way, whether it can then run again, and the timeouts that limit it."""

from collections.abc import Iterator, Mapping, Sequence

from migsafe.assessment.blocking import find_blocked_relations
from migsafe.assessment.durations import format_exact
from migsafe.assessment.failure_modes import LineOf
from migsafe.assessment.operation_facts import OperationFacts
from migsafe.assessment.premortem import PartialFailure
from migsafe.linting.finding import Finding
from migsafe.session import sent_statements, transaction_numbers
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement

_STUCK_RULES = ("not-rerunnable", "invalid-index-kept")
_LEAVES_NOTHING = (sql.SessionSetting, sql.Begin, sql.PsqlCommand, sql.Utility)
"""The statements that change nothing in the database."""


def describe_transactions(half: Half, all_facts: Sequence[OperationFacts]) -> str:
    """Returns in how many transactions a migration runs, and what follows from it if one fails."""
    numbers = {number for number in transaction_numbers(half, [sent.statement for sent in sent_statements(half)]) if number is not None}
    if len(numbers) > 1:
        return f"{len(numbers)} transactions: if one fails, the earlier ones stay committed"
    if any(getattr(facts.operation, "concurrently", False) for facts in all_facts):
        return "several transactions: CONCURRENTLY commits in between, and a failure can leave an INVALID index or a half-done change"
    return "one transaction: all or nothing, and it holds its locks until its end"


def find_partial_failures(half: Half, findings: Sequence[Finding], line_of: LineOf) -> Iterator[PartialFailure]:
    """Yields the statements at which a failure leaves something behind."""
    statements = [sent.statement for sent in sent_statements(half)]
    numbers = list(transaction_numbers(half, statements))
    stuck_findings = {finding.statement: finding for finding in reversed(findings) if finding.rule in _STUCK_RULES}
    for position, (statement, number) in enumerate(zip(statements, numbers, strict=True)):
        if number is None or isinstance(statement.operations[0], _LEAVES_NOTHING):
            continue
        earlier_statements = zip(statements[:position], numbers[:position], strict=True)
        kept_statements = [
            earlier
            for earlier, earlier_number in earlier_statements
            if earlier_number is not None and earlier_number != number and not isinstance(earlier.operations[0], _LEAVES_NOTHING)
        ]
        rerun = next(
            (_why_rerun_fails(stuck_findings[earlier.index], line_of) for earlier in kept_statements if earlier.index in stuck_findings), ""
        )
        index_rerun = _can_rerun_after_index_build(statement, statements[:position])
        if kept_statements or index_rerun is not None:
            lines = list(dict.fromkeys(line_of(earlier.index) for earlier in kept_statements))
            leftovers = [f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"] if lines else []
            rerun = f"no: {rerun}" if rerun else index_rerun or "yes"
            yield PartialFailure(
                statement=statement.index,
                line=line_of(statement.index),
                kept=" and ".join([*leftovers, *(["an INVALID index"] if index_rerun else [])]),
                rerun=rerun,
            )


def _why_rerun_fails(finding: Finding, line_of: LineOf) -> str:
    """Returns why the next run fails, from a finding about a statement that cannot run again."""
    reason = finding.message.rpartition("this one stays committed, and ")[2]
    return reason.replace("fails here", f"fails at line {line_of(finding.statement)}").replace(
        "repeats it", f"repeats line {line_of(finding.statement)}"
    )


def _can_rerun_after_index_build(statement: Statement, earlier_statements: Sequence[Statement]) -> str | None:
    """Returns whether the migration can run again after an index build outside a transaction failed; None for any other statement."""
    match statement.operations[0]:
        case sql.CreateIndex(concurrently=True, name=name, if_not_exists=if_not_exists):
            dropped = {
                dropped_name.name
                for earlier in earlier_statements
                for op in earlier.operations
                if isinstance(op, sql.Drop) and op.if_exists
                for dropped_name in op.names
            }
            if name in dropped:
                return "yes"
            if name is None:
                return "yes, but it builds another index in addition to the INVALID one"
            if if_not_exists:
                return f"it runs, finds {name} and keeps it INVALID: drop it first"
            return f'no: `relation "{name}" already exists`, until the INVALID index is dropped'
        case sql.Reindex(concurrently=True):
            return "yes, but the INVALID index stays"
    return None


def describe_timeouts(all_facts: Sequence[OperationFacts], line_of: LineOf) -> Iterator[str]:
    """Yields which timeouts are in effect at the statements that block queries, and what to do if none are."""
    blocked_relations = find_blocked_relations(all_facts)
    if not blocked_relations:
        return
    limits: dict[int | None, list[int]] = {}
    for blocked in blocked_relations:
        limits.setdefault(blocked.lock_timeout, []).append(line_of(blocked.statement))
    for limit, lines in limits.items():
        where = _join_lines(lines)
        if limit:
            yield f"lock_timeout is {format_exact(limit)} {where}: retry a few times, with a pause in which the queue empties"
        elif limit == 0:
            yield f"lock_timeout is off {where}: nothing limits the wait"
        else:
            yield f"lock_timeout is not set {where}: set it to one or two seconds there, and retry when it expires"
    row_work_statements = {work.statement for blocked in blocked_relations for work in blocked.row_work}
    unlimited = sorted(
        {line_of(facts.statement) for facts in all_facts if facts.statement in row_work_statements and not facts.statement_timeout}
    )
    if unlimited:
        yield (
            f"statement_timeout is not set {_join_lines(unlimited)}, where the work grows with the number of rows: "
            "with it, a migration that takes too long is cancelled"
        )


def _join_lines(lines: Sequence[int]) -> str:
    distinct_lines = list(dict.fromkeys(lines))
    shown = ", ".join(map(str, distinct_lines[:6])) + (" …" if len(distinct_lines) > 6 else "")
    return f"at line{'' if len(distinct_lines) == 1 else 's'} {shown}"


def statement_lines(half: Half) -> Mapping[int, int]:
    """Returns the line of each statement, by its number."""
    return {sent.statement.index: half.file.position(half.file_span(sent.statement.span).start).line for sent in sent_statements(half)}
