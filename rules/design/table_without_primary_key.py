"""A table without a primary key.

Nothing tells its rows apart: a row cannot be named in an UPDATE or DELETE, duplicates cannot be kept out or taken out, logical replication
refuses its UPDATEs and DELETEs, and most tools that move or compare data need a key. Adding one later builds an index while nobody can use
the table.

Unsafe:
    CREATE TABLE deliveries (order_id bigint NOT NULL, carrier text);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL, carrier text);

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-PRIMARY-KEYS
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import primary_key_columns
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.objects import RelationKind
from migsafe.sql.operations import CreateTable, Persistence


@rule(category="design", severity=Severity.WARNING)
def table_without_primary_key(op: CreateTable | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note tables that are created without a key, and report those that have none when the migration ends."""
    if isinstance(op, MigrationEnd):
        for position in at.notes:
            done = at.past[position]
            assert isinstance(done.operation, CreateTable)
            relation = at.catalog.relation(done.operation.table)
            if relation is not None and relation.kind in _WITH_ROWS and at.catalog.primary_key(relation.oid) is None:
                yield at.finding(
                    done,
                    f"{relation.name} has no primary key: nothing tells its rows apart",
                    help="-- id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, or the columns that are unique already",
                    relations=(relation.name,),
                )
        return
    # Partitions and children have what their parent has; what LIKE and OF bring is not written here.
    inherits = op.partition_of is not None or op.inherits or op.likes or op.of_type is not None
    if not inherits and op.persistence is not Persistence.TEMPORARY and not primary_key_columns(op) and op.columns:
        at.notes.append(len(at.past))


_WITH_ROWS = (RelationKind.TABLE, RelationKind.PARTITIONED)
