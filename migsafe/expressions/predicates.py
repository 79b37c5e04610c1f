"""Conditions on a row, and which of them PostgreSQL can prove from others.

The rules are those of predicate_implied_by (src/backend/optimizer/util/predtest.c), in its weak form: of a CHECK only "not false" is known.
They are limited, as in PostgreSQL: AND and OR, and comparisons of the same column with constants.
"""

from collections.abc import Sequence

from msgspec import Struct

from migsafe.expressions.constants import Constant, compare
from migsafe.expressions.queries.shapes import NEGATION


class And(Struct, frozen=True):
    """AND. With `array`, <> ALL of a list of constants: PostgreSQL splits it as well, but never merges it with an AND around it."""

    parts: tuple["Predicate", ...]
    array: bool = False


class Or(Struct, frozen=True):
    """OR. With `array`, = ANY of a list of constants: PostgreSQL never merges it with an OR around it."""

    parts: tuple["Predicate", ...]
    array: bool = False


class Comparison(Struct, frozen=True):
    """A comparison of a column, or of an expression in its normal spelling, with a constant."""

    subject: str
    operator: str
    value: Constant


class IsNull(Struct, frozen=True):
    """IS NULL; with `is_negated`, IS NOT NULL."""

    subject: str
    is_negated: bool = False


class LongList(Struct, frozen=True):
    """= ANY of a list of constants that is too long for PostgreSQL to split; with `is_negated`, <> ALL."""

    subject: str
    values: tuple[Constant, ...]
    is_negated: bool = False


class TruthValue(Struct, frozen=True):
    """TRUE, FALSE, or NULL."""

    value: bool | None


class Opaque(Struct, frozen=True):
    """Any other condition. It implies nothing, and nothing implies it."""


Predicate = And | Or | Comparison | IsNull | LongList | TruthValue | Opaque

LONGEST_LIST = 100
"""The longest list of constants that PostgreSQL splits (MAX_SAOP_ARRAY_SIZE)."""


def conjunction(parts: list[Predicate]) -> Predicate:
    """Return the parts joined by AND, after constant folding."""
    return _join(parts, And, absorbing=False)


def disjunction(parts: list[Predicate]) -> Predicate:
    """Return the parts joined by OR, after constant folding."""
    return _join(parts, Or, absorbing=True)


def _join(parts: list[Predicate], kind: type[And] | type[Or], *, absorbing: bool) -> Predicate:
    flat: list[Predicate] = []
    for part in parts:
        if isinstance(part, TruthValue) and part.value is absorbing:
            return part
        if isinstance(part, TruthValue) and part.value is (not absorbing):
            continue
        flat.extend(part.parts if isinstance(part, kind) and not part.array else (part,))
    if not flat:
        return TruthValue(not absorbing)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def negation(predicate: Predicate) -> Predicate:
    """Return NOT of a condition, moved to its innermost parts (negate_clause)."""
    match predicate:
        case And(parts, array):
            opposite = [negation(part) for part in parts]
            return Or(tuple(opposite), array) if array else disjunction(opposite)
        case Or(parts, array):
            opposite = [negation(part) for part in parts]
            return And(tuple(opposite), array) if array else conjunction(opposite)
        case Comparison(subject, operator, value):
            return comparison(subject, NEGATION[operator], value)
        case IsNull(subject, is_negated):
            return IsNull(subject, not is_negated)
        case LongList(subject, values, is_negated):
            return LongList(subject, values, not is_negated)
        case TruthValue(value):
            return TruthValue(None if value is None else not value)
    return Opaque()


def comparison(subject: str, operator: str, value: Constant) -> Predicate:
    """Return a comparison. Constant folding leaves only one spelling of a comparison of booleans."""
    if isinstance(value.value, bool):
        if operator not in ("=", "<>"):
            return Opaque()
        constant_value = value.value if operator == "=" else not value.value
        return Comparison(subject, "=", Constant("boolean", constant_value))
    return Comparison(subject, operator, value)


def list_comparison(subject: str, values: Sequence[Constant], *, any_of: bool) -> Predicate:
    """Return = ANY of constants, or <> ALL of them."""
    if len(values) == 1:
        return comparison(subject, "=" if any_of else "<>", values[0])
    if len(values) > LONGEST_LIST:
        return LongList(subject, tuple(values), is_negated=not any_of)
    if any(isinstance(value.value, bool) for value in values):
        return Opaque()  # x = ANY ('{t,f}') stays as it is, but x = true becomes x
    if any_of:
        return Or(tuple(Comparison(subject, "=", value) for value in values), array=True)
    return And(tuple(Comparison(subject, "<>", value) for value in values), array=True)


def implies(clause: Predicate, predicate: Predicate) -> bool:
    """Whether PostgreSQL can prove that `predicate` is not false where `clause` is not false (predicate_implied_by_recurse)."""
    match clause, predicate:
        case _, And(required):
            if isinstance(clause, Or):
                return all(implies(part, predicate) for part in clause.parts)
            return all(implies(clause, part) for part in required)
        case And(parts), Or(required):
            return any(implies(clause, part) for part in required) or any(implies(part, predicate) for part in parts)
        case And(parts), _:
            return any(implies(part, predicate) for part in parts)
        case Or(parts), Or(required):
            return all(any(implies(part, alternative) for alternative in required) for part in parts)
        case Or(parts), _:
            return all(implies(part, predicate) for part in parts)
        case _, Or(required):
            return any(implies(clause, part) for part in required)
        case Comparison(), Comparison():
            return clause.subject == predicate.subject and _comparison_implies(clause, predicate)
        case TruthValue() | Opaque(), _:
            return False
    return clause == predicate


_IMPLIED: dict[str, dict[str, frozenset[str]]] = {
    "<": {"<": frozenset("<="), "<=": frozenset("<="), "<>": frozenset("<=")},
    "<=": {"<": frozenset("<"), "<=": frozenset("<="), "<>": frozenset("<")},
    "=": {
        "<": frozenset("<"),
        "<=": frozenset("<="),
        "=": frozenset("="),
        ">=": frozenset(">="),
        ">": frozenset(">"),
        "<>": frozenset(("<", ">", "<>")),
    },
    ">=": {">=": frozenset(">="), ">": frozenset(">"), "<>": frozenset(">")},
    ">": {">=": frozenset(">="), ">": frozenset(">="), "<>": frozenset(">=")},
    "<>": {"<>": frozenset("=")},
}
"""By the operator of the clause, then of the predicate: how the clause's constant must compare with the predicate's (BT_implies_table and
BT_implic_table)."""


def _comparison_implies(clause: Comparison, predicate: Comparison) -> bool:
    order = compare(clause.value, predicate.value)
    return order is not None and order in _IMPLIED[clause.operator].get(predicate.operator, ())
