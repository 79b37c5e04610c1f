"""The conditions of joins, and which elements of FROM they find rows of."""

from migsafe.expressions.queries.shapes import Compare, Condition, Ref
from migsafe.workload.scopes import Level
from migsafe.workload.terms import conjuncts


def join_conditions(level: Level, required: set[int]) -> list[tuple[Condition, set[int] | None]]:
    """Returns the conditions of joins. Those of an outer join find only rows of the elements of FROM that come with it, unless WHERE requires a
    row of the others: then PostgreSQL makes it another join (reduce_outer_joins in prepjointree.c). `required` are these elements."""
    conditions: list[tuple[Condition, set[int] | None]] = []
    for at, source in enumerate(level.sources):
        allowed = _led_to(_reduced(source.shape.join, at, at, required), at, at)
        conditions += [(condition, allowed) for condition in conjuncts(source.shape.on)]
        for around in source.shape.around:
            first = at - around.elements + 1
            style = _reduced(around.join, first, at, required)
            conditions += [(condition, _led_to(style, first, at)) for condition in conjuncts(around.on)]
        for name in source.hidden:
            other = next((before for before in level.sources[:at] if name in before.columns), None)
            if other is not None:
                conditions.append((Compare(Ref(name, source.alias), "=", Ref(name, other.alias)), allowed))
    return conditions


def _reduced(join: str | None, first: int, last: int, required: set[int]) -> str | None:
    """Returns the kind of a join with some elements of FROM, when WHERE requires rows of elements."""
    before, own = not required.isdisjoint(range(first)), not required.isdisjoint(range(first, last + 1))
    match join:
        case "left":
            return "inner" if own else "left"
        case "right":
            return "inner" if before else "right"
        case "full":
            return "inner" if before and own else "left" if before else "right" if own else "full"
    return join


def _led_to(style: str | None, first: int, last: int) -> set[int] | None:
    """Returns the elements of FROM that the condition of a join with some of them can find rows of; None for all."""
    match style:
        case "left":
            return set(range(first, last + 1))
        case "right":
            return set(range(first))
        case "full":
            return set()
    return None
