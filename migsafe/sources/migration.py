"""A migration: one unit that a runner applies."""

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


class Half(Struct, frozen=True):
    """What a runner sends to go one way: up or down.

    `chunks` are the pieces of the script that hold SQL, in the order in which they run; under Transaction.QUERY each is one query.
    """

    script: Script
    chunks: tuple[Span, ...]
    transaction: Transaction


class Migration(Struct, frozen=True):
    """One migration of a history.

    `id` is the version as the runner records it (`0002`, `20240102030405`, `1.2`, `author:id`), `runner` the name of the runner whose
    habits `up` and `down` describe. `down` is None where there is no way back.
    """

    id: str
    runner: str
    up: Half
    down: Half | None = None


def whole(script: Script, transaction: Transaction) -> Half:
    """All of a script, as one chunk. Reads the script; raises UnreadableError."""
    return Half(script, (Span(0, len(script.text)),), transaction)
