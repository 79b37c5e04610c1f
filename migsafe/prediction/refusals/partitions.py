"""The limits of partitions: their columns, their constraints, their bounds."""

from collections.abc import Iterator
from datetime import date

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, may_make_nothing
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Bound, ConstraintKind, Name, Persistence

_DATE = lazy_pattern(r"'(\d{4}-\d\d-\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?(?:\+00(?::?00)?|Z)?)?'")
"""A day, or its midnight. Two of them differ by whole days, so their order depends on no time zone."""
_INTEGER = lazy_pattern(r"'?-?\d+'?")
_DATES = ("date", "timestamp without time zone", "timestamp with time zone")
_INTEGERS = ("smallint", "integer", "bigint")


@refuses(sql.CreateTable)
def create_partition(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """The bounds of partitions do not overlap."""
    parent = catalog.relation(op.partition_of) if op.partition_of is not None else None
    if parent is None or op.bound is None or may_make_nothing(catalog, op):
        return None
    return _refuse_bound(catalog, parent, op.table, op.bound)


@refuses(sql.Inherit)
def inherit(catalog: Catalog, op: sql.Inherit) -> Refusal | None:
    """A child has the columns and the CHECKs of its parent, and its NOT NULL (CreateInheritance in tablecmds.c)."""
    parent, child = complete_table(catalog, op.parent), complete_table(catalog, op.target.name)
    if parent is None or child is None or parent.kind is not RelationKind.TABLE or child.kind is not RelationKind.TABLE:
        return None
    if parent.oid in child.parents:
        return Refusal(error=f'relation "{parent.name.name}" would be inherited from more than once')
    if parent.oid == child.oid:
        return None
    return _refuse_columns(catalog, parent, child) or _refuse_checks(catalog, parent, child)


@refuses(sql.CreateTable)
def persistence(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """From 18 on, a partitioned table, which has no rows of its own, is not UNLOGGED."""
    is_unlogged = op.partition_by is not None and op.persistence is Persistence.UNLOGGED
    if not is_unlogged or catalog.pg_version < versions.PARTITIONED_ALWAYS_LOGGED or may_make_nothing(catalog, op):
        return None
    return Refusal(error="partitioned tables cannot be unlogged", help="-- make its partitions UNLOGGED")


@refuses(sql.CreateTable, sql.AddColumn, sql.AddConstraint)
def not_inherited(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.AddConstraint) -> Refusal | None:
    """A constraint of a partitioned table is one of its partitions, too (AddRelationNewConstraints in heap.c)."""
    if isinstance(op, sql.CreateTable):
        is_partitioned, name = op.partition_by is not None and not may_make_nothing(catalog, op), op.table.name
    else:
        table = catalog.relation(op.target.name)
        is_partitioned, name = table is not None and table.kind is RelationKind.PARTITIONED, table.name.name if table is not None else ""
    for constraint in added_constraints(op) if is_partitioned else ():
        if constraint.kind is ConstraintKind.CHECK and constraint.no_inherit:
            return Refusal(error=f'cannot add NO INHERIT constraint to partitioned table "{name}"', help="-- leave NO INHERIT out")
        if constraint.kind is ConstraintKind.NOT_NULL and constraint.no_inherit:
            return Refusal(error="not-null constraints on partitioned tables cannot be NO INHERIT", help="-- leave NO INHERIT out")
    return None


@refuses(sql.AttachPartition)
def attach(catalog: Catalog, op: sql.AttachPartition) -> Refusal | None:
    """A partition has the columns and the CHECKs of its parent, and its NOT NULL."""
    parent, child = complete_table(catalog, op.target.name), complete_table(catalog, op.partition)
    if parent is None or child is None or parent.kind is not RelationKind.PARTITIONED or child.parents or op.bound is None:
        return None
    return (
        _refuse_more_columns(parent, child)
        or _refuse_bound(catalog, parent, child.name, op.bound)
        or _refuse_columns(catalog, parent, child)
        or _refuse_checks(catalog, parent, child)
    )


def _refuse_more_columns(parent: Relation, child: Relation) -> Refusal | None:
    for column in child.columns:
        if parent.column(column.name) is None:
            return Refusal(
                error=f'table "{child.name.name}" contains column "{column.name}" not found in parent "{parent.name.name}"',
                detail="the new partition may contain only the columns present in parent",
                help=f"-- first: ALTER TABLE {child.name} DROP COLUMN {Name(column.name)}; or add the column to {parent.name}",
            )
    return None


def _refuse_columns(catalog: Catalog, parent: Relation, child: Relation) -> Refusal | None:
    for column in parent.columns:
        own = child.column(column.name)
        is_partition = parent.kind is RelationKind.PARTITIONED
        if own is not None and own.identity is not None and is_partition and catalog.pg_version >= versions.PARTITIONS_INHERIT_IDENTITY:
            return Refusal(
                error=f'table "{child.name.name}" being attached contains an identity column "{own.name}"',
                detail="partitions take their numbers from the identity column of the parent",
                help=f"-- first: ALTER TABLE {child.name} ALTER COLUMN {Name(own.name)} DROP IDENTITY;",
            )
        if own is None:
            return Refusal(error=f'child table is missing column "{column.name}"', help=f"-- first add the column to {child.name}")
        types = (column.type, own.type)
        known = [data_type for data_type in types if data_type is not None and is_built_in(data_type)]
        if len(known) == len(types) and (known[0].name, bool(known[0].dimensions)) != (known[1].name, bool(known[1].dimensions)):
            return Refusal(
                error=f'child table "{child.name.name}" has different type for column "{column.name}"', detail=f"{own.type}, not {column.type}"
            )
        if column.not_null and own.not_null is False:
            table = f'child table "{child.name.name}"' if catalog.pg_version >= versions.NOT_NULL_CONSTRAINTS else "child table"
            return Refusal(
                error=f'column "{column.name}" in {table} must be marked NOT NULL',
                help=f"-- first: ALTER TABLE {child.name} ALTER COLUMN {Name(column.name)} SET NOT NULL;",
            )
    return None


def _refuse_checks(catalog: Catalog, parent: Relation, child: Relation) -> Refusal | None:
    for constraint in catalog.constraints(parent.oid):
        if (
            constraint.kind is ConstraintKind.CHECK
            and not constraint.no_inherit
            and catalog.constraint(child.oid, constraint.name.name) is None
        ):
            return Refusal(
                error=f'child table is missing constraint "{constraint.name.name}"', help=f"-- first add the same CHECK to {child.name}"
            )
    return None


def _refuse_bound(catalog: Catalog, parent: Relation, name: Name, bound: Bound) -> Refusal | None:
    if bound.kind == "default" and parent.partition_key is not None and parent.partition_key.strategy == "hash":
        return Refusal(error="a hash-partitioned table may not have a default partition")
    if bound.kind == "default":
        default = catalog.default_partition(parent.oid)
        return (
            Refusal(error=f'partition "{name.name}" conflicts with existing default partition "{default.name.name}"')
            if default is not None
            else None
        )
    others = [child for child in catalog.children(parent.oid) if child.bound is not None and child.bound.kind == bound.kind]
    key = parent.partition_key.elements if parent.partition_key is not None else ()
    column = parent.column(key[0].column) if len(key) == 1 and key[0].column is not None else None
    type_name = column.type.name if column is not None and column.type is not None else ""
    for other in others:
        if other.bound is not None and _overlap(bound, other.bound, type_name):
            return Refusal(
                error=f'partition "{name.name}" would overlap partition "{other.name.name}"',
                detail=f"{', '.join(other.bound.start)} … {', '.join(other.bound.end)}" if other.bound.end else ", ".join(other.bound.start),
            )
    return None


def _overlap(bound: Bound, other: Bound, type_name: str) -> bool:
    """Whether two bounds certainly overlap: the same value of a list, or ranges of dates or integers on one column."""
    if bound.kind == "in":
        return any(value in other.start and value.lower() != "null" for value in bound.start)
    if bound.kind != "range":
        return False
    ends = [*comparable_values(bound, type_name), *comparable_values(other, type_name)]
    if len(ends) != 4 or any(end is None for end in ends):
        return False
    start, end, other_start, other_end = (value for value in ends if value is not None)
    return start < other_end and other_start < end


def comparable_values(bound: Bound, type_name: str) -> Iterator[tuple[int, int] | None]:
    """Returns the start and the end of a range so that they can be compared; None for a value of another form."""
    for value in (*bound.start, *bound.end):
        if value.lower() in ("minvalue", "maxvalue"):
            yield (-1, 0) if value.lower() == "minvalue" else (1, 0)
        elif type_name in _DATES and (day := _day(value)) is not None:
            yield 0, day
        elif type_name in _INTEGERS and _INTEGER.fullmatch(value):
            yield 0, int(value.strip("'"))
        else:
            yield None


def _day(value: str) -> int | None:
    match = _DATE.fullmatch(value)
    try:
        return date.fromisoformat(match[1]).toordinal() if match is not None else None
    except ValueError:
        return None
