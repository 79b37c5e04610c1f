"""The limits of CONCURRENTLY, and of maintenance commands."""

from migsafe import versions
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.dependents import Part
from migsafe.schema.descriptions import describe
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name
from migsafe.sql.operations.values import quoted


@refuses(sql.Drop)
def drop_index(_: Catalog, op: sql.Drop) -> Refusal | None:
    """DROP INDEX CONCURRENTLY drops one index by itself; the rule index-on-partitioned-concurrently reports partitioned indexes."""
    if op.kind != "index" or not op.concurrently:
        return None
    if len(op.names) > 1:
        return Refusal(
            error="DROP INDEX CONCURRENTLY does not support dropping multiple objects",
            help="\n".join(f"DROP INDEX CONCURRENTLY {'IF EXISTS ' if op.if_exists else ''}{name};" for name in op.names),
        )
    if op.cascade:
        return Refusal(
            error="DROP INDEX CONCURRENTLY does not support CASCADE",
            help=f"DROP INDEX CONCURRENTLY {'IF EXISTS ' if op.if_exists else ''}{op.names[0]};",
        )
    return None


@refuses(sql.Reindex)
def reindex(catalog: Catalog, op: sql.Reindex) -> Refusal | None:
    """REINDEX CONCURRENTLY leaves out system catalogues and the indexes of exclusion constraints."""
    if not op.concurrently:
        return None
    if op.kind == "system" or (op.kind in ("index", "table") and op.name is not None and _is_system(catalog, op.name)):
        name = f" {op.name}" if op.name is not None else ""
        return Refusal(
            error="cannot reindex system catalogs concurrently",
            help=f"-- blocks every statement that needs the catalogue; only after damage:\nREINDEX {op.kind.upper()}{name};",
        )
    index = catalog.index(op.name) if op.kind == "index" and op.name is not None else None
    constraint = constraint_of_index(catalog, index) if index is not None else None
    if index is None or constraint is None or constraint.kind is not ConstraintKind.EXCLUDE:
        return None
    return Refusal(
        error="concurrent index creation for exclusion constraints is not supported",
        detail=f"{describe(catalog, Part(index.oid))} belongs to an exclusion constraint",
        help=f"REINDEX INDEX {op.name};",
    )


def _is_system(catalog: Catalog, name: Name) -> bool:
    return catalog.resolve(name).schema in SYSTEM_SCHEMAS and catalog.relation(name) is None


@refuses(sql.Cluster)
def cluster(catalog: Catalog, op: sql.Cluster) -> Refusal | None:
    """Up to 14, CLUSTER takes one table or partition."""
    table = catalog.relation(op.table) if op.table is not None else None
    if table is None or table.kind is not RelationKind.PARTITIONED or catalog.pg_version >= versions.CLUSTER_OF_PARTITIONED:
        return None
    return Refusal(error="cannot cluster a partitioned table", help="-- cluster its partitions")


@refuses(sql.DetachPartition)
def detach(catalog: Catalog, op: sql.DetachPartition) -> Refusal | None:
    """DETACH CONCURRENTLY is not possible beside a default partition."""
    table, partition = catalog.relation(op.target.name), catalog.relation(op.partition)
    if table is None:
        return None
    default = catalog.default_partition(table.oid)
    if op.concurrently and default is not None:
        name = str(op.partition)
        return Refusal(
            error="cannot detach partitions concurrently when a default partition exists",
            detail=f"{default.name} is the default partition of {table.name}",
            help=f"-- takes ACCESS EXCLUSIVE on {table.name}, {name} and {default.name}:\n"
            f"ALTER TABLE {op.target.name} DETACH PARTITION {name};",
        )
    if partition is None or not partition.complete or not table.complete or table.oid in partition.parents:
        return None
    return Refusal(
        error=f'relation "{partition.name.name}" is not a partition of relation "{table.name.name}"',
    )


@refuses(sql.RefreshMaterializedView)
def refresh(catalog: Catalog, op: sql.RefreshMaterializedView) -> Refusal | None:
    """REFRESH needs a materialized view, and rows if it is CONCURRENTLY."""
    if op.concurrently and not op.with_data:
        options = "CONCURRENTLY and WITH NO DATA"
        both = f"REFRESH options {options}" if catalog.pg_version >= versions.REWORDED_ERRORS else f"{options} options"
        return Refusal(error=f"{both} cannot be used together", help=f"REFRESH MATERIALIZED VIEW {op.view} WITH NO DATA;")
    relation = catalog.relation(op.view)
    is_table = relation is not None and relation.complete and relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED)
    return Refusal(error=f'"{quoted(relation.name.name)}" is not a materialized view') if relation is not None and is_table else None
