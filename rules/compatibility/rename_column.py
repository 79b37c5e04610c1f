"""RENAME COLUMN breaks the release that is still running.

The rename itself takes a moment. But the old release still uses the old name, the new one the new name, and during a deployment both run: one
of them fails. Add a column under the new name instead, write both for the time of a deployment or two, and drop the old one last; or leave
the name as it is and map it in the application. What renames the table too, and leaves a view under its old name in the same transaction,
keeps the old column's name alive.

Unsafe:
    ALTER TABLE orders RENAME COLUMN note TO remark;

Safe, in several migrations and releases:
    ALTER TABLE orders ADD COLUMN remark text;
    -- next migration
    UPDATE orders SET remark = note WHERE id BETWEEN 1 AND 1000;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-RENAMING-COLUMN
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import NameAbsence, is_column_created_here, name_absence
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.sql.operations import Rename, RenameColumn
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.ERROR)
def rename_column(op: RenameColumn | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each renamed column, and report it when the migration ends, unless a view has taken the table's place."""
    if isinstance(op, RenameColumn):
        table = at.catalog.relation(op.target.name)
        if op.target.kind in ("type", "domain") or is_column_created_here(at, op.target.name, op.column):
            return
        if not (op.target.if_exists and at.catalog.is_absent(op.target.name)):
            column = table.column(op.column) if table is not None else None
            at.notes.append((len(at.past), table.oid if table is not None else None, str(column.type) if column and column.type else "…"))
        return
    for position, oid, type_name in at.notes:
        if not _is_behind_view(at, position, oid):
            yield _finding(at, position, type_name)


def _is_behind_view(at: Context, position: int, oid: int | None) -> bool:
    """Whether the table itself is renamed too, and something stands under its old name when the transaction ends."""
    table = at.catalog.get(oid) if oid is not None else None
    for number, done in enumerate(at.past):
        match done.operation:
            case Rename(name=name, new_name=new_name) if isinstance(table, Relation) and table.name.name == new_name:
                if done.transaction == at.past[position].transaction and name_absence(at, number, "table", name) is NameAbsence.NONE:
                    return True
    return False


def _finding(at: Context, position: int, type_name: str) -> Finding:
    done = at.past[position]
    op: RenameColumn = done.operation  # type: ignore[assignment]  # that is what is noted
    table, old, new = op.target.name, quoted(op.column), quoted(op.new_name)
    return at.finding(
        done,
        f"RENAME COLUMN takes the name {old} away from {at.resolve(table)}: the release that is running fails wherever it still uses "
        "it, and the next one until this has run",
        help=(
            f"ALTER TABLE {table} ADD COLUMN {new} {type_name};\n"
            f"-- release a version that writes both columns, then fill the old rows, a few thousand at a time:\n"
            f"UPDATE {table} SET {new} = {old} WHERE {new} IS NULL AND {old} IS NOT NULL;\n"
            f"-- release a version that uses {new} only; then, in a migration of its own:\n"
            f"ALTER TABLE {table} DROP COLUMN {old};"
        ),
        relations=(table,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )
