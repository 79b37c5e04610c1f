"""SQLAlchemy-Utils: the statements for views, and the functions that create them on a connection.

https://sqlalchemy-utils.readthedocs.io/en/latest/view.html documents them. Its types are known by their names (`known_types`).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, MetaData, Table, event, text
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


def create_view(
    name: str, selectable: Any, metadata: MetaData, cascade_on_drop: bool = True, replace: bool = False, schema: str | None = None
) -> Table:
    """Returns the table of a view, which is created after the tables of the metadata, and dropped before them."""
    table = _table_of(name, selectable, (), None, schema)
    event.listen(metadata, "after_create", create_view_statement(table.fullname, selectable, replace=replace))
    event.listen(metadata, "before_drop", drop_view_statement(table.fullname, cascade=cascade_on_drop))
    return table


def create_materialized_view(
    name: str, selectable: Any, metadata: MetaData, indexes: Sequence[Any] | None = None, aliases: Any = None, schema: str | None = None
) -> Table:
    """Returns the table of a materialized view, which is created with its indexes after the tables of the metadata, and dropped before them."""
    table = _table_of(name, selectable, indexes or (), aliases, schema)
    event.listen(metadata, "after_create", create_view_statement(table.fullname, selectable, materialized=True))

    def create_indexes(_: object, connection: Any, **__: object) -> None:
        for index in table.indexes:
            index.create(connection)

    event.listen(metadata, "after_create", create_indexes)
    event.listen(metadata, "before_drop", drop_view_statement(table.fullname, materialized=True))
    return table


def _table_of(name: str, selectable: Any, indexes: Sequence[Any], aliases: Any, schema: str | None) -> Table:
    """Returns a table with the columns of a query."""
    names = aliases if isinstance(aliases, dict) else {}
    columns = [
        Column(column.name, column.type, key=names.get(column.name, column.name), primary_key=column.primary_key)
        for column in selectable.selected_columns
    ]
    return Table(name, MetaData(), *columns, *indexes, schema=schema)


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
    names={
        "CreateView": create_view_statement,
        "DropView": drop_view_statement,
        "create_view": create_view,
        "create_materialized_view": create_materialized_view,
        "refresh_materialized_view": refresh_materialized_view,
    },
)
