"""The migrations that the user's paths select."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError, reason_of
from migsafe.paths import with_slashes
from migsafe.sources.alembic.environment import forget_environments
from migsafe.sources.connection_settings import known_connection_setup, known_to_name_own_table
from migsafe.sources.custom import CustomRunner, custom_runner
from migsafe.sources.discovery import Found, Search, folder_of, folders_below, is_part_of_history, migrations_of_folder
from migsafe.sources.exclusion import Exclusion
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Transaction
from migsafe.sources.plain import PLAIN
from migsafe.sources.plan import Plan
from migsafe.sources.runner import Folder, MigrationFile, Runner, Unused, version_of
from migsafe.sources.runners import recognise_runner, runner_named
from migsafe.sources.source import Source
from migsafe.text import Script

_CONFIGURATION = "migsafe.toml"
_NO_SCRIPTS = (".py", ".ini", ".toml")
"""Suffixes of files that are not SQL, in any folder."""


class SourceSettings(Struct, frozen=True):
    """The configuration of migrations: the runner's name (without it, the runner is recognised), how the runner sends a migration without
    directives, the description of a custom runner, which takes precedence over the name, the values of the templates in SQL files, and what is
    not a migration."""

    runner: str | None = None
    transaction: Transaction | None = None
    custom: CustomRunner | None = None
    template_values: Mapping[str, str] = {}
    exclusion: Exclusion = Exclusion()


class NoMigrationsError(MigsafeError):
    """A folder without migrations. `unused` are folders below it whose migrations their runner does not run on PostgreSQL."""

    def __init__(self, message: str, hint: str, unused: Sequence[Unused]) -> None:
        super().__init__(message, hint)
        self.unused = tuple(unused)


class _FolderSelection:
    """The migrations of a folder, and those that the paths have selected so far."""

    def __init__(self, entry: Found) -> None:
        self.folder, self.runner, self.files = entry
        self.up: set[int] = set()
        self.down: set[int] = set()
        self.whole = False

    def in_order(self) -> list[tuple[MigrationFile, bool]]:
        """Returns the files, each with whether it is selected; a selected down file follows its up file."""
        ordered: list[tuple[MigrationFile, bool]] = []
        for position, file in enumerate(self.files):
            ordered.append((file, position in self.up))
            if position in self.down and file.down:
                ordered.append((replace(file, up=file.down, down=None, parents=None, lineage=Lineage()), True))
        return ordered


def find_migrations(paths: Sequence[str], settings: SourceSettings | None = None, text: str | None = None) -> Plan:
    """Returns the migrations at the given paths, and the history before them.

    A folder selects every migration in it and in the folders below. A file selects only itself, and so does the folder of one migration; `-` is
    standard input, or `text` if a program has the SQL. Only what is needed to recognise a runner is read, and standard input. Raises
    MigsafeError for a path that does not exist, cannot be listed or contains no migration, and ConfigError for an unknown runner.
    """
    forget_environments()
    known_connection_setup.cache_clear()
    known_to_name_own_table.cache_clear()
    settings = settings or SourceSettings()
    chosen = custom_runner(settings.custom) if settings.custom else runner_named(settings.runner) if settings.runner else None
    search = Search({}, chosen, settings.exclusion)
    selections: dict[str, _FolderSelection] = {}
    skipped: list[str] = []
    excluded: list[str] = []
    for path in map(with_slashes, paths):
        if path != "-" and settings.exclusion.covers(path):
            excluded.append(path)
            continue
        if path != "-" and _is_folder(path):
            if is_part_of_history(path) and _select_part(selections, path, search):
                continue
            folders = folders_below(path, search) if not _is_foreign(path, search) else []
            if not folders and _select_part(selections, path, search):
                continue
            if not folders and not search.problems:
                raise NoMigrationsError(f"{path}: contains no migrations", _no_migrations(path, search), list(search.unused.values()))
            for entry in folders:
                history = _select_in(selections, entry)
                history.up.update(range(len(entry[2])))
                history.whole = True
                skipped += [unused for unused in _unused_files(entry) if not settings.exclusion.covers(unused)]
        elif not _select_file(selections, path, search, text if path == "-" else None):
            skipped.append(path)
    sources = [
        Source(
            selection.folder.path,
            selection.runner,
            files,
            settings.transaction,
            search.problems,
            release=not selection.whole,
            template_values=settings.template_values,
        )
        for selection in selections.values()
        for files in selection.runner.databases(selection.in_order())
    ]
    for source in sources:
        source.connection_setup, source.own_table  # noqa: B018  # read now, see known_connection_setup
    return Plan(sources, skipped, search.problems, excluded=excluded, unused=list(search.unused.values()))


def _select_in(selections: dict[str, _FolderSelection], entry: Found) -> _FolderSelection:
    # Files of one folder can be those of two runners, where each is recognised by the file that is named.
    key = f"{Path(entry[0].path or '.').resolve()} {entry[1].name}"
    return selections.setdefault(key, _FolderSelection(entry))


def _select_part(selections: dict[str, _FolderSelection], path: str, search: Search) -> bool:
    """Selects the migrations of a folder that is a part of a history; returns whether it is one."""
    migrations = migrations_of_folder(path, search)
    for entry, position in migrations:
        _select_in(selections, entry).up.add(position)
    return bool(migrations)


def _select_file(selections: dict[str, _FolderSelection], path: str, search: Search, text: str | None) -> bool:
    """Selects the migration of a file, or adds why it cannot be read. `text` is its content, if it is not to be read. False for a file that a
    project has for another database."""
    placed = folder_of(path, search) if path != "-" and Path(path).is_file() else None
    if _is_foreign(path, search):
        return False
    if placed:
        entry, position, is_down = placed
        history = _select_in(selections, entry)
        (history.down if is_down else history.up).add(position)
        # Messages show the path that the user typed, not the one through which the folder was recognised.
        file, half = history.files[position], "down" if is_down else "up"
        if getattr(file, half).path != path:
            history.files[position] = replace(file, **{half: Script(path)})
        return True
    if path != "-" and Folder(Path(path).parent.as_posix()).has_for_another_database(Path(path).name):
        return False
    if path.endswith(_NO_SCRIPTS) or (search.chosen and search.chosen.suffix != ".sql"):
        error = UnreadableError(f"{path}: is not a migration", _no_migration(search.chosen))
        search.add(error)
        return True
    script = Script(path, text)
    try:
        script = Script(path, script.text)
    except UnreadableError as error:
        search.add(error)
        return True
    folder = Folder.of_script(path, script)
    runner = search.chosen or recognise_runner(folder)
    name = folder.sql_files[0]
    key = "-" if path == "-" else str(Path(path).resolve())
    entry = (folder, runner or PLAIN, [MigrationFile(version_of(name), script)])
    selections.setdefault(key, _FolderSelection(entry)).up.add(0)
    return True


def _is_foreign(path: str, search: Search) -> bool:
    """Whether a path is below a folder of migrations for another database, among those that were searched."""
    return any(unused.foreign for folder in Path(path).parents if (unused := search.unused.get(folder.as_posix())))


def _is_folder(path: str) -> bool:
    try:
        Path(path).stat()
    except FileNotFoundError as error:
        raise MigsafeError(f"{path}: there is no such file or folder", f"The current folder is {Path.cwd()}.") from error
    except OSError as error:
        raise MigsafeError(f"{path}: cannot be read: {reason_of(error)}", "Check its permissions.") from error
    return Path(path).is_dir()


def _no_migration(chosen: Runner | None) -> str:
    if chosen and chosen.suffix != ".py":
        return f"It is read as a file of {chosen.title}: check `runner` in the configuration."
    return "Name a revision of Alembic, which declares `revision = …` and `down_revision = …`, or the folder that contains them."


def _no_migrations(path: str, search: Search) -> str:
    if search.unused:
        return "\n  ".join(f"{unused.path}: {unused.reason}. {unused.remedy}" for unused in search.unused.values())
    if (Path(path) / _CONFIGURATION).is_file() and Path(path).resolve() != Path.cwd():
        return f"It has a configuration of its own: `--config {Path(path) / _CONFIGURATION}` uses it."
    if search.chosen:
        return f"Its files are read as those of {search.chosen.title}: check `runner` in the configuration."
    return "Name the folder that contains the migrations, or describe the runner in the configuration."


def _unused_files(entry: Found) -> list[str]:
    folder, runner, files = entry
    known = {script.path for file in files for script in (file.up, file.down) if script}
    names = [name for name in folder.files if name.endswith(runner.suffix) and name != "__init__.py"]
    return [path for path in map(folder.join, names) if path not in known]
