"""The schema and rows of a database in a form that can be compared: definitions of objects, and hash sums over the rows of each table."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.row_security import row_security_off
from migsafe.sql.operations import Name
from migsafe.sql.operations.values import quoted
from migsafe.text import common_start
from migsafe.versions import STATISTICS_IN_SHARED_MEMORY

if TYPE_CHECKING:
    from psycopg import Connection

_STATES = ("(INVALID)", "(not validated)")
_MAX_LENGTH = 200
_CONTEXT = 40
_HERE = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"

_OBJECTS = {
    "schema": "SELECT quote_ident(n.nspname), coalesce(n.nspacl::text, '') FROM pg_catalog.pg_namespace AS n WHERE n.oid IN (@here)",
    "extension": "SELECT extname, extversion FROM pg_catalog.pg_extension",
    "relation": """
        SELECT c.oid::regclass::text, concat_ws(' ', c.relkind, c.relpersistence, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
            (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_catalog.pg_inherits AS i
                WHERE i.inhrelid = c.oid),
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, CASE WHEN NOT c.relispopulated THEN 'not populated' END,
            c.reloptions::text, nullif(c.relreplident, 'd'), CASE WHEN c.relrowsecurity THEN 'row security' END, c.relacl::text)
        FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relnamespace IN (@here)
    """,
    "column": """
        SELECT c.oid::regclass || '.' || quote_ident(a.attname), concat_ws(' ', format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'NOT NULL' END, nullif(a.attidentity, ''), nullif(a.attgenerated, ''),
            pg_get_expr(d.adbin, d.adrelid), nullif(a.attcollation, t.typcollation)::regcollation::text, a.attacl::text)
        FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
            LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND c.relnamespace IN (@here)
    """,
    "constraint": """
        SELECT coalesce(nullif(o.conrelid, 0)::regclass::text, o.contypid::regtype::text) || '.' || quote_ident(o.conname),
            concat_ws(' ', pg_get_constraintdef(o.oid), CASE WHEN NOT o.convalidated THEN '(not validated)' END)
        FROM pg_catalog.pg_constraint AS o WHERE o.connamespace IN (@here) AND o.contype <> 't'
    """,
    "index": """
        SELECT c.oid::regclass::text, concat_ws(' ', pg_get_indexdef(c.oid), CASE WHEN NOT i.indisvalid THEN '(INVALID)' END)
        FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace IN (@here)
    """,
    "sequence": """
        SELECT s.seqrelid::regclass::text, concat_ws(' ', s.seqtypid::regtype, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
        FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid WHERE c.relnamespace IN (@here)
    """,
    "type": """
        SELECT t.oid::regtype::text, concat_ws(' ', t.typtype, CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
            CASE WHEN t.typnotnull THEN 'NOT NULL' END, t.typdefault,
            (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid),
            (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
        FROM pg_catalog.pg_type AS t LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
        WHERE (t.typtype IN ('d', 'e', 'r') OR c.oid IS NOT NULL) AND t.typnamespace IN (@here)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    """,
    "function": """
        SELECT p.oid::regprocedure::text, CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
        FROM pg_catalog.pg_proc AS p WHERE p.pronamespace IN (@here) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    """,
    "trigger": """
        SELECT g.tgrelid::regclass || '.' || quote_ident(g.tgname), concat_ws(' ', pg_get_triggerdef(g.oid), nullif(g.tgenabled, 'O'))
        FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal
    """,
    "rule": """
        SELECT r.ev_class::regclass || '.' || quote_ident(r.rulename), pg_get_ruledef(r.oid)
        FROM pg_catalog.pg_rewrite AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
        WHERE r.rulename <> '_RETURN' AND c.relnamespace IN (@here)
    """,
    "policy": """
        SELECT p.polrelid::regclass || '.' || quote_ident(p.polname), concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::text,
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_catalog.pg_policy AS p
    """,
    "statistics": """
        SELECT quote_ident(s.stxname), pg_get_statisticsobjdef(s.oid) FROM pg_catalog.pg_statistic_ext AS s WHERE s.stxnamespace IN (@here)
    """,
    "publication": "SELECT pubname, concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate) FROM pg_catalog.pg_publication",
    "event trigger": "SELECT evtname, concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags) FROM pg_catalog.pg_event_trigger",
    "comment": """
        SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description FROM pg_catalog.pg_description AS d
        LEFT JOIN pg_catalog.pg_class AS c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
        WHERE d.objoid >= 16384 AND d.classoid <> 'pg_extension'::regclass AND (c.oid IS NULL OR c.relnamespace IN (@here))
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e WHERE (e.classid, e.objid, e.deptype) = (d.classoid, d.objoid, 'e'))
    """,
}
"""For each kind of object, a query for names and definitions, whose text is equal in databases with the same schema. `(@here)` stands for
the schemas that are not PostgreSQL's own."""

_TABLES = """
    SELECT n.nspname, c.relname, pg_catalog.pg_relation_filenode(c.oid)::int8,
        CASE WHEN pg_catalog.current_setting('track_counts')::bool
            THEN pg_catalog.pg_stat_get_tuples_inserted(c.oid) + pg_catalog.pg_stat_get_tuples_updated(c.oid)
                + pg_catalog.pg_stat_get_tuples_deleted(c.oid) END,
        (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relnamespace IN (@here) AND c.relpersistence <> 't'
"""

Schema = dict[tuple[str, str], str]
"""Definitions by kind and name."""


class Table(Struct, frozen=True):
    """A table: the file and the names of its columns. `written` counts the rows that were ever inserted, updated and deleted; None if the
    server has no exact counters."""

    file: int | None
    columns: tuple[str, ...]
    written: int | None


class Tables(Struct, frozen=True):
    """The tables of a database, at one moment."""

    database: int
    tables: dict[Name, Table]


class Rows(Struct, frozen=True):
    """The rows of a table: their count, and for each column a sum over the hashes of its values, which does not depend on their order."""

    count: int
    columns: dict[str, int | None]


def read_schema(connection: "Connection[Any]") -> Schema:
    """Reads the schema of a database, with all names qualified."""
    schema: Schema = {}
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path = ''")
        for kind, query in _OBJECTS.items():
            for name, definition in connection.execute(_query(query)).fetchall():
                schema[kind, name] = definition
    return schema


def read_tables(connection: "Connection[Any]") -> Tables:
    """Reads which tables exist and how much was written to each."""
    [(database,)] = connection.execute("SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()").fetchall()
    exact = connection.info.server_version >= 10000 * STATISTICS_IN_SHARED_MEMORY
    return Tables(
        database,
        {
            Name(table, schema): Table(file, tuple(columns or ()), written if exact else None)
            for schema, table, file, written, columns in connection.execute(_query(_TABLES)).fetchall()
        },
    )


def unchanged_tables(before: Tables, after: Tables) -> set[Name]:
    """Returns the tables to which nothing was written between two moments, the second one in the same database or in a new copy of it: they
    have the same columns and the same file, and no counter of their rows has changed. A server that has no exact counters returns none."""
    unchanged = set()
    for name, table in before.tables.items():
        current = after.tables.get(name)
        if current is not None and current.written is not None and (current.file, current.columns) == (table.file, table.columns):
            # The counters of a new database are 0.
            earlier = table.written if before.database == after.database else 0
            if current.written == earlier:
                unchanged.add(name)
    return unchanged


def read_rows(connection: "Connection[Any]", tables: Mapping[Name, Table]) -> dict[Name, Rows]:
    """Reads the rows of these tables, also those that row security hides from the role."""
    rows = {}
    with row_security_off(connection):
        for name, table in tables.items():
            columns = table.columns
            sums = [f"sum(pg_catalog.hashtextextended(t.{quoted(column)}::text, 0))::text" for column in columns]
            query = f"SELECT {', '.join(['count(*)', *sums])} FROM ONLY {name} AS t"  # noqa: S608  # names are quoted
            [(count, *values)] = connection.execute(query.encode()).fetchall()
            rows[name] = Rows(count, {column: int(value) if value else None for column, value in zip(columns, values, strict=True)})
    return rows


def schema_differences(expected: Schema, actual: Schema) -> list[str]:
    """Returns the differences between the expected and the actual schema, one line each."""
    differences = []
    for key in sorted(expected.keys() | actual.keys()):
        kind, name = key
        if key not in actual:
            differences.append(f"{kind} {name} is missing")
        elif key not in expected:
            differences.append(f"{kind} {name} still exists{' and is INVALID' if actual[key].endswith('(INVALID)') else ''}")
        elif expected[key] != actual[key]:
            differences.append(f"{kind} {name} {_difference(actual[key], expected[key])}")
    return differences


def lost_rows(before: dict[Name, Rows], after: dict[Name, Rows], ignored: Mapping[str, Collection[str]]) -> list[str]:
    """Returns the rows and values of `before` that are missing in `after`, one line each, without the values of `ignored` columns of tables."""
    losses = []
    for name, rows in sorted(before.items(), key=lambda item: str(item[0])):
        current = after.get(name)
        if current is None:
            losses += [f"{name}: all {rows.count:,} rows"] if rows.count else []
        elif current.count != rows.count:
            losses.append(f"{name}: {rows.count:,} rows before, {current.count:,} after")
        else:
            changed = [
                column
                for column, value in rows.columns.items()
                if current.columns.get(column) != value and column not in ignored.get(name.name, ())
            ]
            losses += [f"{name}: the values of {', '.join(changed)}"] if changed else []
    return losses


def _query(query: str) -> bytes:
    return query.replace("(@here)", _HERE).encode()


def _difference(actual: str, expected: str) -> str:
    """Returns how two definitions differ, as the end of a sentence. Long ones begin shortly before the first difference."""
    actual, expected = (" ".join(definition.split()) for definition in (actual, expected))
    if actual == expected:
        return "differs in its white space only"
    if actual in (f"{expected} {state}" for state in _STATES):
        return f"is {actual.removeprefix(expected).strip(' ()')}"
    start = 0
    if max(len(actual), len(expected)) > _MAX_LENGTH:
        first = common_start(actual, expected)
        start = actual.rfind(" ", 0, max(first - _CONTEXT, 0)) + 1
    return f"is {_part(actual, start)}, expected {_part(expected, start)}"


def _part(definition: str, start: int) -> str:
    """Returns a part of a definition, with marks where something is left out."""
    end = start + _MAX_LENGTH
    return f"{'… ' if start else ''}{definition[start:end]}{'…' if end < len(definition) else ''}"
