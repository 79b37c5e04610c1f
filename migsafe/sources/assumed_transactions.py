"""The transactions of runners that neither a file nor a configuration describes."""

from msgspec.structs import replace

from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import MigrationFile
from migsafe.sql.split import RawStatement, split

_NEED_A_BLOCK = ("lock", "savepoint")
"""The first words of LOCK TABLE and SAVEPOINT. PostgreSQL refuses both outside a transaction block (RequireTransactionBlock in utility.c)."""
_BEGINNINGS = ("begin", "start")


def read_unknown(file: MigrationFile, runner: str) -> list[Migration]:
    """Returns the migration of a file whose runner is not known. Each statement is assumed to be a transaction of its own, unless the file runs
    only in a transaction that the runner begins. Raises UnreadableError."""
    transaction = Transaction.FILE if _needs_transaction(file.up.text) else Transaction.STATEMENT
    return [replace(migration, transaction_assumed=transaction is Transaction.STATEMENT) for migration in read_pair(file, runner, transaction)]


def _needs_transaction(text: str) -> bool:
    """Whether a script has LOCK TABLE or SAVEPOINT before any BEGIN of its own."""
    lowered = text.lower()
    if not any(word in lowered for word in _NEED_A_BLOCK):
        return False
    first_words = (raw.words[0] for raw in split(text) if isinstance(raw, RawStatement))
    return next((word for word in first_words if word in (*_NEED_A_BLOCK, *_BEGINNINGS)), "") in _NEED_A_BLOCK
