"""Statements of SQLAlchemy, sync and asyncio, with any driver."""

import sys
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.recorder import Recorder

NAME = "SQLAlchemy"
MODULE = "sqlalchemy"


def listen(sqlalchemy: Any, patches: Patches, recorder: Recorder) -> None:
    """Reports the statements of all engines. The event is SQLAlchemy's public interface for it."""
    styles = {"numeric_dollar": "numeric", "qmark": "qmark", "named": "named"}

    def before_cursor_execute(connection: Any, cursor: Any, statement: Any, parameters: Any, context: Any, executemany: Any) -> None:
        if (database := connection.dialect.name) != "postgresql":
            recorder.others.add(database)
        style = styles.get(connection.dialect.paramstyle, "pyformat")
        recorder.statement(statement, style, sys._getframe(1), driver=False)

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", before_cursor_execute)
    patches.on_undo(lambda: sqlalchemy.event.remove(sqlalchemy.engine.Engine, "before_cursor_execute", before_cursor_execute))
