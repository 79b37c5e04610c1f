"""A column loses its default, its identity or its generation expression.

The running release may rely on it: an INSERT that omits the column fails from now on if the column is NOT NULL, and writes NULL otherwise.
First deploy a release that always writes the column. It is an error if the column is NOT NULL and no default, identity or trigger gives it
a value; otherwise the finding is for information. So it is for a column such as `updatedAt` in a migration of Prisma, whose client writes the
time of `@updatedAt` in every INSERT.

DROP IDENTITY leaves a NOT NULL column without a source of values. After DROP EXPRESSION the column keeps its values, but an UPDATE of the
columns that it was computed from no longer changes it, and new rows have NULL. No release can write a generated column before, so a trigger
must compute the values until one does.

Unsafe:
    CREATE TABLE deliveries (id bigint PRIMARY KEY, carrier text NOT NULL DEFAULT 'post');
    -- next migration
    ALTER TABLE deliveries ALTER COLUMN carrier DROP DEFAULT;

Unsafe, because later rows have NULL:
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Unsafe, because keys no longer get a value:
    CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, weight bigint);
    -- next migration
    ALTER TABLE parcels ALTER COLUMN id DROP IDENTITY;

Unsafe, because rows no longer get a value, and updates leave an old one:
    CREATE TABLE parcels (id bigint PRIMARY KEY, grams bigint, kilos bigint GENERATED ALWAYS AS (grams / 1000) STORED);
    -- next migration
    ALTER TABLE parcels ALTER COLUMN kilos DROP EXPRESSION;

Safe, because the default is replaced:
    ALTER TABLE orders ALTER COLUMN region SET DEFAULT 'us';

See: https://www.postgresql.org/docs/current/ddl-default.html
    https://www.postgresql.org/docs/current/ddl-identity-columns.html
    https://www.postgresql.org/docs/current/ddl-generated-columns.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import added_column, is_column_created_here, is_created_here
from migsafe.linting.facts.wording import after_release, suppression
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.columns import has_domain_default
from migsafe.schema.objects import Column, Relation
from migsafe.sql.operations import DropDefault, DropExpression, DropIdentity
from migsafe.sql.operations.values import quoted

_Drop = DropDefault | DropIdentity | DropExpression


class _State(Struct):
    dropped: list[tuple[int, int, int]] = []
    """The positions of the statements, each with the oid of the table and the number of the column."""


@rule(category="compatibility", severity=Severity.ERROR, no_fix="the application must change first, and only its authors know when it has")
def drop_default(op: DropDefault | DropIdentity | DropExpression | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each source of values that the migration did not set itself, and report at the end of the migration the columns that have none."""
    if isinstance(op, MigrationEnd):
        for position, oid, number in at.state(_State).dropped:
            yield from _dropped(at, position, oid, number)
        return
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    is_own = is_column_created_here(at, name, op.column) and not _is_required_addition(op, column, at)
    if is_own or (table is None and op.target.if_exists and at.catalog.is_absent(name)):
        return
    if table is not None and column is not None:
        if _has_source(column) or not table.complete:
            at.state(_State).dropped.append((at.position, table.oid, column.number))
    elif table is None or not table.complete:
        yield _finding(at, at.position, op, None)


def _has_source(column: Column) -> bool:
    return column.default is not None or column.identity is not None or column.generated is not None


def _is_required_addition(op: _Drop, column: Column | None, at: Context) -> bool:
    """Whether the migration added the column to an existing table, as NOT NULL with this default."""
    added = added_column(at, op.target.name, op.column)
    return added is not None and column is not None and column.not_null is True and not is_created_here(at, op.target.name)


def _dropped(at: Context, position: int, oid: int, number: int) -> Iterator[Finding]:
    table = at.catalog.get(oid)
    column = table.column_numbered(number) if isinstance(table, Relation) else None
    op: _Drop = at.past[position].operation  # type: ignore[assignment]  # the recorded operations are of these types
    if isinstance(table, Relation) and column is not None and not _has_source(column):
        if has_domain_default(at.catalog, column.type):
            return
        filled_by = "a BEFORE INSERT trigger sets it" if _has_insert_trigger(at, table) else _filled_by_client(at, op, column)
        yield _finding(at, position, op, column, filled_by=filled_by)


def _has_insert_trigger(at: Context, table: Relation) -> bool:
    """Whether a BEFORE INSERT trigger for each row may give the column a value."""
    return any(trigger.row and trigger.timing == "before" and "insert" in trigger.events for trigger in at.catalog.triggers(table.oid))


def _filled_by_client(at: Context, op: _Drop, column: Column) -> str:
    """Returns that Prisma's client gives the column a value: it does so for @updatedAt, whether or not there is a default."""
    is_time = column.type is not None and column.type.name.startswith("timestamp")
    is_updated_at = at.migration.runner == "prisma" and op.column.replace("_", "").lower() == "updatedat"
    return "Prisma sets it (@updatedAt)" if isinstance(op, DropDefault) and is_time and is_updated_at else ""


def _finding(at: Context, position: int, op: _Drop, column: Column | None, *, filled_by: str = "") -> Finding:
    name, quoted_column = op.target.name, quoted(op.column)
    # An identity column is NOT NULL, and stays so.
    is_required = (column is not None and column.not_null is True) or (column is None and isinstance(op, DropIdentity))
    consequence = "fail" if is_required else "write NULL" if column is not None else "write NULL, or fail if the column is NOT NULL"
    severity = None if is_required and not filled_by else Severity.INFO
    if isinstance(op, DropExpression):
        consequence += ", and UPDATEs of the columns in the expression no longer change it"
        # No release can write a generated column, so that every running one relies on the expression.
        severity = severity if is_required or filled_by else Severity.WARNING
    return at.finding(
        op if position == at.position else at.past[position],
        f"DROP {_WORDS[type(op)]} on {quoted_column} of {at.resolve(name)}: from then on, INSERTs of the running release that omit the column "
        f"{consequence}{f', unless {filled_by}' if filled_by else ''}",
        help=_safe_way(op, at),
        relations=(name,),
        severity=severity,
    )


_WORDS = {DropDefault: "DEFAULT", DropIdentity: "IDENTITY", DropExpression: "EXPRESSION"}


def _safe_way(op: _Drop, at: Context) -> str:
    name = quoted(op.column)
    condition = f"every running release writes {name}"
    if isinstance(op, DropExpression):
        return (
            f"-- in the same transaction, create a BEFORE INSERT OR UPDATE trigger that computes {name}, and drop it when {condition};\n"
            f"-- with this line above the statement:\n{suppression(f'a trigger computes {name} until {condition}', at.rule)}"
        )
    if isinstance(op, DropIdentity):
        before = f"-- first: ALTER TABLE {op.target.name} ALTER COLUMN {name} SET GENERATED BY DEFAULT; it accepts values of the application\n"
        return before + after_release(f"a release that writes {name}", condition, at.rule).replace("first", "then", 1)
    return after_release(f"a release that writes {name}", condition, at.rule)
