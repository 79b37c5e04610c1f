"""PostgreSQL refuses CONCURRENTLY for an index of a partitioned table.

It fails with "cannot create index on partitioned table … concurrently", even with ONLY, and with "cannot drop partitioned index …
concurrently". To avoid blocking writes, create the index ON ONLY the parent, which builds nothing, build one CONCURRENTLY on each
partition, and attach each of these. The parent's index becomes valid when an index of every partition is attached.

Unsafe:
    CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    -- next migration
    CREATE INDEX CONCURRENTLY events_at_idx ON events (at);

Safe, the partition's index outside a transaction:
    CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    -- next migration
    CREATE INDEX events_at_idx ON ONLY events (at);
    -- next migration
    CREATE INDEX CONCURRENTLY events_2025_at_idx ON events_2025 (at);
    -- next migration
    ALTER INDEX events_at_idx ATTACH PARTITION events_2025_at_idx;

See: https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from migsafe.linting.facts.index_builds import fix_by_partition, index_by_partition
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_index_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import CreateIndex, Drop


@rule(category="indexes", severity=Severity.ERROR, fix="unsafe", unsafe_because="a failure leaves an INVALID index")
def index_on_partitioned_concurrently(op: CreateIndex | Drop, at: Context) -> Finding | None:
    """Report an index of a partitioned table that is created or dropped CONCURRENTLY."""
    if not op.concurrently:
        return None
    return _created(op, at) if isinstance(op, CreateIndex) else _dropped(op, at)


def _created(op: CreateIndex, at: Context) -> Finding | None:
    table = at.catalog.relation(op.table)
    if table is None or table.kind is not RelationKind.PARTITIONED:
        return None
    name = op.name or default_index_name(op, at.catalog) or "index_name"
    return at.finding(
        op,
        f"PostgreSQL refuses CREATE INDEX CONCURRENTLY on {table.name}, because it is a partitioned table",
        help=index_by_partition(at, op, name, table),
        fix=fix_by_partition(at, op, name, table),
        relations=(table.name,),
    )


def _dropped(op: Drop, at: Context) -> Finding | None:
    for name in op.names:
        index = at.catalog.index(name) if op.kind == "index" else None
        table = at.catalog.get(index.table) if index is not None else None
        if isinstance(table, Relation) and table.kind is RelationKind.PARTITIONED:
            return at.finding(
                op,
                f"PostgreSQL refuses DROP INDEX CONCURRENTLY of {at.resolve(name)}, because {table.name} is a partitioned table",
                help=f"SET lock_timeout = '2s';\nDROP INDEX {name};",
                fix="",
                relations=(table.name,),
            )
    return None
