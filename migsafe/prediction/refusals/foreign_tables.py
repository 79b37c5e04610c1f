"""Foreign tables have no storage: the constraints and indexes that need one are refused, and their server stays while they use it."""

from migsafe import versions
from migsafe.prediction.refusals.definitions import added_constraints
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, ConstraintKind, Name, Operation

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


_ACTIONS: dict[type[Operation], tuple[str, str]] = {
    sql.SetRowSecurity: ("ROW SECURITY", "a table"),
    sql.SetReplicaIdentity: ("REPLICA IDENTITY", "a table or materialized view"),
    sql.SetLogged: ("SET", "a table"),
}
"""What PostgreSQL calls an action that it refuses, and what it is for."""


@refuses(*_ACTIONS)
def alter(catalog: Catalog, op: AlterRelation) -> Refusal | None:
    """A foreign table has no rows of its own: no row security, no replica identity, no log (ATSimplePermissions in tablecmds.c)."""
    table = _foreign_table(catalog, op.target.name)
    if table is None:
        return None
    action, expected = _ACTIONS[type(op)]
    if isinstance(op, sql.SetRowSecurity):
        action = f"{op.action.upper()} {action}"
    elif isinstance(op, sql.SetLogged):
        action = f"{action} {'LOGGED' if op.logged else 'UNLOGGED'}"
    error = f'ALTER action {action} cannot be performed on relation "{table.name.name}"'
    if catalog.pg_version < versions.ACTION_NAMED_IN_ERRORS:
        error = f'"{table.name.name}" is not {expected}'
    return Refusal(error=error, detail="it is a foreign table", help="-- alter the remote table instead")


@refuses(sql.CreatePolicy)
def create_policy(catalog: Catalog, op: sql.CreatePolicy) -> Refusal | None:
    """A foreign table has no row security."""
    table = _foreign_table(catalog, op.table)
    if table is None:
        return None
    return Refusal(error=f'"{table.name.name}" is not a table', detail="it is a foreign table", help="-- create the policy on the remote table")


@refuses(sql.CreateTable, sql.AttachPartition)
def partition(catalog: Catalog, op: sql.CreateTable | sql.AttachPartition) -> Refusal | None:
    """A foreign table cannot be a partition of a table with a unique index, which would need a part in it (DefineRelation in tablecmds.c)."""
    if isinstance(op, sql.CreateTable):
        parent = catalog.relation(op.partition_of) if op.partition_of is not None and op.server is not None else None
        start = "create foreign partition"
    else:
        part = _foreign_table(catalog, op.partition)
        parent = catalog.relation(op.target.name) if part is not None else None
        start = f'attach foreign table "{op.partition.name}" as partition'
    unique = next((each for each in catalog.indexes(parent.oid) if each.unique), None) if parent is not None else None
    if parent is None or unique is None or not certainly_exists(catalog, unique):
        return None
    return Refusal(
        error=f'cannot {start} of partitioned table "{parent.name.name}"',
        detail=f"{unique.name} is a unique index",
        help="-- keep the old rows in an ordinary partition; or read the foreign table beside the partitioned one, in a view with UNION ALL",
    )


@refuses(sql.CreateIndex, sql.AddConstraint)
def index_parts(catalog: Catalog, op: sql.CreateIndex | sql.AddConstraint) -> Refusal | None:
    """A partitioned table with a foreign partition has no unique index (DefineIndex in indexcmds.c)."""
    if isinstance(op, sql.CreateIndex):
        parent, is_unique = catalog.relation(op.table), op.unique and not op.only
    else:
        parent = catalog.relation(op.target.name)
        is_unique = op.constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE) and not op.target.only
    if parent is None or parent.kind is not RelationKind.PARTITIONED or not is_unique:
        return None
    for part in catalog.children(parent.oid):
        if _foreign_table(catalog, part.name) is not None:
            return Refusal(
                error=f'cannot create unique index on partitioned table "{parent.name.name}"',
                detail=f"its partition {part.name} is a foreign table",
                help=f"-- first: ALTER TABLE {parent.name} DETACH PARTITION {part.name};",
            )
    return None
