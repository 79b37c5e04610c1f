"""Judging files while they are edited, for editors: a file's history stays in memory, and only the text in the editor is judged again."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from migsafe.library.edited_history import EditedHistory, EditedMigration, EditedVerdict
from migsafe.library.plan import can_be_migration
from migsafe.linting.finding import Finding

if TYPE_CHECKING:
    from migsafe.library.fixes import Fixes

__all__ = ["EditedMigration", "EditedVerdict", "EditingSession"]

_MOST_HISTORIES = 8
"""How many files' histories stay in memory."""

_CHECK_SECONDS = 1.0
"""How often files are looked at for changes while one is edited. `note_change` has them looked at in any case."""


class EditingSession:
    """The histories of the files that are being edited.

    A history is read again when something changes that it depends on: another migration, the configuration, a rule, env.py. A session must be
    closed. Only one thread may use it at a time. `no_exec`: no code of a project is run, neither Alembic scripts nor own rules.
    """

    def __init__(self, *, no_exec: bool = False) -> None:
        self.no_exec = no_exec
        self._histories: OrderedDict[str, EditedHistory] = OrderedDict()
        self._checked: dict[str, float] = {}

    def judge(self, path: str, text: str) -> EditedVerdict | None:
        """Judges the text of a file at its place in its history, with the configuration that is nearest to the file. Returns None for a file
        that is not a migration. Raises MigsafeError if it cannot be judged at all, for example because the configuration is invalid."""
        history = self._history(path, text)
        return history.judge(text) if history is not None else None

    def predict(self, path: str, text: str) -> list[EditedMigration]:
        """Returns what the statements of a file do; nothing for a file that is not a migration. Raises MigsafeError."""
        history = self._history(path, text)
        return history.predict(text) if history is not None else []

    def fix(self, path: str, text: str, finding: Finding) -> "Fixes | None":
        """Returns what the fix of a finding in the text of a file does; None for a file that is not a migration. Nothing is written. Raises
        MigsafeError."""
        history = self._history(path, text)
        return history.fix(text, finding) if history is not None else None

    def row_counts(self, path: str) -> Mapping[str, int]:
        """Returns the row counts of the configuration's statistics for a file that was judged, by relation; empty without any."""
        history = self._histories.get(path)
        return history.limits.rows if history is not None and history.migrates else {}

    def has_history(self, path: str) -> bool:
        """Whether the history of a file was read, so that judging the file takes milliseconds. Any thread may ask."""
        return path in self._histories

    def note_change(self) -> None:
        """Notes that some file may have changed. A history whose dependencies are not all known is read again."""
        self._checked.clear()
        for path, history in list(self._histories.items()):
            if not history.is_observed:
                self.forget(path)

    def forget(self, path: str) -> None:
        """Frees what is kept for a file that is no longer edited."""
        history = self._histories.pop(path, None)
        self._checked.pop(path, None)
        if history is not None:
            history.close()

    def close(self) -> None:
        """Frees everything, and ends the processes that render scripts."""
        for path in list(self._histories):
            self.forget(path)

    def _history(self, path: str, text: str) -> EditedHistory | None:
        """Returns the history of a file; None if it is not a migration."""
        history = self._histories.get(path)
        if history is not None and time.monotonic() - self._checked.get(path, -_CHECK_SECONDS) >= _CHECK_SECONDS:
            if not history.is_current():
                self.forget(path)
                history = None
            self._checked[path] = time.monotonic()
        if history is None:
            # Only a revision of Alembic, of all files in Python, is a migration, and most are none.
            if (path.endswith(".py") and "revision" not in text) or not can_be_migration(path):
                return None
            history = self._histories[path] = EditedHistory(path, no_exec=self.no_exec)
            self._checked[path] = time.monotonic()
            while len(self._histories) > _MOST_HISTORIES:
                self.forget(next(iter(self._histories)))
        self._histories.move_to_end(path)
        return history if history.migrates else None
