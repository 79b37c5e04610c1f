"""Estimates of how long work on every row takes, without a measurement.

The speed of production's disks is not known. So the range goes from rows of 1 kB on a disk of 100 MB/s to narrow rows in memory (measured with
two million rows on a developer's machine). It tells seconds from minutes and minutes from hours, and nothing finer.
"""

from enum import Enum

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Operation

_INDEXED = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE)


class Work(Enum):
    """A kind of work on every row: the fewest and the most rows per second."""

    READ = (100_000, 10_000_000)
    INDEX = (50_000, 2_500_000)
    REWRITE = (30_000, 1_000_000)
    CHANGE = (5_000, 200_000)


class Duration(Struct, frozen=True):
    """A range of time, in milliseconds."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Duration") -> "Duration":
        return Duration(self.low + other.low, self.high + other.high)

    def __str__(self) -> str:
        low, high = format_rounded(self.low), format_rounded(self.high)
        return f"up to {high}" if self.low < 1000 <= self.high else low if low == high else f"{low} to {high}"


def estimate_duration(work: Work, rows: int) -> Duration:
    """Returns how long a kind of work takes on a number of rows."""
    slow, fast = work.value
    return Duration(1000 * rows / fast, 1000 * rows / slow)


def work_of(operation: Operation, effect: Effect) -> Work | None:
    """Returns what an operation does with every row of a relation; None if it does not work on every row."""
    if effect.rewrite:
        return Work.REWRITE
    if effect.rebuilt:
        return Work.INDEX
    if isinstance(operation, sql.Update | sql.Delete) and operation.where is None and effect.lock is LockMode.ROW_EXCLUSIVE and effect.scan:
        return Work.CHANGE
    if not effect.scan:
        return None
    builds = isinstance(operation, sql.CreateIndex | sql.Reindex) or (
        isinstance(operation, sql.AddConstraint) and operation.constraint.kind in _INDEXED
    )
    return Work.INDEX if builds else Work.READ


def format_rounded(ms: float) -> str:
    """Returns an estimated time as text, without a precision that it does not have."""
    if ms < 1000:
        return "less than a second"
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if ms >= size:
            number = ms / size
            return f"{number:.0f} {unit}" if number >= 10 or unit == "s" else f"{number:.1f}".removesuffix(".0") + f" {unit}"
    return ""


def format_exact(ms: float) -> str:
    """Returns a configured time as text: `2 s`, `500 ms`."""
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"
