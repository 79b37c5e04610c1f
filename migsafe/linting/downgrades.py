"""What is wrong with the downgrade of a migration: it fails, or the next upgrade fails after it."""

from collections.abc import Set

from msgspec import Struct

from migsafe.prediction.effects.columns import has_value
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.prediction.predictor import Predictor
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal, RefusalKind
from migsafe.sources import Half, Migration
from migsafe.sql.operations import AddColumn, OpaqueCode, Operation, Truncate
from migsafe.sql.statements import Statement


class FailingDowngrade(Operation, frozen=True, kw_only=True):
    """A failure of a downgrade, for the rules that report it. It is not an operation of PostgreSQL.

    `refusal` is why PostgreSQL refuses an operation: one of the downgrade, or, if `upgrade` is not None, this one of the upgrade that runs
    after the downgrade. `statement` is the one of the downgrade at which it is reported. `by_script`: it is SQLAlchemy that refuses, before
    anything is sent. `by_rows`: PostgreSQL refuses only if a table has rows.
    """

    refusal: Refusal
    statement: Statement
    upgrade: Operation | None = None
    by_script: bool = False
    by_rows: bool = False


_NOT_COMPILED = tuple(
    f"it {verb} here with {error}"
    for verb in ("fails", "ends")
    for error in (
        "CompileError: ",
        "InvalidRequestError: A value is required for bind parameter",
        'ProgrammingError: syntax error at or near ":"',
    )
)
"""The beginnings of the reasons of opaque code that SQLAlchemy cannot write as SQL, as `drop_constraint(None, …)` or a text() with a
parameter that has no value: no database has an influence on that."""


def is_not_compiled(reason: str) -> bool:
    """Whether the reason of opaque code says that SQLAlchemy cannot write it as SQL."""
    return reason.startswith(_NOT_COMPILED)


class _Outcome(Struct):
    """What running a half has shown: its statements, the first refusal with the statement and the operation, the first one that needs rows in a
    table that is older, and whether all is known."""

    statements: list[Statement]
    refused: tuple[Statement, Operation, Refusal] | None = None
    refused_for_rows: tuple[Statement, Operation, Refusal] | None = None
    known: bool = True


def failing_downgrade(migration: Migration, predictor: Predictor) -> FailingDowngrade | None:
    """Returns the first failure of a migration's downgrade, which must have been rendered, on the database as the upgrade leaves it; None if
    the history shows none, or if the upgrade itself fails. `predictor` has the database before the upgrade, and still has it afterwards."""
    down, again_up = migration.down, migration.again or migration.up
    if down is None or not _sends_known_sql(migration.up) or not _sends_known_sql(down, up_to_error=True):
        return None
    older = frozenset(relation.oid for relation in predictor.catalog.relations())
    with predictor.trial():
        if _run(migration.up, predictor).refused is not None:
            return None
        outcome = _run(down, predictor, older)
        if outcome.refused is not None:
            statement, operation, refusal = outcome.refused
            return FailingDowngrade(operation.span, refusal=refusal, statement=statement, by_script=isinstance(operation, OpaqueCode))
        if outcome.refused_for_rows is not None:
            statement, operation, refusal = outcome.refused_for_rows
            return FailingDowngrade(operation.span, refusal=refusal, statement=statement, by_rows=True)
        if not outcome.known or not outcome.statements or not _sends_known_sql(again_up):
            return None
        again = _run(again_up, predictor)
        if again.refused is None or again.refused[2].kind is not RefusalKind.SCHEMA:
            return None
        last = outcome.statements[-1]
        return FailingDowngrade(last.operations[0].span, refusal=again.refused[2], statement=last, upgrade=again.refused[1])


def _sends_known_sql(half: Half, *, up_to_error: bool = False) -> bool:
    """Whether it is known what a half sends (`up_to_error`: until it certainly fails): not if a program has several paths, or has not been
    rendered."""
    if half.program is None:
        return True
    first = next((call for call in half.program.calls if call.opaque), None)
    is_known = first is None or (up_to_error and first.certain and is_not_compiled(first.opaque))
    return bool(half.program.calls) and not half.program.paths and is_known


def _run(half: Half, predictor: Predictor, older: Set[int] = frozenset()) -> _Outcome:
    """Runs a half up to its first refusal. `older` are the tables that the migration has not created."""
    outcome, filled = _Outcome([]), set(older)
    for prediction in predictor.predict_migration(half):
        outcome.statements.append(prediction.statement)
        certain = all(operation.certain for operation, _ in prediction.operations)
        outcome.known = outcome.known and certain and prediction.understood
        if predictor.refused is not None:
            outcome.refused = (prediction.statement, *predictor.refused)
            break
        for operation, _ in prediction.operations if outcome.refused_for_rows is None else ():
            if isinstance(operation, Truncate):
                filled -= {table.oid for name in operation.tables if (table := predictor.catalog.relation(name.name)) is not None}
            refusal = _refusal_for_rows(operation, predictor.catalog, filled)
            if refusal is not None:
                outcome.refused_for_rows = (prediction.statement, operation, refusal)
                break
        first = prediction.statement.operations[0]
        if isinstance(first, OpaqueCode) and is_not_compiled(first.reason):
            outcome.refused = (prediction.statement, first, Refusal(error=first.reason.partition(": ")[2]))
            break
    return outcome


def _refusal_for_rows(operation: Operation, catalog: Catalog, filled: Set[int]) -> Refusal | None:
    """Returns why PostgreSQL refuses a column that the rows of a table, if it is one that may have some, would have no value for."""
    if not isinstance(operation, AddColumn) or not operation.certain or operation.if_not_exists:
        return None
    table, column = catalog.relation(operation.target.name), operation.column
    if table is None or table.oid not in filled or not column.not_null or has_value(EffectContext(catalog), column):
        return None
    return Refusal(
        error=f'column "{column.name}" of relation "{table.name.name}" contains null values',
        help="-- add it without NOT NULL, or with a default",
    )
