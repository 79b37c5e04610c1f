"""The ownership of a database's objects, so that a role that is not a superuser can alter them."""

from typing import TYPE_CHECKING, Any

from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

_OWNED = """
    WITH objects (class, oid, owner, spelt) AS (
        SELECT 'pg_class'::pg_catalog.regclass, oid, relowner, CASE relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW '
            WHEN 'S' THEN 'SEQUENCE ' WHEN 'f' THEN 'FOREIGN TABLE ' ELSE 'TABLE ' END || oid::pg_catalog.regclass
        FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
        UNION ALL SELECT 'pg_type'::pg_catalog.regclass, t.oid, t.typowner, 'TYPE ' || t.oid::pg_catalog.regtype
        FROM pg_catalog.pg_type AS t LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
        WHERE t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c'
        UNION ALL SELECT 'pg_proc'::pg_catalog.regclass, oid, proowner, 'ROUTINE ' || oid::pg_catalog.regprocedure FROM pg_catalog.pg_proc
        UNION ALL SELECT 'pg_statistic_ext'::pg_catalog.regclass, s.oid, s.stxowner, pg_catalog.format('STATISTICS %I.%I', n.nspname, s.stxname)
        FROM pg_catalog.pg_statistic_ext AS s JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
        UNION ALL SELECT 'pg_namespace'::pg_catalog.regclass, oid, nspowner, 'SCHEMA ' || oid::pg_catalog.regnamespace
        FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    )
    SELECT o.spelt, r.rolname, r.rolsuper FROM objects AS o JOIN pg_catalog.pg_roles AS r ON r.oid = o.owner
    WHERE (o.oid >= 16384 OR o.spelt = 'SCHEMA public') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = o.class AND d.objid = o.oid AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND o.spelt LIKE 'SEQUENCE%')))
"""
"""The objects that can be altered, with their owners. Members of an extension and sequences of columns follow what they belong to."""


def transfer_ownership(connection: "Connection[Any]", role: str) -> None:
    """Makes a role the owner of what superusers own in the connection's database, and a member of the other owners. The connection must be
    a superuser's."""
    owners = set()
    for spelt, owner, is_superuser in connection.execute(_OWNED).fetchall():
        if is_superuser:
            connection.execute(f"ALTER {spelt} OWNER TO {Name(role)}".encode())
        elif owner != role and not owner.startswith("pg_"):
            owners.add(owner)
    for owner in sorted(owners):
        connection.execute(f"GRANT {Name(owner)} TO {Name(role)}".encode())
