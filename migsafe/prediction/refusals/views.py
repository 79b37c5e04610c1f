"""The limits of CREATE OR REPLACE VIEW (checkViewColumns in src/backend/commands/view.c), and of materialized views."""

from msgspec.structs import replace

from migsafe import expressions
from migsafe.prediction.refusals.definitions import is_built_in
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation, RelationKind
from migsafe.schema.query_tables import known_columns, table_columns
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Query, TypeName


@refuses(sql.CreateView)
def replace_view(catalog: Catalog, op: sql.CreateView) -> Refusal | None:
    """A replaced view keeps its columns, in their order; new ones come at the end."""
    existing = catalog.relation(op.view) if op.or_replace and not op.temporary else None
    if existing is None or existing.name != catalog.in_first_schema(op.view):
        return None
    if existing.kind is not RelationKind.VIEW:
        is_certain = existing.created_in >= 0 and not existing.may_be_older
        detail = f"it is a {existing.kind.value}"
        return Refusal(error=f'"{existing.name.name}" is not a view', detail=detail) if is_certain else None
    old, new = _names(existing.query, tuple(column.name for column in existing.columns)), _names(op.query, op.columns)
    if old is None or new is None:
        old, new = _expanded_names(catalog, existing, op)
    is_renamed = bool(existing.removed_columns) and not existing.columns
    if old is None or new is None or existing.may_be_older or is_renamed:
        return None
    help = f"-- in one transaction, first: DROP VIEW {op.view};\n-- and grant the privileges on it again"
    help += "\n-- or keep the columns, and add new ones at the end"
    if len(new) < len(old):
        return Refusal(error="cannot drop columns from view", help=help)
    for old_name, new_name in zip(old, new, strict=False):
        if old_name != new_name:
            return Refusal(error=f'cannot change name of view column "{old_name}" to "{new_name}"', help=help)
    return _refuse_types(catalog, existing, op.query, old, help)


def _expanded_names(catalog: Catalog, existing: Relation, op: sql.CreateView) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Returns the names of the old and the new columns of a view of which a query has `*`: it stands for the columns at the time of CREATE."""
    old = known_columns(catalog, existing)
    new = expressions.query_columns(op.query, lambda name: table_columns(catalog, name))
    if old is None or new is None or len(op.columns) > len(new):
        return None, None
    names = tuple(column.name for column in new)
    return tuple(column.name for column in old), (*op.columns, *names[len(op.columns) :])


def _refuse_types(catalog: Catalog, existing: Relation, new: Query, names: tuple[str, ...], help: str) -> Refusal | None:
    """Returns the refusal of a query whose columns have other types. Those of user-defined types are not compared."""
    old_columns = known_columns(catalog, existing)
    new_columns = expressions.query_columns(new, lambda name: table_columns(catalog, name))
    for name, old_column, new_column in zip(names, old_columns or (), new_columns or (), strict=False):
        before, after = old_column.type, new_column.type
        if before is None or after is None or not (is_built_in(before) and is_built_in(after)):
            continue
        texts = [_type_text(data_type) for data_type in (before, after)]
        if texts[0] != texts[1]:
            return Refusal(error=f'cannot change data type of view column "{name}" from {texts[0]} to {texts[1]}', help=help)
    return None


def _type_text(data_type: TypeName) -> str:
    """Returns a built-in type as format_type does."""
    text = str(replace(data_type, schema=None, dimensions=min(data_type.dimensions, 1)))
    return text.replace(", ", ",")


@refuses(sql.RefreshMaterializedView)
def refresh(catalog: Catalog, op: sql.RefreshMaterializedView) -> Refusal | None:
    """CONCURRENTLY compares the new rows with those that the view has."""
    view = catalog.relation(op.view)
    if view is None or not view.unpopulated or not op.concurrently:
        return None
    return Refusal(
        error="CONCURRENTLY cannot be used when the materialized view is not populated", help=f"REFRESH MATERIALIZED VIEW {op.view};"
    )


@refuses(sql.Select, sql.Insert, sql.CreateTableAs, sql.CreateMaterializedView)
def read_view(catalog: Catalog, op: sql.Select | sql.Insert | sql.CreateTableAs | sql.CreateMaterializedView) -> Refusal | None:
    """A materialized view that was created or refreshed WITH NO DATA cannot be read."""
    if isinstance(op, sql.CreateTableAs | sql.CreateMaterializedView) and (op.query is None or not op.with_data):
        return None
    for name in op.reads if isinstance(op, sql.Insert) else op.query.reads if op.query is not None else ():
        view = catalog.relation(name)
        if view is not None and view.unpopulated:
            return Refusal(
                error=f'materialized view "{view.name.name}" has not been populated', help=f"-- first: REFRESH MATERIALIZED VIEW {view.name};"
            )
    return None


def _names(query: Query | None, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Returns the names of a view's columns; None if they depend on `*` or on an expression that PostgreSQL names."""
    found = expressions.all_output_columns(query) if query is not None else None
    if found is None or len(names) > len(found):
        return None
    return (*names, *found[len(names) :])
