"""Few values in the columns of seeded rows that have few in production.

A seeded text is a new word in each row, and a seeded number one of many, so that `status = 'active'` or `role_id IN (2, 3)` selects no row, and
an index on the column seems to help. In production, what the queries name is one of a few values. Columns without such values receive those of
the queries in equal parts, and one more. A column that has few values by its name, and that no query compares with literals, keeps five of its
own.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import Connection
from migsafe.expressions.queries.shapes import All, Condition, Either, Operand, Several, UnreadShape, Value
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Column, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.workload.binding import Binder
from migsafe.workload.conditions import quoted
from migsafe.workload.few_values import has_few_values
from migsafe.workload.lookups import Lookups
from migsafe.workload.query import Query
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.shapes import shared_shapes
from migsafe.workload.terms import Terms, conjuncts

_TEXTS = frozenset(("text", "character varying", "character", "citext"))
_NUMBERS = frozenset(("smallint", "integer", "bigint"))
_OTHER = "some other value"
_FEW = 5
_RARE = 100
"""A column that has the values of the queries in at least one row of this many keeps its rows."""

_TYPE = "SELECT format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = %s::regclass AND attname = %s"

Literals = dict[tuple[Name, str], dict[str, None]]
"""The literals by table and column."""


def fill_literals(connection: Connection, queries: Iterable[Query], catalog: Catalog) -> None:
    """Gives columns that have few values in production few values."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SELECT setseed(0.5)")
    found = literals(queries, catalog)
    changed: dict[Name, None] = {}
    for table, column in dict.fromkeys([*found, *_few_by_name(catalog)]):
        try:
            with connection.transaction():
                values = _values(connection, table, column, list(found.get((table, column), ())))
                if values:
                    _update(connection, table, column, values)
                    changed[table] = None
        except psycopg.Error as error:  # the key of a table, and what else is unique, keeps its values
            print(f"    {table}.{column} keeps its seeded values: {str(error).splitlines()[0][:100]}")
    connection.execute("RESET session_replication_role")
    for table in changed:
        # An UPDATE of all rows leaves twice the pages, and a read of the whole table would cost twice as much.
        connection.execute(f"VACUUM FULL {table}".encode())


def _few_by_name(catalog: Catalog) -> Iterator[tuple[Name, str]]:
    for relation in catalog.relations():
        if relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
            yield from ((relation.name, column.name) for column in relation.columns if has_few_values(column.name))


def _values(connection: Connection, table: Name, column: str, known: list[str]) -> list[str]:
    """Returns the values that a column receives; none if it keeps its own."""
    name, key = str(table), sql.quoted(column)
    if known:
        share = f"SELECT count(*) FILTER (WHERE {key}::text = ANY(%s)) * {_RARE} < count(*) FROM {name}"
        row = connection.execute(share.encode(), (known,)).fetchone()
        other = str(max(map(int, known)) + 1) if all(each.isdigit() for each in known) else _OTHER
        return [*known, other] if row is not None and row[0] else []
    rows = connection.execute(f"SELECT DISTINCT {key}::text FROM {name} WHERE {key} IS NOT NULL LIMIT {_RARE}".encode()).fetchall()
    return sorted(value for (value,) in rows)[:_FEW] if len(rows) == _RARE else []


def _update(connection: Connection, table: Name, column: str, values: list[str]) -> None:
    """Sets a column to one of some values in each row that has a value."""
    name, key = str(table), sql.quoted(column)
    row = connection.execute(
        "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE attrelid = %s::regclass AND attname = %s",
        (name, column),
    ).fetchone()
    assert row is not None
    chosen = f"((%s::text[])[1 + floor(random() * %s)::int])::{row[0]}"
    connection.execute(f"UPDATE {name} SET {key} = {chosen} WHERE {key} IS NOT NULL".encode(), (values, len(values)))


def literals(queries: Iterable[Query], catalog: Catalog) -> Literals:
    """Returns the strings and whole numbers that queries compare columns with."""
    found: Literals = {}
    for query in queries:
        lookups = Lookups(catalog, shared_shapes())
        shape = lookups.shapes.query(query.text)
        if not isinstance(shape, UnreadShape):
            binder = Binder(lookups, query.parameters)
            for level in all_levels(binder.query(shape)):
                _collect(level, Terms(lookups, binder, level), found)
    return found


def _collect(level: Level, terms: Terms, found: Literals) -> None:
    joined = [condition for source in level.sources for condition in source.shape.conditions]
    conditions = [*_flat(conjuncts(level.shape.where)), *_flat(joined)]
    for at, source in enumerate(level.sources):
        if not source.is_table or source.relation is None:
            continue
        columns = {quoted(each.name): each for each in source.relation.columns if _has_literals(source.relation, each)}
        for term in terms.of(at, conditions):
            if term.subject in columns and term.operator in ("=", "in", "<>", "not in", "any"):
                column = columns[term.subject]
                values = _literals(term.value, is_number=column.type is not None and column.type.name in _NUMBERS)
                # `note <> ''` names no state: other rows have any value.
                values = [text for text in values if text or term.operator not in ("<>", "not in")]
                if values:
                    found.setdefault((source.relation.name, column.name), {}).update(dict.fromkeys(values))


def _has_literals(relation: Relation, column: Column) -> bool:
    return column.type is not None and not column.type.dimensions and column.type.name in _TEXTS | _NUMBERS


def _literals(value: Operand | None, *, is_number: bool) -> Sequence[str]:
    values = value.elements if isinstance(value, Several) else (value,)
    constants = (each for each in values if isinstance(each, Value))
    return [each.text for each in constants if (each.text.isdigit() if is_number else each.is_string)]


def _flat(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, Either):
            yield from (inner for part in condition.parts for inner in _flat(conjuncts(part)))
        elif isinstance(condition, All):
            yield from _flat(condition.parts)
        else:
            yield condition
