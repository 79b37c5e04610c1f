"""A foreign key without an index that begins with its columns.

PostgreSQL indexes the referenced key, not the referencing columns. Every DELETE of a referenced row, and every UPDATE of its key, searches
for the rows that reference it: without an index this scans the whole referencing table once per row, while the row stays locked. The first
columns of the index must be those of the foreign key, in any order; a partial index counts only if its condition says no more than that
they are not null. A unique index on some of these columns also counts, because it finds one row at most. Nothing is reported for a table that
may have indexes that no migration created, for one whose key allows only a few rows (`id boolean PRIMARY KEY CHECK (id)`), nor if a later
migration of the run creates the index. It is information only if the migration drops and adds again a foreign key that had no index before, or
if the referenced key has only a few values, as that of a table that describes an enum.

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

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.facts.few_rows import has_few_rows, is_table_of_values
from migsafe.linting.facts.index_builds import concurrent_build, plain_index
from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema import objects as schema
from migsafe.schema.default_names import free_relation_name
from migsafe.schema.objects import Relation
from migsafe.schema.redundancy import is_served, narrowing_index
from migsafe.sql.definitions import foreign_keys_in, table_of, with_span
from migsafe.sql.generation import create_index
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    Constraint,
    ConstraintKind,
    CreateTable,
    DropConstraint,
    OpaqueCode,
    Persistence,
)
from migsafe.sql.operations.values import quoted


class _State(Struct):
    foreign_keys: list[tuple[int, Constraint]] = []
    """The foreign keys that were added, each with the position of its operation."""
    dropped: set[tuple[int, tuple[int, ...], int | None]] = set()
    """The foreign keys without an index that were dropped: the table, the columns, and the referenced table."""


@rule(
    category="indexes",
    severity=Severity.WARNING,
    fix="unsafe",
    unsafe_because="it adds the index to the schema, where models of the application may have to declare it too",
    changes_indexes=True,
)
def foreign_key_without_index(op: AddConstraint | AddColumn | CreateTable | DropConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each foreign key that is added, and report those that no index serves at the end of the migration."""
    if isinstance(op, MigrationEnd):
        yield from _unserved(at)
    elif isinstance(op, DropConstraint):
        table = at.catalog.relation(op.target.name)
        constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
        if constraint is not None and constraint.kind is ConstraintKind.FOREIGN_KEY and not is_served(at.catalog, constraint):
            at.state(_State).dropped.add(_identity(constraint))
    elif not _does_nothing(op, at):
        at.state(_State).foreign_keys.extend((at.position, constraint) for constraint in foreign_keys_in(op))


def _identity(constraint: schema.Constraint) -> tuple[int, tuple[int, ...], int | None]:
    return constraint.table, constraint.columns, constraint.references


def _does_nothing(op: AddConstraint | AddColumn | CreateTable, at: Context) -> bool:
    """Whether IF NOT EXISTS finds a table or column that the history created."""
    table = at.catalog.relation(table_of(op))
    match op:
        case CreateTable():
            return op.if_not_exists and table is not None
        case AddColumn():
            return op.if_not_exists and table is not None and table.column(op.column.name) is not None
    return False


def _unserved(at: Context) -> Iterator[Finding]:
    seen: set[int] = set()
    for position, foreign_key in at.state(_State).foreign_keys:
        done = at.past[position]
        operation: AddConstraint | AddColumn | CreateTable = done.operation  # type: ignore[assignment]  # only these are recorded
        table = at.catalog.relation(table_of(operation))
        oid = _unserved_oid(at, table, foreign_key) if table is not None else None
        if table is None or oid is None or oid in seen or not _knows_indexes(at, table) or has_few_rows(at.catalog, table):
            continue
        if foreign_key.references is None:
            continue
        seen.add(oid)
        columns = ", ".join(map(quoted, foreign_key.columns))
        name = free_relation_name(at.catalog, table.name, foreign_key.columns, "idx").name
        is_new = at.is_new(table.name)
        index = plain_index(table_of(operation), foreign_key.columns)
        referenced = at.resolve(foreign_key.references.table)
        help = f"{create_index(index, name)};" if is_new else concurrent_build(at, index, name)
        fix = f"-- {'after this statement' if is_new else 'at the end of the migration'}:\n{help}"
        constraint = at.catalog.require(schema.Constraint, oid)
        yield at.finding(
            replace(done, operation=with_span(operation, foreign_key.span)),
            f"no index of {table.name} begins with {columns}, which references {referenced}{_exception(at, table, oid)}: every DELETE on "
            f"{referenced}, and every UPDATE of its key, {_search(at, table, constraint)} to find the rows that reference it",
            help=help,
            fix="" if not is_new and partitioned_table(at, table.name) is not None else fix,  # the help shows some of the partitions
            relations=(table.name, referenced),
            while_unserved=oid,
            severity=Severity.INFO if _identity(constraint) in at.state(_State).dropped or _is_rarely_searched(at, constraint) else None,
        )


def _is_rarely_searched(at: Context, constraint: schema.Constraint) -> bool:
    """Whether the referenced key has only a few values, as in a table of statuses: its rows are hardly ever deleted, and an index on the
    referencing columns, with the same few values, would rarely be used."""
    referenced = at.catalog.get(constraint.references) if constraint.references is not None else None
    is_known = isinstance(referenced, Relation) and constraint.index is not None
    return is_known and is_table_of_values(at.catalog, referenced, constraint.index)  # type: ignore[arg-type]  # both are known


def _search(at: Context, table: Relation, constraint: schema.Constraint) -> str:
    """Returns how PostgreSQL searches for the referencing rows, as a verb with its object."""
    narrowing = narrowing_index(at.catalog, constraint)
    if narrowing is None:
        return f"scans {table.name}"
    index, count = narrowing
    columns = [column for key in index.keys[:count] if key.column is not None and (column := table.column_numbered(key.column))]
    names = " and ".join(quoted(column.name) for column in columns)
    return f"reads all rows of {table.name} with the same {names} (by {quoted(index.name.name)})"


def _exception(at: Context, table: Relation, oid: int) -> str:
    """Returns which index begins with the columns of a foreign key, but does not serve it, and why, as the end of a clause."""
    columns = set(at.catalog.require(schema.Constraint, oid).columns)
    for index in at.catalog.indexes(table.oid):
        if {key.column for key in index.keys[: len(columns)]} == columns:
            kind = "partial" if index.predicate is not None else index.method.upper()
            return f", apart from {index.name.name}, which is {kind}"
    return ""


def _unserved_oid(at: Context, table: Relation, foreign_key: Constraint) -> int | None:
    """Returns the oid of the foreign key; None if it no longer exists, or if an index serves it."""
    numbers = tuple(column.number for name in foreign_key.columns if (column := table.column(name)) is not None)
    for constraint in at.catalog.constraints(table.oid):
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.columns == numbers and constraint.parent is None:
            return None if is_served(at.catalog, constraint) else constraint.oid
    return None


def _knows_indexes(at: Context, table: Relation) -> bool:
    """Whether all indexes of the table are known."""
    if table.persistence is Persistence.TEMPORARY:
        return False
    made_here = table.created_in == at.catalog.migration and not any(isinstance(done.operation, OpaqueCode) for done in at.past)
    return table.complete or made_here
