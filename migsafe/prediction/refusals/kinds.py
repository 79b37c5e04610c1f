"""Statements for another kind of relation: a table's on a view, a view's on a table."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints, complete_table
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, ConstraintKind, Name, Operation

_VIEWS = (RelationKind.VIEW, RelationKind.MATERIALIZED)
_ACTIONS: dict[type[Operation], str] = {
    sql.AddColumn: "ADD COLUMN",
    sql.DropColumn: "DROP COLUMN",
    sql.SetNotNull: "ALTER COLUMN ... SET NOT NULL",
    sql.DropNotNull: "ALTER COLUMN ... DROP NOT NULL",
    sql.AddConstraint: "ADD CONSTRAINT",
    sql.DropConstraint: "DROP CONSTRAINT",
}
_INSTEAD = "-- change the query of the view: CREATE OR REPLACE VIEW, or DROP and CREATE"
_KIND_WORDS = {"view": "a view", "materialized view": "a materialized view", "table": "a table", "sequence": "a sequence"}


def _certain(catalog: Catalog, name: Name, kinds: tuple[RelationKind, ...]) -> Relation | None:
    """Returns a relation that the history has certainly created as one of these kinds."""
    relation = catalog.relation(name)
    if relation is None or relation.kind not in kinds or relation.created_in < 0 or relation.may_be_older:
        return None
    return relation if certainly_exists(catalog, relation) else None


@refuses(*_ACTIONS)
def alter(catalog: Catalog, op: AlterRelation) -> Refusal | None:
    """A view gets its columns from its query, and has no constraints (ATSimplePermissions in tablecmds.c)."""
    view = _certain(catalog, op.target.name, _VIEWS)
    if view is None:
        return None
    error = f'ALTER action {_ACTIONS[type(op)]} cannot be performed on relation "{view.name.name}"'
    if catalog.pg_version < versions.ACTION_NAMED_IN_ERRORS:
        of_types = isinstance(op, sql.AddColumn | sql.DropColumn)
        error = f'"{view.name.name}" is not a table{", composite type," if of_types else ""} or foreign table'
    help = _INSTEAD if view.kind is RelationKind.VIEW else "-- drop the materialized view, and create it with another query"
    return Refusal(
        error=error,
        detail=f"it is a {view.kind.value}",
        help=help,
    )


@refuses(sql.SetRowSecurity)
def secure_rows(catalog: Catalog, op: sql.SetRowSecurity) -> Refusal | None:
    """Only tables have row security (ATSimplePermissions in tablecmds.c)."""
    view = _certain(catalog, op.target.name, _VIEWS)
    if view is None:
        return None
    action = {"enable": "ENABLE", "disable": "DISABLE", "force": "FORCE", "no force": "NO FORCE"}[op.action]
    error = f'ALTER action {action} ROW SECURITY cannot be performed on relation "{view.name.name}"'
    if catalog.pg_version < versions.ACTION_NAMED_IN_ERRORS:
        error = f'"{view.name.name}" is not a table'
    help = f"-- use the policies of the table; from 15 on: ALTER VIEW {view.name} SET (security_invoker = on);"
    return Refusal(error=error, detail=f"it is a {view.kind.value}", help=help if view.kind is RelationKind.VIEW else "")


@refuses(sql.SetLogged)
def set_logged(catalog: Catalog, op: sql.SetLogged) -> Refusal | None:
    """A materialized view is logged, and from 18 on a partitioned table has no persistence that can be changed (tablecmds.c)."""
    relation = _certain(catalog, op.target.name, (*_VIEWS, RelationKind.PARTITIONED))
    if relation is None or (relation.kind is RelationKind.PARTITIONED and catalog.pg_version < versions.PARTITIONED_ALWAYS_LOGGED):
        return None
    word = "LOGGED" if op.logged else "UNLOGGED"
    error = f'ALTER action SET {word} cannot be performed on relation "{relation.name.name}"'
    if catalog.pg_version < versions.ACTION_NAMED_IN_ERRORS:
        error = f'"{relation.name.name}" is not a table'
    is_partitioned = relation.kind is RelationKind.PARTITIONED
    return Refusal(
        error=error,
        detail=f"it is a {relation.kind.value}",
        help=f"-- ALTER TABLE … SET {word} for each partition" if is_partitioned else "",
    )


@refuses(sql.AddConstraint, sql.AddColumn, sql.CreateTable)
def reference(catalog: Catalog, op: sql.AddConstraint | sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """A foreign key references a table."""
    for constraint in added_constraints(op):
        name = constraint.references.table if constraint.references is not None else None
        view = _certain(catalog, name, _VIEWS) if name is not None and constraint.kind is ConstraintKind.FOREIGN_KEY else None
        if view is not None:
            return Refusal(
                error=f'referenced relation "{view.name.name}" is not a table',
                detail=f"it is a {view.kind.value}",
                help="-- reference the table that the view reads",
            )
    return None


@refuses(sql.Truncate)
def truncate(catalog: Catalog, op: sql.Truncate) -> Refusal | None:
    """TRUNCATE empties tables."""
    for table in op.tables:
        view = _certain(catalog, table.name, _VIEWS)
        if view is not None:
            is_view = view.kind is RelationKind.VIEW
            help = "-- empty the tables that the view reads" if is_view else f"REFRESH MATERIALIZED VIEW {view.name} WITH NO DATA;"
            return Refusal(error=f'"{view.name.name}" is not a table', detail=f"it is a {view.kind.value}", help=help)
    return None


@refuses(sql.Insert, sql.Delete)
def write(catalog: Catalog, op: sql.Insert | sql.Delete) -> Refusal | None:
    """Only REFRESH changes the rows of a materialized view."""
    view = _certain(catalog, op.table, (RelationKind.MATERIALIZED,))
    if view is None:
        return None
    return Refusal(error=f'cannot change materialized view "{view.name.name}"', help=f"REFRESH MATERIALIZED VIEW {view.name};")


@refuses(sql.CreatePolicy)
def create_policy(catalog: Catalog, op: sql.CreatePolicy) -> Refusal | None:
    """A policy is one of a table."""
    view = _certain(catalog, op.table, _VIEWS)
    if view is None:
        return None
    return Refusal(
        error=f'"{view.name.name}" is not a table',
        detail=f"it is a {view.kind.value}",
        help=f"-- create the policy on the table; from 15 on, ALTER VIEW {view.name} SET (security_invoker = on) makes the view obey it",
    )


@refuses(sql.Comment, sql.Rename)
def name_kind(catalog: Catalog, op: sql.Comment | sql.Rename) -> Refusal | None:
    """COMMENT ON names the kind of the relation; ALTER … RENAME names it, too, but ALTER TABLE accepts all kinds."""
    word = _KIND_WORDS.get(op.kind)
    if word is None or op.name is None or (isinstance(op, sql.Rename) and op.kind == "table"):
        return None
    relation = catalog.relation(op.name)
    if relation is None or not (complete_table(catalog, op.name) or _certain(catalog, op.name, (*_VIEWS, RelationKind.SEQUENCE))):
        return None
    kind = "table" if relation.kind is RelationKind.PARTITIONED else relation.kind.value
    if kind == op.kind:
        return None
    return Refusal(error=f'"{relation.name.name}" is not {word}', detail=f"it is a {kind}")
