"""The INSERTs of a dump that need not be judged: what is found about the last judged one stands for them."""

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.linting.rule import Context
from migsafe.linting.suppressions import mentions_migsafe
from migsafe.prediction.equal_inserts import EqualInserts
from migsafe.session import SentStatement
from migsafe.sql.operations import Insert


class UnjudgedInserts:
    """Decides which statements of a migration are judged, and counts the others on the `findings` and on `Context.past`.

    Each statement is passed to `includes`, and to `note_judged` after it is judged; `close` follows the last one.
    """

    def __init__(self, at: Context, findings: list[Finding]) -> None:
        self._at, self._findings = at, findings
        half = at.migration.up
        # A suppression is about one statement, and a program's statements have places of their own.
        self._inserts = EqualInserts() if half.program is None and not mentions_migsafe(half.file) else None
        self._current: Insert | None = None
        self._found = 0
        self._last_judged: dict[Insert, tuple[range, int]] = {}
        """For each INSERT, the numbers of the findings about the last one before those that are skipped, and its position in the past."""

    def includes(self, sent: SentStatement) -> bool:
        """Counts an INSERT that is not worth judging; whether the statement is to be judged."""
        inserts = self._inserts
        if inserts is None:
            return True
        self._current = inserts.key(sent)
        if self._current is None:
            self.close()
            return True
        self._found = len(self._findings)
        return not inserts.count(self._current, sent)

    def note_judged(self) -> None:
        """Notes what was found about the statement that `includes` got last."""
        # A last INSERT that is judged after skipped ones has other findings: if it fails, the migration has failed.
        if self._inserts is not None and self._current is not None and self._current not in self._inserts.skipped:
            self._last_judged[self._current] = range(self._found, len(self._findings)), len(self._at.past) - 1

    def close(self) -> None:
        """Counts the skipped INSERTs where the last judged one is reported."""
        if self._inserts is None or not self._last_judged:
            return
        file_span, past = self._at.migration.up.file_span, self._at.past
        for insert, (number, last) in self._inserts.skipped.items():
            found, position = self._last_judged[insert]
            for each in found:
                finding = self._findings[each]
                self._findings[each] = replace(finding, more=number, places=(finding.span, file_span(last)))
            past[position] = replace(past[position], equal=number, last_equal=last)
        self._last_judged.clear()
        self._inserts.forget()
