"""Bun, the ORM for Go: `1_name.tx.up.sql` and `1_name.tx.down.sql` in a transaction, `1_name.up.sql` and `1_name.down.sql` outside of one.

As in uptrace/bun migrate/migration.go: the suffix decides about the transaction (NewSQLMigrationFunc); lines `--bun:split` divide a script into
queries, each sent as a whole (Exec); versions are sorted as text (sortAsc), and all that are not recorded run (Unapplied).

Files without a `.tx.` are named like those of golang-migrate. A folder is Bun's if one of its files has the suffix, or a sampled file a
`--bun:split`.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.pairs import find_pairs
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner
from migsafe.text import Script, Span

_TRANSACTIONAL = lazy_pattern(r"\d+_[^.]*\.tx\.(?:up|down)\.sql$")
_IN_TRANSACTION = (".tx.up.sql", ".tx.down.sql")
_NAME = r"(?P<number>\d+)_(?P<name>[^.]*)(?:\.tx)?\.(?P<half>up|down)\.sql$"
_PAIR = lazy_pattern(_NAME)
_SPLIT = lazy_pattern(r"^--bun:split\r?$", re.MULTILINE)


def _recognises(folder: Folder) -> bool:
    if any(map(_TRANSACTIONAL.match, folder.sql_files)):
        return True
    return any(map(_PAIR.match, folder.sql_files)) and folder.mentions(_SPLIT)


def _files(folder: Folder) -> list[MigrationFile]:
    return sorted(find_pairs(folder, _NAME), key=lambda file: file.id)


def _half(script: Script) -> Half:
    text = script.text
    marks = [*_SPLIT.finditer(text)]
    starts, ends = [0, *(mark.end() for mark in marks)], [*(mark.start() for mark in marks), len(text)]
    chunks = tuple(Span(start, end) for start, end in zip(starts, ends, strict=True))
    return Half(script, chunks, Transaction.FILE if script.path.endswith(_IN_TRANSACTION) else Transaction.QUERY, one_query=True)


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "bun", _half(file.up), _half(file.down) if file.down else None)]


BUN = Runner(
    name="bun",
    title="Bun",
    default_transaction=Transaction.QUERY,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="name its file `….up.sql`, without `.tx`, and put `--bun:split` between its statements",
    own_query_advice="put a line `--bun:split` before and after it",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run the migrations again; unless `WithMarkAppliedOnSuccess(true)` is set, roll back the failed one first: it is recorded",
    unique_versions=True,
    late=LateHandling.APPLIES,
)
