"""What a table has from its parent stays as the parent has it, and ONLY does not change what children have from the table."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import complete_table, known_column
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.not_nulls import not_null_constraint
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind
from migsafe.sql.operations.values import quoted

_INHERITED = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)


@refuses(sql.AlterColumnType)
def alter_type(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """A column has the same type in all children (ATPrepAlterColumnType in tablecmds.c)."""
    known = known_column(catalog, op, op.column)
    if known is None or not op.target.only or known[1].inherited or not catalog.children(known[0].oid):
        return None
    using = f" USING {op.using.sql}" if op.using is not None else ""
    return Refusal(
        error=f'type of inherited column "{op.column}" must be changed in child tables too',
        help=f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} TYPE {op.type}{using};",
    )


@refuses(sql.DropNotNull)
def drop_not_null(catalog: Catalog, op: sql.DropNotNull) -> Refusal | None:
    """A partition keeps the NOT NULL of its parent, from 18 on every child does (ATExecDropNotNull in tablecmds.c)."""
    known = known_column(catalog, op, op.column)
    if known is None or not known[1].not_null or known[1].identity is not None:
        return None
    table, column = known
    key = catalog.primary_key(table.oid)
    if key is not None and column.number in key.columns and catalog.pg_version < versions.NOT_NULL_CONSTRAINTS:
        return None  # before 18, PostgreSQL names the primary key first
    index = catalog.get(table.identity_index) if table.replica_identity == "index" and table.identity_index is not None else None
    if index is not None and column.number in getattr(index, "columns", ()):
        return Refusal(
            error=f'column "{op.column}" is in index used as replica identity',
            help=f"-- first: ALTER TABLE {op.target.name} REPLICA IDENTITY DEFAULT;",
        )
    if op.target.only and table.kind is RelationKind.PARTITIONED and catalog.pg_version < versions.NOT_NULL_CONSTRAINTS:
        return _refuse_only(catalog, table, f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} DROP NOT NULL;")
    parent = catalog.get(table.parents[0]) if len(table.parents) == 1 else None
    parent_column = parent.column(op.column) if isinstance(parent, Relation) else None
    if not isinstance(parent, Relation) or parent_column is None or not parent_column.not_null:
        return None
    alter = f"-- ALTER TABLE {parent.name} ALTER COLUMN {quoted(op.column)} DROP NOT NULL changes it in {parent.name} and all its children"
    if table.bound is not None:
        return Refusal(error=f'column "{op.column}" is marked NOT NULL in parent table', help=alter)
    constraint = not_null_constraint(catalog, table.oid, column.number)
    if constraint is None or not constraint.inherited:
        return None
    return Refusal(error=f'cannot drop inherited constraint "{constraint.name.name}" of relation "{table.name.name}"', help=alter)


@refuses(sql.DropConstraint)
def drop_constraint(catalog: Catalog, op: sql.DropConstraint) -> Refusal | None:
    """Before 18, ONLY drops no constraint that partitions have from the table (ATExecDropConstraint in tablecmds.c)."""
    table = complete_table(catalog, op.target.name)
    if table is None or not op.target.only or table.kind is not RelationKind.PARTITIONED or catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS:
        return None
    constraint = catalog.constraint(table.oid, op.constraint)
    if constraint is None or constraint.kind is not ConstraintKind.CHECK or constraint.no_inherit or constraint.inherited:
        return None
    return _refuse_only(catalog, table, f"ALTER TABLE {op.target.name} DROP CONSTRAINT {quoted(op.constraint)};")


def _refuse_only(catalog: Catalog, table: Relation, help: str) -> Refusal | None:
    if not catalog.children(table.oid):
        return None
    return Refusal(error="cannot remove constraint from only the partitioned table when partitions exist", help=help)


@refuses(sql.RenameConstraint)
def rename_constraint(catalog: Catalog, op: sql.RenameConstraint) -> Refusal | None:
    """A constraint has the same name in all children (rename_constraint_internal in tablecmds.c)."""
    table = complete_table(catalog, op.target.name)
    constraint = catalog.constraint(table.oid, op.constraint) if table is not None else None
    if table is None or constraint is None or constraint.kind not in _INHERITED or constraint.no_inherit:
        return None
    if constraint.inherited:
        return Refusal(error=f'cannot rename inherited constraint "{op.constraint}"', help="-- rename it in the parent table")
    if not op.target.only or not catalog.children(table.oid):
        return None
    return Refusal(
        error=f'inherited constraint "{op.constraint}" must be renamed in child tables too',
        help=f"ALTER TABLE {op.target.name} RENAME CONSTRAINT {quoted(op.constraint)} TO {quoted(op.new_name)};",
    )
