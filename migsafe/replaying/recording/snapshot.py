"""The relations of a database at one moment, read from pg_catalog."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

KINDS = {"r": "table", "p": "partitioned table", "f": "foreign table", "m": "materialized view", "v": "view"}
_MODES = {mode.pg_locks: mode for mode in LockMode}

HeldModes = dict[int, frozenset[LockMode]]
"""The modes in which a transaction holds a lock on each relation and index, by oid."""

_RELATIONS = """
    SELECT c.oid::int8, CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END,
        c.relname, c.relkind::text, pg_catalog.pg_relation_filenode(c.oid)::int8
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v')
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        AND (n.nspname !~ '^pg_(toast_)?temp_' OR n.oid = pg_catalog.pg_my_temp_schema())
    ORDER BY c.oid
"""
_INDEXES = """
    SELECT c.oid::int8, i.indrelid::int8, c.relname, pg_catalog.pg_relation_filenode(c.oid)::int8
    FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'pg_toast'::pg_catalog.regnamespace)
    ORDER BY c.oid
"""
_LOCKS = """
    SELECT relation::int8, mode FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND granted AND pid = %s
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""


class Index(Struct, frozen=True):
    """An index and its file; an index of a partitioned table has no file."""

    oid: int
    table: int
    name: str
    file: int | None


class Relation(Struct, frozen=True):
    """A user's relation and the file of its rows; None if it has no rows of its own."""

    oid: int
    name: Name
    kind: str
    file: int | None

    @property
    def has_rows(self) -> bool:
        """Whether the relation has rows of its own in this database."""
        return self.kind in ("table", "materialized view")


class Snapshot(Struct, frozen=True, dict=True):
    """The user's relations and their indexes, by oid."""

    relations: dict[int, Relation]
    indexes: dict[int, Index]

    @cached_property
    def _by_table(self) -> dict[int, list[Index]]:
        by_table: dict[int, list[Index]] = {}
        for index in self.indexes.values():
            by_table.setdefault(index.table, []).append(index)
        return by_table

    def indexes_of(self, table: int) -> list[Index]:
        """Returns the indexes of a table."""
        return self._by_table.get(table, [])


def take_snapshot(connection: "Connection[Any]") -> Snapshot:
    """Reads the relations that this connection sees, including those of its own transaction, without locking them."""
    relations = {
        oid: Relation(oid, Name(name, schema), KINDS[kind], file) for oid, schema, name, kind, file in connection.execute(_RELATIONS).fetchall()
    }
    indexes = {oid: Index(oid, table, name, file) for oid, table, name, file in connection.execute(_INDEXES).fetchall() if table in relations}
    return Snapshot(relations, indexes)


def read_held_locks(pid: int, observer: "Connection[Any]") -> HeldModes:
    """Returns the modes that a backend holds on each relation and index of the observer's database, by oid."""
    locks: HeldModes = {}
    for oid, mode in observer.execute(_LOCKS, (pid,)).fetchall():
        locks[oid] = locks.get(oid, frozenset()) | {_MODES[mode]}
    return locks


def mode_from_pg_locks(pg_locks: str) -> LockMode:
    """Returns the lock mode with this name in pg_locks."""
    return _MODES[pg_locks]
