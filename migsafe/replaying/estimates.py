"""How long a statement that grows with the rows may take on production's: an estimate for this machine, from what was measured on it.

The time beyond what a statement of its kind costs anyhow grows with the rows: at least as they do (a scan, a rewrite), at most as n log n
(the sort that builds an index). Caches, disks and neighbours are not in it.
"""

from collections.abc import Mapping
from math import log2

from msgspec import Struct

from migsafe.replaying.recording.records import StatementRecord, effects_growing_with_rows
from migsafe.schema.statistics import row_count

_FEWEST = 1000
"""On fewer rows nothing is measured that grows."""
_ANYHOW_MS = 1.0
_LOOK_MS = 10.0
"""How exactly a wait for a lock is known."""


class Estimate(Struct, frozen=True):
    """From and to in milliseconds, for how many rows of the tables concerned."""

    low_ms: float
    high_ms: float
    rows: int


def estimate_duration(played: StatementRecord, production: Mapping[str, int]) -> Estimate | None:
    """How long a statement may take on production's rows; None where it does not grow, they are not known, or too few were there."""
    touches = effects_growing_with_rows(played)
    there = [row_count(production, touch.effect.relation) for touch in touches]
    here = sum(touch.rows or 0 for touch in touches)
    if not touches or here < _FEWEST or played.failure is not None:
        return None
    known = [rows for rows in there if rows is not None]
    if len(known) < len(there):
        return None
    total = sum(known)
    work = played.duration_ms - played.waited_ms
    anyhow = min(_ANYHOW_MS, work)
    grows = work - anyhow
    factor = total / here
    steeper = factor * log2(max(total, 2)) / log2(here)
    least = max(grows - _LOOK_MS, 0.0) if played.waited_ms else grows
    return Estimate(anyhow + least * min(factor, steeper), anyhow + grows * max(factor, steeper), total)
