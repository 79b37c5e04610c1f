"""The limits that a replay is measured against."""

from msgspec import Struct


class Budgets(Struct, frozen=True, kw_only=True):
    """The most that a migration may cost; None means no limit.

    `blocked` is the longest that a probe session may wait, `hold` the longest that a lock which blocks reads or writes may be held, both in
    milliseconds. `wal` is the number of bytes of WAL that a migration may write.
    """

    blocked: float | None = None
    hold: float | None = None
    wal: int | None = None
