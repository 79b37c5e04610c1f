"""GeoAlchemy2: its types and its operations for Alembic.

https://geoalchemy-2.readthedocs.io/en/latest/alembic.html documents the operations. On PostgreSQL each creates what the plain operation does; a
column with `spatial_index` (the default) gets a GiST index when its table is created, or when it is added by `add_geospatial_column`.
"""

from collections.abc import Sequence
from typing import Any

from alembic.operations import BatchOperations, Operations
from sqlalchemy import Column, Index, Table, event
from sqlalchemy.schema import CreateIndex

from migsafe.rendering.worker.plugins.plugin import Plugin
from migsafe.rendering.worker.types import NamedType


class SpatialType(NamedType):
    """The type of a spatial column."""

    cache_ok = True

    def __init__(self, name: str = "geometry", *, has_index: bool = True, all_dimensions: bool = False) -> None:
        super().__init__(name)
        self.has_index = has_index
        self.all_dimensions = all_dimensions


def geometry_type(name: str) -> Any:
    """Returns a function with the parameters of the class of a spatial type, which creates the type."""

    def make(
        geometry_type: str | None = "GEOMETRY", srid: int = -1, dimension: int | None = None, spatial_index: bool = True, **named: Any
    ) -> SpatialType:
        full = f"{name}({geometry_type},{srid})" if geometry_type is not None else name
        return SpatialType(full, has_index=spatial_index is True, all_dimensions=named.get("use_N_D_index") is True)

    return make


def install_spatial_indexes() -> None:
    """Creates the indexes of spatial columns after their tables, for the rest of the process."""
    event.listen(Table, "after_create", _create_indexes)


def install_batch_operations() -> None:
    """Adds the operations to those of a batch, for the rest of the process; GeoAlchemy2 replaces them if it is installed."""
    for name, operation in _IN_BATCH.items():
        setattr(BatchOperations, name, operation)


def _create_indexes(table: Table, bind: Any, **named: Any) -> None:
    columns = [column for column in table.columns if isinstance(column.type, SpatialType) and column.type.has_index]
    runner: Any = named.get("_ddl_runner")
    for column in columns:
        index = _index(table, column)
        if hasattr(runner, "_exec"):
            runner._exec(CreateIndex(index))
        else:
            bind.execute(CreateIndex(index))


def _index(table: Table, column: Column[Any]) -> Index:
    operators = {column.name: "gist_geometry_ops_nd"} if getattr(column.type, "all_dimensions", False) else {}
    index = Index(f"idx_{table.name}_{column.name}", column, postgresql_using="gist", postgresql_ops=operators)
    table.indexes.discard(index)  # Alembic creates the indexes of the table itself
    return index


def _create_table(operations: Operations, name: str, *columns: Any, **named: Any) -> Any:
    return operations.create_table(name, *columns, **named)


def _drop_table(operations: Operations, name: str, **named: Any) -> None:
    operations.drop_table(name, **named)


def _add_column(operations: Operations, table: str, column: Column[Any], schema: str | None = None) -> None:
    operations.add_column(table, column, schema=schema)
    if isinstance(column.type, SpatialType) and column.type.has_index:
        operations.create_index(f"idx_{table}_{column.name}", table, [column.name], schema=schema, postgresql_using="gist")


def _drop_column(operations: Operations, table: str, column: str, schema: str | None = None, **named: Any) -> None:
    operations.drop_column(table, column, schema=schema, **named)


def _create_index(operations: Operations, name: str, table: str, columns: Sequence[Any], schema: str | None = None, **named: Any) -> None:
    operations.create_index(name, table, columns, schema=schema, **{"postgresql_using": "gist", **named})


def _drop_index(operations: Operations, name: str, table_name: str | None = None, schema: str | None = None, **named: Any) -> None:
    named.pop("column_name", None)
    operations.drop_index(name, table_name=table_name, schema=schema, **named)


def _add_column_in_batch(batch: BatchOperations, column: Column[Any], **_: Any) -> None:
    batch.add_column(column)
    if isinstance(column.type, SpatialType) and column.type.has_index:
        batch.create_index(f"idx_{batch.impl.table_name}_{column.name}", [column.name], postgresql_using="gist")


def _drop_column_in_batch(batch: BatchOperations, column: str, **named: Any) -> None:
    batch.drop_column(column, **named)


def _create_index_in_batch(batch: BatchOperations, name: str, columns: Sequence[Any], **named: Any) -> None:
    batch.create_index(name, columns, **{"postgresql_using": "gist", **named})


def _drop_index_in_batch(batch: BatchOperations, name: str, **named: Any) -> None:
    named.pop("column_name", None)
    batch.drop_index(name, **named)


_IN_BATCH = {
    "add_geospatial_column": _add_column_in_batch,
    "drop_geospatial_column": _drop_column_in_batch,
    "create_geospatial_index": _create_index_in_batch,
    "drop_geospatial_index": _drop_index_in_batch,
}

PLUGIN = Plugin(
    packages=("geoalchemy2",),
    operations={
        "create_geospatial_table": _create_table,
        "drop_geospatial_table": _drop_table,
        "add_geospatial_column": _add_column,
        "drop_geospatial_column": _drop_column,
        "create_geospatial_index": _create_index,
        "drop_geospatial_index": _drop_index,
    },
)
