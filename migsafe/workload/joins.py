"""The conditions of joins, and which elements of FROM they find rows of."""

from migsafe.expressions.queries.shapes import Compare, Condition, Ref
from migsafe.workload.scopes import Level
from migsafe.workload.terms import conjuncts


def join_conditions(level: Level, required: set[int]) -> list[tuple[Condition, set[int] | None]]:
    """Returns the conditions of joins. Those of an outer join find only rows of the elements of FROM that come with it, unless WHERE requires a
    row of them: then PostgreSQL makes it an inner join (reduce_outer_joins in prepjointree.c)."""
    conditions: list[tuple[Condition, set[int] | None]] = []
    for at, source in enumerate(level.sources):
        allowed = _led_to("inner" if at in required else source.shape.join, at, at)
        conditions += [(condition, allowed) for condition in conjuncts(source.shape.on)]
        for around in source.shape.around:
            first = at - around.elements + 1
            style = "inner" if around.join == "left" and first in required else around.join
            conditions += [(condition, _led_to(style, first, at)) for condition in conjuncts(around.on)]
        for name in source.hidden:
            other = next((before for before in level.sources[:at] if name in before.columns), None)
            if other is not None:
                conditions.append((Compare(Ref(name, source.alias), "=", Ref(name, other.alias)), allowed))
    return conditions


def _led_to(style: str, first: int, last: int) -> set[int] | None:
    """Returns the elements of FROM that the condition of a join with some of them can find rows of; None for all."""
    match style:
        case "left":
            return set(range(first, last + 1))
        case "right":
            return set(range(first))
        case "full":
            return set()
    return None
