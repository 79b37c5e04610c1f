"""How many rows each table gets where production's are known."""

from collections.abc import Callable, Mapping
from math import ceil

from migsafe.schema.statistics import row_count
from migsafe.sql.operations import Name


def in_proportion(production: Mapping[str, int], most: int, other: int) -> Callable[[Name], int]:
    """As many rows as in production, scaled down by one factor for all tables so that the largest has `most`; a table of which nobody
    knows gets `other`."""
    largest = max(production.values(), default=0)
    factor = min(1.0, most / largest) if largest else 1.0

    def rows(table: Name) -> int:
        known = row_count(production, table)
        return min(other, most) if known is None else ceil(known * factor)

    return rows
