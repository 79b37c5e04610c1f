"""goose: `-- +goose Up` and `-- +goose Down` in one file.

Directives as in pressly/goose internal/sqlparser/parser.go; order by version number. Statements are sent one by one in a transaction
(internal/migrationstats, provider_run.go); `-- +goose NO TRANSACTION` anywhere in the file turns it off for both halves.
"""

import re

from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, by_number, listed
from migsafe.sources.sections import DOWN, UP, sections
from migsafe.text import Span

_DIRECTIVE = re.compile(r"^--\s*\+goose (?P<half>Up|Down)\s*$", re.MULTILINE)
_NO_TRANSACTION = re.compile(r"^--\s*\+goose NO TRANSACTION\s*$", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, sorted((name for name in folder.sql_files if name[:1].isdigit()), key=by_number))


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    transaction = Transaction.NONE if _NO_TRANSACTION.search(text) else Transaction.FILE
    spans: dict[str, list[Span]] = {UP: [], DOWN: []}
    for half, _, span in sections(text, _DIRECTIVE):
        spans[half].append(span)
    down = Half(file.up, tuple(spans[DOWN]), transaction) if spans[DOWN] else None
    return [Migration(file.id, "goose", Half(file.up, tuple(spans[UP]), transaction), down)]


GOOSE = Runner(
    name="goose",
    title="goose",
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside="put `-- +goose NO TRANSACTION` at the top of its file",
)
