"""What the worker uses of SQLAlchemy beyond its documented interface.

The patches of SQLAlchemy's functions are in `sqlalchemy_patches`. See docs/architecture.md; tests/rendering/test_canaries.py checks each
assumption.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, create_engine
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import StaticPool

DISPATCH = "_compiler_dispatch"
"""The method by which SQLAlchemy's compiler asks a type or clause to compile itself."""
IS_TYPE = "_sqla_type"
"""The attribute by which SQLAlchemy recognises an object that can become a column's type."""
_DDL_FILE = str(Path("sqlalchemy", ""))
_FOLDER = str(Path(sqlalchemy.__file__).parent)
_FLUSH_FILES = tuple(str(Path("sqlalchemy", "orm", name)) for name in ("persistence.py", "bulk_persistence.py"))
"""The modules that write changed objects: the flush of a session, and its methods for many objects."""
_INSPECTOR_FILE = str(Path("sqlalchemy", "engine", "reflection"))


def make_engine(url: str, driver: ModuleType, connection_class: type[Connection]) -> Engine:
    """Returns an engine with connections of a class of ours, which does not query the server when it first connects."""
    engine = create_engine(url, module=driver, poolclass=StaticPool, _initialize=False)
    engine._connection_cls = connection_class
    return engine


def bind_processors(compiler: PGCompiler) -> Mapping[str, Callable[[Any], Any] | tuple[Any, ...]]:
    """Returns the functions that convert the parameters of a compiled statement, by parameter."""
    attribute: Any = PGCompiler._bind_processors
    processors: Mapping[str, Callable[[Any], Any] | tuple[Any, ...]] = attribute.fget(compiler)
    return processors


def result_columns(compiled: Any) -> Sequence[tuple[Any, ...]] | None:
    """Returns the columns that a compiled statement returns, as a driver describes them; None if it returns none, or they are not known."""
    columns = getattr(compiled, "_result_columns", None)
    return [(column[0], None, None, None, None, None, None) for column in columns] if columns else None


def live_columns(table: Table) -> Any:
    """Returns the columns of a table as they change; `table.c` may be a copy."""
    return table._columns


def is_in_sqlalchemy(frame: FrameType) -> bool:
    """Whether the frame belongs to SQLAlchemy."""
    return frame.f_code.co_filename.startswith((_FOLDER, "<sqlalchemy"))  # some of its functions are generated


def is_in_inspector(frame: FrameType) -> bool:
    """Whether the frame belongs to SQLAlchemy's inspector."""
    return _INSPECTOR_FILE in frame.f_code.co_filename


def is_writing_objects(frame: FrameType | None) -> bool:
    """Whether a frame is called by a session that writes changed objects."""
    while frame is not None:
        if frame.f_code.co_filename.endswith(_FLUSH_FILES):
            return True
        frame = frame.f_back
    return False


def is_dropping(frame: FrameType | None) -> bool:
    """Whether a frame is called by SQLAlchemy's DROP with `checkfirst`, rather than by its CREATE."""
    while frame is not None:
        name = type(frame.f_locals.get("self")).__name__ if _DDL_FILE in frame.f_code.co_filename else ""
        if name.endswith(("Dropper", "Generator")):
            return name.endswith("Dropper")
        frame = frame.f_back
    return False


def reflect_tables_singly(dialect: type[DefaultDialect]) -> None:
    """Lets a dialect answer the inspector table by table: PostgreSQL's own dialect reads all tables in one catalog query."""
    for name in dir(DefaultDialect):
        if name.startswith(("get_multi_", "has_multi_")):
            setattr(dialect, name, getattr(DefaultDialect, name))
