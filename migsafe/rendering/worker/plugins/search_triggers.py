"""SQLAlchemy-Searchable: `sync_trigger` and `drop_trigger`, which scripts call with their connection.

https://sqlalchemy-searchable.readthedocs.io/en/latest/alembic.html documents them: the trigger and its function are created again, and all
rows are updated so that the search vectors are.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from migsafe.rendering.worker.plugins.plugin import Plugin


def sync_trigger(
    conn: Any,
    table_name: str,
    tsvector_column: str,
    indexed_columns: Sequence[str],
    metadata: Any = None,
    options: Any = None,
    schema: str | None = None,
) -> None:
    """Creates the trigger of a search vector, and updates all rows."""
    drop_trigger(conn, table_name, tsvector_column, metadata, options, schema)
    regconfig = (options or {}).get("regconfig", "pg_catalog.english") if isinstance(options, dict | None) else "pg_catalog.english"
    vectors = " || ' ' || ".join(f"coalesce(NEW.{column}, '')" for column in indexed_columns)
    name = f"{table_name}_{tsvector_column}"
    for sql in (
        f"CREATE FUNCTION {_in(schema, f'{name}_update')}() RETURNS TRIGGER AS $$ BEGIN "
        f"NEW.{tsvector_column} = to_tsvector('{regconfig}', {vectors}); RETURN NEW; END $$ LANGUAGE 'plpgsql'",
        f"CREATE TRIGGER {name}_trigger BEFORE UPDATE OR INSERT ON {_in(schema, table_name)} "
        f"FOR EACH ROW EXECUTE PROCEDURE {_in(schema, f'{name}_update')}()",
        f"UPDATE {_in(schema, table_name)} SET {indexed_columns[0]}={indexed_columns[0]}",  # noqa: S608  # names of the script
    ):
        conn.execute(text(sql.replace(":", r"\:")))


def drop_trigger(
    conn: Any, table_name: str, tsvector_column: str, metadata: Any = None, options: Any = None, schema: str | None = None
) -> None:
    """Drops the trigger of a search vector, and its function."""
    name = f"{table_name}_{tsvector_column}"
    conn.execute(text(f"DROP TRIGGER IF EXISTS {name}_trigger ON {_in(schema, table_name)}"))
    conn.execute(text(f"DROP FUNCTION IF EXISTS {_in(schema, f'{name}_update')}()"))


def _in(schema: str | None, name: str) -> str:
    return f'"{schema}"."{name}"' if schema else f'"{name}"'


PLUGIN = Plugin(packages=("sqlalchemy_searchable",), names={"sync_trigger": sync_trigger, "drop_trigger": drop_trigger})
