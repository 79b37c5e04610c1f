"""How the values of each column of a table are to be distributed: as in production, if its statistics are known, else as is usual."""

from collections.abc import Mapping
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.replaying.seeding.distribution import Distribution
from migsafe.replaying.seeding.requirements import EVERY_COLUMN, Requirements
from migsafe.replaying.seeding.tables import Column, Reference, Table
from migsafe.schema.statistics import ColumnStatistics
from migsafe.workload.few_values import has_few_values, plain_name

USUAL_NULLS = 0.1
"""The share of NULLs in a column that may be NULL, if production's is unknown."""

_FEW_VALUES = 10
"""How many values a column has that usually has few: a plan that takes each row's value for unique would find an index useful that is not."""

_ENDED = r"(?:deleted|archived|removed|revoked|disabled|deactivated|suspended|banned|blocked|cancell?ed|discarded|withdrawn|trashed|hidden)"
_ENDED_TIME = lazy_pattern(rf"(?:^|_){_ENDED}_(?:at|on|by|date|time|timestamp|ts)$|^{_ENDED}$")
"""Names of columns that are NULL in the rows that are in use: most rows."""
_ENDED_FLAG = lazy_pattern(rf"^(?:is_|was_)?{_ENDED}$")
"""Names of columns that are false in most rows."""
_MOST = 0.9
"""The share of rows that are in use. A partial index of these is about as large as the table."""

_LISTED = lazy_pattern(r"\[1 \+ n % \d+\]|\(n % 2 = 0\)")
"""The generated values of a column that has few: of an enum, of a list in a CHECK, or of type boolean."""

_MANY = 1000
_DAYS = 2000
_DATE = f"(n % {_DAYS})"
_DIFFERENT = 0.95
"""The share of different values from which a column without duplicates is assumed: PostgreSQL estimates the number from a sample."""


class Preferences(Struct, frozen=True):
    """What the rows of a table should look like: like production's, of which `statistics` are known by column, and as upcoming migrations
    require. With `plain`, all values are different and not NULL, as far as possible."""

    statistics: Mapping[str, ColumnStatistics] = {}
    requirements: Requirements = Requirements()
    plain: bool = False

    def nulls(self, table: Table, column: Column) -> float:
        """Returns the share of NULLs in a column that may be NULL."""
        if self.plain:
            return 0.0
        known = self.statistics.get(column.name)
        if known is not None:
            return known.null_frac
        required = self.requirements.columns_without_null(table.name)
        if not required.isdisjoint((column.name, EVERY_COLUMN)):
            return 0.0
        return _MOST if _ENDED_TIME.search(plain_name(column.name)) else USUAL_NULLS

    def distribution(self, table: Table, column: Column, expression: str, last: int) -> Distribution | None:
        """Returns the distribution of a column's values that `expression` generates, in a table with `last` rows; None if each row has another
        value, in the order of the rows."""
        seed = seed_of(table, column)
        known = self.statistics.get(column.name)
        if self.plain:
            return None
        if known is not None and known.n_distinct:
            return _as_in_production(known, seed, last)
        if "(n % 2 = 0)" in expression and _ENDED_FLAG.search(plain_name(column.name)):
            return Distribution(seed, distinct=2, frequencies=(_MOST, 1.0 - _MOST), correlation=0.0)
        if _LISTED.search(expression):
            return Distribution(seed, distinct=min(_MANY, last), correlation=0.0)
        if _DATE in expression and last > _DAYS:
            return Distribution(seed, distinct=_DAYS)
        if has_few_values(column.name):
            return Distribution(seed, distinct=min(_FEW_VALUES, last), correlation=0.0)
        return None

    def referenced_row(self, table: Table, reference: Reference, count: int, last: int) -> str | None:
        """Returns the number of the row that row `n` references, from 0, of `count` rows; None if production's distribution is not known."""
        known = [self.statistics.get(table.column(number).name) for number in reference.columns]
        widest = max((each for each in known if each is not None and each.n_distinct), key=lambda each: each.distinct(last), default=None)
        if widest is None or self.plain or _is_different(widest, last):
            return None
        distribution = _as_in_production(widest, seed_of(table, table.column(reference.columns[0])), last)
        return f"({replace(distribution, distinct=min(distribution.distinct, count)).value(last)} - 1)"

    def keys(self, table: Table) -> list[frozenset[int]]:
        """Returns the columns of each key that the table has or will have, unless statistics show that production's values repeat."""
        numbers = {column.name: column.number for column in table.columns}
        keys = [frozenset(key) for key in table.keys]
        for names in self.requirements.keys_of(table.name):
            if len(names) == 1 and (known := self.statistics.get(names[0])) is not None and not _is_different(known, _MANY):
                continue
            if EVERY_COLUMN in names:
                keys.append(frozenset(numbers.values()))
            keys.append(frozenset(numbers[name] for name in names if name in numbers))
        return keys


def seed_of(table: Table, column: Column) -> int:
    """Returns a number that distinguishes a column from others, and is the same in each run."""
    return crc32(f"{table.root or table.name}.{column.name}".encode()) % 1_000_003


def _is_different(known: ColumnStatistics, last: int) -> bool:
    return not known.n_distinct or known.distinct(last) >= _DIFFERENT * last * (1 - known.null_frac)


def _as_in_production(known: ColumnStatistics, seed: int, last: int) -> Distribution:
    if _is_different(known, last):
        return Distribution(seed, correlation=1.0 if known.correlation is None else known.correlation)
    distinct = known.distinct(last)
    present = max(1.0 - known.null_frac, 0.001)
    shares = [frequency / present for frequency in known.frequencies[:distinct]]
    rest = max(1.0 - sum(shares), 0.0)
    # PostgreSQL sorts equal values by their place, so repeated values in any order have this correlation.
    tied = sum(share**2 for share in shares) + (rest**2 / (distinct - len(shares)) if distinct > len(shares) else 0.0)
    correlation = 0.0 if known.correlation is None or tied >= 1.0 else (known.correlation - tied) / (1.0 - tied)
    return Distribution(
        seed, distinct=distinct, frequencies=tuple(known.frequencies), correlation=max(min(correlation, 1.0), -1.0), nulls=known.null_frac
    )
