"""Runners that neither a file nor a configuration describes: their transactions, and the halves of their files."""

import re
from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.nontransactional import runs_outside
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import MigrationFile
from migsafe.sources.sections import DOWN, UP, sections
from migsafe.sql.lexer import pattern_for
from migsafe.sql.split import MetaCommand, RawStatement, split
from migsafe.text import Script

_NEED_A_BLOCK = ("lock", "savepoint")
"""The first words of LOCK TABLE and SAVEPOINT. PostgreSQL refuses both outside a transaction block (RequireTransactionBlock in utility.c)."""
_BEGINNINGS = ("begin", "start")
_OUTSIDE = lazy_pattern(r"[^/\\]*\.no[_-]?(?:tx|txn|transaction)\.(?:up\.|down\.)?sql$", re.IGNORECASE)
"""A name such as `2_index.notx.sql`: several projects' own runners send such a script outside the transaction that others have."""
_POSSIBLE = lazy_pattern(r"^\s*(?:lock|savepoint)\b", re.IGNORECASE | re.MULTILINE)

_MARK = lazy_pattern(
    r"^[ \t]*--[^\w\n]*(?:migrat\w+[^\w\n]+)?(?P<half>up|down)(?:[^\w\n]+migrat\w+)?[^\w\n]*$(?!\n[ \t]*--[ \t]*\w)",
    re.IGNORECASE | re.MULTILINE,
)
"""A comment that consists of the word `up` or `down`, perhaps beside `migration` or `migrate`, and is not the first line of a sentence."""


class UnknownFile(MigrationFile, frozen=True):
    """A migration of an unknown runner. `in_transaction`: another file of the folder runs only in a transaction that the runner begins, or says
    in its name that it has none."""

    in_transaction: bool = False


def with_evidence(files: Iterable[UnknownFile]) -> list[UnknownFile]:
    """Returns the files of a folder, with what one of them tells about the transactions of all."""
    files = list(files)
    return [replace(file, in_transaction=True) for file in files] if any(map(_is_evidence, files)) else files


def read_unknown(file: MigrationFile, runner: str) -> list[Migration]:
    """Returns the migration of a file whose runner is not known. Each statement is assumed to be a transaction of its own, unless the file runs
    only in a transaction that the runner begins, or another file of its folder does, or is named as one without. Raises UnreadableError."""
    if is_named_outside(file.up.path):
        return read_pair(file, runner, Transaction.NONE)
    text = file.up.text
    in_transaction = isinstance(file, UnknownFile) and file.in_transaction and not _begins(text) and not runs_outside(text)
    transaction = Transaction.FILE if in_transaction or _needs_transaction(text) else Transaction.STATEMENT
    marked = _marked_halves(file.up, transaction) if file.down is None else None
    migrations = read_pair(file, runner, transaction) if marked is None else [Migration(file.id, runner, *marked)]
    return [replace(migration, transaction_assumed=transaction is Transaction.STATEMENT) for migration in migrations]


def _marked_halves(script: Script, transaction: Transaction) -> tuple[Half, Half] | None:
    """Returns the halves of a script that has a mark for the upgrade and after it one for the downgrade, each on a line of its own: a runner
    that sends the whole file would undo each migration. None for any other script."""
    marks = sections(script.text, _MARK)
    if [half for half, _, _ in marks] != [UP, DOWN]:
        return None
    up, down = (span for _, _, span in marks)
    pattern = pattern_for(script.text)
    if any(split(script.text, 0, up.start, pattern)) or any(map(_is_unterminated, split(script.text, up.start, up.end, pattern))):
        return None
    return Half(script, (up,), transaction), Half(script, (down,), transaction)


def _is_unterminated(part: RawStatement | MetaCommand) -> bool:
    return isinstance(part, RawStatement) and part.unterminated is not None


def is_named_outside(path: str) -> bool:
    """Whether the name of a script says that it runs outside a transaction, as `2_index.notx.sql` does."""
    return _OUTSIDE.match(path.replace("\\", "/").rpartition("/")[2]) is not None


def _is_evidence(file: MigrationFile) -> bool:
    if is_named_outside(file.up.path):
        return True
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
