"""A foreign key whose columns no index begins with.

PostgreSQL indexes the key that is referenced, not the columns that refer to it. Every DELETE of a referenced row, and every UPDATE of its key,
looks for the rows that refer to it: without an index that reads the referencing table from end to end, once for each row, while the row
stays locked. The first columns of the index must be those of the foreign key, in any order among themselves; a partial index counts only
where its condition is no more than that they are not null. Only what the history knows is judged: where a table may have indexes that no
migration made, nothing is said.

Unsafe:
    CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id)
    );

Safe:
    CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers (id)
    );
    CREATE INDEX orders_customer_id_idx ON orders (customer_id);

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
"""

from collections.abc import Iterator

from msgspec.structs import replace

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.cover import is_served
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation
from migsafe.sql.definitions import foreign_keys_in, table_of, with_span
from migsafe.sql.operations import AddColumn, AddConstraint, Constraint, ConstraintKind, CreateTable, OpaqueCode, Persistence
from migsafe.sql.operations.values import quoted


@rule(category="indexes", severity=Severity.WARNING)
def foreign_key_without_index(op: AddConstraint | AddColumn | CreateTable | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each foreign key that is added, and report those that no index serves when the migration ends."""
    if isinstance(op, MigrationEnd):
        yield from _unserved(at)
    elif not _does_nothing(op, at):
        at.notes.extend((len(at.past), constraint) for constraint in foreign_keys_in(op))


def _does_nothing(op: AddConstraint | AddColumn | CreateTable, at: Context) -> bool:
    """Whether IF NOT EXISTS finds what the history has made already."""
    table = at.catalog.relation(table_of(op))
    match op:
        case CreateTable():
            return op.if_not_exists and table is not None
        case AddColumn():
            return op.if_not_exists and table is not None and table.column(op.column.name) is not None
    return False


def _unserved(at: Context) -> Iterator[Finding]:
    seen: set[int] = set()
    for position, given in at.notes:
        done = at.past[position]
        table = at.catalog.relation(table_of(done.operation))
        found = _in_catalog(at, table, given) if table is not None else None
        if table is None or found is None or found in seen or not _knows_indexes(at, table):
            continue
        seen.add(found)
        columns = ", ".join(map(quoted, given.columns))
        name = default_name(table.name.name, given.columns, "idx")
        is_new = at.is_new(table.name)
        index = f"CREATE INDEX {'' if is_new else 'CONCURRENTLY '}{quoted(name)} ON {table_of(done.operation)} ({columns});"
        referenced = at.resolve(given.references.table)
        yield at.finding(
            replace(done, operation=with_span(done.operation, given.span)),
            f"no index of {table.name} begins with {columns}, which references {referenced}: every DELETE there, and every UPDATE of its key, "
            f"reads all of {table.name} to find the rows that refer to it",
            help=index if is_new else at.outside_transaction(index),
            relations=(table.name, referenced),
        )


def _in_catalog(at: Context, table: Relation, given: Constraint) -> int | None:
    """The number of the foreign key; None where it is gone, or an index serves it."""
    numbers = tuple(column.number for name in given.columns if (column := table.column(name)) is not None)
    for constraint in at.catalog.constraints(table.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.columns == numbers and constraint.parent is None:
            return None if is_served(at.catalog, constraint) else constraint.oid
    return None


def _knows_indexes(at: Context, table: Relation) -> bool:
    """Whether the table has no indexes but those that the history has made."""
    if table.persistence is Persistence.TEMPORARY:
        return False
    made_here = table.made_in == at.catalog.migration and not any(isinstance(done.operation, OpaqueCode) for done in at.past)
    return table.complete or made_here
