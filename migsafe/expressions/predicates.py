"""Conditions on a row, and when PostgreSQL sees that one implies another.

The rules are predicate_implied_by's (src/backend/optimizer/util/predtest.c), in its weak form: a CHECK is known not to be false, no more.
It knows little on purpose: how AND and OR nest, and that a comparison with a constant implies others of the same column.
"""

from collections.abc import Sequence

from msgspec import Struct

from migsafe.expressions.constants import Constant, relation


class Both(Struct, frozen=True):
    """AND; or <> ALL of a list of constants (`array`), which PostgreSQL takes apart too, but never merges with an AND around it."""

    parts: tuple["Predicate", ...]
    array: bool = False


class Either(Struct, frozen=True):
    """OR; or = ANY of a list of constants (`array`), which is never merged with an OR around it."""

    parts: tuple["Predicate", ...]
    array: bool = False


class Compared(Struct, frozen=True):
    """A column, or an expression in its one spelling, compared with a constant."""

    subject: str
    operator: str
    value: Constant


class Null(Struct, frozen=True):
    """IS NULL; with `negated`, IS NOT NULL."""

    subject: str
    negated: bool = False


class Listed(Struct, frozen=True):
    """= ANY of a list of constants too long for PostgreSQL to look into; with `negated`, <> ALL."""

    subject: str
    values: tuple[Constant, ...]
    negated: bool = False


class Fixed(Struct, frozen=True):
    """TRUE, FALSE, or NULL."""

    value: bool | None


class Opaque(Struct, frozen=True):
    """Anything else: it implies nothing, and nothing implies it."""


Predicate = Both | Either | Compared | Null | Listed | Fixed | Opaque

NEGATION = {"<": ">=", "<=": ">", "=": "<>", "<>": "=", ">=": "<", ">": "<="}
COMMUTED = {"<": ">", "<=": ">=", "=": "=", "<>": "<>", ">=": "<=", ">": "<"}

LONGEST_LIST = 100
"""Of how many constants PostgreSQL takes a list apart (MAX_SAOP_ARRAY_SIZE)."""


def both(parts: list[Predicate]) -> Predicate:
    """The parts joined by AND, as constant folding leaves them."""
    return _joined(parts, Both, absorbing=False)


def either(parts: list[Predicate]) -> Predicate:
    """The parts joined by OR, as constant folding leaves them."""
    return _joined(parts, Either, absorbing=True)


def _joined(parts: list[Predicate], kind: type[Both] | type[Either], *, absorbing: bool) -> Predicate:
    flat: list[Predicate] = []
    for part in parts:
        if isinstance(part, Fixed) and part.value is absorbing:
            return part
        if isinstance(part, Fixed) and part.value is (not absorbing):
            continue
        flat.extend(part.parts if isinstance(part, kind) and not part.array else (part,))
    if not flat:
        return Fixed(not absorbing)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def negated(predicate: Predicate) -> Predicate:
    """NOT, carried inwards as far as it goes (negate_clause)."""
    match predicate:
        case Both(parts, array):
            opposite = [negated(part) for part in parts]
            return Either(tuple(opposite), array) if array else either(opposite)
        case Either(parts, array):
            opposite = [negated(part) for part in parts]
            return Both(tuple(opposite), array) if array else both(opposite)
        case Compared(subject, operator, value):
            return compared(subject, NEGATION[operator], value)
        case Null(subject, was):
            return Null(subject, not was)
        case Listed(subject, values, was):
            return Listed(subject, values, not was)
        case Fixed(value):
            return Fixed(None if value is None else not value)
    return Opaque()


def compared(subject: str, operator: str, value: Constant) -> Predicate:
    """A comparison; of booleans there is only one spelling left after constant folding."""
    if isinstance(value.value, bool):
        if operator not in ("=", "<>"):
            return Opaque()
        wanted = value.value if operator == "=" else not value.value
        return Compared(subject, "=", Constant("boolean", wanted))
    return Compared(subject, operator, value)


def listed(subject: str, values: Sequence[Constant], *, any_of: bool) -> Predicate:
    """= ANY of constants, or <> ALL of them."""
    if len(values) == 1:
        return compared(subject, "=" if any_of else "<>", values[0])
    if len(values) > LONGEST_LIST:
        return Listed(subject, tuple(values), negated=not any_of)
    if any(isinstance(value.value, bool) for value in values):
        return Opaque()  # x = ANY ('{t,f}') stays, while x = true becomes x
    if any_of:
        return Either(tuple(Compared(subject, "=", value) for value in values), array=True)
    return Both(tuple(Compared(subject, "<>", value) for value in values), array=True)


def implies(clause: Predicate, predicate: Predicate) -> bool:
    """Whether PostgreSQL sees that where `clause` is not false `predicate` is not either (predicate_implied_by_recurse)."""
    match clause, predicate:
        case _, Both(wanted):
            if isinstance(clause, Either):
                return all(implies(part, predicate) for part in clause.parts)
            return all(implies(clause, part) for part in wanted)
        case Both(parts), Either(wanted):
            return any(implies(clause, part) for part in wanted) or any(implies(part, predicate) for part in parts)
        case Both(parts), _:
            return any(implies(part, predicate) for part in parts)
        case Either(parts), Either(wanted):
            return all(any(implies(part, one) for one in wanted) for part in parts)
        case Either(parts), _:
            return all(implies(part, predicate) for part in parts)
        case _, Either(wanted):
            return any(implies(clause, part) for part in wanted)
        case Compared(), Compared():
            return clause.subject == predicate.subject and _comparison_implies(clause, predicate)
        case Fixed() | Opaque(), _:
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
"""By the clause's operator and the predicate's: how the clause's constant must stand to the predicate's (BT_implies_table and
BT_implic_table)."""


def _comparison_implies(clause: Compared, predicate: Compared) -> bool:
    found = relation(clause.value, predicate.value)
    return found is not None and found in _IMPLIED[clause.operator].get(predicate.operator, ())
