"""A table without a primary key.

Its rows cannot be identified: UPDATE and DELETE cannot select exactly one row, duplicates can be neither prevented nor removed, logical
replication refuses UPDATE and DELETE, and most tools that move or compare data need a key. Adding a key later builds an index while the
table is locked. It is information only if a unique index on columns that are not null identifies the rows: then just logical replication
has no key; and of a CREATE TABLE AS, whose table the migration uses for nothing else, because that is usually a copy for a while. Not
reported: a temporary table, a partition (its parent is), one that a later migration of the run drops, and one in which a unique index on a
constant, a boolean or `(version IS NOT NULL)` allows one or two rows.

Unsafe:
    CREATE TABLE deliveries (order_id bigint NOT NULL, carrier text);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL, carrier text);

See: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-PRIMARY-KEYS
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.definitions import primary_key_columns
from migsafe.linting.facts.few_rows import has_few_rows, identifying_index
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import CreateTable, CreateTableAs, Persistence
from migsafe.sql.operations.values import quoted


class _State(Struct):
    positions: list[int] = []
    """The CREATE TABLEs without a primary key, by their position in the migration."""


@rule(category="design", severity=Severity.WARNING, no_fix="a primary key changes the final schema")
def table_without_primary_key(op: CreateTable | CreateTableAs | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record tables that are created without a key, and report those that have none at the end of the migration."""
    if isinstance(op, MigrationEnd):
        for position in at.state(_State).positions:
            done = at.past[position]
            assert isinstance(done.operation, CreateTable | CreateTableAs)
            relation = at.catalog.relation(done.operation.table)
            if relation is not None and relation.kind in _WITH_ROWS and at.catalog.primary_key(relation.oid) is None:
                yield from _without_key(done, relation, at)
        return
    if op.persistence is Persistence.TEMPORARY or (op.if_not_exists and at.catalog.relation(op.table) is not None):
        return
    # Partitions and children inherit the key of their parent; LIKE and OF may bring one that is not written here.
    if isinstance(op, CreateTableAs) or not (_inherits(op) or primary_key_columns(op) or not op.columns):
        at.state(_State).positions.append(at.position)


def _without_key(done: PastOperation, relation: Relation, at: Context) -> Iterator[Finding]:
    """Reports a table; less severely one whose rows a unique index identifies, and not at all one that has a row at most."""
    assert isinstance(done.operation, CreateTable | CreateTableAs)
    if has_few_rows(at.catalog, relation) or relation.bound is not None:
        return  # a partition that was attached inherits the key of its parent, or its parent was reported
    index = identifying_index(at.catalog, relation)
    if index is not None:
        message = (
            f"{relation.name} has no primary key: {quoted(index.name.name)} identifies its rows, but logical replication does not know that, "
            "so it refuses UPDATE and DELETE"
        )
        identity = f"ALTER TABLE {relation.name} REPLICA IDENTITY USING INDEX {quoted(index.name.name)};"
        help = f"-- a primary key instead of {quoted(index.name.name)}, or:\n{identity}"
    else:
        message, help = f"{relation.name} has no primary key: nothing identifies its rows", _help(done.operation)
    severity = Severity.INFO if index is not None or _is_copy(done, relation, at) else None
    yield at.finding(done, message, help=help, relations=(relation.name,), while_exist=(relation,), severity=severity)


def _is_copy(done: PastOperation, relation: Relation, at: Context) -> bool:
    """Whether the migration only copies rows into the table."""
    if not isinstance(done.operation, CreateTableAs):
        return False
    return not any(effect.relation == relation.name for other in at.past if other is not done for effect in other.effects)


def _inherits(op: CreateTable) -> bool:
    return op.partition_of is not None or bool(op.inherits) or bool(op.likes) or op.of_type is not None


_WITH_ROWS = (RelationKind.TABLE, RelationKind.PARTITIONED)


def _help(op: CreateTable | CreateTableAs) -> str:
    if isinstance(op, CreateTableAs):
        return f"-- with the columns that are unique, in the same transaction:\nALTER TABLE {op.table} ADD PRIMARY KEY (…);"
    return "-- id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, or columns that are already unique"
