"""Drizzle: `0000_name.sql` with `--> statement-breakpoint` between statements, listed in `meta/_journal.json`.

The migrator reads the journal's order and sends every piece between breakpoints on its own, all pending migrations in one transaction
(drizzle-team/drizzle-orm drizzle-orm/src/migrator.ts and pg-core/dialect.ts, migrate). A bare COMMIT in a file leaves that transaction.
"""

import re

from migsafe.errors import UnreadableError
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, listed, version_of
from migsafe.text import Span, read_text

_BREAKPOINT = re.compile(r"--> statement-breakpoint[^\n]*")


def _recognises(folder: Folder) -> bool:
    return folder.holds("meta", "_journal.json") or bool(_folders(folder)) or folder.mentions(_BREAKPOINT)


def _folders(folder: Folder) -> list[str]:
    """The folders of a newer layout: `<timestamp>_name/migration.sql` with a snapshot.json beside it."""
    return [name for name in folder.folders if folder.holds(name, "migration.sql") and folder.holds(name, "snapshot.json")]


def _files(folder: Folder) -> list[MigrationFile]:
    if folders := _folders(folder):
        return [MigrationFile(version_of(name), folder.script(name, "migration.sql")) for name in folders]
    order = _journal(folder)
    names = [f"{tag}.sql" for tag in order if f"{tag}.sql" in folder.files] if order else folder.sql_files
    return listed(folder, names)


def _journal(folder: Folder) -> list[str]:
    """The tags of the journal, in its order; none where it is missing or not as expected."""
    if not folder.holds("meta", "_journal.json"):
        return []
    import json  # noqa: PLC0415  # only Drizzle's folders need it

    try:
        entries = json.loads(read_text(folder.join("meta", "_journal.json")))["entries"]
        return [str(entry["tag"]) for entry in sorted(entries, key=lambda entry: entry["idx"])]
    except (UnreadableError, ValueError, KeyError, TypeError):
        return []


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    chunks: list[Span] = []
    at = 0
    for mark in _BREAKPOINT.finditer(text):
        chunks.append(Span(at, mark.start()))
        at = mark.end()
    chunks.append(Span(at, len(text)))
    return [Migration(file.id, "drizzle", Half(file.up, tuple(chunks), Transaction.FILE))]


DRIZZLE = Runner(
    name="drizzle",
    title="Drizzle",
    recognises=_recognises,
    files=_files,
    read=_read,
    outside="leave the runner's transaction with a COMMIT before it, and open it again with a BEGIN after it",
)
