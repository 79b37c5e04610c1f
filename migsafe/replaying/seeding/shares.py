"""The number of rows for each table, in proportion to production."""

from collections.abc import Callable, Mapping
from math import ceil

from migsafe.schema.statistics import row_count
from migsafe.sql.operations import Name


def in_proportion(production: Mapping[str, int], most: int, other: int) -> Callable[[Name], int]:
    """Returns the number of rows for each table: those of production, scaled by one factor so that the largest table has `most`. A table
    that is not in `production` gets `other`."""
    largest = max(production.values(), default=0)
    factor = min(1.0, most / largest) if largest else 1.0

    def rows(table: Name) -> int:
        known = row_count(production, table)
        return min(other, most) if known is None else ceil(known * factor)

    return rows
