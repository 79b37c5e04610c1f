"""A database's catalogue in one shape: read from a server, or from the model."""

from typing import Any

import psycopg

from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import behind_index
from migsafe.schema.objects import Constraint, Domain, EnumType, Index, Relation, RelationKind
from migsafe.sql.operations import ConstraintKind

Catalogue = dict[str, object]
"""By kind and name: `table a`, `column a.x`, `constraint a.a_pkey`, `index a_x_idx`, `type mood`."""

_RELATIONS = """
    SELECT c.oid, c.relname, c.relkind::text, coalesce((SELECT array_agg(p.relname::text ORDER BY i.inhseqno) FROM pg_inherits i
        JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid AND c.relkind IN ('r', 'p')), '{}')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
"""
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text,
        a.atthasdef, a.attislocal, a.attinhcount
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
    SELECT r.relname, c.conname, c.contype::text, c.convalidated, f.relname, c.conislocal, c.coninhcount,
        (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k (num, n)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num)
    FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = c.connamespace
    LEFT JOIN pg_class f ON f.oid = c.confrelid LEFT JOIN pg_constraint p ON p.oid = c.conparentid
    WHERE n.nspname = 'public' AND c.contype <> 't' AND p.conrelid IS DISTINCT FROM c.conrelid
"""
_INDEXES = """
    SELECT i.relname, t.relname, x.indisunique, x.indisvalid, x.indpred IS NOT NULL, m.amname,
        (SELECT array_agg(coalesce(a.attname::text, '()') ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY AS k (num, n)
            LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.num AND k.num > 0),
        EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.oid), (SELECT min(c.conname::text) FROM pg_constraint c
            WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid JOIN pg_am m ON m.oid = i.relam
    JOIN pg_namespace n ON n.oid = i.relnamespace WHERE n.nspname = 'public'
"""
_ENUMS = """
    SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1
"""
_DOMAINS = """
    SELECT t.typname, format_type(t.typbasetype, t.typtypmod), t.typnotnull,
        (SELECT count(*) FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND n.nspname = 'public'
"""
_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "S": "sequence"}
_CONTYPES = {
    ConstraintKind.CHECK: "c",
    ConstraintKind.FOREIGN_KEY: "f",
    ConstraintKind.PRIMARY_KEY: "p",
    ConstraintKind.UNIQUE: "u",
    ConstraintKind.EXCLUDE: "x",
    ConstraintKind.NOT_NULL: "n",
}
_GENERATED = {"s": "stored", "v": "virtual", "": None}
_IDENTITY = {"a": "always", "d": "by default", "": None}


def from_server(connection: "psycopg.Connection[Any]") -> Catalogue:
    """What pg_catalog says of the schema public."""
    found: Catalogue = {}
    for _, name, kind, parents in connection.execute(_RELATIONS):
        found[f"relation {name}"] = (_KINDS[kind], tuple(parents))
    for table, name, kind, not_null, identity, generated, default, local, inherited in connection.execute(_COLUMNS):
        found[f"column {table}.{name}"] = (kind, not_null, _IDENTITY[identity], _GENERATED[generated], default, local, inherited)
    for table, name, kind, valid, references, local, inherited, columns in connection.execute(_CONSTRAINTS):
        found[f"constraint {table}.{name}"] = (kind, _in_order(kind, columns or ()), valid, references, local, inherited)
    for name, table, unique, valid, partial, method, columns, is_part, constraint in connection.execute(_INDEXES):
        found[f"index {name}"] = (table, tuple(columns), unique, valid, partial, method, is_part, constraint)
    for name, labels in connection.execute(_ENUMS):
        found[f"type {name}"] = tuple(labels)
    for name, base, not_null, checks in connection.execute(_DOMAINS):
        found[f"type {name}"] = (base, not_null, checks)
    return found


def from_model(catalog: Catalog) -> Catalogue:
    """What the model knows of the schema public."""
    found: Catalogue = {}
    for relation in catalog.relations():
        if relation.name.schema != "public":
            continue
        name = relation.name.name
        parents = tuple(catalog[oid].name.name for oid in relation.parents)
        found[f"relation {name}"] = (relation.kind.value, parents)
        if relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED):
            _add_table(found, catalog, relation)
    for index in catalog.all(Index):
        _add_index(found, catalog, index)
    for enum in catalog.all(EnumType):
        found[f"type {enum.name.name}"] = enum.values
    for domain in catalog.all(Domain):
        found[f"type {domain.name.name}"] = (str(domain.type), domain.not_null, len(domain.checks))
    return found


def _add_table(found: Catalogue, catalog: Catalog, table: Relation) -> None:
    for column in table.columns:
        kind = str(column.type).replace("public.", "").replace(", ", ",") if column.type is not None else None
        found[f"column {table.name.name}.{column.name}"] = (
            kind,
            bool(column.not_null),
            column.identity,
            column.generated,
            column.default is not None,
            column.local,
            column.inherited,
        )
    for constraint in catalog.constraints(table.oid):
        found[f"constraint {table.name.name}.{constraint.name.name}"] = _constraint(catalog, table, constraint)


def _constraint(catalog: Catalog, table: Relation, one: Constraint) -> object:
    kind = _CONTYPES[one.kind]
    columns = [column.name if (column := table.numbered(number)) is not None else "?" for number in one.columns]
    references = catalog[one.references].name.name if one.references is not None else None
    return (kind, _in_order(kind, columns), one.valid, references, one.local, one.inherited)


def _in_order(kind: str, columns: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
    """A CHECK's columns come in no order that matters."""
    return tuple(sorted(columns)) if kind == "c" else tuple(columns)


def _add_index(found: Catalogue, catalog: Catalog, index: Index) -> None:
    table = catalog.the(Relation, index.table)
    if index.name.schema != "public":
        return
    numbers = [key.column for key in index.keys] + list(index.include)
    columns = tuple("()" if number is None else (table.numbered(number) or table.columns[0]).name for number in numbers)
    constraint = behind_index(catalog, index)
    found[f"index {index.name.name}"] = (
        table.name.name,
        columns,
        index.unique,
        index.valid,
        index.predicate is not None,
        index.method,
        index.parent is not None,
        constraint.name.name if constraint is not None else None,
    )


def difference(server: Catalogue, model: Catalogue) -> list[str]:
    """The entries that differ, a line each, both sides."""
    return [
        f"{name}: server {server.get(name, 'has none')}, model {model.get(name, 'has none')}"
        for name in sorted(server.keys() | model.keys())
        if server.get(name) != model.get(name)
    ]
