"""The order in which tables are filled: a referenced table comes first."""

from collections.abc import Iterable, Iterator

from migsafe.replaying.seeding.tables import Table


def order_by_references(tables: Iterable[Table]) -> Iterator[tuple[Table, frozenset[int]]]:
    """Yields the tables so that a referenced table comes first, each with the oids that it references and that come later because the
    references form a cycle."""
    waiting = {table.oid: table for table in tables}
    while waiting:
        holders = _holders(waiting.values())
        ready = [table for table in waiting.values() if not _missing(table, holders)]
        for table in ready or [_first_of_cycle(waiting, holders)]:
            yield table, _missing(table, holders)
            del waiting[table.oid]


_Holders = dict[int, list[Table]]
"""The waiting tables that hold the rows of a table: itself, or the partitions of a partitioned table."""


def _holders(tables: Iterable[Table]) -> _Holders:
    holders: _Holders = {}
    for table in tables:
        for oid in (table.oid, *table.ancestors):
            holders.setdefault(oid, []).append(table)
    return holders


def _missing(table: Table, holders: _Holders) -> frozenset[int]:
    """Returns the oids that a table references and that have no rows yet."""
    return frozenset(reference.table for reference in table.references if reference.table in holders and reference.table != table.oid)


def _first_of_cycle(waiting: dict[int, Table], holders: _Holders) -> Table:
    """Returns the table of a cycle whose rows must reference the fewest missing tables; tables outside a cycle wait for it."""
    # The tables that fewest tables can be reached from reach each other and nothing else.
    cycle = min((_reached(table, holders) for table in waiting.values()), key=len)
    return min((waiting[oid] for oid in cycle), key=lambda table: (len(_needed(table, holders)), len(_missing(table, holders)), table.oid))


def _reached(table: Table, holders: _Holders) -> set[int]:
    """Returns the waiting tables that a table references, directly or through others, and itself."""
    reached = {table.oid}
    following = [table]
    while following:
        for oid in _missing(following.pop(), holders):
            new = [holder for holder in holders[oid] if holder.oid not in reached]
            reached.update(holder.oid for holder in new)
            following += new
    return reached


def _needed(table: Table, holders: _Holders) -> set[int]:
    """Returns the missing tables that every row must reference."""
    missing = _missing(table, holders)
    return {reference.table for reference in table.references if reference.table in missing and table.must_reference(reference)}
