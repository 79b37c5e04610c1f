"""Arguments of operations in forms that newer releases of Alembic refuse.

Before Alembic 0.8, some arguments had other names; it accepted both, and Alembic 1 only the newer ones (Alembic's change log, 0.8.0). Until
Alembic 1.10, optional arguments could be given by their position (change log, 1.11.0; the order is that of the signatures of 1.10.4).
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from alembic.operations import BatchOperations, Operations

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

_CHANGES = "nullable comment server_default new_column_name type_ existing_type existing_server_default existing_nullable existing_comment"
_ACTIONS = "onupdate ondelete deferrable initially match"
_POSITIONS: Mapping[str, tuple[int, str]] = {
    "add_column": (2, "schema"),
    "alter_column": (2, f"{_CHANGES} schema"),
    "bulk_insert": (2, "multiinsert"),
    "create_check_constraint": (3, "schema"),
    "create_foreign_key": (5, f"{_ACTIONS} source_schema referent_schema"),
    "create_index": (3, "schema unique"),
    "create_primary_key": (3, "schema"),
    "create_table_comment": (2, "existing_comment schema"),
    "create_unique_constraint": (3, "schema"),
    "drop_column": (2, "schema"),
    "drop_constraint": (3, "schema"),
    "drop_index": (2, "schema"),
    "drop_table": (1, "schema"),
    "drop_table_comment": (1, "existing_comment schema"),
    "execute": (1, "execution_options"),
    "rename_table": (2, "schema"),
}
"""How many arguments an operation still accepts by position, and the names of those that followed."""
_POSITIONS_IN_BATCH: Mapping[str, tuple[int, str]] = {
    "add_column": (1, "insert_before insert_after"),
    "alter_column": (1, f"{_CHANGES} insert_before insert_after"),
    "create_foreign_key": (4, f"referent_schema {_ACTIONS}"),
    "create_table_comment": (1, "existing_comment"),
    "drop_table_comment": (0, "existing_comment"),
    "execute": (1, "execution_options"),
}


def install_older_arguments() -> None:
    """Lets the operations accept the older names and positions, for the rest of the process."""
    for operations, positions in ((Operations, _POSITIONS), (BatchOperations, _POSITIONS_IN_BATCH)):
        renamed = _RENAMED if operations is Operations else {}
        for function in sorted({*renamed, *positions}):
            accepted, more = positions.get(function, (0, ""))
            accepting = _accepting(getattr(operations, function), renamed.get(function, {}), accepted, more.split())
            setattr(operations, function, accepting)


def _accepting(function: Callable[..., Any], names: Mapping[str, str], accepted: int, more: list[str]) -> Callable[..., Any]:
    def call(operations: Any, *arguments: Any, **named: Any) -> Any:
        named = {names.get(name, name): value for name, value in named.items()}
        if more and accepted < len(arguments) <= accepted + len(more) and not named.keys() & set(more[: len(arguments) - accepted]):
            named.update(zip(more, arguments[accepted:], strict=False))
            arguments = arguments[:accepted]
        return function(operations, *arguments, **named)

    return wraps(function)(call)
