"""Runners that give each migration a folder: Diesel, Hasura, Prisma."""

import os
import re

from migsafe.errors import UnreadableError
from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import read_text

# Hasura names a folder by the milliseconds since 1970, Diesel by a date (or by zeros, for its first one).
_HASURA = re.compile(r"[1-9]\d{12}(?:_|$)")
_RUN_IN_TRANSACTION = re.compile(r"^\s*run_in_transaction\s*=\s*(true|false)", re.MULTILINE)


def _folders_with(folder: Folder, script: str) -> list[str]:
    return [name for name in folder.folders if folder.holds(name, script)]


def _is_hasura(folder: Folder) -> bool:
    names = _folders_with(folder, "up.sql")
    return bool(names) and all(_HASURA.match(name) for name in names)


def _up_and_down(folder: Folder) -> list[MigrationFile]:
    return [
        MigrationFile(
            name.split("_", 1)[0],
            folder.script(name, "up.sql"),
            folder.script(name, "down.sql") if folder.holds(name, "down.sql") else None,
            folder.join(name, "metadata.toml") if folder.holds(name, "metadata.toml") else None,
        )
        for name in _folders_with(folder, "up.sql")
    ]


def _read_diesel(file: MigrationFile) -> list[Migration]:
    """Diesel runs up.sql as one batch in a transaction (diesel_migrations/src/file_based_migrations.rs); `run_in_transaction = false` in
    metadata.toml leaves the batch, which is one query, alone."""
    transaction = Transaction.FILE
    if file.beside:
        setting = _RUN_IN_TRANSACTION.search(read_text(file.beside))
        if setting and setting[1] == "false":
            transaction = Transaction.QUERY
    return [Migration(file.id, "diesel", whole(file.up, transaction), whole(file.down, transaction) if file.down else None)]


def _read_hasura(file: MigrationFile) -> list[Migration]:
    """Hasura runs up.sql through run_sql, in a transaction (hasura.io/docs, API reference, run_sql)."""
    down = whole(file.down, Transaction.FILE) if file.down else None
    return [Migration(file.id, "hasura", whole(file.up, Transaction.FILE), down)]


def _prisma(folder: Folder) -> list[MigrationFile]:
    return [
        MigrationFile(
            name.split("_", 1)[0],
            folder.script(name, "migration.sql"),
            folder.script(name, "down.sql") if folder.holds(name, "down.sql") else None,
        )
        for name in _folders_with(folder, "migration.sql")
    ]


def _read_prisma(file: MigrationFile) -> list[Migration]:
    """Prisma sends migration.sql as one query (prisma/prisma-engines, schema-engine, apply_script → raw_cmd)."""
    down = whole(file.down, Transaction.QUERY) if file.down else None
    return [Migration(file.id, "prisma", whole(file.up, Transaction.QUERY), down)]


DIESEL = Runner(
    name="diesel",
    title="Diesel",
    recognises=lambda folder: bool(_folders_with(folder, "up.sql")),
    files=_up_and_down,
    read=_read_diesel,
    outside="put `run_in_transaction = false` into a metadata.toml beside its up.sql, and give it this one statement",
)
HASURA = Runner(
    name="hasura",
    title="Hasura",
    recognises=_is_hasura,
    files=_up_and_down,
    read=_read_hasura,
    outside="run it by hand: Hasura runs every migration in a transaction",
)
PRISMA = Runner(
    name="prisma",
    title="Prisma Migrate",
    recognises=lambda folder: any(not folder.holds(name, "snapshot.json") for name in _folders_with(folder, "migration.sql")),
    files=_prisma,
    read=_read_prisma,
    outside="give the statement a migration of its own",
)


def migration_folder(path: str) -> str | None:
    """The folder of migrations that a script in a folder of its own belongs to; None where the script's name says otherwise."""
    if os.path.basename(path) not in ("up.sql", "down.sql", "migration.sql"):
        return None
    return os.path.dirname(os.path.dirname(path)) or "."
