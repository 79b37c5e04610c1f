"""The names that arguments of operations had before Alembic 0.8, which accepted both; Alembic 1 refuses them (Alembic's change log, 0.8.0)."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from alembic.operations import Operations

_CONSTRAINT = {"name": "constraint_name"}
_INDEX = {"name": "index_name", "tablename": "table_name"}
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "drop_constraint": _CONSTRAINT | {"type": "type_", "tablename": "table_name"},
    "create_foreign_key": _CONSTRAINT | {"source": "source_table", "referent": "referent_table"},
    "create_unique_constraint": _CONSTRAINT | {"source": "table_name"},
    "create_check_constraint": _CONSTRAINT | {"source": "table_name"},
    "create_primary_key": _CONSTRAINT | {"cols": "columns"},
    "create_index": _INDEX,
    "drop_index": _INDEX,
    "create_table": {"name": "table_name"},
    "drop_table": {"name": "table_name"},
    "alter_column": {"name": "new_column_name"},
}


def install_older_names() -> None:
    """Lets the operations accept the older names, for the rest of the process."""
    for function, names in _RENAMED.items():
        setattr(Operations, function, _accepting(getattr(Operations, function), names))


def _accepting(function: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **{names.get(name, name): value for name, value in named.items()})

    return wraps(function)(call)
