"""Which missing indexes make a query cheap: not those of a query that reads another table as a whole in any case."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.workload.needs import TableAccess


class TableRead(Struct, frozen=True, kw_only=True):
    """A table access before the others of its query are known. `is_whole` if PostgreSQL reads the whole table even if the candidate indexes of
    the query exist, and no LIMIT ends it early; `is_large` if an index leads to a large part of it. `repetitions` counts the queries around it,
    and its own, that run once for each of many rows.
    """

    access: TableAccess
    is_whole: bool
    is_large: bool
    repetitions: int


def compared(reads: Sequence[TableRead]) -> Iterator[TableAccess]:
    """Returns the accesses of a query: with the tables that it reads as a whole beside each that lacks an index, at least as often. A large
    part of the same table counts, too: with an index, the query would still read that part."""
    for read in reads:
        access = read.access
        if access.candidates:
            often = [other for other in reads if other is not read and other.repetitions >= read.repetitions]
            others = [other.access.name for other in often if other.is_whole or (other.is_large and other.access.oid == access.oid)]
            is_buildable = not any(each.mutable for each in access.candidates)
            access = replace(access, is_unindexed=is_buildable and not others, beside=tuple(dict.fromkeys(others)))
        yield access
