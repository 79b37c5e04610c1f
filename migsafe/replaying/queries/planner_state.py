"""What the planner knows of a database: its tables and indexes, with their estimated rows and sizes."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_RELATIONS = """
    SELECT c.oid::int8, n.nspname, c.relname, c.relkind IN ('i', 'I'), greatest(c.reltuples, 0)::float8, rn.nspname, r.relname,
        c.relkind IN ('r', 'm') AND pg_catalog.pg_relation_size(c.oid) = 0
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_class AS r ON c.relispartition AND r.oid = pg_catalog.pg_partition_root(c.oid)
        LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_KEYS = """
    SELECT n.nspname, c.relname, x.relname,
        ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k, false) FROM pg_catalog.generate_series(1, i.indnkeyatts) AS k)
    FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
    WHERE i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
"""The keys of the valid B-trees that contain all rows."""
_WITHOUT_STATISTICS = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relname = ANY (%s::text[]) AND (c.reltuples < 0 OR EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_stats AS s WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
            )
    ))
"""


class PlannedTable(Struct, frozen=True):
    """A table or materialized view: its oid, its estimated rows, the partitioned table that it is a part of (its own name without one), and
    whether it certainly has no rows."""

    oid: int
    rows: float
    root: Name
    is_empty: bool


class PlannerState(Struct, frozen=True):
    """The tables by name, and the names of indexes by oid; `keys` are those of the B-trees of each table that contain all of its rows, and
    `first_keys` the table and the first key of each by the name of the index, if only one has the name."""

    tables: dict[Name, PlannedTable]
    indexes: dict[int, str]
    keys: dict[Name, list[tuple[str, ...]]]
    first_keys: dict[str, tuple[Name, str]] = {}

    def has_index(self, table: Name, keys: tuple[str, ...]) -> bool:
        """Whether a B-tree of the table begins with these keys, as PostgreSQL spells them."""
        return any(own[: len(keys)] == keys for own in self.keys.get(table, ()))

    def root(self, name: Name) -> Name:
        """Returns the partitioned table of a partition; the name itself for other tables."""
        table = self.tables.get(name)
        return table.root if table is not None else name

    def rows(self, name: Name) -> float:
        """Returns the estimated rows of a table, or of all partitions of a partitioned one."""
        table = self.tables.get(name)
        parts = sum(each.rows for other, each in self.tables.items() if each.root == name and other != name)
        return max(table.rows if table is not None else 0.0, parts)


def read_planner_state(connection: "Connection[Any]") -> PlannerState:
    """Reads what the planner knows of the tables and indexes of a database."""
    tables: dict[Name, PlannedTable] = {}
    indexes: dict[int, str] = {}
    for oid, schema, name, is_index, rows, root_schema, root, is_empty in connection.execute(_RELATIONS).fetchall():
        if is_index:
            indexes[oid] = name
        else:
            own = Name(name, schema)
            tables[own] = PlannedTable(oid, rows, Name(root, root_schema) if root is not None else own, is_empty)
    keys: dict[Name, list[tuple[str, ...]]] = {}
    first_keys: dict[str, tuple[Name, str]] = {}
    several: set[str] = set()
    for schema, name, index, own in connection.execute(_KEYS).fetchall():
        keys.setdefault(Name(name, schema), []).append(tuple(own))
        if index in first_keys:
            several.add(index)
        first_keys[index] = (Name(name, schema), own[0])
    return PlannerState(tables, indexes, keys, {index: first for index, first in first_keys.items() if index not in several})


def tables_without_statistics(connection: "Connection[Any]", tables: Collection[Name]) -> list[Name]:
    """Returns those of the tables that have columns without statistics: new ones, and those with a column whose type was changed. A name
    without a schema means the tables of this name in all schemas."""
    missing = connection.execute(_WITHOUT_STATISTICS, ([name.name for name in tables],)).fetchall()
    return [Name(name, schema) for schema, name in missing if Name(name, schema) in tables or Name(name) in tables]


def analyze(connection: "Connection[Any]", tables: Collection[Name]) -> None:
    """Runs ANALYZE on those of the tables whose statistics are missing, as autovacuum does after a while."""
    names = ", ".join(map(str, tables_without_statistics(connection, tables)))
    if names:
        connection.execute(f"ANALYZE {names}".encode())
