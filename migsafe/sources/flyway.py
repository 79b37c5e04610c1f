"""Flyway: `V1__name.sql`, `U1__name.sql` to undo it, `R__name.sql` again whenever it changes, `B1__name.sql` as a baseline.

Versioned scripts come in the order of their versions, repeatable ones after them by description (documentation, Migrations). A script runs
in a transaction, its statements one by one, unless a `.sql.conf` beside it says `executeInTransaction=false`, or Flyway's parser notices a
statement that refuses one (flyway-database-postgresql, PostgreSQLParser.detectCanExecuteInTransaction): then the whole script runs without.
"""

import re

from migsafe.sources.migration import Half, Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.sql.split import RawStatement, split
from migsafe.text import Script, read_text

_NAME = re.compile(r"([VUBR])(\d+(?:[._]\d+)*)?__(.*)\.sql$")
_SETTING = re.compile(r"^\s*(?:flyway\.)?executeInTransaction\s*=\s*(true|false)", re.MULTILINE | re.IGNORECASE)
_PERHAPS = re.compile(r"\b(?:concurrently|vacuum|system|reindex|discard|database|tablespace|subscription)\b", re.IGNORECASE)
_NOTICED = (
    *((verb, what) for verb in ("create", "drop") for what in ("database", "tablespace", "subscription")),
    ("alter", "system"),
    ("create", "index", "concurrently"),
    ("create", "unique", "index", "concurrently"),
    ("drop", "index", "concurrently"),
    *(("reindex", what) for what in ("schema", "database", "system")),
    *(("reindex", "verbose", what) for what in ("schema", "database", "system")),
    ("vacuum",),
    ("discard", "all"),
)


def _files(folder: Folder) -> list[MigrationFile]:
    versioned: list[tuple[tuple[int, ...], MigrationFile]] = []
    repeatable: list[tuple[str, MigrationFile]] = []
    undo = {match[2]: name for name in folder.sql_files if (match := _NAME.match(name)) and match[1] == "U"}
    for name in folder.sql_files:
        match = _NAME.match(name)
        if match is None or match[1] == "U":
            continue
        conf = folder.join(f"{name}.conf") if f"{name}.conf" in folder.files else None
        if match[2]:
            down = folder.script(undo[match[2]]) if match[2] in undo else None
            version = tuple(int(part) for part in re.split(r"[._]", match[2]))
            versioned.append((version, MigrationFile(match[2].replace("_", "."), folder.script(name), down, conf)))
        elif match[1] == "R":
            repeatable.append((match[3], MigrationFile(f"R__{match[3]}", folder.script(name), None, conf)))
    in_order = sorted(versioned, key=lambda pair: pair[0])
    return [file for _, file in in_order] + [file for _, file in sorted(repeatable, key=lambda pair: pair[0])]


def _read(file: MigrationFile) -> list[Migration]:
    setting = _SETTING.search(read_text(file.beside)) if file.beside else None
    up = _half(file.up, setting[1].lower() if setting else None)
    return [Migration(file.id, "flyway", up, _half(file.down, None) if file.down else None)]


def _half(script: Script, setting: str | None) -> Half:
    if setting is not None:
        return whole(script, Transaction.FILE if setting == "true" else Transaction.NONE)
    return whole(script, Transaction.NONE if _refuses_transaction(script.text) else Transaction.FILE)


def _refuses_transaction(text: str) -> bool:
    """Whether Flyway notices a statement that cannot run in a transaction."""
    if not _PERHAPS.search(text):
        return False
    return any(isinstance(raw, RawStatement) and any(tuple(raw.words[: len(words)]) == words for words in _NOTICED) for raw in split(text))


FLYWAY = Runner(
    name="flyway",
    title="Flyway",
    recognises=lambda folder: any(_NAME.match(name) for name in folder.sql_files),
    files=_files,
    read=_read,
    outside="give it a script of its own, which Flyway then runs outside a transaction",
)
