"""An enum value is used in the transaction that adds it.

ALTER TYPE … ADD VALUE may run in a transaction, but PostgreSQL refuses to use the new value before that transaction is committed: "unsafe
use of new value". Every statement that needs the value counts, even if it finds no row: an INSERT, a comparison, a column default, a CHECK,
a view. PostgreSQL 17 and newer allow it only if the same transaction also created the type; the values listed in CREATE TYPE can be used at
once. Commit first: add the value in one migration and use it in the next, or COMMIT between the two if the script opened the transaction
itself.

Unsafe:
    BEGIN;
    ALTER TYPE order_status ADD VALUE 'returned';
    UPDATE orders SET state = 'returned' WHERE note = 'came back';
    COMMIT;

Safe:
    ALTER TYPE order_status ADD VALUE IF NOT EXISTS 'returned';
    -- next migration
    UPDATE orders SET state = 'returned' WHERE note = 'came back';

See: https://www.postgresql.org/docs/current/sql-altertype.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe import expressions
from migsafe.linting.facts.transaction_block import is_in_called_function, line_of, transaction_block_around
from migsafe.linting.rule import Context, Finding, PastOperation, Severity, rule
from migsafe.schema.objects import EnumType
from migsafe.sql.generation import NEXT_FROM_HERE, join_migrations
from migsafe.sql.operations import AddEnumValue, CreateEnum, Do, Name, Operation, Rename

_USABLE_WITH_ITS_TYPE = 17
"""The first version that allows the use of a new value in its transaction, if that transaction also created the type."""


class _Added(Struct):
    """A value that a transaction added; `where` is the place for messages, `reported` the statements that were reported for it."""

    value: expressions.EnumValue
    sql: str
    where: str
    transaction: int | None
    reported: set[int]


class _State(Struct):
    """The values that were added so far; None until the values of earlier migrations were read."""

    added: list[_Added] | None = None


@rule(
    category="transactions",
    severity=Severity.ERROR,
    across_migrations=True,
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves the new value committed",
)
def enum_value_used_in_transaction(op: Operation, at: Context) -> Iterator[Finding]:
    """Record each value that is added, and report statements that need it before the transaction ends."""
    state = at.state(_State)
    if state.added is None:
        state.added = list(_from_before(at))
    if isinstance(op, AddEnumValue):
        if not _is_usable(op, at):
            value = expressions.EnumValue(op.type, op.value, _oid(op.type, at))
            state.added.append(_Added(value, at.text(*op.span), f"line {line_of(at, op.span)}", at.session.transaction, set()))
    elif state.added and not is_in_called_function(at, op):
        yield from (_finding(op, at, added) for added in state.added if _uses(op, at, added))


def _from_before(at: Context) -> Iterator[_Added]:
    """Yields the values that earlier migrations added in the transaction of this one."""
    shared = at.shared_transaction
    for earlier in shared.earlier if shared is not None else ():
        for done in earlier.past:
            match done.operation:
                case AddEnumValue(type=type_name, value=value) as op if done.transaction == at.session.transaction:
                    sql = earlier.migration.up.script.text[slice(*op.span)]
                    where = f"migration {earlier.migration.id}"
                    yield _Added(expressions.EnumValue(type_name, value, _oid(type_name, at)), sql, where, done.transaction, set())


def _oid(type_name: Name, at: Context) -> int | None:
    type_ = at.catalog.type_named(type_name)
    return type_.oid if type_ is not None else None


def _is_usable(op: AddEnumValue, at: Context) -> bool:
    """Whether the value exists already, or can be used because the transaction created the type."""
    enum = at.catalog.type_named(op.type)
    if op.if_not_exists and isinstance(enum, EnumType) and op.value in enum.values:
        return True
    return at.catalog.pg_version >= _USABLE_WITH_ITS_TYPE and _is_created_here(op.type, at)


def _is_created_here(type_name: Name, at: Context) -> bool:
    """Whether the transaction created a type, perhaps under another name."""
    name = at.catalog.in_first_schema(type_name)
    for done in reversed(_in_this_transaction(at)):
        match done.operation:
            case Rename(kind="type", name=old, new_name=new) if Name(new, at.catalog.in_first_schema(old).schema) == name:
                name = at.catalog.in_first_schema(old)
            case CreateEnum(type=created) if at.catalog.in_first_schema(created) == name:
                return True
    return False


def _in_this_transaction(at: Context) -> list[PastOperation]:
    return [done for done in at.past if done.transaction == at.session.transaction]


def _uses(op: Operation, at: Context, added: _Added) -> bool:
    statement = at.statement
    in_do = isinstance(statement.operations[0], Do)
    if added.transaction != at.session.transaction or (not in_do and statement.index in added.reported):
        return False
    if not expressions.needs_enum_value(op, at.text(*(op.span if in_do else statement.span)), added.value, at.catalog):
        return False
    added.reported.add(statement.index)
    return True


def _finding(op: Operation, at: Context, added: _Added) -> Finding:
    around = transaction_block_around(at)
    why = f": {around.reason}" if around is not None else ""
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        help, fix = f"-- {shared.own_transaction_advice}, so that ADD VALUE is committed first", ""
    else:
        uses = f"{at.text(*at.statement.span)};" if op.span == at.statement.span else "-- the statement that uses the value"
        help, fix = join_migrations(f"{added.sql};", uses), NEXT_FROM_HERE
    return at.finding(
        op,
        f"'{added.value.value}' is used before the transaction that adds it to {added.value.type} ({added.where}) is committed, "
        f"which PostgreSQL refuses (unsafe use of new value){why}",
        help=help,
        fix=fix,
    )
