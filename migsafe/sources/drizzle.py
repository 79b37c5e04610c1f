"""Drizzle: `0000_name.sql` with `--> statement-breakpoint` between statements, listed in `meta/_journal.json`.

The migrator takes the journal's order and sends every part between breakpoints as one query, all pending migrations in one transaction
(drizzle-team/drizzle-orm drizzle-orm/src/migrator.ts and pg-core/dialect.ts, migrate). A COMMIT in a file ends that transaction.
Newer releases give each migration a folder with `migration.sql` and `snapshot.json` instead.
"""

import re

from migsafe.errors import UnreadableError
from migsafe.sources.folders import folders_with
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, single_file_migrations
from migsafe.text import Span, read_text

_BREAKPOINT = re.compile(r"--> statement-breakpoint")


def _recognises(folder: Folder) -> bool:
    return folder.has_file("meta", "_journal.json") or bool(_in_folders(folder)) or folder.mentions(_BREAKPOINT)


def _in_folders(folder: Folder) -> list[str]:
    return [name for name in folders_with(folder, "snapshot.json") if folder.has_file(name, "migration.sql")]


def _files(folder: Folder) -> list[MigrationFile]:
    if inner := _in_folders(folder):
        return [MigrationFile(name, folder.script(name, "migration.sql")) for name in inner]
    order = _journal(folder)
    names = [f"{tag}.sql" for tag in order if f"{tag}.sql" in folder.files] if order else folder.sql_files
    return single_file_migrations(folder, names)


def _journal(folder: Folder) -> list[str]:
    """Returns the tags of the journal, in its order; none if it is missing or has another form."""
    if not folder.has_file("meta", "_journal.json"):
        return []
    import json  # noqa: PLC0415  # only Drizzle's folders need it

    try:
        entries = json.loads(read_text(folder.join("meta", "_journal.json")))["entries"]
        return [str(entry["tag"]) for entry in entries]
    except (UnreadableError, ValueError, KeyError, TypeError):
        return []


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    chunks: list[Span] = []
    start = 0
    for mark in _BREAKPOINT.finditer(text):
        chunks.append(Span(start, mark.start()))
        start = mark.end()
    chunks.append(Span(start, len(text)))
    return [Migration(file.id, "drizzle", Half(file.up, tuple(chunks), Transaction.FILE))]


DRIZZLE = Runner(
    name="drizzle",
    title="Drizzle",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="end the runner's transaction with a COMMIT before it, and begin a new one with a BEGIN after it",
    searches_subfolders=True,
)
