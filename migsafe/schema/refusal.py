"""Why PostgreSQL refuses an operation."""

from enum import Enum

from msgspec import Struct


class RefusalKind(Enum):
    """What an operation contradicts."""

    SCHEMA = "schema"
    """The objects of the database, or a limit of PostgreSQL."""
    SESSION = "session"
    """The state of the connection: its transaction, savepoints, settings, prepared statements."""
    TRANSACTION_BLOCK = "transaction block"
    """A command that PostgreSQL does not run inside a transaction block."""
    VERSION = "version"
    """The release: a feature that a later one added."""
    SCRIPT = "script"
    """SQLAlchemy, Alembic or Python: the script fails before it sends anything."""
    SYNTAX = "syntax"
    """PostgreSQL's grammar."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Why PostgreSQL refuses an operation.

    `error` says what is wrong, as the end of a sentence; `detail` what is known beyond it, as a clause without a full stop; `help` is SQL or a
    comment that says what works instead, empty if nothing does.
    """

    error: str
    detail: str = ""
    help: str = ""
    kind: RefusalKind = RefusalKind.SCHEMA

    def __str__(self) -> str:
        return f"{self.error} ({self.detail})" if self.detail else self.error
