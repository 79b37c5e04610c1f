"""Statements of Django's connections."""

import sys
from typing import Any

from migsafe.workload.recording.patching import Patches
from migsafe.workload.recording.recorder import Recorder

NAME = "Django"
MODULE = "django.db.backends.utils"


def listen(utils: Any, patches: Patches, recorder: Recorder) -> None:
    """Reports the statements of all cursors. A project's own wrappers (`execute_wrapper`) are called before: what they reject is not sent."""

    def wrapped(original: Any) -> Any:
        def send(self: Any, sql: Any, params: Any, *context: Any) -> Any:
            if (database := self.db.vendor) != "postgresql":
                recorder.others.add(database)
            recorder.statement(sql if isinstance(sql, (str, bytes)) else str(sql), "pyformat", sys._getframe(1), driver=False)
            return original(self, sql, params, *context)

        return send

    patches.replace(utils.CursorWrapper, "_execute", wrapped)
    patches.replace(utils.CursorWrapper, "_executemany", wrapped)
