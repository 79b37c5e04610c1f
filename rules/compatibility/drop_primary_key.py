"""A table loses its primary key.

Logical replication tells rows apart by it: without it every UPDATE and DELETE on a published table fails, until REPLICA IDENTITY says
otherwise. The release that is running fails where it uses INSERT … ON CONFLICT on the key, or groups by it alone, and duplicates are no
longer kept out. What has another primary key by the end of the migration is not reported: exchange it in one statement, for an index that
was built CONCURRENTLY before.

Unsafe:
    ALTER TABLE orders DROP CONSTRAINT orders_pkey;

Safe, outside a transaction:
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL);
    -- next migration
    CREATE UNIQUE INDEX CONCURRENTLY orders_code_key ON orders (code);
    -- next migration
    ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_code_key;

See: https://www.postgresql.org/docs/current/logical-replication-publication.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.cascades import cascade_of
from migsafe.schema.cover import is_primary_key
from migsafe.sql.operations import DropConstraint
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.WARNING)
def drop_primary_key(op: DropConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each primary key that is dropped, and report when the migration ends those that no other has replaced."""
    if isinstance(op, DropConstraint):
        if is_primary_key(at.catalog, op) and not is_created_here(at, op.target.name) and cascade_of(at.catalog, op) is None:
            at.notes.append(len(at.past))
        return
    for position in at.notes:
        done = at.past[position]
        dropped: DropConstraint = done.operation
        name = dropped.target.name
        table, constraint = at.catalog.relation(name), quoted(dropped.constraint)
        if table is None or at.catalog.primary_key(table.oid) is not None:
            continue
        yield at.finding(
            done,
            f"{table.name} has no primary key any longer: logical replication refuses its UPDATEs and DELETEs, INSERT … ON CONFLICT on the key "
            "fails, and duplicates are not kept out",
            help=(
                f"-- with the columns of the new key, in the first of two migrations:\n"
                f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(f'{name.name}_new_pkey')} ON {name} (…);\n"
                f"-- in the second:\n"
                f"ALTER TABLE {name} DROP CONSTRAINT {constraint}, "
                f"ADD CONSTRAINT {constraint} PRIMARY KEY USING INDEX {quoted(f'{name.name}_new_pkey')};"
            ),
            relations=(table.name,),
            lock=LockMode.ACCESS_EXCLUSIVE,
        )
