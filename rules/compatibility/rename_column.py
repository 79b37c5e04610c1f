"""RENAME COLUMN breaks the running release.

The rename takes a moment. But the old release uses the old name and the new release the new name, and both run during a deployment: one of
them fails. Add a column under the new name instead, write both columns for one or two releases, and drop the old one last; or keep the name in
the database and map it in the application. Not reported: a column of a table that is renamed in the same transaction, if a view under the old
name of the table replaces it; and a column whose name another one gets in the same transaction, because no name is missing: columns that swap
their names, or a column that ADD COLUMN replaces and an UPDATE fills. If nothing fills it, the running release no longer finds its values; if
its type is of another kind, a text instead of a number, it cannot read or write it. The message also names a trigger function that still has
the old name: every write that fires it fails.

Unsafe:
    ALTER TABLE orders RENAME COLUMN note TO remark;

Unsafe, without an index or a constraint that the new column needs too:
    ALTER TABLE products RENAME COLUMN category TO section;

Safe, in several migrations and releases:
    ALTER TABLE orders ADD COLUMN remark text;
    -- next migration
    UPDATE orders SET remark = note WHERE id BETWEEN 1 AND 1000;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-RENAMING-COLUMN
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import (
    NameAbsence,
    column_that_returns,
    has_new_name,
    is_column_created_here,
    is_updated_here,
    name_absence,
)
from migsafe.linting.facts.query_uses import KnownUse, use_of_relations
from migsafe.linting.facts.replaced_keys import also_needed
from migsafe.linting.facts.replaced_types import is_other_kind
from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.trigger_functions import broken_writes, triggers_that_name
from migsafe.linting.facts.wording import deployments, once_released
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Function, Relation, Trigger
from migsafe.sql.operations import AddColumn, AlterColumnType, DropColumn, Name, Operation, Rename, RenameColumn, TypeName
from migsafe.sql.operations.values import quoted


class _Renamed(Struct):
    """A RENAME COLUMN: its position, the table's oid and the column's type if they are known, what else the column has, the queries that use
    it, and the triggers that name it, with their functions."""

    position: int
    oid: int | None
    type: TypeName | None
    needed: str
    use: KnownUse
    triggers: list[tuple[Trigger, Function]]


class _State(Struct):
    renamed: list[_Renamed] = []


@rule(category="compatibility", severity=Severity.ERROR, fix="unsafe", unsafe_because="a part of it needs another deployment")
def rename_column(op: RenameColumn | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each renamed column, and report it at the end of the migration, unless a view replaced its table."""
    if isinstance(op, RenameColumn):
        table = at.catalog.relation(op.target.name)
        if op.target.kind in ("type", "domain") or is_column_created_here(at, op.target.name, op.column):
            return
        if has_new_name(at, op.target.name, op.column):
            return  # the running release does not know this name; the renaming that gave it is reported
        if not (op.target.if_exists and at.catalog.is_absent(op.target.name)):
            column = table.column(op.column) if table is not None else None
            own_type = column.type if column is not None else None
            needed = also_needed(table, column, at, keys_done=False) if table is not None and column is not None else ""
            needed = needed or (f"COLLATE {column.collation}" if column is not None and column.collation is not None else "")
            use = use_of_relations(at, (op.target.name,), op.column)
            triggers = triggers_that_name(at, op.target.name, op.column)
            at.state(_State).renamed.append(_Renamed(at.position, table.oid if table is not None else None, own_type, needed, use, triggers))
        return
    for renamed in at.state(_State).renamed:
        if _is_behind_view(at, renamed.position, renamed.oid) or _has_anothers_name(at, renamed.position):
            continue
        returned = column_that_returns(at, renamed.position)
        if returned is None:
            yield _finding(at, renamed)
        elif isinstance(returned.operation, AddColumn) and not _keeps_its_values(at, renamed.position, returned.operation):
            yield _without_values(at, renamed.position)
        elif (other := _other_type(at, renamed, returned.operation)) is not None:
            yield _of_another_kind(at, renamed, other)


def _is_behind_view(at: Context, position: int, oid: int | None) -> bool:
    """Whether the table itself is renamed too, and another object has its old name at the end of the transaction."""
    table = at.catalog.get(oid) if oid is not None else None
    for number, done in enumerate(at.past):
        match done.operation:
            case Rename(name=name, new_name=new_name) if isinstance(table, Relation) and table.name.name == new_name:
                if done.transaction == at.past[position].transaction and name_absence(at, number, "table", name) is NameAbsence.NONE:
                    return True
    return False


def _has_anothers_name(at: Context, position: int) -> bool:
    """Whether the column gets the name that another one had in the same transaction."""
    transaction, op = at.past[position].transaction, at.past[position].operation
    assert isinstance(op, RenameColumn)
    return transaction is not None and any(
        isinstance(done.operation, RenameColumn)
        and done.transaction == transaction
        and done.operation.column == op.new_name
        and at.resolve(done.operation.target.name) == at.resolve(op.target.name)
        for done in at.past[:position]
    )


def _keeps_its_values(at: Context, position: int, added: AddColumn) -> bool:
    """Whether the column that ADD COLUMN puts in the place of the renamed one has values of its own, or drop-column speaks of the old one."""
    op = at.past[position].operation
    assert isinstance(op, RenameColumn)
    return (
        added.column.generated is not None
        or is_updated_here(at, op.target.name)
        or any(
            isinstance(done.operation, DropColumn)
            and done.operation.column == op.new_name
            and at.resolve(done.operation.target.name) == at.resolve(op.target.name)
            for done in at.past[position:]
        )
    )


def _without_values(at: Context, position: int) -> Finding:
    done = at.past[position]
    op: RenameColumn = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    table, old, new = at.resolve(op.target.name), quoted(op.column), quoted(op.new_name)
    return at.finding(
        done,
        f"RENAME COLUMN renames {old} of {table} to {new}, and ADD COLUMN adds another {old}: the running release reads and writes the new "
        "column, which has none of the values",
        help="-- add the new column under a name that the running release does not use, and rename neither of them while it runs",
        fix="",
        relations=(op.target.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _other_type(at: Context, renamed: _Renamed, returned: Operation) -> TypeName | None:
    """Returns the type of the column that has the old name afterwards, with values, if the running release cannot use it."""
    op = at.past[renamed.position].operation
    assert isinstance(op, RenameColumn)
    if not isinstance(returned, RenameColumn) and not is_updated_here(at, op.target.name):
        return None
    table = at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    return column.type if column is not None and is_other_kind(renamed.type, column.type) else None


def _of_another_kind(at: Context, renamed: _Renamed, other: TypeName) -> Finding:
    done = at.past[renamed.position]
    op: RenameColumn = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    old = quoted(op.column)
    return at.finding(
        done,
        f"RENAME COLUMN renames {old} of {at.resolve(op.target.name)} to {quoted(op.new_name)}; the column that has the name afterwards is "
        f"{other}, not {renamed.type}: the running release fails wherever it reads or writes it",
        help="-- instead, leave both columns their own names, and deploy a release that writes both, then one that uses only the new one",
        fix="",
        relations=(op.target.name,),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _finding(at: Context, renamed: _Renamed) -> Finding:
    done = at.past[renamed.position]
    op: RenameColumn = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
    table, old, new = op.target.name, quoted(op.column), quoted(op.new_name)
    changed = _type_change_before(at, renamed.position)
    return at.finding(
        done,
        f"RENAME COLUMN renames {old} of {at.resolve(table)} to {new}: the running release fails wherever it uses the old name, and the "
        f"next release fails until the migration has run{renamed.use.words}{broken_writes(at, renamed.position, renamed.triggers)}",
        help=_instead_of_type_change(at, changed)
        + _help(table, old, new, str(renamed.type) if renamed.type is not None else "…", renamed.needed, _new_value(old, changed)),
        fix="" if renamed.needed or changed is not None else None,
        relations=(table,),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=renamed.use.severity,
        queries=renamed.use.queries,
        use_words=renamed.use.words if renamed.use.queries else "",
    )


def _type_change_before(at: Context, position: int) -> PastOperation | None:
    """Returns the ALTER COLUMN TYPE of the migration that has changed a renamed column before; None if there is none."""
    op = at.past[position].operation
    assert isinstance(op, RenameColumn)
    for done in at.past[:position]:
        change = done.operation
        if isinstance(change, AlterColumnType) and change.column == op.column and at.resolve(change.target.name) == at.resolve(op.target.name):
            return done
    return None


def _instead_of_type_change(at: Context, changed: PastOperation | None) -> str:
    return f"-- instead of the new type in line {line_of(at, changed.operation.span)} and of this:\n" if changed is not None else ""


def _new_value(old: str, changed: PastOperation | None) -> str:
    """Returns the value of the new column, from the old one as it was before the migration changed its type."""
    if changed is None:
        return old
    assert isinstance(changed.operation, AlterColumnType)
    return changed.operation.using.sql if changed.operation.using is not None else f"{old}::{changed.operation.type}"


def _help(table: Name, old: str, new: str, type_name: str, needed: str, value: str) -> str:
    missing = f"{new} IS NULL AND {old} IS NOT NULL" if value == old else f"{new} IS DISTINCT FROM ({value})"
    fill = f"UPDATE {table} SET {new} = {value} WHERE {missing};"  # noqa: S608  # it is shown, not run
    return (
        deployments("ADD COLUMN and a release that writes both columns", f"a release that uses only {new}", "DROP COLUMN")
        + f"ALTER TABLE {table} ADD COLUMN {new} {type_name};\n"
        + (f"-- give {new} what {old} has: {needed}\n" if needed else "")
        + f"-- deploy a release that writes both columns, then fill the existing rows, a few thousand at a time:\n{fill}\n"
        + once_released(f"every running release uses only {new}", "drop-column")
        + f"ALTER TABLE {table} DROP COLUMN {old};"
    )
