"""Values that follow from equalities: `a.x = b.y AND a.x = $1` means `b.y = $1`, too (equivalence classes, equivclass.c)."""

from collections.abc import Iterable, Sequence

from migsafe.expressions.queries.shapes import Compare, Condition, Parameter, Ref, Value
from migsafe.workload.terms import OUTER, Terms

Column = tuple[int, str]
"""A column of an element of FROM."""


def derived_values(terms: Terms, conditions: Iterable[Condition]) -> list[Condition]:
    """Returns the equalities with values that follow from conditions that hold for all rows of a query, without those conditions themselves."""
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
    return _spread(equal, values) if values else []


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
