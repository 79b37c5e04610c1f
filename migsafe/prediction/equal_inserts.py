"""The INSERTs of a dump, of which only the first ones need to run: the others do the same to the database, and have the same hazards."""

from msgspec.structs import replace

from migsafe.session import SentStatement
from migsafe.sql.operations import Insert
from migsafe.text import Span

_ENOUGH = 200
"""How many equal INSERTs run. A report needs the places of about a hundred."""

_NOWHERE = Span(0, 0)


class EqualInserts:
    """The INSERTs that were sent since the last statement of another kind, counted by what they do, whichever values they insert.

    `skipped` has, for each, the number of those that need not run, and the place of the last one.
    """

    def __init__(self) -> None:
        self._sent: dict[Insert, int] = {}
        self.skipped: dict[Insert, tuple[int, Span]] = {}

    def key(self, sent: SentStatement) -> Insert | None:
        """Returns what an INSERT does, without its place; None for another statement, or for one that reads tables."""
        operation = sent.statement.operations[0]
        if type(operation) is not Insert or len(sent.statement.operations) > 1 or operation.reads:
            return None
        return replace(operation, span=_NOWHERE)

    def count(self, insert: Insert, sent: SentStatement) -> bool:
        """Counts an INSERT, and returns whether it need not run. The last one of a chunk always runs, because it may end a transaction."""
        number = self._sent[insert] = self._sent.get(insert, 0) + 1
        if number <= _ENOUGH or sent.first or sent.last:
            return False
        self.skipped[insert] = self.skipped.get(insert, (0, _NOWHERE))[0] + 1, sent.statement.span
        return True

    def skips(self, sent: SentStatement) -> bool:
        """Whether a statement is an INSERT that need not run. Counts it, or forgets all before another statement."""
        insert = self.key(sent)
        if insert is None:
            self.forget()
            return False
        return self.count(insert, sent)

    def forget(self) -> None:
        """Forgets all INSERTs, before a statement of another kind."""
        if self._sent:
            self._sent, self.skipped = {}, {}
