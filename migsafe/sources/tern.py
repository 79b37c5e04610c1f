"""tern: both halves in one file, with `---- create above / drop below ----` between them.

As in jackc/tern v2 migrate/migrate.go: a name begins with a number (migrationPattern), and the database records the last number, so that a
migration below it never runs; the file is divided at the first such line (LoadMigrations); each half is one query in a transaction, which a
line `---- tern: disable-tx ----` in it switches off: the statements are then sent one by one (MigrateTo).

A folder without these lines is tern's if it is named after it (`migrations-tern`), in a project whose go.mod requires tern.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.project_files import mentioned_above
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, number_key, single_file_migrations
from migsafe.text import Script, Span

_DIVIDER = "---- create above / drop below ----"
_OUTSIDE = lazy_pattern(r"^---- tern: disable-tx ----\r?$", re.MULTILINE)
_DIRECTIVE = lazy_pattern(rf"^(?:{_DIVIDER}|---- tern: disable-tx ----)", re.MULTILINE)
_NAME = lazy_pattern(r"\d+_.+\.sql")


def _recognises(folder: Folder) -> bool:
    if folder.mentions(_DIRECTIVE):
        return True
    is_named = "tern" in re.split(r"[\W_]", folder.path.rpartition("/")[2])
    return is_named and any(map(_NAME.fullmatch, folder.sql_files)) and mentioned_above(folder, "go.mod", "github.com/jackc/tern")


def _files(folder: Folder) -> list[MigrationFile]:
    return single_file_migrations(folder, sorted(filter(_NAME.fullmatch, folder.sql_files), key=number_key))


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    up, divider, _ = text.partition(_DIVIDER)
    down = _half(file.up, Span(len(up), len(text))) if divider else None
    return [Migration(file.id, "tern", _half(file.up, Span(0, len(up))), down)]


def _half(script: Script, span: Span) -> Half:
    outside = _OUTSIDE.search(script.text, span.start, span.end) is not None
    return Half(script, (span,), Transaction.NONE if outside else Transaction.FILE, one_query=not outside)


TERN = Runner(
    name="tern",
    title="tern",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="begin it with `---- tern: disable-tx ----`",
    unique_versions=True,
    late=LateHandling.SKIPS,
    psql_syntax=PsqlSyntax.SENT_UNLESS_USED,
    retry_advice="run `tern migrate` again",
)
