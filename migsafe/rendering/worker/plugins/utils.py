"""SQLAlchemy-Utils: the statements for views, and the functions that create them on a connection.

https://sqlalchemy-utils.readthedocs.io/en/latest/view.html documents them. Its types are known by their names (`known_types`).
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import DDL

from migsafe.rendering.worker.plugins.plugin import Plugin


def create_view_statement(name: str, selectable: Any, materialized: bool = False, replace: bool = False) -> Any:
    """Returns the statement that creates a view; `selectable` is its query."""
    literal = {"literal_binds": True}
    dialect: Any = postgresql.dialect
    query = selectable.compile(dialect=dialect(paramstyle="named"), compile_kwargs=literal) if hasattr(selectable, "compile") else selectable
    kind = "MATERIALIZED VIEW" if materialized else "VIEW"
    return _ddl(f"CREATE {'OR REPLACE ' if replace else ''}{kind} {name} AS {query}")


def drop_view_statement(name: str, materialized: bool = False, cascade: bool = True) -> Any:
    """Returns the statement that drops a view."""
    return _ddl(f"DROP {'MATERIALIZED ' if materialized else ''}VIEW IF EXISTS {name}{' CASCADE' if cascade else ''}")


def refresh_materialized_view(session: Any, name: str, concurrently: bool = False) -> None:
    """Refreshes a materialized view on a session."""
    session.execute(text(f"REFRESH MATERIALIZED VIEW {'CONCURRENTLY ' if concurrently else ''}{name}"))


def _ddl(sql: str) -> Any:
    make: Any = DDL
    return make(sql.replace("%", "%%"))


PLUGIN = Plugin(
    packages=("sqlalchemy_utils",),
    names={"CreateView": create_view_statement, "DropView": drop_view_statement, "refresh_materialized_view": refresh_materialized_view},
)
