"""How many rows a plan reads of its tables, as PostgreSQL estimates it."""

from typing import Any

from migsafe.replaying.queries.plan_trees import Plan, full_read, needs_all_rows
from migsafe.replaying.queries.planner_state import PlannerState


def rows_read(plan: Plan, state: PlannerState) -> int:
    """Returns the estimated number of rows that a plan reads of tables and indexes. A LIMIT ends reading early if nothing between it and the
    table needs all rows."""
    return round(_read(plan.tree, state, loops=1.0, share=1.0))


def _read(node: dict[str, Any], state: PlannerState, *, loops: float, share: float) -> float:
    """Returns the rows that a node and those below it read. `share` is the part of its result that is needed."""
    read = full_read(node)
    if read is not None:
        table = state.tables.get(read.relation)
        number = (table.rows if table is not None else node["Plan Rows"]) * loops * share
    elif "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan":
        is_counted = node["Node Type"] != "Bitmap Index Scan"  # the heap scan above it reads these rows
        number = node["Plan Rows"] * loops * share if is_counted else 0.0
    else:
        number = 0.0
    inner = node.get("Plans", ())
    if node["Node Type"] == "Limit":
        share *= min(1.0, node["Plan Rows"] / max(inner[0]["Plan Rows"], 1))
    elif needs_all_rows(node):
        share = 1.0
    for each in inner:
        repeated = node["Node Type"] == "Nested Loop" and each["Parent Relationship"] == "Inner"
        times = loops * max(inner[0]["Plan Rows"], 1) if repeated and each["Node Type"] != "Materialize" else loops
        number += _read(each, state, loops=times, share=share)
    return number
