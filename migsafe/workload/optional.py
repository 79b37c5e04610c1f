"""Optional conditions, which a value of the query switches off: `$1 IS NULL OR shop = $1`, or `shop = coalesce($1, shop)`.

PostgreSQL plans such a query for its values: it removes the test and uses an index of the column. The plan for any values would read the whole
table, so that it is dearer than the others and not chosen (choose_custom_plan in plancache.c; measured on 15 and 18).
"""

from collections.abc import Iterable, Iterator

from migsafe.expressions.queries.shapes import (
    All,
    Compare,
    Condition,
    Either,
    Formula,
    NullTest,
    Operand,
    Parameter,
    Ref,
    Several,
    Truth,
    Value,
)
from migsafe.patterns import lazy_pattern
from migsafe.workload.proposals import is_selective
from migsafe.workload.scopes import Level, all_levels
from migsafe.workload.terms import Terms, conjuncts

_TESTS = ("=", "<>")
_COALESCE = lazy_pattern(r"coalesce\((?:CAST\()?\$\d")
Allowed = set[int] | None
"""The elements of FROM that a condition can find rows of; None for all."""


def has_optional(root: Level) -> bool:
    """Whether a query has optional conditions."""
    shapes = [level.shape for level in all_levels(root)]
    conditions = [shape.where for shape in shapes] + [on for shape in shapes for source in shape.sources for on in source.conditions]
    return any(_given(each) is not each for condition in conditions for each in conjuncts(condition))


def with_values(terms: Terms, conditions: Iterable[tuple[Condition, Allowed]], optional: set[Condition]) -> Iterator[tuple[Condition, Allowed]]:
    """Yields conditions; those optional ones that select few rows of a table as they are with their values, and adds these to `optional`."""
    for condition, allowed in conditions:
        known = _given(condition)
        if known is condition or not _selects_few(terms, known):
            yield condition, allowed
        else:
            optional.update(conjuncts(known))
            yield from ((part, allowed) for part in conjuncts(known))


def _selects_few(terms: Terms, condition: Condition) -> bool:
    parts = condition.parts if isinstance(condition, Either) else (condition,)
    numbers = range(len(terms.level.sources))
    return any(all(any(map(is_selective, terms.of(at, [part]))) for part in parts) for at in numbers)


def _given(condition: Condition) -> Condition:
    """Returns an optional condition as it is with a value that does not switch it off; any other condition itself."""
    match condition:
        case Either():
            parts = tuple(part for part in condition.parts if not _is_without_column(part))
            if parts and len(parts) < len(condition.parts):
                return parts[0] if len(parts) == 1 else Either(parts)
        case Compare(left=Ref() as column, operator="=", right=Formula(refs=(Ref() as other,), passed=(Parameter() as value, *_)) as formula):
            if _COALESCE.match(formula.text) and (column.name, column.table) in ((other.name, other.table), (other.name, None)):
                return Compare(column, "=", value)
    return condition


def _is_without_column(condition: Condition) -> bool:
    """Whether a condition depends on nothing but values of the query."""
    match condition:
        case All() | Either():
            return all(map(_is_without_column, condition.parts))
        case NullTest() | Truth():
            return _is_known(condition.operand)
        case Compare() if condition.operator in _TESTS:
            return _is_known(condition.left) and _is_known(condition.right)
    return False


def _is_known(operand: Operand) -> bool:
    match operand:
        case Parameter() | Value():
            return True
        case Formula():
            return not operand.refs and not operand.queries
        case Several():
            return all(map(_is_known, operand.elements))
    return False
