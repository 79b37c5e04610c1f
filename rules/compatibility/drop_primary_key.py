"""A table loses its primary key.

Logical replication identifies rows by it: without it every UPDATE and DELETE on a published table fails until REPLICA IDENTITY is set. In
the running release, INSERT … ON CONFLICT on the key and GROUP BY the key alone fail, and duplicates are no longer prevented. A table that
has another primary key by the end of the migration is not reported: exchange the key in one statement, with an index that was built
CONCURRENTLY beforehand.

Unsafe:
    ALTER TABLE orders DROP CONSTRAINT orders_pkey;

Safe, outside a transaction:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL);
    -- next migration
    DROP INDEX CONCURRENTLY IF EXISTS orders_code_key;
    CREATE UNIQUE INDEX CONCURRENTLY orders_code_key ON orders (code);
    -- next migration
    ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_code_key;

See: https://www.postgresql.org/docs/current/logical-replication-publication.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.schema.privileges import has_replica_identity
from migsafe.schema.redundancy import is_primary_key
from migsafe.sql.generation import join_migrations
from migsafe.sql.operations import DropConstraint, Name
from migsafe.sql.operations.values import quoted


class _State(Struct):
    positions: list[int] = []
    """The DROP CONSTRAINTs of primary keys, by their position in the migration."""


@rule(
    category="compatibility",
    severity=Severity.WARNING,
    speaks_for=("drop-constraint",),
    no_fix="only the author knows the columns of the new key",
)
def drop_primary_key(op: DropConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each primary key that is dropped, and report at the end of the migration those that were not replaced."""
    if isinstance(op, DropConstraint):
        if is_primary_key(at.catalog, op) and not is_created_here(at, op.target.name):
            at.state(_State).positions.append(at.position)
        return
    for position in at.state(_State).positions:
        done = at.past[position]
        dropped: DropConstraint = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
        name = dropped.target.name
        table, constraint = at.catalog.relation(name), quoted(dropped.constraint)
        if table is None or at.catalog.primary_key(table.oid) is not None:
            continue
        yield at.finding(
            done,
            f"DROP CONSTRAINT leaves {table.name} without a primary key: {_replication(at, table)}INSERT … ON CONFLICT on the key fails, and "
            "duplicates are no longer prevented",
            help=_help(name, constraint, at),
            relations=(table.name,),
            lock=LockMode.ACCESS_EXCLUSIVE,
        )


def _help(table: Name, constraint: str, at: Context) -> str:
    if partitioned_table(at, table) is not None:
        # PostgreSQL neither builds the index of a partitioned table CONCURRENTLY nor takes it from USING INDEX.
        return f"ALTER TABLE {table} DROP CONSTRAINT {constraint}, ADD CONSTRAINT {constraint} PRIMARY KEY (…);"
    index = quoted(f"{table.name}_new_pkey")
    build = at.outside_transaction(f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} (…);")
    switch = f"ALTER TABLE {table} DROP CONSTRAINT {constraint}, ADD CONSTRAINT {constraint} PRIMARY KEY USING INDEX {index};"
    return join_migrations(f"-- with the columns of the new key:\n{build}", switch)


def _replication(at: Context, table: Relation) -> str:
    """Returns what logical replication does, unless the table has another replica identity than the key."""
    return "" if has_replica_identity(at.catalog, table) else "logical replication refuses its UPDATEs and DELETEs, "
