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

_STUCK = ("not-rerunnable", "invalid-index-kept")
_LEAVES_NOTHING = (sql.SessionSetting, sql.Begin, sql.PsqlCommand, sql.Utility)
"""The statements that change nothing in the database."""


def describe_transactions(half: Half, observed: Sequence[OperationFacts]) -> str:
    """Returns in how many transactions a migration runs, and what follows from it if one fails."""
    numbers = {number for number in transaction_numbers(half, [one.statement for one in sent_statements(half)]) if number is not None}
    if len(numbers) > 1:
        return f"{len(numbers)} transactions: if one fails, the earlier ones stay committed"
    if any(getattr(one.operation, "concurrently", False) for one in observed):
        return "several transactions: CONCURRENTLY commits in between, and a failure can leave an INVALID index or a half-done change"
    return "one transaction: all or nothing, and it holds its locks until its end"


def find_partial_failures(half: Half, findings: Sequence[Finding], line: LineOf) -> Iterator[PartialFailure]:
    """Yields the statements at which a failure leaves something behind."""
    statements = [each.statement for each in sent_statements(half)]
    numbers = list(transaction_numbers(half, statements))
    stuck = {finding.statement: finding for finding in reversed(findings) if finding.rule in _STUCK}
    for place, (statement, number) in enumerate(zip(statements, numbers, strict=True)):
        if number is None or isinstance(statement.operations[0], _LEAVES_NOTHING):
            continue
        before = zip(statements[:place], numbers[:place], strict=True)
        kept = [other for other, its in before if its is not None and its != number and not isinstance(other.operations[0], _LEAVES_NOTHING)]
        again = next((_stops(stuck[other.index], line) for other in kept if other.index in stuck), "")
        partly = _invalid(statement, statements[:place])
        if kept or partly is not None:
            lines = list(dict.fromkeys(line(other.index) for other in kept))
            said = [f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"] if lines else []
            again = f"no: {again}" if again else partly or "yes"
            yield PartialFailure(
                statement=statement.index,
                line=line(statement.index),
                kept=" and ".join([*said, *(["an INVALID index"] if partly else [])]),
                rerun=again,
            )


def _stops(finding: Finding, line: LineOf) -> str:
    """Returns why the next run fails, from a finding about a statement that cannot run again."""
    said = finding.message.removeprefix("if a later statement fails, this one stays committed, and ")
    return said.replace("fails here", f"fails at line {line(finding.statement)}").replace(
        "repeats it", f"repeats line {line(finding.statement)}"
    )


def _invalid(statement: Statement, before: Sequence[Statement]) -> str | None:
    """Returns whether the migration can run again after an index build outside a transaction failed; None for any other statement."""
    match statement.operations[0]:
        case sql.CreateIndex(concurrently=True, name=name, if_not_exists=if_not_exists):
            dropped = {one.name for each in before for op in each.operations if isinstance(op, sql.Drop) and op.if_exists for one in op.names}
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


def describe_timeouts(observed: Sequence[OperationFacts], line: LineOf) -> Iterator[str]:
    """Yields which timeouts are in effect at the statements that block queries, and what to do if none are."""
    found = find_blocked_relations(observed)
    if not found:
        return
    limits: dict[int | None, list[int]] = {}
    for one in found:
        limits.setdefault(one.lock_timeout, []).append(line(one.statement))
    for limit, lines in limits.items():
        where = _at(lines)
        if limit:
            yield f"lock_timeout is {format_exact(limit)} {where}: retry a few times, with a pause in which the queue empties"
        elif limit == 0:
            yield f"lock_timeout is off {where}: nothing limits the wait"
        else:
            yield f"lock_timeout is not set {where}: set it to one or two seconds there, and retry when it expires"
    worked = {labour.statement for one in found for labour in one.row_work}
    unlimited = sorted({line(one.statement) for one in observed if one.statement in worked and not one.statement_timeout})
    if unlimited:
        yield (
            f"statement_timeout is not set {_at(unlimited)}, where the work grows with the number of rows: "
            "with it, a migration that takes too long is cancelled"
        )


def _at(lines: Sequence[int]) -> str:
    found = list(dict.fromkeys(lines))
    shown = ", ".join(map(str, found[:6])) + (" …" if len(found) > 6 else "")
    return f"at line{'' if len(found) == 1 else 's'} {shown}"


def statement_lines(half: Half) -> Mapping[int, int]:
    """Returns the line of each statement, by its number."""
    return {one.statement.index: half.file.position(half.file_span(one.statement.span).start).line for one in sent_statements(half)}
