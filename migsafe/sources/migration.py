"""A migration: one unit that a runner applies."""

from bisect import bisect_right
from enum import Enum

from msgspec import Struct

from migsafe.text import Script, Span


class Transaction(Enum):
    """How a runner sends the statements of a migration to PostgreSQL. A BEGIN or COMMIT in the script itself comes on top of it."""

    FILE = "file"
    """The runner opens a transaction, sends every statement, and commits."""

    QUERY = "query"
    """The runner sends each chunk as one simple query. PostgreSQL runs several statements in one query as one implicit transaction, a
    single one as no transaction block (manual, 54.2.2.1, Multiple Statements in a Simple Query)."""

    STATEMENT = "statement"
    """Each statement is its own transaction, as with `psql -f`."""

    NONE = "none"
    """A directive, or the runner's own judgement, switched its transaction off; each statement is its own."""


class Call(Struct, frozen=True):
    """A call in a program that sends something to the server.

    `sql` is what it sends, as a piece of the half's script; `place` is where the call stands in the program. `opaque` says why what it runs
    cannot be known, as the end of a sentence; its `sql` is then the call itself. `certain` is False where the program decides by something
    unknown whether it runs at all. `by_runner` marks the COMMIT and BEGIN that the runner itself sends. `unclear` says what is not known of a
    statement that is known otherwise (a column's type, say), as the end of a sentence.
    """

    sql_span: Span
    file_span: Span
    opaque: str = ""
    certain: bool = True
    by_runner: bool = False
    unknown_part: str = ""


class Program(Struct, frozen=True):
    """A migration that is a program: its script, the function of it that runs, and the calls that it came to, in order."""

    script: Script
    function: str
    calls: tuple[Call, ...] = ()


class Half(Struct, frozen=True):
    """What a runner sends to go one way: up or down.

    `chunks` are the pieces of the script that hold SQL, in the order in which they run; under Transaction.QUERY each is one query. Where
    the migration is a `program`, the script is what it sends, put together; it is empty before somebody has rendered the program.
    `one_query`: under Transaction.FILE, too, each chunk is one query, which shows after a COMMIT in it.
    """

    script: Script
    chunks: tuple[Span, ...]
    transaction: Transaction
    program: Program | None = None
    one_query: bool = False

    @property
    def file(self) -> Script:
        """The script that people edit."""
        return self.program.script if self.program is not None else self.script

    def call(self, offset: int) -> Call | None:
        """The call of the program that sends what stands at an offset of the script."""
        calls = self.program.calls if self.program is not None else ()
        place = bisect_right(calls, offset, key=lambda call: call.sql_span.start)
        return calls[place - 1] if place else None

    def file_span(self, span: Span) -> Span:
        """Where in the file stands what stands in the script."""
        call = self.call(span.start)
        return call.file_span if call is not None else span


class Migration(Struct, frozen=True):
    """One migration of a history.

    `id` is the version as the runner records it (`0002`, `20240102030405`, `1.2`, `author:id`), `runner` the name of the runner whose
    habits `up` and `down` describe. `down` is None where there is no way back. `apart` is for a runner whose transaction goes on to the next
    migration that it applies in the same run: what to do so that it ends with this one, as an imperative; None where it does.
    """

    id: str
    runner: str
    up: Half
    down: Half | None = None
    own_transaction_advice: str | None = None


def whole_script(script: Script, transaction: Transaction, *, one_query: bool = False) -> Half:
    """All of a script, as one chunk. Reads the script; raises UnreadableError."""
    return Half(script, (Span(0, len(script.text)),), transaction, one_query=one_query)
