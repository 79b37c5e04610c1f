"""graphile-migrate: `committed/<number>-<name>.sql`, with a header, and the uncommitted migration in `current.sql` or `current/`.

As in graphile/migrate: names are a number, then a dash and a slug (migrationFilename.ts); the header is lines `--! Previous: …` and
`--! Hash: …`, which must form a chain, so that a migration between others is refused (migration.ts, getAllMigrations). The text behind it is
sent as one query in a transaction, and outside of one if it begins with `--! no-transaction` (runStringMigration, header.ts). The files in
`current/` are joined into one migration (current.ts); each is read as a migration here. There are no down halves.

Placeholders like `:DATABASE_OWNER` have their values in .gmrc or in the environment. Those without a value in migsafe's configuration are read
as the name in lower case: most stand for roles.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, number_key
from migsafe.text import Script, Span

_COMMITTED, _CURRENT = "committed", "current"
_HEADER = lazy_pattern(r"(?:--! [A-Z]\w*(?::[^\n]*)?\n)*\s*")
_PREVIOUS = lazy_pattern(r"^--! Previous:", re.MULTILINE)
_OUTSIDE = lazy_pattern(r"--!\s*no-transaction\b")
_PLACEHOLDER = lazy_pattern(r"(?<=[\s(,]):([A-Z][A-Z0-9_]+)\b")
_NAME = lazy_pattern(r"(\d+)(?:-[-_a-zA-Z0-9]*)?\.sql")


def _project(folder: Folder) -> Folder | None:
    """Returns the folder that contains `committed`, if this folder is it or one of the two folders in it."""
    home = folder
    if Path(folder.path or ".").absolute().name in (_COMMITTED, _CURRENT):
        above = Path(folder.path).parent if Path(folder.path).name else Path("..")
        home = Folder(above.as_posix()) if (above / _COMMITTED).is_dir() else folder
    return home if _COMMITTED in home.folders and home.subfolder(_COMMITTED).mentions(_PREVIOUS) else None


def _history_folders(folder: Folder) -> list[Folder]:
    home = _project(folder)
    return [home] if home is not None else []


def _files(folder: Folder) -> list[MigrationFile]:
    committed = _numbered(folder, _COMMITTED)
    files = [MigrationFile(_number(name), folder.script(_COMMITTED, name)) for name in committed]
    if _CURRENT in folder.folders:
        return files + [
            MigrationFile(f"current/{_number(name)}", folder.script(_CURRENT, name), is_draft=True) for name in _numbered(folder, _CURRENT)
        ]
    current = f"{_CURRENT}.sql"
    return files + ([MigrationFile(_CURRENT, folder.script(current), is_draft=True)] if current in folder.files else [])


def _numbered(folder: Folder, name: str) -> list[str]:
    scripts = folder.subfolder(name).sql_files if name in folder.folders else []
    return sorted(filter(_NAME.fullmatch, scripts), key=number_key)


def _number(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match[1] if match is not None else name


def _past_files(scripts: Iterable[Script]) -> list[MigrationFile]:
    """Returns the committed migrations; the current one has not run anywhere."""
    by_name = {Path(script.path).name: script for script in scripts if Path(script.path).parent.name == _COMMITTED}
    return [MigrationFile(_number(name), by_name[name]) for name in sorted(filter(_NAME.fullmatch, by_name), key=number_key)]


def _read(file: MigrationFile) -> list[Migration]:
    script = _with_names(file.up)
    text = script.text
    header = _HEADER.match(text)
    start = header.end() if header is not None else 0
    outside = _OUTSIDE.match(text, start) is not None
    half = Half(script, (Span(start, len(text)),), Transaction.QUERY if outside else Transaction.FILE, one_query=not outside)
    return [Migration(file.id, "graphile-migrate", half)]


def _with_names(script: Script) -> Script:
    """Returns the script with a name in place of each placeholder; a space takes the place of the colon, so that all offsets stay."""
    text = _PLACEHOLDER.sub(lambda match: f" {match[1].lower()}", script.text)
    return Script(script.path, text) if text != script.text else script


GRAPHILE_MIGRATE = Runner(
    name="graphile-migrate",
    title="graphile-migrate",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: _project(folder) is not None,
    files=_files,
    read=_read,
    outside_transaction_advice="begin current.sql with `--! no-transaction`, and leave only this statement in it",
    one_statement_outside=True,
    searches_subfolders=True,
    unique_versions=True,
    history_folders=_history_folders,
    past_files=_past_files,
    late=LateHandling.REFUSES,
    retry_advice="run `graphile-migrate migrate` again",
    connection_advice='in .gmrc, `"pgSettings": {"lock_timeout": "2s"}`',
)
