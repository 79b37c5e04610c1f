"""The last index that serves a foreign key is dropped.

Every DELETE of a referenced row, and every UPDATE of its key, searches for the rows that reference it. If no index begins with the columns
of the foreign key, this scans the whole referencing table once per row. Only the state at the end of the migration counts. An index is
dropped by DROP INDEX, and with its UNIQUE or PRIMARY KEY constraint or any of its columns.

Unsafe:
    CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id),
        placed_at timestamptz
    );
    CREATE INDEX orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);
    -- next migration
    DROP INDEX CONCURRENTLY orders_customer_id_placed_at_idx;

Safe, because another index begins with the column:
    CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id),
        placed_at timestamptz
    );
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);
    -- next migration
    CREATE INDEX CONCURRENTLY orders_customer_id_placed_at_idx ON orders (customer_id, placed_at);
    -- next migration
    DROP INDEX CONCURRENTLY orders_customer_id_idx;

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.dropped_parts import dropped_parts
from migsafe.linting.facts.index_builds import concurrent_build, plain_index
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.default_names import free_relation_name
from migsafe.schema.objects import Constraint, Relation
from migsafe.schema.redundancy import is_served, unserved_foreign_keys
from migsafe.sql.operations import Drop, DropColumn, DropConstraint
from migsafe.sql.operations.values import quoted


class _State(Struct):
    uncovered: list[tuple[int, int, bool]] = []
    """The positions of operations that drop the last index of a foreign key, each with the oid of the constraint, and whether the index has
    no other columns."""


@rule(category="indexes", severity=Severity.WARNING, no_fix="another index changes the final schema")
def drop_index_uncovers_foreign_key(op: Drop | DropConstraint | DropColumn | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each foreign key that loses its last index, and report those that have none at the end of the migration."""
    if isinstance(op, MigrationEnd):
        yield from _left_unserved(at)
    elif not isinstance(op, Drop) or op.kind == "index":
        at.state(_State).uncovered.extend(
            (at.position, constraint.oid, _drops_same_columns(op, constraint, at))
            for constraint in unserved_foreign_keys(at.catalog, dropped_parts(at))
        )


def _drops_same_columns(op: Drop | DropConstraint | DropColumn, constraint: Constraint, at: Context) -> bool:
    """Whether an index is dropped that has the columns of a foreign key and no others."""
    dropped = [at.catalog.index(name) for name in op.names] if isinstance(op, Drop) else []
    return any(index is not None and set(index.columns) == set(constraint.columns) for index in dropped)


def _left_unserved(at: Context) -> Iterator[Finding]:
    for position, oid, is_same in at.state(_State).uncovered:
        constraint = at.catalog.get(oid)
        if not isinstance(constraint, Constraint) or is_served(at.catalog, constraint):
            continue
        table = at.catalog.require(Relation, constraint.table)
        names = [column.name for number in constraint.columns if (column := table.column_numbered(number)) is not None]
        columns, noun = ", ".join(map(quoted, names)), "columns" if len(names) > 1 else "column"
        referenced = at.catalog.get(constraint.references) if constraint.references is not None else None
        place = f"on {referenced.name}" if referenced is not None else "of a referenced row"
        # The new index exists before the old one is dropped.
        operation = at.past[position].operation
        dropped = [each.name for each in operation.names] if isinstance(operation, Drop) else []
        name = free_relation_name(at.catalog, table.name, names, "idx", reserved_names=dropped).name
        create = concurrent_build(at, plain_index(table.name, names), name)
        yield at.finding(
            at.past[position],
            f"this drops the last index of {table.name} that begins with {columns}, the {noun} of the foreign key {constraint.name.name}: "
            f"every DELETE {place}, and every UPDATE of its key, scans {table.name} to find the rows that reference it",
            help="-- keep the index: the foreign key needs it" if is_same else f"-- first, unless you keep the old index:\n{create}",
            relations=(table.name,),
        )
