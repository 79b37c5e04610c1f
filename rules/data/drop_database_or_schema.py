"""DROP DATABASE, or DROP SCHEMA with all that is in it.

A database goes with everything; a schema with CASCADE goes with every table, view and function in it, whoever made them. There is no list
and no way back but a restored backup.

Unsafe:
    DROP SCHEMA archive CASCADE;

Safe, because it is refused unless it is empty:
    CREATE SCHEMA staging;
    -- next migration
    -- migsafe: ignore[drop-object] nothing uses the schema any longer
    DROP SCHEMA staging;

See: https://www.postgresql.org/docs/current/sql-dropschema.html
"""

from migsafe.linting.facts.ownership import is_name_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Drop, Name


@rule(category="data", severity=Severity.ERROR)
def drop_database_or_schema(op: Drop, at: Context) -> Finding | None:
    """Report what goes with all that is in it."""
    if op.kind == "database":
        return at.finding(
            op, f"DROP DATABASE {op.names[0]} removes it with everything in it", help="-- by hand, after a backup, and not from a migration"
        )
    if op.kind != "schema" or not op.cascade:
        return None
    dropped = [name for name in op.names if not is_name_created_here(at, "schema", Name(name.name), made=True)]
    if not dropped:
        return None
    names = ", ".join(name.name for name in dropped)
    inside = sum(relation.name.schema in {name.name for name in dropped} for relation in at.catalog.relations())
    known = f" ({inside} that the history knows)" if inside else ""
    return at.finding(
        op,
        f"DROP SCHEMA {names} CASCADE removes every table, view and function in it{known}, and their rows",
        help=f"-- drop by its name what is in it, and then:\nDROP SCHEMA {names};",
    )
