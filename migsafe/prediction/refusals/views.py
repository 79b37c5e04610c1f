"""The limits of CREATE OR REPLACE VIEW (checkViewColumns in src/backend/commands/view.c)."""

from migsafe import expressions
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Query


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
    if old is None or new is None or existing.may_be_older:
        return None
    help = f"-- in one transaction, first: DROP VIEW {op.view};\n-- and grant the privileges on it again"
    help += "\n-- or keep the columns, and add new ones at the end"
    if len(new) < len(old):
        return Refusal(error="cannot drop columns from view", help=help)
    for old_name, new_name in zip(old, new, strict=False):
        if old_name != new_name:
            return Refusal(error=f'cannot change name of view column "{old_name}" to "{new_name}"', help=help)
    return None


def _names(query: Query | None, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Returns the names of a view's columns; None if they depend on `*` or on an expression that PostgreSQL names."""
    found = expressions.all_output_columns(query) if query is not None else None
    if found is None or len(names) > len(found):
        return None
    return (*names, *found[len(names) :])
