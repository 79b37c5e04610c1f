"""The columns that a view, a policy, a rule or a function uses, which PostgreSQL records in pg_depend.

The names in a query mean what they meant when it was created, so the object keeps the columns that its relations had then. The query is
analysed only when a statement changes one of these columns, because the analysis needs a tree of the query.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from migsafe.schema.formulas import columns_used
from migsafe.schema.objects import Attached, Function, ReadRelation, Relation
from migsafe.sql.operations import Name


class ColumnUses(Struct, frozen=True):
    """The columns that a query uses, each as the number of its relation and its own. PostgreSQL certainly records a dependency on the
    `certain` ones, perhaps one on the `possible` ones, and none on the others."""

    certain: frozenset[tuple[int, int]] = frozenset()
    possible: frozenset[tuple[int, int]] = frozenset()


QueryAnalyser = Callable[[str, tuple[ReadRelation, ...]], ColumnUses | None]
"""Returns the columns that the SQL of a query uses; None if it cannot read the query."""


class _KnowsRelations(Protocol):
    """The part of the catalogue that is needed here."""

    analyse_query: QueryAnalyser | None

    def relation(self, name: Name, /) -> Relation | None: ...


def read_relations(catalog: _KnowsRelations, names: tuple[Name, ...]) -> tuple[ReadRelation, ...]:
    """Returns the known relations that a query reads under these names, with their present columns."""
    return tuple(
        ReadRelation(name, relation.oid, tuple((column.number, column.name) for column in relation.columns), relation.complete)
        for name in dict.fromkeys(names)
        if (relation := catalog.relation(name)) is not None
    )


def column_uses(catalog: _KnowsRelations, user: Relation | Attached | Function) -> ColumnUses:
    """Returns the columns that a view, a policy, a rule or a function with a resolved body uses."""
    certain: set[tuple[int, int]] = set()
    possible: set[tuple[int, int]] = set()
    queries = user.queries if not isinstance(user, Relation) else (user.query.sql,) if user.query is not None else ()
    for sql in filter(None, queries):
        found = catalog.analyse_query(sql, user.read_relations) if catalog.analyse_query is not None else None
        if found is None:
            possible |= _named_columns(sql, user.read_relations)
        else:
            certain |= found.certain
            possible |= found.possible
    return ColumnUses(frozenset(certain), frozenset(possible))


def _named_columns(sql: str, relations: tuple[ReadRelation, ...]) -> set[tuple[int, int]]:
    """Returns the columns whose names a query contains where they can mean them."""
    used = columns_used(sql, {relation.name.name: {column for _, column in relation.columns} for relation in relations})
    return {(relation.oid, number) for relation in relations for number, column in relation.columns if (relation.name.name, column) in used}
