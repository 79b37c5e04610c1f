"""One version of a document in the editor, and what migsafe knows about it."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pygls import uris

from migsafe.editor.positions import Places
from migsafe.errors import MigsafeError
from migsafe.library.editing import EditedMigration, EditedVerdict, EditingSession
from migsafe.linting.finding import Finding
from migsafe.linting.rule import Rule
from migsafe.linting.verdict import Verdict
from migsafe.paths import relative_path, with_slashes
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.sources import Half
from migsafe.text import Span

if TYPE_CHECKING:
    from migsafe.library.fixes import Fixes

LANGUAGES = {".sql": "sql", ".py": "python"}
"""The suffixes of migrations, and the names of their languages in Markdown."""


class OpenFile(NamedTuple):
    """A file that is open in the editor, with its text there."""

    uri: str
    version: int | None
    text: str


def file_path(uri: str) -> str | None:
    """Returns the path of a document that is a file which can be a migration, relative to the current folder if it is below it. Documents with
    other schemes are not files, for example the version of a file in git beside which an editor shows the changes."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    if not path or os.path.splitext(path)[1] not in LANGUAGES:  # noqa: PTH122
        return None
    relative = relative_path(path)
    return with_slashes(path) if relative.startswith(os.pardir) else relative


class Document:
    """One version of a document. What it is asked for is computed at the first use, by the one thread that uses the session."""

    def __init__(self, session: EditingSession, path: str, text: str, encoding: str, version: int | None = None) -> None:
        self._session = session
        self.path = path
        self.text = text
        self.encoding = encoding
        self.version = version
        self.places = Places(text, encoding)

    @cached_property
    def edited(self) -> EditedVerdict | None:
        """The verdict; None for a file that is not a migration. Raises MigsafeError."""
        return self._session.judge(self.path, self.text)

    @cached_property
    def migrations(self) -> list[EditedMigration]:
        """The migrations of the file, with what their statements do; nothing if that cannot be known."""
        try:
            return self._session.predict(self.path, self.text)
        except MigsafeError:
            return []

    @property
    def findings(self) -> list[Finding]:
        """The findings in the file; nothing if it cannot be judged."""
        verdict = self._verdict
        return [finding for finding in verdict.findings if finding.script.path == self.path] if verdict is not None else []

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules that judged the file, by name."""
        verdict = self._verdict
        return {rule.name: rule for rule in verdict.rules} if verdict is not None else {}

    @property
    def _verdict(self) -> Verdict | None:
        try:
            return self.edited.verdict if self.edited is not None else None
        except MigsafeError:  # told to the user with the diagnostics
            return None

    @property
    def row_counts(self) -> Mapping[str, int]:
        """The row counts of the configuration's statistics, by relation."""
        return self._session.row_counts(self.path)

    @property
    def language(self) -> str:
        """The name of the document's language in Markdown."""
        return LANGUAGES[os.path.splitext(self.path)[1]]  # noqa: PTH122

    def fix(self, finding: Finding) -> "Fixes | None":
        """Returns what the fix of a finding does. Raises MigsafeError."""
        return self._session.fix(self.path, self.text, finding)

    def statements(self) -> Iterator[tuple[Half, StatementPrediction, Span]]:
        """Yields the statements, each with the place that contains it: in a script, the call that sends it."""
        for migration in self.migrations:
            for prediction in migration.statements:
                yield migration.half, prediction, migration.half.call_span(prediction.statement.span)

    def findings_in(self, span: Span) -> list[Finding]:
        """Returns the findings whose places touch a span."""
        return [finding for finding in self.findings if any(touches(place, span) for place in (finding.span, *finding.places))]


def touches(place: Span, span: Span) -> bool:
    """Whether two spans have a character in common, or one ends where the other begins."""
    return place.start <= span.end and span.start <= place.end
