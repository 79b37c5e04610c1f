"""Foreign tables have no storage: the constraints and indexes that need one are refused, and their server stays while they use it."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

_WORDS = {
    ConstraintKind.PRIMARY_KEY: "primary key",
    ConstraintKind.UNIQUE: "unique",
    ConstraintKind.FOREIGN_KEY: "foreign key",
    ConstraintKind.EXCLUDE: "exclusion",
}
_CONSTRAINTS = "-- leave it out: only the remote table can enforce it; NOT NULL and CHECK are accepted, and tell the planner what holds there"


def _foreign_table(catalog: Catalog, name: Name) -> Relation | None:
    relation = catalog.relation(name)
    if relation is None or relation.kind is not RelationKind.FOREIGN or relation.may_be_older:
        return None
    return relation if certainly_exists(catalog, relation) else None


@refuses(sql.CreateTable, sql.AddColumn, sql.AddConstraint)
def constrain(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.AddConstraint) -> Refusal | None:
    """A foreign table has only NOT NULL and CHECK constraints (transformColumnDefinition and transformTableConstraint in parse_utilcmd.c)."""
    if isinstance(op, sql.CreateTable):
        is_foreign = op.server is not None and (not op.if_not_exists or catalog.relation(op.table) is None)
    else:
        is_foreign = _foreign_table(catalog, op.target.name) is not None
    word = next((_WORDS[each.kind] for each in added_constraints(op) if each.kind in _WORDS), None) if is_foreign else None
    return Refusal(error=f"{word} constraints are not supported on foreign tables", help=_CONSTRAINTS) if word is not None else None


@refuses(sql.CreateIndex)
def index(catalog: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """A foreign table has no indexes (DefineIndex in indexcmds.c)."""
    table = _foreign_table(catalog, op.table)
    if table is None:
        return None
    is_named = catalog.pg_version >= versions.ACTION_NAMED_IN_ERRORS
    return Refusal(
        error=f'cannot create index on {"relation" if is_named else "foreign table"} "{table.name.name}"',
        detail="it is a foreign table",
        help="-- create the index on the remote table; or copy the rows to a materialized view, and index that",
    )


@refuses(sql.CreateTrigger)
def create_trigger(catalog: Catalog, op: sql.CreateTrigger) -> Refusal | None:
    """A foreign table has triggers, but no constraint triggers, and none that replace the change (CreateTriggerFiringOn in trigger.c)."""
    table = _foreign_table(catalog, op.table)
    word = "INSTEAD OF" if op.timing == "instead of" else "constraint" if op.constraint else ""
    if table is None or not word:
        return None
    help = "-- use BEFORE" if op.timing == "instead of" else "-- use CREATE TRIGGER … AFTER"
    return Refusal(error=f'"{table.name.name}" is a foreign table', detail=f"foreign tables cannot have {word} triggers", help=help)


@refuses(sql.Drop)
def drop_server(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A server stays while a foreign table uses it."""
    if op.kind != "server" or op.cascade:
        return None
    names = {name.name for name in op.names}
    for table in catalog.relations():
        if table.server in names and _foreign_table(catalog, table.name) is not None:
            return Refusal(
                error=f"cannot drop server {table.server} because other objects depend on it",
                detail=f"foreign table {table.name.name} depends on server {table.server}",
                help=f"-- first: DROP FOREIGN TABLE {table.name};",
            )
    return None
