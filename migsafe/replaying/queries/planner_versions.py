"""Versions of what the planner knows: after a migration, only the queries of tables that it has changed are planned again."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.linting.facts.sql_words import words_of

if TYPE_CHECKING:
    from psycopg import Connection

_TABLES = """
    SELECT c.oid::int8, c.relname, pg_catalog.md5(pg_catalog.concat_ws(' ',
        n.nspname, c.relname, c.xmin, c.relfilenode, c.relpages, c.reltuples,
        (SELECT pg_catalog.string_agg(
                pg_catalog.concat_ws(' ', x.oid, x.xmin, i.xmin, x.relfilenode, x.relpages, x.reltuples), ',' ORDER BY x.oid
            ) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.xmin), ',' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid),
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', o.oid, o.xmin), ',' ORDER BY o.oid)
            FROM pg_catalog.pg_constraint AS o WHERE c.oid IN (o.conrelid, o.confrelid)),
        {statistics}
    ))
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.oid >= 16384
"""
_STATISTICS = """
    (SELECT pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.max(s.xmin::text::bigint))
        FROM pg_catalog.pg_statistic AS s WHERE s.starelid = c.oid)
"""
_READABLE_STATISTICS = """
    (SELECT pg_catalog.sum(pg_catalog.hashtextextended(
        pg_catalog.concat_ws(' ', attname, inherited, null_frac, avg_width, n_distinct, correlation), 0))
        FROM pg_catalog.pg_stats AS s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
"""
"""The same for a role that may not read pg_statistic."""
_MAY_READ = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_statistic', 'SELECT')"
_PARENTS = "SELECT inhrelid::int8, inhparent::int8 FROM pg_catalog.pg_inherits"
_READERS = """
    SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384
    UNION SELECT p.proname FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
        WHERE p.oid >= 16384 AND l.lanname = 'sql'
"""
"""The views, and the functions that the planner may inline: a query that names one of them reads tables that it does not name."""
_VERSION_OF = """
    SELECT '{catalog}', pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', oid, xmin), ',' ORDER BY oid)) FROM pg_catalog.{catalog}
    WHERE oid >= 16384 {condition}
"""
_OTHERS = {
    "pg_proc": "",
    "pg_operator": "",
    "pg_opclass": "",
    "pg_cast": "",
    "pg_collation": "",
    "pg_rewrite": "",
    "pg_policy": "",
    "pg_statistic_ext": "",
    "pg_enum": "",
    "pg_type": "AND typtype IN ('e', 'd', 'r', 'm')",
    "pg_namespace": "",
}
"""The catalogues of other objects that plans depend on. Those of tables have a type each, which does not count."""
_SETTINGS = (
    "SELECT pg_catalog.md5(pg_catalog.string_agg(setconfig::text, ',' ORDER BY setdatabase, setrole)) FROM pg_catalog.pg_db_role_setting"
)


class PlannerVersions(Struct, frozen=True):
    """The tables of a database, by oid: the names under which queries reach each, and a text that is different after each change. `others` is
    that of all other objects, `readers` are the names of views and functions."""

    tables: Mapping[int, tuple[frozenset[str], str]]
    others: tuple[str | None, ...]
    readers: frozenset[str]

    def changed_names(self, earlier: "PlannerVersions") -> frozenset[str] | None:
        """Returns the names whose queries may have other plans than in an earlier state; None if all may."""
        if self.others != earlier.others:
            return None
        changed: set[str] = set()
        for oid in self.tables.keys() | earlier.tables.keys():
            now, before = self.tables.get(oid), earlier.tables.get(oid)
            if now != before:
                changed.update(*(names for names, _ in filter(None, (now, before))))
        return frozenset(changed | self.readers) if changed else frozenset()


def read_planner_versions(connection: "Connection[Any]") -> PlannerVersions:
    """Reads the versions of a database."""
    [(may_read,)] = connection.execute(_MAY_READ).fetchall()
    sql = _TABLES.format(statistics=_STATISTICS if may_read else _READABLE_STATISTICS)
    rows = connection.execute(sql.encode()).fetchall()
    names = {oid: name for oid, name, _ in rows}
    parents: dict[int, list[int]] = {}
    for child, parent in connection.execute(_PARENTS).fetchall():
        parents.setdefault(child, []).append(parent)
    queries = (_VERSION_OF.format(catalog=catalog, condition=condition) for catalog, condition in _OTHERS.items())
    others = [version for _, version in sorted(connection.execute(" UNION ALL ".join(queries).encode()).fetchall())]
    [(settings,)] = connection.execute(_SETTINGS).fetchall()
    return PlannerVersions(
        tables={oid: (frozenset(names[each] for each in _line(oid, parents) if each in names), version) for oid, _, version in rows},
        others=(*others, settings),
        readers=frozenset(name for (name,) in connection.execute(_READERS).fetchall()),
    )


def mentions(text: str, names: frozenset[str]) -> bool:
    """Whether a query contains one of these names, in any letter case."""
    words = words_of(text)
    return any(words_of(name) <= words for name in names)


def _line(oid: int, parents: Mapping[int, list[int]]) -> Iterator[int]:
    """Yields a table, and those that it is a part of."""
    yield oid
    for parent in parents.get(oid, ()):
        yield from _line(parent, parents)
