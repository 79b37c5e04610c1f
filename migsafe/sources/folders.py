"""Runners with a folder for each migration: Diesel, Hasura, Prisma."""

import re

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, Unused, for_other_database
from migsafe.text import Script

_HASURA = lazy_pattern(r"\d{13}(?:_|$)")
NUMBER_AND_NAME = lazy_pattern(r"\d+-[A-Za-z]")
"""A folder such as `12-add-note`. Diesel would sort these as text, 10 before 9, and its own names have a `_` after the version."""
_RUN_IN_TRANSACTION = lazy_pattern(r"^[ \t]*run_in_transaction[ \t]*=[ \t]*(true|false)", re.MULTILINE)
_PROVIDER = lazy_pattern(r"^\s*provider\s*=\s*\"(\w+)\"", re.MULTILINE)
_PRISMA_PROVIDERS = ("postgresql", "postgres", "cockroachdb")


def folders_with(folder: Folder, script: str) -> list[str]:
    """Returns the names of the subfolders that contain a script of that name."""
    return [name for name in folder.folders if name[0] != "." and folder.has_file(name, script)]


def _first_with(folder: Folder, script: str) -> str | None:
    return next((name for name in folder.folders if name[0] != "." and folder.has_file(name, script)), None)


def _optional(folder: Folder, *names: str) -> Script | None:
    return folder.script(*names) if folder.has_file(*names) else None


def _is_diesel(folder: Folder) -> bool:
    name = _first_with(folder, "up.sql")
    return name is not None and not NUMBER_AND_NAME.match(name)


def _diesel_files(folder: Folder) -> list[MigrationFile]:
    """Diesel's version is the part before the first `_`, without dashes; versions are compared as text
    (diesel-rs/diesel diesel_migrations/migrations_internals/src/lib.rs, version_from_string; src/migration_harness.rs)."""
    versions = sorted((name.split("_")[0].replace("-", ""), name) for name in folders_with(folder, "up.sql"))
    return [
        MigrationFile(
            version,
            folder.script(name, "up.sql"),
            _optional(folder, name, "down.sql"),
            _optional(folder, name, "metadata.toml"),
        )
        for version, name in versions
    ]


def _read_diesel(file: MigrationFile) -> list[Migration]:
    """Diesel sends a script as one batch in a transaction; with `run_in_transaction = false` in metadata.toml, as one
    query outside of one (diesel_migrations/src/file_based_migrations.rs, whose documentation warns of several statements in it)."""
    transaction = Transaction.FILE
    if file.settings_file:
        setting = _RUN_IN_TRANSACTION.search(file.settings_file.text)
        if setting and setting[1] == "false":
            transaction = Transaction.QUERY
    return read_pair(file, "diesel", transaction, one_query=True)


def _is_hasura(folder: Folder) -> bool:
    name = _first_with(folder, "up.sql")
    return name is not None and bool(_HASURA.match(name))


def _hasura_files(folder: Folder) -> list[MigrationFile]:
    """Hasura's version is a number, the time in milliseconds (hasura/graphql-engine cli/migrate/source/parse.go)."""
    numbered = sorted((int(name.split("_")[0]), name) for name in folders_with(folder, "up.sql") if re.match(r"\d+(?:_|$)", name))
    return [MigrationFile(str(number), folder.script(name, "up.sql"), _optional(folder, name, "down.sql")) for number, name in numbered]


def _is_prisma(folder: Folder) -> bool:
    name = _first_with(folder, "migration.sql")
    if name is None or folder.has_file(name, "snapshot.json"):
        return False
    # A folder above that of the migrations may contain a template of the same name.
    return "migration_lock.toml" in folder.files or not any(_has_migrations(folder, each) for each in folder.folders if each[0] != ".")


def _has_migrations(folder: Folder, name: str) -> bool:
    """Whether a subfolder has subfolders with migrations of Prisma."""
    try:
        return _first_with(folder.subfolder(name), "migration.sql") is not None
    except MigsafeError:
        return False


def _prisma_files(folder: Folder) -> list[MigrationFile]:
    """Returns Prisma's migrations in the order of their folders' names (prisma/prisma packages/migrate/src/utils/listMigrations.ts); an empty
    list if they are for another database."""
    if _other_provider(folder):
        return []
    return [
        MigrationFile(name, folder.script(name, "migration.sql"), _optional(folder, name, "down.sql"))
        for name in folders_with(folder, "migration.sql")
    ]


def _other_provider(folder: Folder) -> str:
    """Returns the database that migration_lock.toml names; empty if it is PostgreSQL, or none is named."""
    if "migration_lock.toml" not in folder.files:
        return ""
    try:
        provider = _PROVIDER.search(folder.script("migration_lock.toml").text)
    except UnreadableError:
        return ""
    return provider[1] if provider and provider[1] not in _PRISMA_PROVIDERS else ""


def _prisma_unused(folder: Folder) -> Unused | None:
    provider = _other_provider(folder)
    return for_other_database(folder, "Prisma", len(folders_with(folder, "migration.sql")), provider) if provider else None


DIESEL = Runner(
    name="diesel",
    title="Diesel",
    default_transaction=Transaction.FILE,
    recognises=_is_diesel,
    files=_diesel_files,
    read=_read_diesel,
    outside_transaction_advice="put `run_in_transaction = false` into a metadata.toml in its folder, and leave only this statement in it",
    one_statement_outside=True,
    keeps_session=True,
    own_table="__diesel_schema_migrations",
    record_table="CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, run_on timestamp NOT NULL DEFAULT now())",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `diesel migration run` again",
    searches_subfolders=True,
    # Diesel_migrations, pending_migrations: all that are not recorded.
    late=LateHandling.APPLIES,
)

# Hasura: run_sql runs in a transaction (hasura/graphql-engine server/src-lib/Hasura/Backends/Postgres/DDL/RunSQL.hs, runTxWithCtx and
# runTxWithMetadataCheck around Q.multiQE); nothing in a migration turns it off.
HASURA = Runner(
    name="hasura",
    title="Hasura",
    default_transaction=Transaction.FILE,
    recognises=_is_hasura,
    files=_hasura_files,
    read=lambda file: read_pair(file, "hasura", Transaction.FILE, one_query=True),
    outside_transaction_advice="Hasura cannot do this: run the statement with psql first, and let the migration do nothing if it is done",
    retry_advice="run `hasura migrate apply` again",
    connection_advice="for the role that runs the migrations, `ALTER ROLE … SET lock_timeout = '2s'`",
    searches_subfolders=True,
    # Cli/migrate/migrate.go, readUp: all that are not recorded.
    late=LateHandling.APPLIES,
)

# Prisma: apply_migration_script sends migration.sql with simple_query (prisma/prisma-engines schema-engine/connectors/
# sql-schema-connector/src/flavour/postgres/connector/native/mod.rs).
PRISMA = Runner(
    name="prisma",
    title="Prisma",
    default_transaction=Transaction.QUERY,
    recognises=_is_prisma,
    files=_prisma_files,
    read=lambda file: read_pair(file, "prisma", Transaction.QUERY),
    outside_transaction_advice="put the statement into a separate migration",
    one_statement_outside=True,
    keeps_session=True,
    own_table="_prisma_migrations",
    record_table="""CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
        applied_steps_count integer NOT NULL DEFAULT 0)""",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="`prisma migrate resolve --rolled-back` it, then `prisma migrate deploy`",
    searches_subfolders=True,
    # Schema-engine apply_migrations.rs: all that are not recorded.
    late=LateHandling.APPLIES,
    unused=_prisma_unused,
)
