"""What a project configures about waiting times and sizes of tables, which rules compare with."""

from collections.abc import Mapping

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """The limits that a project configures. Times are milliseconds.

    `lock_timeout` is what the runner sets on its connections, None if it sets none; `longest_lock_timeout` the maximum that is not reported.
    `rows` are the known row counts by relation; a table with fewer than `small_table` rows is small.
    """

    lock_timeout: int | None = None
    longest_lock_timeout: int = 10_000
    small_table: int = 10_000
    rows: Mapping[str, int] = {}
