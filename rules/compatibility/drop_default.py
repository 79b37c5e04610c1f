"""A column loses its default.

The running release may rely on it: an INSERT that omits the column fails from now on if the column is NOT NULL, and writes NULL otherwise.
First deploy a release that always writes the column. It is an error if the column is NOT NULL and no default, identity or trigger gives it
a value; otherwise the finding is for information.

Unsafe:
    CREATE TABLE deliveries (id bigint PRIMARY KEY, carrier text NOT NULL DEFAULT 'post');
    -- next migration
    ALTER TABLE deliveries ALTER COLUMN carrier DROP DEFAULT;

Unsafe, because later rows have NULL:
    ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;

Safe, because the default is replaced:
    ALTER TABLE orders ALTER COLUMN region SET DEFAULT 'us';

See: https://www.postgresql.org/docs/current/ddl-default.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import added_column, is_column_created_here, is_created_here
from migsafe.linting.facts.wording import after_release
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.columns import has_domain_default
from migsafe.schema.objects import Column, Relation
from migsafe.sql.operations import DropDefault
from migsafe.sql.operations.values import quoted


class _State(Struct):
    dropped: list[tuple[int, int, int]] = []
    """The positions of DROP DEFAULTs, each with the oid of the table and the number of the column."""


@rule(category="compatibility", severity=Severity.ERROR, no_fix="the application must change first, and only its authors know when it has")
def drop_default(op: DropDefault | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each default that the migration did not set itself, and report at the end of the migration the columns that have none then."""
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
        if column.default is not None or not table.complete:
            at.state(_State).dropped.append((at.position, table.oid, column.number))
    elif table is None or not table.complete:
        yield _finding(at, at.position, op, None)


def _is_required_addition(op: DropDefault, column: Column | None, at: Context) -> bool:
    """Whether the migration added the column to an existing table, as NOT NULL with this default."""
    added = added_column(at, op.target.name, op.column)
    return added is not None and column is not None and column.not_null is True and not is_created_here(at, op.target.name)


def _dropped(at: Context, position: int, oid: int, number: int) -> Iterator[Finding]:
    table = at.catalog.get(oid)
    column = table.column_numbered(number) if isinstance(table, Relation) else None
    op: DropDefault = at.past[position].operation  # type: ignore[assignment]  # the recorded operations are of this type
    if isinstance(table, Relation) and column is not None and column.default is None and column.identity is None:
        if has_domain_default(at.catalog, column.type):
            return
        yield _finding(at, position, op, column, is_filled=_has_insert_trigger(at, table))


def _has_insert_trigger(at: Context, table: Relation) -> bool:
    """Whether a BEFORE INSERT trigger for each row may give the column a value."""
    return any(trigger.row and trigger.timing == "before" and "insert" in trigger.events for trigger in at.catalog.triggers(table.oid))


def _finding(at: Context, position: int, op: DropDefault, column: Column | None, *, is_filled: bool = False) -> Finding:
    name, quoted_column = op.target.name, quoted(op.column)
    is_required = column is not None and column.not_null is True
    consequence = "fail" if is_required else "write NULL" if column is not None else "write NULL, or fail if the column is NOT NULL"
    return at.finding(
        op if position == at.position else at.past[position],
        f"DROP DEFAULT on {quoted_column} of {at.resolve(name)}: from then on, INSERTs of the running release that omit the column "
        f"{consequence}{', unless a BEFORE INSERT trigger sets it' if is_filled and is_required else ''}",
        help=after_release(f"a release that writes {quoted_column}", f"every running release writes {quoted_column}", at.rule),
        relations=(name,),
        severity=None if is_required and not is_filled else Severity.INFO,
    )
