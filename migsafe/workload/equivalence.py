"""Values that follow from equalities: `a.x = b.y AND a.x = $1` means `b.y = $1`, too (equivalence classes, equivclass.c)."""

from collections.abc import Iterable, Iterator, Sequence

from migsafe.expressions.queries.shapes import Compare, Condition, Parameter, Ref, Value
from migsafe.workload.terms import OUTER, Terms

Column = tuple[int, str]
"""A column of an element of FROM."""


Allowed = set[int] | None
"""The elements of FROM that a condition can find rows of; None for all."""


def derived_values(terms: Terms, all_conditions: Iterable[tuple[Condition, Allowed]]) -> Iterator[tuple[Condition, Allowed]]:
    """Yields the equalities with values that follow from conditions, without those conditions themselves. A value of the other side of an outer
    join is one of the rows that come with it, too (reconsider_outer_join_clauses in equivclass.c)."""
    all_conditions = list(all_conditions)
    conditions = [condition for condition, allowed in all_conditions if allowed is None]
    equal: list[tuple[Column, Ref, Column, Ref]] = []
    values: dict[Column, Parameter | Value] = {}
    for condition in conditions:
        match condition:
            case Compare(left=Ref() as left, operator="=", right=Ref() as right):
                first, second = _column(terms, left), _column(terms, right)
                if first is not None and second is not None and first != second:
                    equal.append((first, left, second, right))
            case Compare(left=Ref() as ref, operator="=", right=Parameter() | Value() as value):
                column = _column(terms, ref)
                if column is not None:
                    values.setdefault(column, value)
    yield from ((condition, None) for condition in (_spread(equal, values) if values else ()))
    for condition, allowed in all_conditions if values else ():
        match condition:
            case Compare(left=Ref() as left, operator="=", right=Ref() as right) if allowed is not None:
                for known, ref in ((_column(terms, left), right), (_column(terms, right), left)):
                    if known in values and known[0] not in allowed and terms.owner(ref) in allowed:
                        yield Compare(ref, "=", values[known]), allowed


def _spread(equal: Sequence[tuple[Column, Ref, Column, Ref]], values: dict[Column, Parameter | Value]) -> list[Condition]:
    derived: list[Condition] = []
    changed = True
    while changed:
        changed = False
        for first, left, second, right in equal:
            for known, other, ref in ((first, second, right), (second, first, left)):
                if known in values and other not in values:
                    values[other] = values[known]
                    derived.append(Compare(ref, "=", values[known]))
                    changed = True
    return derived


def _column(terms: Terms, ref: Ref) -> Column | None:
    """Returns the column of this level that a reference names."""
    owner = terms.owner(ref)
    return (owner, ref.name) if owner is not None and owner != OUTER else None
