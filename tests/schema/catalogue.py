"""A database's catalogue in one format, read from a server or from the model."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.rows import dict_row

from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import constraint_of_index
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.objects import (
    Attached,
    Column,
    Composite,
    Constraint,
    Domain,
    EnumType,
    Function,
    Index,
    Relation,
    RelationKind,
    Trigger,
)
from migsafe.sql.operations import ConstraintKind, Name, TypeName

Entry = dict[str, object]
Catalogue = dict[str, Entry]
"""By kind and name: `relation public.a`, `column public.a x`, `index public.a_x_idx`. A temporary relation has no schema in its name."""


def _is_user_namespace(namespace: str) -> str:
    """Returns the condition that a namespace is not a system schema."""
    return f"{namespace} IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_(?!temp)' AND nspname <> 'information_schema')"


def _columns(numbers: str, relation: str) -> str:
    """Returns the query for the names of numbered columns, `()` for an expression."""
    return f"""(SELECT array_agg(coalesce(a.attname::text, '()') ORDER BY k.n) FROM unnest({numbers}::int2[]) WITH ORDINALITY AS k (num, n)
        LEFT JOIN pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.num AND k.num > 0)"""


_QUERIES = {
    "relation": f"""
        SELECT c.oid::regclass::text AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
            CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' END AS "default",
            (SELECT array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parents,
            (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')) AS columns,
            (SELECT array_agg(DISTINCT d.refobjid::regclass::text) FROM pg_rewrite r JOIN pg_depend d
                ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
                WHERE r.ev_class = c.oid AND c.relkind IN ('v', 'm')) AS reads,
            (SELECT d.refobjid::regclass || ' ' || a.attname FROM pg_depend d
                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S') AS owner,
            CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END AS of_type
        FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND {_is_user_namespace("c.relnamespace")}
    """,
    "column": f"""
        SELECT a.attrelid::regclass || ' ' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
            a.attidentity::text AS identity, a.attgenerated::text AS generated, a.atthasdef AS "default", a.attislocal AS local,
            a.attinhcount AS inherited
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {_is_user_namespace("c.relnamespace")}
    """,
    "constraint": f"""
        SELECT c.conrelid::regclass || ' ' || c.conname AS name, c.contype::text AS kind, {_columns("c.conkey", "c.conrelid")} AS columns,
            c.convalidated AS valid, coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) AS enforced,
            c.connoinherit AND c.contype IN ('c', 'n') AS no_inherit, c.condeferrable AS deferrable, c.condeferred AS deferred,
            c.conislocal AS local, c.coninhcount AS inherited, c.conparentid <> 0 AS part,
            nullif(c.confrelid, 0)::regclass::text AS references, {_columns("c.confkey", "c.confrelid")} AS referenced,
            nullif(c.conindid, 0)::regclass::text AS index
        FROM pg_constraint c LEFT JOIN pg_constraint p ON p.oid = c.conparentid
        WHERE c.conrelid <> 0 AND c.contype <> 't' AND p.conrelid IS DISTINCT FROM c.conrelid AND {_is_user_namespace("c.connamespace")}
    """,
    "index": f"""
        SELECT x.indexrelid::regclass::text AS name, x.indrelid::regclass::text AS table, {_columns("x.indkey", "x.indrelid")} AS columns,
            x.indnkeyatts AS keys, x.indisunique AS unique, x.indisvalid AS valid, x.indpred IS NOT NULL AS partial, m.amname::text AS method,
            coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
            (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = x.indexrelid) AS part_of,
            (SELECT min(c.conname::text) FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AS behind
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam WHERE {_is_user_namespace("i.relnamespace")}
    """,
    "enum": """
        SELECT e.enumtypid::regtype::text AS name, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels FROM pg_enum e GROUP BY 1
    """,
    "domain": f"""
        SELECT t.oid::regtype::text AS name, format_type(t.typbasetype, t.typtypmod) AS type, t.typnotnull AS not_null,
            (SELECT array_agg(c.conname::text ORDER BY c.conname COLLATE "C") FROM pg_constraint c
                WHERE c.contypid = t.oid AND c.contype = 'c') AS checks,
            (SELECT array_agg(c.conname::text ORDER BY c.conname COLLATE "C") FROM pg_constraint c
                WHERE c.contypid = t.oid AND c.contype = 'c' AND NOT c.convalidated) AS not_valid
        FROM pg_type t WHERE t.typtype = 'd' AND {_is_user_namespace("t.typnamespace")}
    """,
    "composite": f"""
        SELECT t.oid::regtype::text AS name, (SELECT array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
        FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c' AND {_is_user_namespace("t.typnamespace")}
    """,
    "trigger": f"""
        SELECT g.tgrelid::regclass || ' ' || g.tgname AS name, p.proname::text AS function, g.tgparentid <> 0 AS part, g.tgtype & 1 = 1 AS row
        FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
        WHERE NOT g.tgisinternal AND {_is_user_namespace("c.relnamespace")}
    """,
    "function": f"""
        SELECT p.pronamespace::regnamespace || '.' || p.proname || '/' || p.pronargs AS name, p.prokind::text AS kind,
            p.provolatile::text AS volatility
        FROM pg_proc p WHERE {_is_user_namespace("p.pronamespace")}
    """,
    "policy": "SELECT p.polrelid::regclass || ' ' || p.polname AS name FROM pg_policy p",
    "rule": f"""
        SELECT r.ev_class::regclass || ' ' || r.rulename AS name FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        WHERE r.rulename <> '_RETURN' AND {_is_user_namespace("c.relnamespace")}
    """,
    "statistics": f"""
        SELECT s.stxnamespace::regnamespace || '.' || s.stxname AS name, s.stxrelid::regclass::text AS table
        FROM pg_statistic_ext s WHERE {_is_user_namespace("s.stxnamespace")}
    """,
}
"""The query of PostgreSQL's catalogues for each kind of object. It runs with an empty search_path, so that names include their schema."""

_RELKINDS = {
    RelationKind.TABLE: "r",
    RelationKind.PARTITIONED: "p",
    RelationKind.VIEW: "v",
    RelationKind.MATERIALIZED: "m",
    RelationKind.SEQUENCE: "S",
}
_CONTYPES = {
    ConstraintKind.CHECK: "c",
    ConstraintKind.FOREIGN_KEY: "f",
    ConstraintKind.PRIMARY_KEY: "p",
    ConstraintKind.UNIQUE: "u",
    ConstraintKind.EXCLUDE: "x",
    ConstraintKind.NOT_NULL: "n",
}
_WITH_COLUMNS = (RelationKind.TABLE, RelationKind.PARTITIONED)


def from_server(connection: "psycopg.Connection[Any]") -> Catalogue:
    """Returns a server's catalogue without the system schemas."""
    catalogue: Catalogue = {}
    connection.execute("SET search_path TO ''")
    with connection.cursor(row_factory=dict_row) as cursor:
        for kind, query in _QUERIES.items():
            for row in cursor.execute(query):
                entry: Entry = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
                name = entry.pop("name")
                if entry.get("kind") == "c":
                    entry["columns"] = tuple(sorted(entry["columns"] or ()))  # type: ignore[call-overload]  # a CHECK's have no order
                catalogue[f"{kind} {name}"] = entry
    return catalogue


def from_model(catalog: Catalog) -> Catalogue:
    """Returns the model's catalogue in the same format."""
    catalogue: Catalogue = {}
    for relation in catalog.relations():
        catalogue[f"relation {_qualified(relation.name)}"] = _relation(catalog, relation)
        for column in relation.columns if relation.kind in _WITH_COLUMNS else ():
            catalogue[f"column {_qualified(relation.name)} {column.name}"] = _column(column)
    for constraint in catalog.objects_of(Constraint):
        catalogue[f"constraint {_name_of(catalog, constraint.table)} {constraint.name.name}"] = _constraint(catalog, constraint)
    for index in catalog.objects_of(Index):
        catalogue[f"index {_qualified(index.name)}"] = _index(catalog, index)
    for trigger in catalog.objects_of(Trigger):
        function = catalog.require(Function, trigger.function).name.name if trigger.function is not None else None
        catalogue[f"trigger {_name_of(catalog, trigger.table)} {trigger.name.name}"] = {
            "function": function,
            "part": trigger.parent is not None,
            "row": trigger.row,
        }
    for attached in catalog.objects_of(Attached):
        if attached.kind == "statistics":
            catalogue[f"statistics {_qualified(attached.name)}"] = {"table": _name_of(catalog, attached.table)}
        else:
            catalogue[f"{attached.kind} {_name_of(catalog, attached.table)} {attached.name.name}"] = {}
    _add_types_and_functions(catalogue, catalog)
    return catalogue


def _add_types_and_functions(catalogue: Catalogue, catalog: Catalog) -> None:
    for enum in catalog.objects_of(EnumType):
        catalogue[f"enum {_qualified(enum.name)}"] = {"labels": enum.values}
    for domain in catalog.objects_of(Domain):
        catalogue[f"domain {_qualified(domain.name)}"] = {
            "type": _type(domain.type),
            "not_null": domain.not_null,
            "checks": _tuple_or_none(sorted(check.name for check in domain.checks)),
            "not_valid": _tuple_or_none(sorted(check.name for check in domain.checks if not check.valid)),
        }
    for composite in catalog.objects_of(Composite):
        catalogue[f"composite {_qualified(composite.name)}"] = {
            "attributes": _tuple_or_none(f"{name} {_type(type_name)}" for name, type_name in composite.attributes)
        }
    for function in catalog.objects_of(Function):
        catalogue[f"function {_qualified(function.name)}/{len(function.arguments)}"] = {
            "kind": function.kind[0],
            "volatility": function.volatility[0],
        }


def _relation(catalog: Catalog, relation: Relation) -> Entry:
    owner = None
    if relation.owner is not None:
        table = catalog.require(Relation, relation.owner[0])
        owner = f"{_qualified(table.name)} {_column_name(table, relation.owner[1])}"
    return {
        "kind": _RELKINDS[relation.kind],
        "persistence": relation.persistence.value[0],
        "default": relation.bound.kind == "default" if relation.bound is not None else None,
        "parents": _tuple_or_none(_name_of(catalog, oid) for oid in relation.parents),
        "columns": _tuple_or_none(column.name for column in relation.columns) if relation.kind in _WITH_COLUMNS else None,
        "reads": _tuple_or_none(sorted(_name_of(catalog, oid) for oid in relation.reads)),
        "owner": owner,
        "of_type": _qualified(relation.of_type) if relation.of_type is not None else None,
    }


def _column(column: Column) -> Entry:
    return {
        "type": _type(column.type),
        "not_null": column.not_null,
        "identity": {"always": "a", "by default": "d", None: ""}[column.identity],
        "generated": (column.generated or "")[:1],
        "default": column.default is not None,
        "local": column.local,
        "inherited": column.inherited,
    }


def _constraint(catalog: Catalog, constraint: Constraint) -> Entry:
    table = catalog.require(Relation, constraint.table)
    referenced = catalog.require(Relation, constraint.references) if constraint.references is not None else None
    columns = [_column_name(table, number) for number in constraint.columns]
    return {
        "kind": _CONTYPES[constraint.kind],
        "columns": tuple(sorted(columns)) if constraint.kind is ConstraintKind.CHECK else tuple(columns),
        "valid": constraint.valid,
        "enforced": constraint.enforced,
        "no_inherit": constraint.no_inherit,
        "deferrable": constraint.deferrable,
        "deferred": constraint.initially_deferred,
        "local": constraint.local,
        "inherited": constraint.inherited,
        "part": constraint.parent is not None,
        "references": _qualified(referenced.name) if referenced is not None else None,
        "referenced": _tuple_or_none(_column_name(referenced, number) for number in constraint.referenced_columns)
        if referenced is not None
        else None,
        "index": _name_of(catalog, constraint.index) if constraint.index is not None else None,
    }


def _index(catalog: Catalog, index: Index) -> Entry:
    table = catalog.require(Relation, index.table)
    numbers = [key.column for key in index.keys] + list(index.include)
    constraint = constraint_of_index(catalog, index)
    return {
        "table": _qualified(table.name),
        "columns": tuple("()" if number is None else _column_name(table, number) for number in numbers),
        "keys": len(index.keys),
        "unique": index.unique,
        "valid": index.valid,
        "partial": index.predicate is not None,
        "method": index.method,
        "nulls_not_distinct": index.nulls_not_distinct,
        "part_of": _name_of(catalog, index.parent) if index.parent is not None else None,
        "behind": constraint.name.name if constraint is not None else None,
    }


def _qualified(name: Name) -> str:
    return name.name if name.schema == TEMPORARY else f"{name.schema}.{name.name}"


def _name_of(catalog: Catalog, oid: int) -> str:
    return _qualified(catalog[oid].name)


def _column_name(table: Relation, number: int) -> str:
    column = table.column_numbered(number)
    return column.name if column is not None else f"no column {number}"


def _type(type_name: TypeName | None) -> str | None:
    """Returns a type as format_type spells it."""
    return str(type_name).replace(", ", ",") if type_name is not None else None


def _tuple_or_none(values: Iterable[str]) -> tuple[str, ...] | None:
    """Returns None for no values, because array_agg of no rows is NULL."""
    return tuple(values) or None


def difference(server: Catalogue, model: Catalogue) -> list[str]:
    """Returns the differences, one per line with both sides. A type that the model does not know is not a difference."""
    differences: list[str] = []
    for name in sorted(server.keys() | model.keys()):
        if name not in model:
            differences.append(f"{name}: the model has none; the server {server[name]}")
        elif name not in server:
            differences.append(f"{name}: the server has none; the model {model[name]}")
        else:
            on_server, in_model = server[name], model[name]
            differences += [
                f"{name}: {key}: server {on_server.get(key)}, model {in_model.get(key)}"
                for key in on_server
                if on_server.get(key) != in_model.get(key)
            ]
    return differences
