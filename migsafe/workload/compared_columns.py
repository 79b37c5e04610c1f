"""What the parameters of a query are compared with: the column that a value for each can be taken from."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from migsafe.expressions.queries.shapes import (
    All,
    Compare,
    Condition,
    Either,
    Formula,
    Operand,
    Parameter,
    Ref,
    Several,
    UnreadShape,
)
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import Name
from migsafe.workload.binding import Binder
from migsafe.workload.conditions import quoted
from migsafe.workload.lookups import Lookups
from migsafe.workload.query import Query
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.shapes import Shapes
from migsafe.workload.terms import Terms


class ComparedColumn(Struct, frozen=True, kw_only=True):
    """What a parameter is compared with: an expression over the columns of a relation, as SQL, and the operator. `column` is set if it is a
    column alone."""

    relation: Name
    expression: str
    operator: str
    column: str | None = None


def compared_columns(query: Query, catalog: Catalog, shapes: Shapes) -> dict[int, ComparedColumn]:
    """Returns what the parameters of a query are compared with in a database, by their numbers, without those for which that is not known."""
    with application_path(catalog):
        lookups = Lookups(catalog, shapes)
        shape = lookups.shapes.query(query.text)
        if isinstance(shape, UnreadShape):
            return {}
        try:
            binder = Binder(lookups, query.parameters)
            return columns_of_parameters(binder, lookups, all_levels(binder.query(shape)))
        except Exception:  # a query that is not understood gets values by the types of its parameters
            return {}


@contextmanager
def application_path(catalog: Catalog) -> Iterator[None]:
    """Looks names up as the sessions of an application do, and then in the schemas of the migrations, inside the `with` block."""
    before, was_set = catalog.search_path, catalog.path_is_set
    catalog.path_is_set = True
    catalog.search_path = ("public", *(name for name in before if name != "public"))
    try:
        yield
    finally:
        catalog.search_path, catalog.path_is_set = before, was_set


def columns_of_parameters(binder: Binder, lookups: Lookups, levels: Iterable[Level]) -> dict[int, ComparedColumn]:
    """Returns what the parameters of a bound query are compared with, by their numbers; `levels` are all of the query."""
    compared: dict[int, ComparedColumn] = {}
    for level in levels:
        for subject, operator, value in _comparisons(level):
            column = _column(binder, lookups, level, subject, operator)
            for parameter in value.elements if isinstance(value, Several) else (value,):
                if column is not None and isinstance(parameter, Parameter):
                    compared.setdefault(parameter.number, column)
    return compared


def _comparisons(level: Level) -> Iterator[tuple[Operand, str, Operand]]:
    """Yields the comparisons in the conditions of a level, each with its sides in both orders."""
    conditions = [level.shape.where, *(condition for source in level.sources for condition in source.shape.conditions)]
    for condition in conditions:
        for comparison in _parts(condition):
            yield comparison.left, comparison.operator, comparison.right
            yield comparison.right, comparison.operator, comparison.left


def _parts(condition: Condition | None) -> Iterator[Compare]:
    match condition:
        case Compare():
            yield condition
        case All() | Either():
            for part in condition.parts:
                yield from _parts(part)


def _column(binder: Binder, lookups: Lookups, level: Level, subject: Operand, operator: str) -> ComparedColumn | None:
    match subject:
        case Ref():
            found = binder.find(subject, (level, *level.outer))
            column = found[1] if found is not None else None
            if column is None or column.relation is None or column.name is None or column.relation not in binder.relations:
                return None
            name = binder.relations[column.relation].name
            return ComparedColumn(relation=name, expression=quoted(column.name), operator=operator, column=column.name)
        case Formula() if subject.refs:
            terms = Terms(lookups, binder, level)
            for at, source in enumerate(level.sources):
                expression = terms.subject(at, subject) if source.relation is not None else None
                if expression is not None and source.relation is not None:
                    return ComparedColumn(relation=source.relation.name, expression=expression, operator=operator)
    return None
