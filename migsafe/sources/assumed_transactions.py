"""The transactions of runners that neither a file nor a configuration describes."""

import re
from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.nontransactional import runs_outside
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import MigrationFile
from migsafe.sql.split import RawStatement, split

_NEED_A_BLOCK = ("lock", "savepoint")
"""The first words of LOCK TABLE and SAVEPOINT. PostgreSQL refuses both outside a transaction block (RequireTransactionBlock in utility.c)."""
_BEGINNINGS = ("begin", "start")
_POSSIBLE = lazy_pattern(r"^\s*(?:lock|savepoint)\b", re.IGNORECASE | re.MULTILINE)


class UnknownFile(MigrationFile, frozen=True):
    """A migration of an unknown runner. `in_transaction`: another file of the folder runs only in a transaction that the runner begins."""

    in_transaction: bool = False


def with_evidence(files: Iterable[UnknownFile]) -> list[UnknownFile]:
    """Returns the files of a folder, with what one of them tells about the transactions of all."""
    files = list(files)
    return [replace(file, in_transaction=True) for file in files] if any(map(_is_evidence, files)) else files


def read_unknown(file: MigrationFile, runner: str) -> list[Migration]:
    """Returns the migration of a file whose runner is not known. Each statement is assumed to be a transaction of its own, unless the file runs
    only in a transaction that the runner begins, or another file of its folder does. Raises UnreadableError."""
    text = file.up.text
    in_transaction = isinstance(file, UnknownFile) and file.in_transaction and not _begins(text) and not runs_outside(text)
    transaction = Transaction.FILE if in_transaction or _needs_transaction(text) else Transaction.STATEMENT
    return [replace(migration, transaction_assumed=transaction is Transaction.STATEMENT) for migration in read_pair(file, runner, transaction)]


def _is_evidence(file: MigrationFile) -> bool:
    try:
        text = file.up.head()
    except UnreadableError:
        return False
    return _needs_transaction(text) and not runs_outside(text)


def _needs_transaction(text: str) -> bool:
    """Whether a script has LOCK TABLE or SAVEPOINT before any BEGIN of its own."""
    return _POSSIBLE.search(text) is not None and _first(text, (*_NEED_A_BLOCK, *_BEGINNINGS)) in _NEED_A_BLOCK


def _begins(text: str) -> bool:
    """Whether a script has a BEGIN of its own."""
    return bool(_first(text, _BEGINNINGS))


def _first(text: str, words: tuple[str, ...]) -> str:
    """Returns the first of the words that begins a statement; empty if none does."""
    firsts = (raw.words[0] for raw in split(text) if isinstance(raw, RawStatement))
    return next((word for word in firsts if word in words), "")
