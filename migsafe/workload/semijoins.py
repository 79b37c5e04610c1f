"""Queries after EXISTS whose few rows lead to those of the query around."""

from collections.abc import Iterator

from migsafe.expressions.queries.shapes import All, Compare, Condition, Either, Exists, Nested, Ref, Shape
from migsafe.workload.scopes import Level
from migsafe.workload.terms import OUTER, Terms, conjuncts


def conditions_of_exists(terms: Terms, level: Level) -> Iterator[Condition]:
    """Yields the conditions that EXISTS is for the query around: `EXISTS (SELECT FROM b WHERE b.x = a.y AND …)` as `a.y IN (SELECT b.x …)`.
    PostgreSQL can begin with the distinct rows of either side (create_unique_path in pathnode.c)."""
    for exists in leading(level):
        nested = level.nested[exists.query]
        inside = Terms(terms.catalog, terms.binder, nested)
        for condition in conjuncts(nested.shape.where):
            match condition:
                case Compare(left=Ref() as left, operator="=", right=Ref() as right):
                    for own, other in ((left, right), (right, left)):
                        is_between = inside.owner(own) not in (None, OUTER) and inside.owner(other) == OUTER
                        if is_between and terms.owner(other) not in (None, OUTER):
                            yield Compare(other, "in", Nested(exists.query))


def leading(level: Level) -> list[Exists]:
    """Returns the EXISTS that each row of a query must fulfil, and whose query is read once."""
    found = (condition for condition in conjuncts(level.shape.where) if isinstance(condition, Exists) and not condition.is_negated)
    return [exists for exists in found if not level.nested[exists.query].shape.grouped]


def joined_queries(shape: Shape) -> dict[int, bool]:
    """Returns the queries after IN and EXISTS, and whether it is EXISTS. An EXISTS within an OR reads its table once, too: PostgreSQL
    builds a hash table of it (AlternativeSubPlan in nodeSubplan.c)."""
    joined = {condition.query: True for condition in _exists_of(shape.where)}
    for condition in conjuncts(shape.where):
        match condition:
            case Compare(operator="in" | "any", right=Nested(query=number)):
                joined[number] = False
    return joined


def _exists_of(condition: Condition | None) -> Iterator[Exists]:
    match condition:
        case Exists():
            yield condition
        case All() | Either():
            for part in condition.parts:
                yield from _exists_of(part)
