"""The tables of a database that can be filled, read from pg_catalog."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
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
        AND (%(chosen)s::oid[] IS NULL OR c.oid = ANY (%(chosen)s::oid[]))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid
"""
_COLUMNS = """
    SELECT a.attrelid::int8, a.attnum, a.attname, a.atttypid::int8, a.atttypmod, a.attnotnull,
        a.attgenerated <> '' OR a.attidentity <> ''
            OR coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false),
        a.attgenerated <> '', pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY (%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS = """
    SELECT conrelid::int8, contype, conkey, confrelid::int8, confkey, pg_catalog.pg_get_expr(conbin, conrelid), conname, confmatchtype = 'f'
    FROM pg_catalog.pg_constraint AS c WHERE conrelid = ANY (%s::oid[]) AND contype IN ('c', 'f')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
    ORDER BY conrelid, conname
"""
"""A foreign key to a partitioned table has a further constraint of the same table for each partition, which rows need not satisfy."""
_KEYS = """
    SELECT indrelid::int8, (indkey::int2[])[0:indnkeyatts - 1], indisexclusion,
        indisexclusion OR coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
        ARRAY(SELECT d.refobjsubid FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0)
    FROM pg_catalog.pg_index AS i WHERE indrelid = ANY (%s::oid[]) AND (indisunique OR indisexclusion)
"""
"""The unique indexes and exclusion constraints: their columns (0 is an expression), whether they need values, and the columns of their
expressions and predicates. indnullsnotdistinct exists since PostgreSQL 15."""

_EXISTING = "SELECT EXISTS (SELECT FROM ONLY {0})"
_TOUCHED = """
    WITH RECURSIVE touched (oid) AS (
        SELECT c.oid FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS t (schema, name)
            JOIN pg_catalog.pg_class AS c ON c.relname = t.name
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = coalesce(t.schema, n.nspname)
        UNION
        SELECT needed.oid FROM touched AS t CROSS JOIN LATERAL (
            SELECT confrelid FROM pg_catalog.pg_constraint WHERE conrelid = t.oid AND contype = 'f'
            UNION ALL SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = t.oid
            UNION ALL SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = t.oid
            UNION ALL SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = t.oid
            UNION ALL SELECT d.refobjid FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_depend AS d
                ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
                WHERE r.ev_class = t.oid
        ) AS needed (oid)
    )
    SELECT oid::int8 FROM touched
"""
"""Relations with these names, what their rows reference, their partitions, and what views read."""


class Begun(Struct, frozen=True):
    """The number of rows that a table has, and the columns of its primary key."""

    existing: int
    primary_key: tuple[int, ...]


FindBegun = Callable[["Connection[Any]", Iterable[tuple[int, Name]]], Mapping[int, Begun]]
"""Returns those of the tables with rows that are to be filled up."""


class Column(Struct, frozen=True):
    """A column; `given` says that PostgreSQL fills it itself (identity, a sequence, or `generated` from other columns by `default`)."""

    number: int
    name: str
    type: int
    modifier: int
    not_null: bool
    given: bool
    generated: bool
    default: str | None


class Reference(Struct, frozen=True):
    """A foreign key: the numbers of its columns, the referenced table, and the referenced columns. `is_full`: with MATCH FULL, so that either
    all of its columns are NULL or none."""

    columns: tuple[int, ...]
    table: int
    referenced: tuple[int, ...]
    is_full: bool = False


class Check(Struct, frozen=True):
    """A condition that every row must satisfy: a CHECK, or the bounds of a partition; `columns` are the columns that it reads."""

    name: str
    sql: str
    columns: frozenset[int]


class Table(Struct, frozen=True, kw_only=True):
    """A table to be filled, with the constraints on its rows.

    `begun` is set if it has rows already, `offset` is how many rows the partitions before it get. `ancestors` are the partitioned tables that
    it belongs to, `root` is the name of the topmost one; `bound` are the columns that its bounds as a partition read. `keys` are the columns
    of its unique indexes and exclusion constraints, except those with expressions, whose columns are `key_expressions`. Columns in `valued`
    cannot be NULL in several rows, because a key compares NULLs.
    """

    oid: int
    begun: Begun | None
    ancestors: frozenset[int]
    root: Name | None
    name: Name
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    references: tuple[Reference, ...]
    keys: tuple[tuple[int, ...], ...]
    key_expressions: frozenset[int]
    valued: frozenset[int]
    has_exclusion: bool
    bound: frozenset[int] = frozenset()
    offset: int = 0

    @property
    def existing(self) -> int:
        """The number of rows that it has already."""
        return self.begun.existing if self.begun is not None else 0

    @property
    def referring_columns(self) -> frozenset[int]:
        """The columns of all foreign keys."""
        return frozenset(number for reference in self.references for number in reference.columns)

    def column(self, number: int) -> Column:
        """Returns the column with this number."""
        return next(column for column in self.columns if column.number == number)

    def must_reference(self, reference: Reference) -> bool:
        """Whether every row must reference a row, because no column of the foreign key that can be NULL is enough."""
        required = (self.column(number).not_null for number in reference.columns)
        return any(required) if reference.is_full else all(required)


def newest_table(connection: "Connection[Any]") -> int:
    """Returns the oid of the table that was created last."""
    [(newest,)] = connection.execute("SELECT max(oid)::int8 FROM pg_catalog.pg_class WHERE relkind = 'r'").fetchall()
    return int(newest)


def find_touched(connection: "Connection[Any]", names: Collection[Name]) -> set[int]:
    """Returns the oids of the relations with these names (in any schema if a name has none), and of those that their rows depend on."""
    ordered = list(names)
    parameters = ([name.schema for name in ordered], [name.name for name in ordered])
    return {oid for (oid,) in connection.execute(_TOUCHED, parameters).fetchall()}


def find_tables_to_fill(
    connection: "Connection[Any]", find_begun: FindBegun | None = None, known: Collection[int] = (), chosen: Collection[int] | None = None
) -> list[Table]:
    """Returns the tables without rows and those that `find_begun` returns, except those in `known`, by oid; with `chosen`, only those of
    these oids."""
    rows = connection.execute(_TABLES, {"chosen": None if chosen is None else list(chosen)}).fetchall()
    with_rows = {row[0]: name for row in rows if row[0] not in known and _has_rows(connection, name := Name(row[2], row[1]))}
    begun = find_begun(connection, with_rows.items()) if find_begun is not None else {}
    fillable = [row for row in rows if row[0] in begun or (row[0] not in known and row[0] not in with_rows)]
    oids = [row[0] for row in fillable]
    columns = _by_table(connection.execute(_COLUMNS, (oids,)).fetchall())
    constraints = _by_table(connection.execute(_CONSTRAINTS, (oids,)).fetchall())
    keys = _by_table(connection.execute(_KEYS, (oids,)).fetchall())
    tables = []
    for oid, schema, name, bound, ancestors, root_schema, root in fillable:
        own_columns = tuple(Column(*row) for row in columns.get(oid, ()))
        checks = [Check(row[5], row[4], frozenset(row[1] or ())) for row in constraints.get(oid, ()) if row[0] == "c"]
        if bound:
            checks.append(Check("the partition's bounds", bound, _mentioned(bound, own_columns)))
        tables.append(
            Table(
                oid=oid,
                begun=begun.get(oid),
                name=Name(name, schema),
                ancestors=frozenset(ancestors),
                root=Name(root, root_schema) if root is not None else None,
                columns=own_columns,
                checks=tuple(checks),
                references=tuple(Reference(tuple(row[1]), row[2], tuple(row[3]), row[6]) for row in constraints.get(oid, ()) if row[0] == "f"),
                keys=tuple(tuple(row[0]) for row in keys.get(oid, ()) if 0 not in row[0]),
                key_expressions=frozenset(number for row in keys.get(oid, ()) if 0 in row[0] for number in row[3]),
                valued=frozenset(number for row in keys.get(oid, ()) if row[2] for number in (*row[0], *row[3])),
                has_exclusion=any(row[1] for row in keys.get(oid, ())),
                bound=_mentioned(bound or "", own_columns),
            )
        )
    return tables


def find_tables_with_rows(connection: "Connection[Any]") -> set[Name]:
    """Returns the tables that have rows."""
    names = [Name(row[2], row[1]) for row in connection.execute(_TABLES, {"chosen": None}).fetchall()]
    return {name for name in names if _has_rows(connection, name)}


def _mentioned(sql: str, columns: Iterable[Column]) -> frozenset[int]:
    """Returns the columns whose names are words of an expression, which may be too many."""
    return frozenset(column.number for column in columns if re.search(rf"(?<!\w){re.escape(column.name)}(?!\w)", sql))


def _by_table(rows: list[Any]) -> dict[int, list[Any]]:
    rows_by_table: dict[int, list[Any]] = {}
    for oid, *rest in rows:
        rows_by_table.setdefault(oid, []).append(rest)
    return rows_by_table


def _has_rows(connection: "Connection[Any]", name: Name) -> bool:
    [(exists,)] = connection.execute(_EXISTING.format(name).encode()).fetchall()
    return bool(exists)
