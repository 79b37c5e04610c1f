"""The limits of columns: identity, defaults, generated columns, partitions."""

from collections.abc import Iterable

from migsafe import versions
from migsafe.prediction.refusals.definitions import complete_table, is_built_in, known_column, may_make_nothing
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import SYSTEM_COLUMNS, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind
from migsafe.sql.operations.values import quoted


@refuses(sql.CreateTable)
def create_table(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """A table names each column once, and has one primary key."""
    if may_make_nothing(catalog, op):
        return None
    names = [column.name for column in op.columns]
    refusal = _refuse_system_name(names)
    if refusal is not None:
        return refusal
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        return Refusal(error=f'column "{twice}" specified more than once', help="-- leave out one of the two")
    return None


def _refuse_system_name(names: Iterable[str]) -> Refusal | None:
    name = next((name for name in names if name in SYSTEM_COLUMNS), None)
    return Refusal(error=f'column name "{name}" conflicts with a system column name', help="-- choose another name") if name else None


@refuses(sql.RenameColumn)
def rename_column(catalog: Catalog, op: sql.RenameColumn) -> Refusal | None:
    """A column has not the name of a system column."""
    return _refuse_system_name((op.new_name,)) if complete_table(catalog, op.target.name) is not None else None


@refuses(sql.AddColumn)
def add_column(catalog: Catalog, op: sql.AddColumn) -> Refusal | None:
    """A partition has the columns of its parent."""
    refusal = _refuse_system_name((op.column.name,))
    if refusal is not None:
        return refusal
    table = complete_table(catalog, op.target.name)
    if table is None or table.bound is None:
        return None
    parent = catalog.get(table.parents[0]) if table.parents else None
    return Refusal(
        error="cannot add column to a partition",
        help=f"-- add the column to {parent.name}, and so to all its partitions" if parent is not None else "",
    )


@refuses(sql.SetDefault, sql.DropDefault)
def set_default(catalog: Catalog, op: sql.SetDefault | sql.DropDefault) -> Refusal | None:
    """Identity columns and generated columns have no default of their own."""
    known = known_column(catalog, op, op.column)
    if known is None:
        return None
    table, column = known
    where = f'column "{op.column}" of relation "{table.name.name}" is'
    alter = f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)}"
    if column.identity is not None and column.default is not None:
        return None  # ADD GENERATED was refused because of this default, so the identity does not exist
    if column.identity is not None:
        return Refusal(error=f"{where} an identity column", help=f"{alter} DROP IDENTITY;")
    if column.generated is not None:
        can_drop = column.generated == "stored"
        return Refusal(error=f"{where} a generated column", help=f"{alter} DROP EXPRESSION;" if can_drop else "")
    return None


@refuses(sql.AddIdentity)
def add_identity(catalog: Catalog, op: sql.AddIdentity) -> Refusal | None:
    """Only an integer column without a default can become an identity column."""
    known = known_column(catalog, op, op.column)
    if known is None:
        return None
    table, column = known
    if column.type is not None and is_built_in(column.type) and column.type.name not in ("smallint", "integer", "bigint"):
        return Refusal(error="identity column type must be smallint, integer, or bigint", detail=f"{op.column} is {column.type}")
    if column.not_null is False:
        return None  # the database's own refusal
    where = f'column "{op.column}" of relation "{table.name.name}"'
    if column.identity is not None:
        return Refusal(error=f"{where} is already an identity column")
    if column.default is not None and column.generated is None:
        drop = f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} DROP DEFAULT;"
        return Refusal(error=f"{where} already has a default value", help=f"-- first: {drop}")
    return None


@refuses(sql.DropIdentity, sql.SetIdentity)
def change_identity(catalog: Catalog, op: sql.DropIdentity | sql.SetIdentity) -> Refusal | None:
    """Only an identity column has an identity to change."""
    known = known_column(catalog, op, op.column)
    if known is None or known[1].identity is not None or (isinstance(op, sql.DropIdentity) and op.if_exists):
        return None
    alter = f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)}"
    return Refusal(
        error=f'column "{op.column}" of relation "{known[0].name.name}" is not an identity column',
        help=f"{alter} DROP IDENTITY IF EXISTS;" if isinstance(op, sql.DropIdentity) else "",
    )


@refuses(sql.DropExpression)
def drop_expression(catalog: Catalog, op: sql.DropExpression) -> Refusal | None:
    """Only a generated column has an expression to drop."""
    known = known_column(catalog, op, op.column)
    if known is None or known[1].generated is not None or op.if_exists:
        return None
    word = "generated" if catalog.pg_version >= versions.VIRTUAL_GENERATED_COLUMNS else "stored generated"
    return Refusal(
        error=f'column "{op.column}" of relation "{known[0].name.name}" is not a {word} column',
        help=f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} DROP EXPRESSION IF EXISTS;",
    )


@refuses(sql.RenameConstraint)
def rename_constraint(catalog: Catalog, op: sql.RenameConstraint) -> Refusal | None:
    """The new name of a constraint is free."""
    table = complete_table(catalog, op.target.name)
    if table is None or catalog.constraint(table.oid, op.constraint) is None:
        return None
    constraint, other = catalog.constraint(table.oid, op.constraint), catalog.constraint(table.oid, op.new_name)
    if constraint is None or other is None or (constraint.index is not None and constraint.kind is not ConstraintKind.FOREIGN_KEY):
        return None
    return Refusal(error=f'constraint "{op.new_name}" for relation "{table.name.name}" already exists')


@refuses(sql.AlterConstraint)
def alter_constraint(catalog: Catalog, op: sql.AlterConstraint) -> Refusal | None:
    """Only foreign keys can be altered, and from 19 on the enforcement of a CHECK (ATExecAlterConstraint in tablecmds.c)."""
    table = complete_table(catalog, op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if table is not None else None
    if table is None or constraint is None or constraint.kind is ConstraintKind.FOREIGN_KEY:
        return None
    name = f'constraint "{op.constraint}" of relation "{table.name.name}"'
    accepts = constraint.kind is ConstraintKind.CHECK and catalog.pg_version >= versions.CHECK_ENFORCEABILITY
    if op.enforced is not None and not accepts and catalog.pg_version >= versions.NOT_ENFORCED:
        return Refusal(
            error=f"cannot alter enforceability of {name}",
            detail="only that of a foreign key" if catalog.pg_version < versions.CHECK_ENFORCEABILITY else "",
            help="-- in one transaction: drop the constraint, and add it again as it should be",
        )
    if op.deferrable is not None or op.initially_deferred is not None:
        return Refusal(
            error=f"{name} is not a foreign key constraint", help="-- in one transaction: drop the constraint, and add it again as it should be"
        )
    return None


@refuses(sql.Drop)
def drop_table(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """DROP TABLE drops tables."""
    for name in op.names if op.kind == "table" else ():
        relation = catalog.relation(name)
        if relation is not None and relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED, RelationKind.SEQUENCE):
            kind = relation.kind.value
            if relation.created_in >= 0 and not relation.may_be_older:
                return Refusal(error=f'"{relation.name.name}" is not a table', detail=f"it is a {kind}", help=f"DROP {kind.upper()} {name};")
    return None
