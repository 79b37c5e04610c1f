"""Drizzle: `0000_name.sql` with `--> statement-breakpoint` between statements, listed in `meta/_journal.json`.

The migrator takes the journal's order and sends every part between breakpoints as one query, all pending migrations in one transaction
(drizzle-team/drizzle-orm drizzle-orm/src/migrator.ts and pg-core/dialect.ts, migrate). A COMMIT in a file ends that transaction.
Newer releases give each migration a folder with `migration.sql` and `snapshot.json` instead.
"""

from typing import Any

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.folders import folders_with
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import (
    EditHandling,
    Folder,
    MigrationFile,
    Runner,
    Unused,
    for_other_database,
    recorded_name,
    single_file_migrations,
    version_of,
)
from migsafe.text import Span

_ADVICE = "apply each new migration with its own run of `drizzle-kit migrate`"
_DIALECTS = frozenset(("postgresql", "pg"))
_BREAKPOINT = lazy_pattern(r"--> statement-breakpoint")


def _recognises(folder: Folder) -> bool:
    """Recognises a journal, and what drizzle-kit generates. A journal that lists none of the files is left over: something else runs them."""
    if _in_folders(folder):
        return True
    tags = _journal(folder)
    if tags and folder.sql_files:
        return any(f"{tag}.sql" in folder.files for tag in tags)
    return folder.has_file("meta", "_journal.json") or folder.mentions(_BREAKPOINT)


def _in_folders(folder: Folder) -> list[str]:
    return [name for name in folders_with(folder, "snapshot.json") if folder.has_file(name, "migration.sql")]


def _files(folder: Folder) -> list[MigrationFile]:
    if _other_dialect(folder):
        return []
    if inner := _in_folders(folder):
        return [MigrationFile(name, folder.script(name, "migration.sql")) for name in inner]
    order = _journal(folder)
    if not order:
        return single_file_migrations(folder, folder.sql_files)
    return [
        MigrationFile(version_of(f"{tag}.sql"), folder.script(f"{tag}.sql"), ordinal=when)
        for tag, when in order.items()
        if f"{tag}.sql" in folder.files
    ]


def _journal(folder: Folder) -> dict[str, int | None]:
    """Returns the tags of the journal, in its order, each with its time; none if it is missing or has another form."""
    try:
        entries = _content(folder, "meta", "_journal.json")["entries"]
        return {str(entry["tag"]): int(entry["when"]) if "when" in entry else None for entry in entries}
    except (ValueError, KeyError, TypeError):
        return {}


def _other_dialect(folder: Folder) -> str:
    """Returns the database that the journal, or the last snapshot, is for (drizzle-team/drizzle-orm drizzle-kit/src/serializer); empty if it is
    PostgreSQL ("pg" in old releases), or none is named."""
    inner = _in_folders(folder)
    dialect = (_content(folder, inner[-1], "snapshot.json") if inner else _content(folder, "meta", "_journal.json")).get("dialect")
    return dialect if isinstance(dialect, str) and dialect not in _DIALECTS else ""


def _content(folder: Folder, *names: str) -> dict[str, Any]:
    """Returns the object in a JSON file below a folder; an empty one if there is none that can be read."""
    if not folder.has_file(*names):
        return {}
    import json  # noqa: PLC0415  # only Drizzle's folders need it

    try:
        content = json.loads(folder.script(*names).text)
    except (UnreadableError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _unused(folder: Folder) -> Unused | None:
    dialect = _other_dialect(folder)
    return for_other_database(folder, "Drizzle", len(_in_folders(folder) or folder.sql_files), dialect) if dialect else None


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    chunks: list[Span] = []
    start = 0
    for mark in _BREAKPOINT.finditer(text):
        chunks.append(Span(start, mark.start()))
        start = mark.end()
    chunks.append(Span(start, len(text)))
    half = Half(file.up, tuple(chunks), Transaction.FILE)
    return [Migration(file.id, "drizzle", half, own_transaction_advice=_ADVICE)]


def _recorded(file: MigrationFile) -> str:
    """Returns the tag: the migrator compares neither numbers nor texts, so that a file with another tag is a new one, also if its number is the
    same."""
    name = recorded_name(file)
    return file.id if name == "migration.sql" else name


DRIZZLE = Runner(
    name="drizzle",
    title="Drizzle",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="end the runner's transaction with a COMMIT before it, and begin a new one with a BEGIN after it",
    retry_advice="run `drizzle-kit migrate` again",
    searches_subfolders=True,
    # Applies what is younger than the last recorded `when` (pg-core/dialect.ts, migrate; drizzle-orm issue 5316).
    late=LateHandling.SKIPS,
    renamed=EditHandling.IGNORES,
    record=_recorded,
    unused=_unused,
)
