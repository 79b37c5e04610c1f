"""Which folders of SQL are migrations of a PostgreSQL database in production, and why others are left out."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.setup.rust_features import RUNNERS, crate_database
from migsafe.sources.flyway_locations import why_not_location
from migsafe.sources.plain import NUMBERED
from migsafe.sources.runner import Folder, natural_key
from migsafe.sources.source import Source

_TEST_FOLDERS = frozenset(
    (
        "test tests testdata testing testutil testutils testsupport testhelpers spec specs fixtures example examples sample samples demo docs "
        "vendor third_party e2e"
    ).split()
)
"""Folders whose migrations rarely run in production."""
_OF_TESTS = lazy_pattern(r"^(?:tests?|examples?|samples?)[-_]|[-_](?:tests?|examples?|samples?)$", re.I)
"""Such as `test_migrations`, `migrations_test`, `example_plugin`."""

TESTS = "it looks like tests or examples"
"""The reason for a history that is offered if the repository has no other."""
UNORDERED = "the names of its scripts have no numbers, so their order is not known"

_WITHOUT_RUNNER = ("plain", "versioned")
_OTHER_DATABASES = (
    (
        "ClickHouse",
        # A table can be named cluster: GRANT … ON cluster, CREATE INDEX … ON cluster.
        re.compile(
            r"\bENGINE\s*=?\s*\w*MergeTree\b|\b(?:TABLE|VIEW|DATABASE|DICTIONARY)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?\S+\s+ON\s+CLUSTER\b"
            r"|\bLowCardinality\(",
            re.I,
        ),
    ),
    ("MySQL", re.compile(r"\bENGINE\s*=\s*(?:InnoDB|MyISAM)\b|\bAUTO_INCREMENT\b|\bUNSIGNED\b|\bCHARSET\s*=", re.I)),
    (
        "SQLite",
        re.compile(r"\bAUTOINCREMENT\b|^\s*PRAGMA\s|\bWITHOUT\s+ROWID\b|\b(?:datetime|julianday|strftime|unixepoch)\s*\(\s*'", re.I | re.M),
    ),
    (
        "MySQL or SQLite",
        re.compile(
            r"\b(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?`"
            r"|^\s*(?:ADD\s+(?:COLUMN\s+)?)?\"?\w+\"?\s+(?:(?:TINY|MEDIUM|LONG)?BLOB|DATETIME)\b(?=\s*(?:\(\d+\)\s*)?(?:NOT\b|NULL\b|DEFAULT\b|PRIMARY\b|[,)]|$))",
            re.I | re.M,
        ),
    ),
)
_DATABASE_FOLDER = lazy_pattern(
    r"(?:^|[-_.])(clickhouse|mysql|mariadb|sqlite|mssql|sqlserver|oracle|cassandra|bigquery|snowflake)(?:[-_.]|$)", re.I
)
DUMP = lazy_pattern(r"^-- PostgreSQL database dump|^SELECT pg_catalog\.set_config\('search_path'", re.MULTILINE)
"""What a dump of a schema contains near its beginning."""
_DRAFTS = lazy_pattern(
    r"(?:^|[-_.])(?:drafts?|future|planned|proposed|pending|deferred|postponed|wip|templates?|archived?|unused|optional|deprecated|obsolete|scratch|snippets?)(?:[-_.]|$)",
    re.I,
)
_DEFINES = lazy_pattern(r"^\s*(?:CREATE|ALTER|DROP|COMMENT\s+ON|GRANT|REVOKE|DO\b|INSERT|UPDATE|DELETE)\b", re.I | re.M)
CHANGES = lazy_pattern(
    r"^\s*(?:ALTER\s+(?:TABLE|TYPE|INDEX|SEQUENCE)|CREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX|TYPE|SEQUENCE)|DROP\s+(?:TABLE|INDEX|TYPE))\b",
    re.I | re.M,
)
_SCHEMA = lazy_pattern(r"(?:\w+[-_.])?(?:schema|structure)\.sql$", re.I)
_CREATED = lazy_pattern(
    r"\b(?:CREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)|ADD\s+COLUMN)\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)", re.I
)
"""The name of a table, an index or a column that a migration creates."""
_WORD = lazy_pattern(r"\w+")
_LAST = 3
_UNDOES = lazy_pattern(r"(?:^|[_.-])(?:rollbacks?|downs?|undo|reverts?|downgrades?)(?:[_.-]|$)", re.I)
_OF_MIGRATIONS = lazy_pattern(r"migrat|schema|upgrade|update|patch|change|version|ddl|^db$|^sql$|^database$|evolution", re.I)
_SAMPLE = 12


def left_out(source: Source, path: str, others: Sequence[tuple[str, str]], unread: Mapping[str, int]) -> str:
    """Returns why a history is not offered, as the end of a sentence that begins with "left out:"; empty if it is. `others` are the paths and
    the runners of the other histories of the repository; `unread` the folders of the migrations that migsafe does not read, with how many files
    each has."""
    parts = PurePosixPath(path).parts
    if not _TEST_FOLDERS.isdisjoint(part.lower() for part in parts) or any(_OF_TESTS.search(part) for part in parts):
        return TESTS
    for part in parts:
        if database := other_database(part):
            return f"it is for {database}"
    texts = _sample(source)
    for title, mark in _OTHER_DATABASES:
        if sum(bool(mark.search(text)) for text in texts) * 4 > len(texts):
            return f"it is written for {title}"
    if source.runner.name in RUNNERS and (database := crate_database(Path(source.path).absolute())):
        return f"its crate uses {database}"
    if source.runner.name == "flyway" and (reason := why_not_location(Folder(source.path))):
        return reason
    if source.runner.name == "alembic" and (outer := _outer_revisions(source, path, others)) is not None:
        return f"Alembic does not read the folders in {outer}"
    if source.runner.name not in _WITHOUT_RUNNER:
        return ""
    if texts and all(DUMP.search(text) for text in texts):
        return "it is a dump of the schema"
    if inner := _folder_leading_to(source, path, others):
        return f"it is the schema to which the migrations in {inner} lead"
    if revisions := next((other for other, runner in others if runner == "alembic" and _is_beside(path, other)), None):
        return f"its scripts belong to the revisions in {revisions}"
    if any(_UNDOES.search(part) for part in parts):
        return "its scripts undo migrations"
    changing = sum(bool(CHANGES.search(text)) for text in texts)
    if changing == 0 or (source.runner.name == "plain" and changing * 2 < len(texts)):
        return "most of its scripts change no table: they look like queries"
    if unread.get(path, 0) > len(source.files):
        return "its scripts are few among migrations that migsafe does not read"
    has_other = bool(unread) or any(runner not in _WITHOUT_RUNNER for _, runner in others)
    if has_other and any(_DRAFTS.search(part) for part in parts):
        return "it looks like drafts or an archive"
    if has_other and not any(_OF_MIGRATIONS.search(part) for part in parts):
        return "no runner is recognised, and other migrations have one"
    if unread and source.runner.name == "plain" and not any(NUMBERED.match(file.up.path.rpartition("/")[2]) for file in source.files):
        return "its scripts have no order, and other migrations have one"
    return ""


def _folder_leading_to(source: Source, path: str, others: Sequence[tuple[str, str]]) -> str | None:
    """Returns the folder of migrations below that of a lone `schema.sql` which holds what the last of them create: new databases begin with it,
    and the others get there with the migrations. A schema with which all begin holds none of it."""
    if [_SCHEMA.match(file.up.path.rpartition("/")[2]) is not None for file in source.files] != [True]:
        return None
    names = set(_WORD.findall(source.files[0].up.text.lower()))
    for other, _ in others:
        if other != path and PurePosixPath(other).is_relative_to(path):
            folder = Path(source.path, PurePosixPath(other).relative_to(path))
            scripts = sorted(folder.rglob("*.sql"), key=lambda script: natural_key(script.name), reverse=True)
            all_created = (_CREATED.findall(script.read_text("utf-8", "replace").lower()) for script in scripts)
            # What earlier ones create may have been dropped or renamed since.
            last = list(islice(filter(None, all_created), _LAST))
            if 2 * sum(not names.isdisjoint(created) for created in last) > len(last):
                return other
    return None


def other_database(part: str) -> str | None:
    """Returns the database other than PostgreSQL that a part of a path names; None if it names none."""
    match = _DATABASE_FOLDER.search(part)
    return match[1] if match else None


def _outer_revisions(source: Source, path: str, others: Sequence[tuple[str, str]]) -> str | None:
    """Returns the folder of Alembic's revisions that contains a folder of others without an env.py of its own. Those that the settings name
    are one history with it."""
    folder = Path(source.path)
    if any((place / "env.py").exists() for place in (folder, folder.parent)):
        return None
    return next((other for other, runner in others if runner == "alembic" and PurePosixPath(path).is_relative_to(other)), None)


def _is_beside(path: str, revisions: str) -> bool:
    """Whether a folder is in the one that contains the folder of Alembic's revisions, where env.py is."""
    home = PurePosixPath(revisions).parent if PurePosixPath(revisions).name == "versions" else PurePosixPath(revisions)
    return home != PurePosixPath(".") and PurePosixPath(path).is_relative_to(home)


def _sample(source: Source) -> list[str]:
    """Returns the SQL of a few migrations: the first ones, and the last. None of programs."""
    if source.runner.suffix != ".sql":
        return []
    texts = []
    for migration in islice(source.selected(), 400):
        try:
            texts.append(migration.up.script.text)
        except UnreadableError:
            continue
    chosen = texts if len(texts) <= _SAMPLE else [*texts[: _SAMPLE // 2], *texts[-_SAMPLE // 2 :]]
    return [text for text in chosen if _DEFINES.search(text)] or chosen
