"""Flyway: `V1__name.sql`, `U1__name.sql` to undo it, `R__name.sql` to run again when it changes.

Names as in flyway/flyway flyway-core ResourceNameParser; the prefix V can be another text, or none (`sqlMigrationPrefix`). Folders below belong
to the same location (FileSystemScanner), and several locations are one history. Versioned scripts
come in the order of their versions, numbers separated by dots or underscores (MigrationVersion); repeatable ones after them by description.
Baselines (`B1__name.sql`) replace earlier migrations on a new database: the last one before all versioned scripts is the first migration, and
others are left out, because the scripts that they replace are still there. The callbacks that run after migrations (`afterMigrate.sql`,
`afterEachMigrate__name.sql`) run in each `flyway migrate`, in transactions of their own, so they are repeatable scripts at the end (its
SqlScriptCallbackFactory and DefaultCallbackExecutor). Those that run before migrations are left out, apart from their `lock_timeout`: they run
before the history begins, and may expect what it has made.

A script runs in a transaction, its statements one by one, unless a `.sql.conf` file of the same name says `executeInTransaction=false`
(SqlScriptMetadata), or Flyway's parser recognises a statement that is impossible in one (flyway-database-postgresql, PostgreSQLParser.
detectCanExecuteInTransaction): then the whole script runs without one (ParserSqlScript.executeInTransaction). Flyway rejects a script with
such statements and others, unless `mixed` is set; a `.conf` file does not change that (SqlScript.addStatement). The setting may be where
migsafe does not look, but then older scripts were applied with it: only the last script of a history is taken to be refused, if no other one is
mixed.

From 9.1 on, Flyway locks its history with pg_try_advisory_xact_lock, on a connection of its own, in a transaction that lasts as long as
the run (flyway-database-postgresql, PostgreSQLAdvisoryLockTemplate; flyway issues 2895, 3492 and 3508).
`postgresql.transactional.lock=false` makes it a session lock. No other supported runner holds a transaction open while it sends a migration
on another connection: golang-migrate, goose, Prisma, Atlas and sqlx lock with pg_advisory_lock, outside a transaction; Liquibase and yoyo
commit the row that is their lock; dbmate, Diesel, pop and sql-migrate lock nothing.
"""

import itertools
import re
from collections.abc import Mapping

from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.sources.flyway_locations import folders_of_history
from migsafe.sources.flyway_settings import FlywaySettings
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, RunnerTransaction, Transaction, whole_script
from migsafe.sources.nontransactional import find_nontransactional
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, Runner, recorded_name, subfolders
from migsafe.sql.split import RawStatement, split
from migsafe.text import Script

_REPEATABLE = "R__"
_AFTER_PREFIX = r"(\d+(?:[._]\d+)*)?(?:__(.*))?\.sql$"
_NAME = lazy_pattern(rf"([VURB]){_AFTER_PREFIX}")
_NAME_WITH_OTHER_PREFIX = lazy_pattern(r"[^\d]*\d+(?:[._]\d+)*__.*\.sql$")
_CALLBACK = lazy_pattern(r"(?P<event>afterEachMigrate|afterVersioned|afterMigrateApplied|afterMigrate)(?P<description>__.*)?\.sql$")
_AFTER_EACH = "afterEachMigrate"
_SETTING = lazy_pattern(r"^\s*executeInTransaction\s*=\s*(true|false)", re.MULTILINE | re.IGNORECASE)
_NONTRANSACTIONAL = (
    r"(?:create|drop) (?:database|tablespace|subscription)\b",
    r"alter system\b",
    r"(?:create|drop)(?: unique)? index concurrently\b",
    r"reindex(?: verbose)? (?:schema|database|system)\b",
    r"vacuum\b",
    r"discard all\b",
)
"""The regular expressions of PostgreSQLParser, except ALTER TYPE ADD VALUE, which matters before PostgreSQL 12 only. REINDEX INDEX and
REINDEX TABLE CONCURRENTLY and DETACH PARTITION CONCURRENTLY are not among them."""

_LOCK = RunnerTransaction(
    "in which Flyway holds its lock (pg_try_advisory_xact_lock)", "set `flyway.postgresql.transactional.lock=false` in Flyway's configuration"
)


class FlywayFile(MigrationFile, frozen=True, kw_only=True):
    """A script, with the settings that apply to its folder."""

    settings: FlywaySettings
    is_first_mixed: bool = False
    """Whether it is the last script, which may not have been applied yet, and the only one with statements that need a transaction and others
    that cannot run in one."""

    @property
    def template_values(self) -> Mapping[str, str]:
        """Flyway's placeholders, and those that it defines itself."""
        return self.settings.placeholders


def _recognises(folder: Folder) -> bool:
    if any(_version(name) or name.startswith(_REPEATABLE) for name in folder.sql_files) or _has_other_prefix(folder):
        return True
    # A module of a project may have that name, too.
    is_named = folder.path.rpartition("/")[2] in ("migration", "migrations") and "src" not in folder.folders
    return is_named and any(_version(name) for inner in subfolders(folder) for name in inner.sql_files) and not _has_separate_histories(folder)


def _has_separate_histories(folder: Folder) -> bool:
    """Whether the folders in a folder are histories of their own, such as those of two databases: each begins to count again, and no setting
    names several of them as locations. A version that stands in two of them by mistake makes no histories."""
    direct = {folder.join(name) for name in folder.folders}
    inside = [inner for inner in subfolders(folder) if inner.path in direct]
    versions = [{_version(name) for each in (inner, *subfolders(inner)) for name in each.sql_files} - {None} for inner in inside]
    counts_again = any(
        len(one & other) > 1 and 2 * len(one & other) >= min(len(one), len(other)) for one, other in itertools.combinations(versions, 2)
    )
    return counts_again and len(FlywaySettings(folder).locations) < 2


def _version(name: str) -> str | None:
    match = _NAME.match(name)
    return match[2] if match and match[1] == "V" and match[3] is not None else None


def _has_other_prefix(folder: Folder) -> bool:
    """Whether the files have the prefix that the settings name. They are searched only for a folder whose files can have one."""
    if not any(map(_NAME_WITH_OTHER_PREFIX.match, folder.sql_files)):
        return False
    prefix = FlywaySettings(folder).prefix
    matches = (_name_pattern(prefix).match(name) for name in folder.sql_files) if prefix is not None else ()
    return any(match is not None and match[1] == prefix and match[2] and match[3] is not None for match in matches)


def _name_pattern(prefix: str | None) -> re.Pattern[str]:
    """Returns the pattern of names whose versioned scripts have a prefix; None is the one that Flyway has by default."""
    return _NAME if prefix is None else re.compile(rf"({re.escape(prefix)}|[URB]){_AFTER_PREFIX}")


def _history_folders(folder: Folder) -> list[Folder]:
    """Returns the first location from which the settings are found, so that each of the locations leads to the same folder."""
    locations = folders_of_history(folder, FlywaySettings(folder))
    if len(locations) == 1:
        return locations
    return [next((each for each in locations if len(folders_of_history(each, FlywaySettings(each))) == len(locations)), folder)]


def _files(folder: Folder) -> list[MigrationFile]:
    versioned: list[tuple[list[int], str, MigrationFile]] = []
    baselines: list[tuple[list[int], str, MigrationFile]] = []
    repeatable: list[tuple[str, MigrationFile]] = []
    callbacks: list[tuple[bool, str, MigrationFile]] = []
    undo: dict[str, Script] = {}
    scripts: list[tuple[re.Match[str], Script, Script | None]] = []
    settings = FlywaySettings(folder)
    prefix = settings.prefix
    pattern = _name_pattern(prefix)
    late = LateHandling.APPLIES if settings.applies_late else None
    for inner in (each for location in folders_of_history(folder, settings) for each in (location, *subfolders(location))):
        for name in inner.sql_files:
            match = pattern.match(name)
            if match and match[1] == "U" and match[2]:
                undo[match[2]] = inner.script(name)
            elif match:
                scripts.append((match, inner.script(name), inner.script(f"{name}.conf") if f"{name}.conf" in inner.files else None))
            elif callback := _CALLBACK.match(name):
                # Folders may have callbacks of the same name.
                called = inner.join(name) if any(other == name for _, other, _ in callbacks) else name.removesuffix(".sql")
                file = FlywayFile(called, inner.script(name), settings=settings, repeatable=True)
                callbacks.append((callback["event"] != _AFTER_EACH, name, file))
    for match, script, settings_file in scripts:
        version = match[2]
        is_versioned = match[1] == ("V" if prefix is None else prefix)
        if (is_versioned or match[1] == "B") and version:
            parts = [int(part) for part in re.split(r"[._]", version)]
            file = FlywayFile(version.replace("_", "."), script, undo.get(version), settings_file, settings=settings, late=late)
            (versioned if is_versioned else baselines).append((_without_last_zeros(parts), match[0], file))
        elif match[1] == "R" and not version and match[3] is not None:
            repeatable.append((match[3], FlywayFile(f"R__{match[3]}", script, None, settings_file, settings=settings, repeatable=True)))
    in_order = sorted(versioned, key=lambda entry: entry[:2])
    before = [entry for entry in baselines if all(entry[0] < other[0] for other in versioned)]
    in_order[:0] = sorted(before, key=lambda entry: entry[:2])[-1:]
    files = [file for *_, file in in_order]
    if files and _is_mixed(files[-1].up) and not any(_is_mixed(file.up) for file in files[:-1]):
        files[-1] = replace(files[-1], is_first_mixed=True)
    files += [file for _, file in sorted(repeatable, key=lambda entry: entry[0])]
    # Without a migration, no callback of migrations runs.
    return files + [file for *_, file in sorted(callbacks, key=lambda entry: entry[:2])] if files else []


def _without_last_zeros(parts: list[int]) -> list[int]:
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return parts


def _record(file: MigrationFile) -> str:
    """Returns the version and the description, which Flyway validates; the folder does not count."""
    return f"{file.id} {recorded_name(file).partition('__')[2]}"


def _read(file: MigrationFile) -> list[Migration]:
    setting = _SETTING.search(file.settings_file.text) if file.settings_file else None
    up = _half(file, file.up, setting[1].lower() if setting else None)
    return [Migration(file.id, "flyway", up, _half(file, file.down, None) if file.down else None, may_change=file.repeatable)]


def _half(file: MigrationFile, script: Script, setting: str | None) -> Half:
    half = _as_sent(script, setting)
    if isinstance(file, FlywayFile):
        half = replace(half, setup=(*file.settings.connection_setup, *half.setup))
    if isinstance(file, FlywayFile) and file.is_first_mixed and script is file.up and not file.settings.accepts_mixed:
        half = replace(half, refused_mix="`flyway.mixed` is not set")
    # The settings are searched only for the few scripts for which they matter.
    if half.transaction is Transaction.FILE or (isinstance(file, FlywayFile) and not file.settings.has_transactional_lock):
        return half
    return replace(half, runner_transaction=_LOCK)


def _is_mixed(script: Script) -> bool:
    """Whether some statements of a script can run in a transaction, and others cannot."""
    outside = sum(1 for _ in find_nontransactional(script.text, _NONTRANSACTIONAL))
    return 0 < outside < sum(isinstance(part, RawStatement) for part in split(script.text))


def _as_sent(script: Script, setting: str | None) -> Half:
    if setting is not None:
        return whole_script(script, Transaction.FILE if setting == "true" else Transaction.NONE)
    runs_outside = next(find_nontransactional(script.text, _NONTRANSACTIONAL), None) is not None
    return whole_script(script, Transaction.NONE if runs_outside else Transaction.FILE)


FLYWAY = Runner(
    name="flyway",
    title="Flyway",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="give it a separate script, with `executeInTransaction=false` in a file of its name and `.conf`",
    index_outside_advice=_LOCK.advice,
    retry_advice="run `flyway migrate` again; after a script without transaction, `flyway repair` first",
    connection_advice="in Flyway's configuration, `flyway.initSql=SET lock_timeout = '2s'`",
    searches_subfolders=True,
    history_folders=_history_folders,
    unique_versions=True,
    # `validate`: “resolved migration not applied”, unless outOfOrder is set; checksums are validated.
    late=LateHandling.REFUSES,
    edited=EditHandling.REFUSES,
    record=_record,
    # JDBCTableSchemaHistory and PostgreSQLDatabase.getRawCreateScript.
    record_table="""CREATE TABLE flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50),
        description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer,
        installed_by varchar(100) NOT NULL,
        installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL)""",
)
