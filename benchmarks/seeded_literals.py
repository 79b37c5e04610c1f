"""The literals that queries compare columns with, as values of seeded rows.

A seeded text is a new word in each row, so that `status = 'active'` selects no row, and an index on `status` seems to help. In production, a
state that the queries name is one of a few values. Columns without such a value receive those of the queries in equal parts, and one more.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.query_truth import Connection
from migsafe.expressions.queries.shapes import All, Condition, Either, Operand, Several, UnreadShape, Value
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.workload.binding import Binder
from migsafe.workload.conditions import quoted
from migsafe.workload.lookups import Lookups
from migsafe.workload.query import Query
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.shapes import shared_shapes
from migsafe.workload.terms import Terms, conjuncts

_TEXTS = frozenset(("text", "character varying", "character", "citext"))
_OTHER = "some other value"

Literals = dict[tuple[Name, str], dict[str, None]]
"""The literals by table and column."""


def fill_literals(connection: Connection, queries: Iterable[Query], catalog: Catalog) -> None:
    """Gives the text columns that queries compare with literals these values, where no row has one of them."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SELECT setseed(0.5)")
    for (table, column), values in literals(queries, catalog).items():
        known = list(values)
        try:
            with connection.transaction():
                name, key = str(table), sql.quoted(column)
                row = connection.execute(f"SELECT EXISTS (SELECT 1 FROM {name} WHERE {key}::text = ANY(%s))".encode(), (known,)).fetchone()
                if row is not None and not row[0]:
                    chosen = "(%s::text[])[1 + floor(random() * %s)::int]"
                    connection.execute(f"UPDATE {name} SET {key} = {chosen}".encode(), ([*known, _OTHER], len(known) + 1))
        except psycopg.Error as error:
            print(f"    {table}.{column} keeps its seeded values: {str(error).splitlines()[0][:100]}")
    connection.execute("RESET session_replication_role")


def literals(queries: Iterable[Query], catalog: Catalog) -> Literals:
    """Returns the strings that queries compare text columns with."""
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
        texts = {quoted(each.name): each.name for each in source.relation.columns if each.type is not None and each.type.name in _TEXTS}
        for term in terms.of(at, conditions):
            if term.subject in texts and term.operator in ("=", "in", "<>", "not in", "any"):
                # `note <> ''` names no state: other rows have any value.
                strings = [text for text in _strings(term.value) if text or term.operator not in ("<>", "not in")]
                if strings:
                    found.setdefault((source.relation.name, texts[term.subject]), {}).update(dict.fromkeys(strings))


def _strings(value: Operand | None) -> Sequence[str]:
    values = value.elements if isinstance(value, Several) else (value,)
    return [each.text for each in values if isinstance(each, Value) and each.is_string]


def _flat(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, Either):
            yield from (inner for part in condition.parts for inner in _flat(conjuncts(part)))
        elif isinstance(condition, All):
            yield from _flat(condition.parts)
        else:
            yield condition
