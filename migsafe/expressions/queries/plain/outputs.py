"""The output columns of a query, and how it groups."""

from msgspec import Struct

from migsafe.expressions.queries.aggregates import is_scalar
from migsafe.expressions.queries.plain.expressions import AGGREGATES, NAMED
from migsafe.expressions.queries.plain.terms import Term, inside, operand_of
from migsafe.expressions.queries.plain.tokens import NotPlainError
from migsafe.expressions.queries.shapes import Grouping, GroupingUse, Operand, Output, Ref, Shape, Value

_WITHOUT_NAME = frozenset(("constant", "binary", "compare", "not", "is", "in", "between", "like"))
"""The kinds of terms that give an output column no name of its own."""


class Item(Struct, frozen=True):
    """An item of a SELECT list: its term, None for `*`, and its output column."""

    term: Term | None
    output: Output


def has_aggregate(term: Term) -> bool:
    """Whether an expression calls an aggregate function itself, not in a query in it."""
    return any(part.kind == "known" and part.data in AGGREGATES for part in term.walk())


def read_grouping(items: list[Item], group: list[Term] | None) -> Grouping | None:
    """Returns how a query groups; None if it does not."""
    if group is None and not any(item.term is not None and has_aggregate(item.term) for item in items):
        return None
    uses: dict[GroupingUse, None] = {}
    for number, item in enumerate(items):
        if item.term is None:
            continue
        uses.update(dict.fromkeys(_uses(item.term, number, is_whole=True)))
    keys: list[Ref] = []
    positions: list[int] = []
    for key in group or ():
        column: Term | None = key
        if isinstance(key.data, Value):
            positions.append(int(key.data.text) - 1)
            column = items[positions[-1]].term if 0 <= positions[-1] < len(items) else None
        if column is None or not isinstance(inside(column).data, Ref):
            raise NotPlainError
        keys.append(inside(column).data)  # type: ignore[arg-type]  # a Ref
    return Grouping(keys=tuple(keys), positions=tuple(positions), uses=tuple(uses))


def _uses(term: Term, output: int, *, is_whole: bool) -> list[GroupingUse]:
    """Returns the columns of an item outside aggregate functions."""
    term = inside(term)
    if isinstance(term.data, Ref):
        return [GroupingUse(term.data, output, is_whole)]
    if term.kind == "known" and term.data in AGGREGATES:
        return []
    if term.kind in ("query", "exists", "dotted") or (term.kind == "call" and not is_scalar(str(term.data))):
        return []
    if term.kind == "in" and term.data:
        return _uses(term.children[0], output, is_whole=False)
    return [use for child in term.children for use in _uses(child, output, is_whole=False)]


def output_name(term: Term, queries: list[Shape]) -> str | None:
    """Returns the name of an output column without an alias; None if it has none that is known."""
    match term.kind:
        case "column":
            assert isinstance(term.data, Ref)
            return term.data.name
        case "call":
            return str(term.data)
        case "known" if term.data in NAMED:
            return str(term.data)
        case "cast":
            inner = term.children[0]
            name = output_name(inner, queries)
            return name or (None if inner.kind in ("known", "call", "case", "cast", "arrow") else str(term.data))
        case "paren":
            return output_name(term.children[0], queries)
        case "query":
            assert isinstance(term.data, int)
            query = queries[term.data]
            return query.outputs[0].name if query.kind == "select" else None
        case "exists":
            return "exists"
        case "case":
            return _name_of_case(term, queries)
        case "known" | "dotted" | "arrow":
            return None
        case kind if kind in _WITHOUT_NAME:
            return None
    raise NotPlainError


def _name_of_case(term: Term, queries: list[Shape]) -> str | None:
    """Returns the name of a CASE: that of the column or the call after ELSE, or `case`."""
    default = term.children[-1] if term.data else None
    while default is not None and default.kind in ("cast", "paren"):
        default = default.children[0]
    if default is None or default.kind in _WITHOUT_NAME:
        return "case"
    return output_name(default, queries)


def passed_value(term: Term) -> Operand | None:
    """Returns a value of VALUES if it is a parameter, or may have the value of one."""
    plain = term.children[0] if term.kind == "cast" else term
    if plain.kind == "parameter":
        return operand_of(term)
    if plain.kind == "case" or (plain.kind == "known" and plain.data in ("coalesce", "nullif", "lower", "upper", "trim")):
        raise NotPlainError
    return None
