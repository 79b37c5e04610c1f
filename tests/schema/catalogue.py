"""A database's catalogue in one shape: read from a server, or from the model."""

from collections.abc import Iterable
from typing import Any

import psycopg

from migsafe.schema.catalog import TEMPORARY, Catalog
from migsafe.schema.constraints import behind_index
from migsafe.schema.objects import (
    Attached,
    Composite,
    Constraint,
    Domain,
    EnumType,
    Formula,
    Function,
    Index,
    Relation,
    RelationKind,
    Trigger,
)
from migsafe.sql.operations import ConstraintKind, Name, TypeName

Entry = dict[str, object]
Catalogue = dict[str, Entry]
"""By kind and name: `table a`, `column a.x`, `constraint a.a_pkey`, `index a_x_idx`, `type mood`. What is in the schema public goes without."""

_QUERIES = {
    "relation": """
        SELECT {c.oid}, c.relkind::text, c.relpersistence::text AS persistence, pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' AS "default",
            (SELECT array_agg({i.inhparent} ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relkind IN ('r', 'p'))
                AS parents,
            (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')) AS columns,
            (SELECT array_agg(DISTINCT {d.refobjid}) FROM pg_rewrite r JOIN pg_depend d
                ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
                WHERE r.ev_class = c.oid AND c.relkind IN ('v', 'm')) AS reads,
            (SELECT {d.refobjid} || '.' || a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S') AS owner,
            CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END AS of
        FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND {here c.relnamespace}
    """,
    "column": """
        SELECT {a.attrelid}, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
            a.attidentity::text AS identity, a.attgenerated::text AS generated, a.atthasdef AS "default", a.attislocal AS local,
            a.attinhcount AS inherited
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND {here c.relnamespace}
    """,
    "constraint": """
        SELECT {c.conrelid}, c.conname, c.contype::text AS kind, {columns c.conkey c.conrelid} AS columns, c.convalidated AS valid,
            coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) AS enforced, c.connoinherit AND c.contype = 'c' AS no_inherit,
            c.condeferrable AS deferrable, c.condeferred AS deferred, c.conislocal AS local, c.coninhcount AS inherited,
            c.conparentid <> 0 AS part, {c.confrelid} AS references, {columns c.confkey c.confrelid} AS referenced,
            CASE WHEN c.contype = 'f' THEN c.confdeltype::text END AS on_delete, {c.conindid} AS index
        FROM pg_constraint c LEFT JOIN pg_constraint p ON p.oid = c.conparentid
        WHERE c.conrelid <> 0 AND c.contype <> 't' AND p.conrelid IS DISTINCT FROM c.conrelid AND {here c.connamespace}
    """,
    "index": """
        SELECT {x.indexrelid}, {x.indrelid} AS table, {columns x.indkey x.indrelid} AS columns, x.indnkeyatts AS keys, x.indisunique AS unique,
            x.indisvalid AS valid, x.indpred IS NOT NULL AS partial, m.amname AS method,
            coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
            (SELECT {h.inhparent} FROM pg_inherits h WHERE h.inhrelid = x.indexrelid) AS part_of,
            (SELECT min(c.conname::text) FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')) AS behind
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam WHERE {here i.relnamespace}
    """,
    "enum": """
        SELECT e.enumtypid::regtype::text, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels FROM pg_enum e GROUP BY 1
    """,
    "domain": """
        SELECT t.oid::regtype::text, format_type(t.typbasetype, t.typtypmod) AS base, t.typnotnull AS not_null, t.typdefault IS NOT NULL AS "default",
            (SELECT array_agg(c.conname || ' ' || c.convalidated ORDER BY c.conname) FROM pg_constraint c
                WHERE c.contypid = t.oid AND c.contype = 'c') AS checks
        FROM pg_type t WHERE t.typtype = 'd' AND {here t.typnamespace}
    """,
    "composite": """
        SELECT t.oid::regtype::text, (SELECT array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
        FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c' AND {here t.typnamespace}
    """,
    "trigger": """
        SELECT {g.tgrelid}, g.tgname, p.proname AS function, g.tgparentid <> 0 AS part, g.tgtype & 1 = 1 AS row
        FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
        WHERE NOT g.tgisinternal AND {here c.relnamespace}
    """,
    "function": """
        SELECT p.pronamespace::regnamespace || '.' || p.proname, p.oid::text, p.prokind::text AS kind, p.provolatile::text AS volatility,
            p.pronargs AS arguments
        FROM pg_proc p WHERE {here p.pronamespace}
    """,
    "policy": "SELECT {p.polrelid}, p.polname, true AS there FROM pg_policy p",
    "rule": """
        SELECT {r.ev_class}, r.rulename, true AS there FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        WHERE r.rulename <> '_RETURN' AND {here c.relnamespace}
    """,
    "statistics": """
        SELECT s.stxnamespace::regnamespace || '.' || s.stxname, {s.stxrelid} AS table FROM pg_statistic_ext s WHERE {here s.stxnamespace}
    """,
    "schema": "SELECT nspname, true AS there FROM pg_namespace WHERE {here oid} AND nspname NOT LIKE 'pg_temp%'",
}
"""For each kind of object: what it is called (one or two columns, without a name of their own), and what is known of it."""

_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "S": "sequence"}
_CONTYPES = {
    ConstraintKind.CHECK: "c",
    ConstraintKind.FOREIGN_KEY: "f",
    ConstraintKind.PRIMARY_KEY: "p",
    ConstraintKind.UNIQUE: "u",
    ConstraintKind.EXCLUDE: "x",
    ConstraintKind.NOT_NULL: "n",
}
