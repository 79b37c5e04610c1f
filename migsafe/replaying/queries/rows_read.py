"""How many rows a plan reads of its tables, as PostgreSQL estimates it."""

import re
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.replaying.queries.plan_trees import Plan, full_read, needs_all_rows
from migsafe.replaying.queries.planner_state import PlannerState
from migsafe.sql.operations import Name

_COLUMN = lazy_pattern(r"[a-z_]\w*|\"[^\"]+\"")
"""A key of an index that is a column."""


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
    elif (searched := _searched_table(node, state)) is not None:
        number = state.rows(searched) * loops * share
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


def _searched_table(node: dict[str, Any], state: PlannerState) -> Name | None:
    """Returns the table of an index of which a node reads all entries: its condition does not name the
    first column. None for other nodes."""
    table, key = state.first_keys.get(node.get("Index Name", ""), (None, ""))
    if "Index Cond" not in node or not _COLUMN.fullmatch(key):
        return None
    return None if re.search(rf'(?<![\w"]){re.escape(key)}(?![\w"])', node["Index Cond"]) else table
