"""Tables that have a few rows because migrations inserted them: a first user, a default tenant. Production has more, and foreign keys that all
reference one row make each plan wrong."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.seeding.removal import MOST_KEPT
from migsafe.replaying.seeding.requirements import Requirements
from migsafe.replaying.seeding.tables import Begun
from migsafe.schema.statistics import Statistics, row_count
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_PRIMARY_KEYS = """
    SELECT c.oid::int8, i.indkey::int2[],
        ARRAY(SELECT t.typname::text FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)),
        EXISTS (SELECT FROM pg_catalog.pg_constraint AS f WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conrelid <> c.oid)
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.oid = ANY (%s::oid[]) AND NOT c.relispartition
"""
_COUNT = "SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY {0} LIMIT {1}) AS t"
_FEW_ROWS = 10
_SURROGATES = ("int4", "int8", "uuid")
"""The types of keys that say nothing about a row. A table with another key and several rows is a list of what exists, such as countries."""


class BegunTables(Struct, frozen=True):
    """Decides which tables with rows are filled up: those that other tables reference or that are larger in production, unless the migrations
    insert rows there themselves, which may have the same keys. `rows` returns the number of rows for a table."""

    rows: Callable[[Name], int]
    statistics: Statistics
    requirements: Requirements

    def find(self, connection: "Connection[Any]", tables: Iterable[tuple[int, Name]]) -> dict[int, Begun]:
        """Returns those of the tables that are to be filled up, by oid."""
        names = {oid: name for oid, name in tables if not self.requirements.writes(name)}
        begun = {}
        for oid, key, types, is_referenced in connection.execute(_PRIMARY_KEYS, (list(names),)).fetchall():
            name = names[oid]
            is_known = row_count(self.statistics.rows, name) is not None
            if is_known or is_referenced:
                most = MOST_KEPT if is_known else _FEW_ROWS
                [(existing,)] = connection.execute(_COUNT.format(name, most + 1).encode()).fetchall()
                is_beginning = is_known or existing == 1 or all(type_name in _SURROGATES for type_name in types)
                if is_beginning and 0 < existing <= most and existing < self.rows(name):
                    begun[oid] = Begun(existing, tuple(key))
        return begun
