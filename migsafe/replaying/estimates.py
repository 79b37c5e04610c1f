"""Estimates of how long a statement takes with production's rows on this machine, from the measured time.

The time above a fixed cost grows with the rows: at least linearly (a scan, a rewrite), at most as n log n (the sort that builds an index).
The estimate does not account for caches, disks and other load.
"""

from collections.abc import Mapping
from math import log2

from msgspec import Struct

from migsafe.replaying.recording.records import StatementRecord, effects_growing_with_rows
from migsafe.schema.statistics import row_count

_MIN_ROWS = 1000
"""With fewer rows, the growth cannot be measured."""
_FIXED_MS = 1.0
_WAIT_PRECISION_MS = 10.0
"""The precision of the measured wait for a lock."""


class Estimate(Struct, frozen=True):
    """A range of milliseconds, and the rows in production of the tables that the time depends on."""

    low_ms: float
    high_ms: float
    rows: int


def grown(ms: float, measured_rows: int, rows: int) -> tuple[float, float]:
    """Returns the least and the most time that `rows` take, if `measured_rows` take this time and all of it grows with the rows."""
    factor = rows / measured_rows
    sort_factor = factor * log2(max(rows, 2)) / log2(max(measured_rows, 2))
    return ms * min(factor, sort_factor), ms * max(factor, sort_factor)


def estimate_duration(statement: StatementRecord, production_rows: Mapping[str, int]) -> Estimate | None:
    """Estimates a statement's time with production's rows. None if it does not grow, if the rows are unknown, or if too few were measured."""
    growing = effects_growing_with_rows(statement)
    in_production = [row_count(production_rows, measured.effect.relation) for measured in growing]
    measured_rows = sum(measured.rows or 0 for measured in growing)
    if not growing or measured_rows < _MIN_ROWS or statement.failure is not None:
        return None
    known = [rows for rows in in_production if rows is not None]
    if len(known) < len(in_production):
        return None
    total = sum(known)
    work = statement.duration_ms - statement.waited_ms
    fixed = min(_FIXED_MS, work)
    grows = work - fixed
    least = max(grows - _WAIT_PRECISION_MS, 0.0) if statement.waited_ms else grows
    return Estimate(fixed + grown(least, measured_rows, total)[0], fixed + grown(grows, measured_rows, total)[1], total)
