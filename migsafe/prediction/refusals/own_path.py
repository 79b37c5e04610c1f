"""The body of an SQL function whose own search_path names no schema of the application: each name in it needs its schema."""

from collections.abc import Iterator
from contextlib import contextmanager

from migsafe.prediction.refusals.later_functions import argument_types, calls_of
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import is_absent_function
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.refusal import Refusal
from migsafe.schema.requirements import missing_relation
from migsafe.schema.routines import own_settings
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

_OF_POSTGRESQL = frozenset(("", "pg_catalog", "pg_temp"))


def refuse_names_without_schema(catalog: Catalog, op: sql.CreateFunction) -> Refusal | None:
    """Returns why PostgreSQL does not create an SQL function with a body as text: it resolves the names in it under the function's own
    search_path (ProcedureCreate in src/backend/catalog/pg_proc.c sets it before the validator runs)."""
    if op.code is None or not _names_no_schema(op):
        return None
    with _without_schemas(catalog):
        for operation in (operation for statement in read(op.code) for operation in statement.operations):
            relation = missing_relation(catalog, operation)
            if relation is not None:
                return _refusal(f"relation {name_in_quotes(relation)}", relation)
            for name, query in calls_of(operation):
                if is_absent_function(catalog, name):
                    return _refusal(f"function {name.name}({argument_types(catalog, name, query)})", name)
    return None


def _names_no_schema(op: sql.CreateFunction) -> bool:
    settings = dict(own_settings(f"SET {option.value}" for option in op.options if option.name == "set"))
    path = settings.get("search_path")
    return path is not None and all(schema.strip().strip('"') in _OF_POSTGRESQL for schema in path.split(","))


@contextmanager
def _without_schemas(catalog: Catalog) -> Iterator[None]:
    """The catalogue as a session with an empty search_path sees it."""
    before = catalog.search_path, catalog.path_is_set
    catalog.search_path, catalog.path_is_set = (), True
    try:
        yield
    finally:
        catalog.search_path, catalog.path_is_set = before


def _refusal(missing: str, name: Name) -> Refusal:
    return Refusal(
        error=f"{missing} does not exist",
        detail="the search_path of the function names no schema in which it could be",
        help=f"-- write the schema before each name in the body, for example public.{name}",
    )
