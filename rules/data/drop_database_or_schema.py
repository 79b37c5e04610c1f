"""DROP DATABASE, or DROP SCHEMA with its contents.

DROP DATABASE deletes everything in the database; DROP SCHEMA … CASCADE deletes every table, view and function in the schema, even
those that other migrations or people created. PostgreSQL does not list the objects, and only a backup can restore the data.

Unsafe:
    DROP SCHEMA archive CASCADE;

Safe, because PostgreSQL refuses it unless the schema is empty:
    CREATE SCHEMA staging;
    -- next migration
    -- migsafe: ignore[drop-object] no running release uses the schema
    DROP SCHEMA staging;

See: https://www.postgresql.org/docs/current/sql-dropschema.html
"""

from migsafe.linting.facts.ownership import is_name_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.cascades import find_outside_schema
from migsafe.schema.descriptions import describe_with_schema
from migsafe.sql.operations import Drop, Name
from migsafe.sql.operations.values import quoted

_MOST = 5


@rule(category="data", severity=Severity.ERROR, speaks_for=("drop-object",), no_fix="no edit of the statement keeps the data")
def drop_database_or_schema(op: Drop, at: Context) -> Finding | None:
    """Report a database or schema that is dropped with its contents."""
    if op.kind == "database":
        return at.finding(
            op,
            f"DROP DATABASE {op.names[0]} deletes the database and its contents",
            help="-- run it manually, after a backup, not in a migration",
        )
    if op.kind != "schema" or not op.cascade:
        return None
    dropped = [name for name in op.names if not is_name_created_here(at, "schema", Name(name.name), created=True)]
    if op.if_exists:
        # A history that is read from its first migration knows which schemas there are.
        dropped = [name for name in dropped if at.catalog.has_schema(name.name) or not at.catalog.origin.excludes_schema(name.name)]
    if not dropped:
        return None
    names = ", ".join(quoted(name.name) for name in dropped)
    inside = sum(relation.name.schema in {name.name for name in dropped} for relation in at.catalog.relations())
    known = f" ({inside} of them {'are' if inside > 1 else 'is'} in the history)" if inside else ""
    outside = [describe_with_schema(at.catalog, part) for part in find_outside_schema(at.catalog, op)]
    others = f"; in other schemas, it also drops {', '.join(outside[:_MOST])}" if outside else ""
    more = f" and {len(outside) - _MOST} more" if len(outside) > _MOST else ""
    return at.finding(
        op,
        f"DROP SCHEMA {names} CASCADE deletes every table, view and function in it{known}, with all rows{others}{more}",
        help="-- drop its contents first, by name; when no running release uses it, in a separate migration:\n"
        f"-- migsafe: ignore[drop-object] no running release uses {names}\nDROP SCHEMA {names};",
    )
