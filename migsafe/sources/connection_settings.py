"""The lock_timeout that a project gives to the connections of its runner outside the migrations.

Projects write it into the environment of libpq (`PGOPTIONS`), into the URL of the database (`options=-c%20lock_timeout%3D2s`, `lock_timeout=2s`
in the URLs of lib/pq and pgx, `options[lock_timeout]=2s` in those of sqlx), or into a statement that each new connection executes (Flyway's
`initSql`, `connection-init-sql` of Spring's connection pool). These are in files of settings, in Makefiles and scripts, and in CI jobs. Flyway
runs the callbacks beside its migrations (`beforeMigrate.sql`) on the connection of these. A project's own program that runs the migrations
(`migrate.ts`, `migrations.go`) sends a SET to its connection.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from migsafe.patterns import lazy_pattern
from migsafe.sources.project_files import files_in, readable_text

_SETTINGS_FILE = lazy_pattern(
    r"(?:\.env.*|.*\.(?:env|conf|cfg|ini|toml|properties|ya?ml|hcl|prisma|sh)|[Mm]akefile|justfile|Justfile|Dockerfile.*|Procfile"
    r"|.*config\.(?:[cm]?[jt]s|json))$"
)
_PROGRAM = lazy_pattern(r"[\w.-]*migrat[\w.-]*\.(?:[cm]?[jt]s|go|rs|py|rb|java|kt|cs|clj|exs?|php|scala)$", re.IGNORECASE)
_CALLBACK = lazy_pattern(r"before(?:Each)?Migrate(?:__.*)?\.sql$")
_TEST = lazy_pattern(r"(?:^|[._-])(?:tests?|spec|mocks?)(?:[._-]|$)", re.IGNORECASE)
_LOCK_FILE = lazy_pattern(r"(?:.*[-.]lock(?:\..*)?|pnpm-lock\.yaml)$")
_SUBFOLDERS = ("", "conf", "config", "deploy", "docker", "scripts", "bin", "prisma", "resources", "src/main/resources", ".github/workflows")
_PROGRAM_FOLDERS = ("", "src", "src/db", "src/scripts", "db", "lib", "scripts", "bin", "cmd", "cmd/migrate", "tools")
_LARGEST = 200_000
_ABOVE = 6
_COMMENT = lazy_pattern(r"\s*(?:#|//|--|;)")
_COMMENT_IN_PROGRAM = lazy_pattern(r"\s*(?:#|//|--|/?\*)")
_SET = lazy_pattern(
    r"\bSET\s+(?:SESSION\s+)?lock_timeout(?:\s*=\s*|\s+TO\s+)\\?[\"']?(?P<value>\d[\w.]*(?: (?:ms|s|min))?|\$?\{[^}\s]*\}|%\w)", re.IGNORECASE
)
_SENT_TO_CONNECTIONS = lazy_pattern(
    r"PGOPTIONS|options\s*=|options%|[?&]lock_timeout=|options\[lock_timeout\]|init[-_ ]?sqls?\b", re.IGNORECASE
)
_INIT_SQL = lazy_pattern(r"init[-_ ]?sqls?\b[\"']?\s*[:=]", re.IGNORECASE)
_VALUE = lazy_pattern(r"\block_timeout\]?(?:\s*=\s*|\s+TO\s+|\s+)\\?[\"']?(?P<value>\d[\w.]*(?: (?:ms|s|min))?|\$\{[^}\s]*\})", re.IGNORECASE)
_OWN_TABLE = lazy_pattern(r"SetTableName\(|GOOSE_TABLE\b|\s-{1,2}table[ =]|WithTableName\(|\btable-name\s*=|version_table_schema")
"""How settings and programs name the table of goose and sqlx, and the schema of Alembic's."""
_OFF = lazy_pattern(r"0+(?: ?[a-z]+)?")


def connection_setup(folder: str) -> tuple[str, ...]:
    """Returns the SET statement that has the same effect as the settings of the project of a folder of migrations; empty without any.

    The files nearest to the folder take precedence. Files that cannot be read are left out.
    """
    for number, above in enumerate(_project_folders(folder)):
        for path in _callbacks_in(above) if number == 0 else ():
            for value in _timeouts_that_it_sets(path):
                return (f"SET lock_timeout = '{value}'",)
        for subfolder in _SUBFOLDERS:
            for path in _files_in(above / subfolder):
                for value in _timeouts(path):
                    return (f"SET lock_timeout = '{value}'",)
        for subfolder in _PROGRAM_FOLDERS:
            for path in _programs_in(above / subfolder):
                for value in _timeouts_that_it_sets(path):
                    return (f"SET lock_timeout = '{value}'",)
    return ()


@cache
def known_connection_setup(folder: Path) -> tuple[str, ...]:
    """Returns the connection_setup() of an absolute folder, read once. Migrations contain the result, so a run reads it before the first of
    them, and a checkpoint does not depend on the listing of the folder."""
    return connection_setup(str(folder))


@cache
def known_to_name_own_table(folder: Path) -> bool:
    """Whether the project of an absolute folder of migrations gives its runner a table, in a schema, in which it records them; read once."""
    return any(
        _OWN_TABLE.search(readable_text(path) or "") is not None
        for above in _project_folders(str(folder))
        for names, paths in ((_SUBFOLDERS, _files_in), (_PROGRAM_FOLDERS, _programs_in))
        for name in names
        for path in paths(above / name)
    )


def _project_folders(folder: str) -> list[Path]:
    """Returns a folder and those above it that belong to its project: up to the root of its repository; without a repository, up to the
    current folder, or else its parent."""
    path = Path(folder or ".").absolute()
    folders = [path, *path.parents[:_ABOVE]]
    for number, above in enumerate(folders, 1):
        if (above / ".git").exists():
            return folders[:number]
    current = Path.cwd()
    return folders[: folders.index(current) + 1] if current in folders else folders[:2]


def _files_in(folder: Path) -> Iterator[Path]:
    for entry in files_in(folder):
        if _SETTINGS_FILE.match(entry.name) and not _LOCK_FILE.match(entry.name) and entry.stat().st_size <= _LARGEST:
            yield folder / entry.name


def _programs_in(folder: Path) -> Iterator[Path]:
    """Yields the programs of a folder that run migrations, by their names."""
    for entry in files_in(folder):
        if _PROGRAM.match(entry.name) and not _TEST.search(entry.name) and entry.stat().st_size <= _LARGEST:
            yield folder / entry.name


def _callbacks_in(folder: Path) -> Iterator[Path]:
    """Yields the scripts of a folder of migrations that Flyway runs before these, in the same session."""
    for entry in files_in(folder):
        if _CALLBACK.match(entry.name) and entry.stat().st_size <= _LARGEST:
            yield folder / entry.name


def _timeouts_that_it_sets(path: Path) -> Iterator[str]:
    """Yields the lock timeouts that a program sets for its session; `${variable}` for one that a variable of the program contains."""
    text = readable_text(path)
    if text is None or "lock_timeout" not in text.lower():
        return
    for line in text.splitlines():
        match = None if _COMMENT_IN_PROGRAM.match(line) else _SET.search(line)
        if match is not None and not _OFF.fullmatch(match["value"]):
            yield match["value"] if match["value"][0].isdigit() else "${lock_timeout}"


def _timeouts(path: Path) -> Iterator[str]:
    """Yields the lock timeouts that a file gives to connections."""
    text = readable_text(path)
    if text is None or "lock_timeout" not in text:
        return
    in_init_sql = False
    for line in text.splitlines():
        if _COMMENT.match(line):
            continue
        is_list_item = line.lstrip().startswith("-")
        in_init_sql = bool(_INIT_SQL.search(line)) or (in_init_sql and is_list_item)
        if in_init_sql or _SENT_TO_CONNECTIONS.search(line):
            match = _VALUE.search(unquote(line.replace("+", " ")))
            if match is not None and not _OFF.fullmatch(match["value"]):
                yield match["value"]
