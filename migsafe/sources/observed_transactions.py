"""Migrations that run outside a transaction although their runner is known to open one: another program of the project applies them.

A project may keep the files of Prisma, Drizzle or golang-migrate, and apply them with a program of its own, or with a setting that is not
in its repository (golang-migrate's `x-multi-statement`). Its history tells: PostgreSQL has accepted every migration that later ones follow.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from migsafe.errors import UnreadableError
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.nontransactional import runs_outside
from migsafe.sources.runner import MigrationFile, Runner
from migsafe.sql.split import RawStatement, split

_PROOFS = 2
"""One file may be a mistake that was corrected in production by hand."""
_ENDS = ("commit", "end", "rollback", "abort")


def as_observed(migration: Migration, runner: Runner, earlier: Iterable[MigrationFile]) -> Migration:
    """Returns a migration as at least two earlier ones have shown that it runs: outside the transaction in which PostgreSQL would refuse it."""
    if not _is_refused(migration.up) or not _is_observed(runner, earlier):
        return migration
    up = replace(migration.up, transaction=Transaction.NONE, one_query=False)
    return replace(migration, up=up, own_transaction_advice=None, transaction_assumed=True)


def _is_refused(half: Half) -> bool:
    """Whether PostgreSQL refuses a script of SQL as it is sent, because a statement in it cannot run in a transaction."""
    if half.program is not None or half.transaction not in (Transaction.FILE, Transaction.QUERY):
        return False
    text = half.script.text
    if not runs_outside(text):
        return False
    if half.transaction is Transaction.FILE:
        return not any(raw.words[0] in _ENDS for raw in _statements(text))
    return any(_is_refused_query(text[chunk.start : chunk.end]) for chunk in half.chunks)


def _is_observed(runner: Runner, earlier: Iterable[MigrationFile]) -> bool:
    return len([*islice((file for file in earlier if _has_run_outside(runner, file)), _PROOFS)]) == _PROOFS


def _has_run_outside(runner: Runner, file: MigrationFile) -> bool:
    try:
        if not runs_outside(file.up.text):
            return False
        return any(_is_refused(migration.up) for migration in runner.read(file))
    except UnreadableError:
        return False


def _is_refused_query(text: str) -> bool:
    several = len([*islice(_statements(text), 2)]) > 1
    return several and runs_outside(text)


def _statements(text: str) -> Iterator[RawStatement]:
    return (raw for raw in split(text) if isinstance(raw, RawStatement))
