"""Folders of migrations at the user's paths, each with its runner."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.exclusion import Exclusion
from migsafe.sources.plain import NUMBERED
from migsafe.sources.runner import OTHER_DATABASES, Folder, MigrationFile, Runner, Unused, folder_identity, natural_key
from migsafe.sources.runners import recognise_runner
from migsafe.sources.versioned import VERSION

_IGNORED_FOLDERS = frozenset(("node_modules", "site-packages", "vendor", "venv", "__pycache__"))
_DOWN_FOLDERS = frozenset(("down", "downs", "rollback", "rollbacks", "revert", "undo"))
_BUILD_FOLDERS = frozenset(("target", "build", "dist", "out"))
_BUILD_FILES = frozenset(("pom.xml", "build.gradle", "build.gradle.kts", "Cargo.toml", "package.json", "pyproject.toml"))
_INNER_SCRIPTS = frozenset(("up.sql", "down.sql", "migration.sql"))
_LEVELS = 4
_NAMED_QUERY = lazy_pattern(r"^--+[ \t]*(?:name[ \t]*:|:name\b)", re.MULTILINE)
"""The line above a query of sqlc, aiosql, yesql, HugSQL or PugSQL."""

Found = tuple[Folder, Runner, list[MigrationFile]]


class Search(Struct, frozen=True):
    """How folders are searched: for the migrations of any runner or of the `chosen` one, without the excluded paths. `problems` receives what
    cannot be read, by its message, `unused` the folders of migrations that their runner does not run, by their path."""

    problems: dict[str, UnreadableError]
    chosen: Runner | None = None
    exclusion: Exclusion = Exclusion()
    unused: dict[str, Unused] = {}

    def add(self, *problems: UnreadableError) -> None:
        """Adds what cannot be read."""
        self.problems.update({problem.message: problem for problem in problems})

    def runner_of(self, folder: Folder) -> Runner | None:
        """Returns the runner of a folder's migrations, which does not list the excluded ones; None if no runner recognises it. Raises
        UnreadableError."""
        runner = self.chosen or recognise_runner(folder)
        return self.exclusion.applied_to(runner) if runner is not None else None


def folders_below(path: str, search: Search) -> list[Found]:
    """Returns the folders of migrations at a path and below it, in the order of their names.

    A folder of plain scripts without numbers counts only if no other folder is found. Raises MigsafeError if the path itself cannot be listed;
    folders below that cannot be listed are among the problems of the search. The application's queries are not migrations.
    """
    folders = list(_walk(Folder(path), search, {folder_identity(path)}, set()))
    in_order = [candidate for candidate in folders if not _is_unordered(candidate)]
    return in_order or [candidate for candidate in map(_without_queries, folders) if candidate[2]]


def _is_unordered(candidate: Found) -> bool:
    folder, runner, _ = candidate
    return runner.name == "plain" and not any(NUMBERED.match(name) for name in folder.sql_files)


def _without_queries(candidate: Found) -> Found:
    folder, runner, files = candidate
    return folder, runner, [file for file in files if not _has_named_queries(file)]


def _has_named_queries(file: MigrationFile) -> bool:
    try:
        return bool(_NAMED_QUERY.search(file.up.text))
    except UnreadableError:
        return False


def _walk(folder: Folder, search: Search, seen: set[tuple[int, int]], yielded: set[tuple[int, int]]) -> Iterator[Found]:
    """Yields the histories of a folder and of the folders below it.

    `seen` are the folders searched so far, `yielded` the folders of the histories yielded so far.
    """
    runner, histories = _histories(folder, search)
    for history_folder, files in histories:
        if runner and folder_identity(history_folder.path) not in yielded:
            yielded.add(folder_identity(history_folder.path))
            yield history_folder, runner, files
    if runner and runner.searches_subfolders and (histories or not search.chosen):
        return
    for name in sorted(folder.folders, key=natural_key):
        path = folder.join(name)
        if _is_ignored(folder, name) or search.exclusion.covers(path) or folder_identity(path) in seen:
            continue
        seen.add(folder_identity(path))
        try:
            inner = Folder(path)
        except MigsafeError as error:
            search.add(UnreadableError(error.message, error.hint))
            continue
        yield from _walk(inner, search, seen, yielded)


def _histories(folder: Folder, search: Search, *, deep: bool = False) -> tuple[Runner | None, list[tuple[Folder, list[MigrationFile]]]]:
    """Returns the runner that recognises a folder, and the folders of its histories that contain migrations.

    `deep`: only a runner that searches subfolders.
    """
    try:
        runner = search.runner_of(folder)
        if runner is None or (deep and not runner.searches_subfolders):
            return None, []
        histories = [(home, runner.files(home)) for home in runner.history_folders(folder)]
    except UnreadableError as error:
        search.add(error)
        return None, []
    for home in [home for home, files in histories if not files]:
        if unused := runner.unused(home):
            search.unused[home.path] = unused
    histories = [(home, files) for home, files in histories if files]
    search.add(*(problem for home, _ in histories for problem in runner.problems(home)))
    return runner, histories


def _is_ignored(folder: Folder, name: str) -> bool:
    lower = name.lower()
    return (
        name[0] == "."
        or lower in _IGNORED_FOLDERS
        or lower in OTHER_DATABASES
        or lower in _DOWN_FOLDERS
        or (lower in _BUILD_FOLDERS and not _BUILD_FILES.isdisjoint(folder.files))
    )


def migrations_of_folder(path: str, search: Search) -> list[tuple[Found, int]]:
    """Returns the migrations of a folder that is itself a part of a history: the folder of one migration (`2026_x/migration.sql`), or of one
    version. Each comes with its place in the whole history. Empty if the folder is not such a part.
    """
    try:
        folder = Folder(path)
    except MigsafeError:
        return []
    names = [name for name in folder.files if name in _INNER_SCRIPTS] or folder.sql_files
    places = (folder_of(folder.join(name) if path != "." else f"./{name}", search) for name in names)
    outer = folder_identity(path)
    # Of a folder with other files, or of a folder that is a history by itself, the parent may say nothing.
    return [(found, position) for found, position, is_down in filter(None, places) if not is_down and folder_identity(found[0].path) != outer]


def is_part_of_history(path: str) -> bool:
    """Whether the names in a folder show that it is a migration, or a version, of a history in the folder above."""
    return bool(VERSION.match(Path(path).absolute().name)) or any((Path(path) / name).is_file() for name in _INNER_SCRIPTS)


def folder_of(path: str, search: Search) -> tuple[Found, int, bool] | None:
    """Returns the folder of migrations that a file belongs to, its position in the runner's order, and whether it is the down file.

    None for a file that is not a migration of its folder. Settings of the runner that cannot be read are among the problems of the search.
    """
    parent = Path(path).parent
    near = [parent, *_above(parent)]
    inside = Path(path).name in _INNER_SCRIPTS or VERSION.match(parent.absolute().name)
    candidates = [*near[1:2], *near[:1], *near[2:]] if inside else near
    best: tuple[Found, int, bool] | None = None
    for candidate in candidates:
        match = _position_of(path, candidate, search, deep=candidate is not parent)
        if match and (best is None or best[0][1].name in ("plain", match[0][1].name)):
            best = match
            if inside and candidate is not parent:
                break
        elif best and best[0][1].name != "plain":
            break
    return best


def _above(parent: Path) -> list[Path]:
    """Returns the parents of a folder, as many as a runner that searches subfolders may need."""
    folders: list[Path] = []
    folder = parent
    for _ in range(_LEVELS - 1):
        if os.path.exists(folder / ".git"):
            break
        above = folder.parent if folder.name not in ("", "..") else folder / ".."
        if above.absolute() == folder.absolute():
            break
        folder = above
        folders.append(folder)
    return folders


def _position_of(path: str, candidate: Path, search: Search, *, deep: bool) -> tuple[Found, int, bool] | None:
    try:
        folder = Folder(candidate.as_posix(), None if deep else Path(path).name)
    except MigsafeError:
        return None
    runner, histories = _histories(folder, search, deep=deep)
    if runner is None:
        return None
    for history_folder, files in histories:
        for position, file in enumerate(files):
            if _is_same_file(file.up.path, path):
                return (history_folder, runner, files), position, False
            if file.down and _is_same_file(file.down.path, path):
                return (history_folder, runner, files), position, True
    return None


def _is_same_file(listed_path: str, given_path: str) -> bool:
    if listed_path.rpartition("/")[2] != re.split(r"[/\\]", given_path)[-1]:
        return False
    return Path(listed_path) == Path(given_path) or (os.path.exists(listed_path) and os.path.samefile(listed_path, given_path))
