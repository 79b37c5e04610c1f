"""The tables of a database that can be filled, read from pg_catalog."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_TABLES = """
    SELECT c.oid::int8, n.nspname, c.relname, pg_catalog.pg_get_partition_constraintdef(c.oid),
        ARRAY(SELECT a.relid::int8 FROM pg_catalog.pg_partition_ancestors(c.oid) AS a (relid)), rn.nspname, r.relname
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_class AS r ON r.oid = pg_catalog.pg_partition_root(c.oid)
        LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid
"""
_COLUMNS = """
    SELECT a.attrelid::int8, a.attnum, a.attname, a.atttypid::int8, a.atttypmod, a.attnotnull,
        a.attgenerated <> '' OR a.attidentity <> ''
            OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false),
        pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY (%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS = """
    SELECT conrelid::int8, contype, conkey, confrelid::int8, confkey, pg_catalog.pg_get_expr(conbin, conrelid), conname
    FROM pg_catalog.pg_constraint WHERE conrelid = ANY (%s::oid[]) AND contype IN ('c', 'f') ORDER BY conrelid, conname
"""
_KEYS = """
    SELECT indrelid::int8, (indkey::int2[])[0:indnkeyatts - 1] FROM pg_catalog.pg_index
    WHERE indrelid = ANY (%s::oid[]) AND (indisunique OR indisexclusion) AND 0 <> ALL ((indkey::int2[])[0:indnkeyatts - 1])
"""
_EXISTING = "SELECT EXISTS (SELECT FROM ONLY {0})"


class Column(Struct, frozen=True):
    """A column; `given` says that PostgreSQL fills it itself (generated, identity, a sequence)."""

    number: int
    name: str
    type: int
    modifier: int
    not_null: bool
    given: bool
    default: str | None


class Reference(Struct, frozen=True):
    """A foreign key: the numbers of its columns, the referenced table, and the referenced columns."""

    columns: tuple[int, ...]
    table: int
    referenced: tuple[int, ...]


class Check(Struct, frozen=True):
    """A condition that every row must satisfy: a CHECK, or the bounds of a partition."""

    name: str
    sql: str


class Table(Struct, frozen=True, kw_only=True):
    """An empty table, with the constraints on its rows. `ancestors` are the partitioned tables that it belongs to, `root` is the name of the
    topmost one, `keys` are the columns of its unique indexes and exclusion constraints."""

    oid: int
    ancestors: frozenset[int]
    root: Name | None
    name: Name
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    references: tuple[Reference, ...]
    keys: tuple[tuple[int, ...], ...]

    def column(self, number: int) -> Column:
        """Returns the column with this number."""
        return next(column for column in self.columns if column.number == number)


def newest_table(connection: "Connection[Any]") -> int:
    """Returns the oid of the table that was created last."""
    [(newest,)] = connection.execute("SELECT max(oid)::int8 FROM pg_catalog.pg_class WHERE relkind = 'r'").fetchall()
    return int(newest)


def find_empty_tables(connection: "Connection[Any]", known: Collection[int] = ()) -> list[Table]:
    """Returns the tables without rows, except those in `known`, by oid."""
    rows = connection.execute(_TABLES).fetchall()
    empty = [row for row in rows if row[0] not in known and not _has_rows(connection, Name(row[2], row[1]))]
    oids = [row[0] for row in empty]
    columns = _by_table(connection.execute(_COLUMNS, (oids,)).fetchall())
    constraints = _by_table(connection.execute(_CONSTRAINTS, (oids,)).fetchall())
    keys = _by_table(connection.execute(_KEYS, (oids,)).fetchall())
    tables = []
    for oid, schema, name, bound, ancestors, root_schema, root in empty:
        checks = [Check(row[5], row[4]) for row in constraints.get(oid, ()) if row[0] == "c"]
        tables.append(
            Table(
                oid=oid,
                name=Name(name, schema),
                ancestors=frozenset(ancestors),
                root=Name(root, root_schema) if root is not None else None,
                columns=tuple(Column(*row) for row in columns.get(oid, ())),
                checks=(*checks, *((Check("the partition's bounds", bound),) if bound else ())),
                references=tuple(Reference(tuple(row[1]), row[2], tuple(row[3])) for row in constraints.get(oid, ()) if row[0] == "f"),
                keys=tuple(tuple(row[0]) for row in keys.get(oid, ())),
            )
        )
    return tables


def order_by_references(tables: Iterable[Table]) -> Iterator[tuple[Table, frozenset[int]]]:
    """Yields the tables so that a referenced table comes first, each with the tables that it references and that come later because the
    references form a cycle."""
    waiting = {table.oid: table for table in tables}
    while waiting:
        unfilled = {oid for table in waiting.values() for oid in (table.oid, *table.ancestors)}
        ready = [table for table in waiting.values() if not _missing(table, unfilled)]
        # In a cycle, the table that needs the fewest other tables comes first.
        chosen = ready or [min(waiting.values(), key=lambda table: (len(_needed(table, unfilled)), len(_missing(table, unfilled)), table.oid))]
        for table in chosen:
            yield table, _missing(table, unfilled)
            del waiting[table.oid]


def _missing(table: Table, waiting: set[int]) -> frozenset[int]:
    return frozenset(reference.table for reference in table.references if reference.table in waiting and reference.table != table.oid)


def _needed(table: Table, waiting: set[int]) -> set[int]:
    """Returns the missing tables that a row must reference, because all columns of the foreign key are NOT NULL."""
    missing = _missing(table, waiting)
    return {reference.table for reference in table.references if reference.table in missing and all_not_null(table, reference)}


def all_not_null(table: Table, reference: Reference) -> bool:
    """Whether all columns of a foreign key are NOT NULL."""
    return all(table.column(number).not_null for number in reference.columns)


def _by_table(rows: list[Any]) -> dict[int, list[Any]]:
    rows_by_table: dict[int, list[Any]] = {}
    for oid, *rest in rows:
        rows_by_table.setdefault(oid, []).append(rest)
    return rows_by_table


def _has_rows(connection: "Connection[Any]", name: Name) -> bool:
    [(exists,)] = connection.execute(_EXISTING.format(name).encode()).fetchall()
    return bool(exists)
