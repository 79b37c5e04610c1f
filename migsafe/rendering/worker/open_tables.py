"""Tables that a script reflects (`Table(…, autoload_with=bind)`), and of which the history does not know all columns.

A column that the script names exists in production, so it is added to the table when it is named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import alembic
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import NullType

from migsafe.rendering.worker.frames import caller
from migsafe.rendering.worker.sqlalchemy_internals import is_in_sqlalchemy, live_columns

_ALEMBIC = str(Path(alembic.__file__).parent)


class OpenColumns:
    """The columns of a table, with those that are named later."""

    def __init__(self, table: Table) -> None:
        self._migsafe = table, live_columns(table)

    def __getattr__(self, name: str) -> Any:
        _, columns = self._migsafe
        if name.startswith("_") or hasattr(columns, name):
            return getattr(columns, name)
        return self._added(name)

    def __getitem__(self, key: Any) -> Any:
        _, columns = self._migsafe
        return self._added(str(key)) if isinstance(key, str) and key not in columns else columns[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._migsafe[1]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._migsafe[1])

    def __len__(self) -> int:
        return len(self._migsafe[1])

    def _added(self, name: str) -> Any:
        table, columns = self._migsafe
        table.append_column(Column(name, NullType()))
        return columns[name]


def add_named_columns(statement: Any, values: Iterable[Any]) -> None:
    """Adds the columns that an INSERT or UPDATE of an open table names in `values`: dictionaries by column, or sequences of them."""
    columns = getattr(getattr(statement, "table", None), "__dict__", {}).get("c")
    if not isinstance(columns, OpenColumns):
        return
    for value in values:
        if isinstance(value, Mapping):
            for name in value:
                if isinstance(name, str):
                    columns[name]
        elif isinstance(value, list | tuple):
            add_named_columns(statement, value)


def adding_columns(values: Callable[..., Any]) -> Any:
    """Returns the method `values` of INSERT and UPDATE for open tables."""

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        add_named_columns(self, (*arguments, named))
        return values(self, *arguments, **named)

    return call


def _is_for_alembic(frame: FrameType | None) -> bool:
    """Whether Alembic reflects the table, to create a copy of it: then it must know all columns."""
    while frame is not None and is_in_sqlalchemy(frame):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_ALEMBIC)


def accepting_autoload(init: Callable[..., None]) -> Any:
    """Returns Table's `__init__` with the `autoload` of SQLAlchemy 1, for tables that are not completely known."""

    def call(self: Table, name: str, metadata: MetaData, *arguments: Any, autoload: bool = False, **named: Any) -> None:
        if autoload and named.get("autoload_with") is None:
            named["autoload_with"] = metadata.__dict__.get("bind")
        bind = named.get("autoload_with")
        run = getattr(getattr(bind, "dialect", None), "run", None)
        answer = run.ask("columns", str(name), named.get("schema")) if run is not None else None
        if answer is None or answer.known or _is_for_alembic(caller()):
            init(self, name, metadata, *arguments, **named)
            return
        try:
            init(self, name, metadata, *arguments, **named)
        except NoSuchTableError:
            del named["autoload_with"]
            init(self, name, metadata, *arguments, **named)
        columns = OpenColumns(self)
        self.__dict__.update(c=columns, columns=columns)

    return call
