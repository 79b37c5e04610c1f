"""From what the user names to the migrations that are to be judged."""

import os
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.sources import runners
from migsafe.sources.custom import CustomRunner, custom_runner
from migsafe.sources.folders import migration_folder
from migsafe.sources.migration import Half, Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Script

_NOT_ENTERED = frozenset(("node_modules", "__pycache__", "venv", "target", "vendor"))


class SourceSettings(Struct, frozen=True):
    """What a configuration or a command line says about migrations.

    `runner` is a known runner's name, None where the files tell; `transaction` overrides what the runner would do with a migration that has
    no directive of its own; `custom` describes a home-made runner, which then is the only one looked for.
    """

    runner: str | None = None
    transaction: Transaction | None = None
    custom: CustomRunner | None = None


class Plan(Struct):
    """The migrations to judge, in the runner's order, with what could not be read.

    `history` are the files before a migration that was named alone, by its script's path; they are not read here.
    """

    migrations: list[Migration]
    problems: list[UnreadableError]
    history: dict[str, tuple[MigrationFile, ...]]


def find(paths: Sequence[str], settings: SourceSettings | None = None) -> Plan:
    """The migrations at `paths`: files, folders, or `-` for standard input.

    A folder stands for every migration in it and below it, a file for that one alone. Whatever is reached twice is judged once. Raises
    MigsafeError for a path that does not exist, a folder that cannot be read or holds no migration, or an unknown runner; a file that
    cannot be read costs only itself and joins `problems`.
    """
    finder = _Finder(settings or SourceSettings())
    for path in paths:
        if path == "-":
            finder.standard_input()
        elif os.path.isdir(path):
            finder.folder(path)
        elif os.path.exists(path):
            finder.file(path)
        else:
            raise MigsafeError(f"{path}: there is no such file or folder")
    return finder.plan


class _Finder:
    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self.plan = Plan([], [], {})
        self.seen: set[str] = set()
        self.read: set[str] = set()

    def standard_input(self) -> None:
        """What standard input holds, as one migration; its directives tell the runner."""
        script = Script("-")
        try:
            runner = runners.by_directives(script.text) if self.settings.runner is None else self._named()
        except UnreadableError as problem:
            self.plan.problems.append(problem)
            return
        self._read(runner or runners.named("plain"), MigrationFile("-", script))

    def folder(self, path: str) -> None:
        """Every migration in a folder and below it."""
        count, problems = len(self.plan.migrations), len(self.plan.problems)
        found = False
        for runner, files in self._walk(path):
            found = found or bool(files)
            for file in files:
                self._read(runner, file)
        if not found and len(self.plan.migrations) == count and len(self.plan.problems) == problems:
            raise MigsafeError(
                f"{path}: no migration was found here",
                "migsafe reads .sql files; a home-made naming can be described in the configuration (custom-runner).",
            )

    def _walk(self, path: str) -> Iterator[tuple[Runner, list[MigrationFile]]]:
        """The folders with migrations, outermost first; a loop of links ends where it began."""
        real = os.path.realpath(path)
        if real in self.seen:
            return
        self.seen.add(real)
        folder = Folder(path)
        known = self._migrations(folder)
        below = folder.folders
        if known is not None:
            runner, files = known
            yield runner, files
            used = {os.path.dirname(file.up.path) for file in files}
            below = [name for name in below if folder.join(name) not in used]
        for name in below:
            if not name.startswith(".") and name not in _NOT_ENTERED:
                yield from self._walk(folder.join(name))

    def file(self, path: str) -> None:
        """One file alone; what stands before it in its folder is its history."""
        parent = migration_folder(path)
        for where in (parent, os.path.dirname(path) or "."):
            if where is None:
                continue
            known = self._migrations(Folder(where, os.path.basename(path)))
            if known is None:
                continue
            runner, files = known
            for at, file in enumerate(files):
                if _same(file.up.path, path):
                    self.plan.history[path] = tuple(files[:at])
                    self._read(runner, file, as_typed=path)
                    return
                if file.down is not None and _same(file.down.path, path):
                    self._read_down(runner, file, path)
                    return
        runner = self._named() or runners.named("plain")
        self._read(runner, MigrationFile(os.path.basename(path).removesuffix(".sql"), Script(path)))

    def _migrations(self, folder: Folder) -> tuple[Runner, list[MigrationFile]] | None:
        """The runner of a folder and its files; None where it holds no migration."""
        if self.settings.custom is not None:
            runner = custom_runner(self.settings.custom)
        else:
            found = self._named() or runners.recognised(folder)
            if found is None:
                return None
            runner = found
        files = runner.files(folder)
        return (runner, files) if files else None

    def _named(self) -> Runner | None:
        return runners.named(self.settings.runner) if self.settings.runner else None

    def _read(self, runner: Runner, file: MigrationFile, as_typed: str | None = None) -> None:
        if as_typed is not None:
            file = replace(file, up=Script(as_typed))
        real = os.path.realpath(file.up.path) if file.up.path != "-" else "-"
        if real in self.read:
            return
        self.read.add(real)
        try:
            found = runner.read(file)
        except UnreadableError as problem:
            self.plan.problems.append(problem)
            return
        self.plan.migrations += [self._overridden(migration) for migration in found]

    def _read_down(self, runner: Runner, file: MigrationFile, path: str) -> None:
        """A script that takes a migration back, named by the user: judged as what it is."""
        try:
            half = runner.read(file)[0].down
            script = Script(path)
            self.plan.migrations.append(Migration(file.id, runner.name, whole(script, half.transaction if half else Transaction.FILE)))
        except UnreadableError as problem:
            self.plan.problems.append(problem)

    def _overridden(self, migration: Migration) -> Migration:
        """The migration as the configured transaction habit has it; a directive that switched a transaction off stays."""
        wanted = self.settings.transaction
        if wanted is None:
            return migration

        def changed(half: Half) -> Half:
            return half if half.transaction is Transaction.NONE else replace(half, transaction=wanted)

        return replace(migration, up=changed(migration.up), down=changed(migration.down) if migration.down else None)


def _same(one: str, other: str) -> bool:
    return os.path.normpath(one) == os.path.normpath(other) or os.path.realpath(one) == os.path.realpath(other)
