"""A value is used in the transaction that adds it to its enum type.

ALTER TYPE … ADD VALUE may run in a transaction, and the value is there, but PostgreSQL refuses to use it before that transaction is committed:
"unsafe use of new value". Use is whatever needs the value itself, and be it that a statement which meets no row is planned: an INSERT, a
comparison, a column's default, a CHECK, a view. Only PostgreSQL 17 or newer allows it where the same transaction has also made the type;
the values that CREATE TYPE lists can be used at once. Commit first: the value in one migration, what uses it in the next, or a
COMMIT between the two where the script has opened the transaction itself.

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
from migsafe.sql.generation import join_migrations
from migsafe.sql.operations import AddEnumValue, CreateEnum, Do, Name, Operation, Rename

_USABLE_WITH_ITS_TYPE = 17
"""The first version in which a value that is added in the transaction that made the type can be used in it."""


class _Added(Struct):
    """A value that a transaction has added; `where` says it, `told` holds the statements that have been reported."""

    value: expressions.EnumValue
    sql: str
    where: str
    transaction: int | None
    told: set[int]


@rule(category="transactions", severity=Severity.ERROR)
def enum_value_used_in_transaction(op: Operation, at: Context) -> Iterator[Finding]:
    """Note each value that is added, and report what needs it before the transaction ends."""
    if not at.notes:
        at.notes.append(None)
        at.notes.extend(_from_before(at))
    if isinstance(op, AddEnumValue):
        if not _is_usable(op, at):
            where = f"line {line_of(at, op.span)}"
            value = expressions.EnumValue(op.type, op.value, _oid(op.type, at))
            at.notes.append(_Added(value, at.text(*op.span), where, at.session.transaction, set()))
    elif len(at.notes) > 1 and not is_in_called_function(at, op):
        yield from (_finding(op, at, added) for added in at.notes[1:] if _uses(op, at, added))


def _from_before(at: Context) -> Iterator[_Added]:
    """The values that earlier migrations have added in the transaction in which this one runs too."""
    shared = at.shared_transaction
    for earlier in shared.earlier if shared is not None else ():
        for done in earlier.past:
            match done.operation:
                case AddEnumValue(type=type_name, value=value) as op if done.transaction == at.session.transaction:
                    sql = earlier.migration.up.script.text[slice(*op.span)]
                    where = f"migration {earlier.migration.id}"
                    yield _Added(expressions.EnumValue(type_name, value, _oid(type_name, at)), sql, where, done.transaction, set())


def _oid(type_name: Name, at: Context) -> int | None:
    found = at.catalog.type_named(type_name)
    return found.oid if found is not None else None


def _is_usable(op: AddEnumValue, at: Context) -> bool:
    """Whether the value is there already, or can be used because the transaction has made the type itself."""
    enum = at.catalog.type_named(op.type)
    if op.if_not_exists and isinstance(enum, EnumType) and op.value in enum.values:
        return True
    return at.catalog.pg_version >= _USABLE_WITH_ITS_TYPE and _is_made_here(op.type, at)


def _is_made_here(type_name: Name, at: Context) -> bool:
    """Whether the transaction has made a type, perhaps under another name."""
    name = at.catalog.in_first_schema(type_name)
    for done in reversed(_of_this(at)):
        match done.operation:
            case Rename(kind="type", name=old, new_name=new) if Name(new, at.catalog.in_first_schema(old).schema) == name:
                name = at.catalog.in_first_schema(old)
            case CreateEnum(type=made) if at.catalog.in_first_schema(made) == name:
                return True
    return False


def _of_this(at: Context) -> list[PastOperation]:
    return [done for done in at.past if done.transaction == at.session.transaction]


def _uses(op: Operation, at: Context, added: _Added) -> bool:
    statement = at.statement
    in_do = isinstance(statement.operations[0], Do)
    if added.transaction != at.session.transaction or (not in_do and statement.index in added.told):
        return False
    if not expressions.needs_enum_value(op, at.text(*(op.span if in_do else statement.span)), added.value, at.catalog):
        return False
    added.told.add(statement.index)
    return True


def _finding(op: Operation, at: Context, added: _Added) -> Finding:
    around = transaction_block_around(at)
    why = f": {around.reason}" if around is not None else ""
    shared = at.shared_transaction
    if shared is not None and shared.own_transaction_advice:
        help = f"-- {shared.own_transaction_advice}, so that what adds the value is committed first"
    else:
        uses = f"{at.text(*at.statement.span)};" if op.span == at.statement.span else "-- what uses the value"
        help = join_migrations(f"{added.sql};", uses)
    return at.finding(
        op,
        f"'{added.value.value}' is used before the transaction that adds it to {added.value.type} ({added.where}) is committed, "
        f"which PostgreSQL refuses (unsafe use of new value){why}",
        help=help,
    )
