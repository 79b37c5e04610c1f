"""The order in which a query wants the rows of a table, if an index can give it: ORDER BY … LIMIT, and the highest or lowest value."""

from migsafe.expressions.queries.shapes import Condition, Formula, NullTest, Ref, Value
from migsafe.workload.conditions import quoted
from migsafe.workload.scopes import Level
from migsafe.workload.serving import Order, OrderKeys
from migsafe.workload.terms import Terms


def wanted_order(level: Level, terms: Terms, at: int) -> Order | None:
    """Returns the order of ORDER BY if it is that of one table's columns."""
    shape = level.shape
    extreme = _extreme(level)
    if extreme is not None:
        subject = terms.subject(at, extreme)
        return Order(((subject, False, False),)) if subject is not None else None
    if not shape.limited or shape.grouped or not shape.order or (shape.distinct and not shape.output_refs):
        return None
    outputs = {output.name: output.operand for output in shape.outputs if output.name is not None and output.operand is not None}
    keys: list[tuple[str, bool, bool]] = []
    for key in shape.order:
        operand = key.operand
        if isinstance(operand, Ref) and operand.table is None and operand.name in outputs:
            operand = outputs[operand.name]
        if isinstance(operand, Value) and operand.text.isdigit() and not operand.is_string and int(operand.text) <= len(shape.outputs):
            operand = shape.outputs[int(operand.text) - 1].operand or operand
        subject = terms.subject(at, operand)
        if subject is None:
            break
        nulls_first = key.descending if key.nulls_first is None else key.nulls_first
        keys.append((subject, key.descending, nulls_first))
    return Order(tuple(keys)) if keys else None


def of_extreme(level: Level) -> list[tuple[Condition, set[int] | None]]:
    """The highest and the lowest value are not null."""
    extreme = _extreme(level)
    return [(NullTest(extreme, True), None)] if extreme is not None else []


def _extreme(level: Level) -> Ref | None:
    """Returns the column of `SELECT max(column)` or `min`, which PostgreSQL finds at an end of an index (planagg.c). In a query that reads
    other tables it hardly matters that the table is read as a whole."""
    shape = level.shape
    if len(level.sources) != 1 or any(outer.sources for outer in level.outer):
        return None
    operand = shape.outputs[0].operand if len(shape.outputs) == 1 and shape.grouped and not shape.has_group else None
    if isinstance(operand, Formula) and len(operand.refs) == 1:
        [ref] = operand.refs
        return ref if operand.text in (f"max({quoted(ref.name)})", f"min({quoted(ref.name)})") else None
    return None


def forward(keys: OrderKeys) -> OrderKeys:
    """Returns the order of an index that gives an order: PostgreSQL reads an index in ascending order backward for a descending one."""
    if all(descending for _, descending, _ in keys):
        return tuple((subject, False, not nulls_first) for subject, _, nulls_first in keys)
    return keys
