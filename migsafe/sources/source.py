"""The migrations of one history, in the order in which its runner applies them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from migsafe.errors import UnreadableError
from migsafe.sources.connection_settings import known_connection_setup, known_to_name_own_table
from migsafe.sources.edited_folder import EditedFolder
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.observed_transactions import as_observed
from migsafe.sources.order import lineages, with_ancestors
from migsafe.sources.past import HistoryChanges, history_changes, past_of
from migsafe.sources.psql_variables import is_for_psql
from migsafe.sources.release_files import is_new, paths_of_release
from migsafe.sources.runner import MigrationFile, PsqlSyntax, Runner
from migsafe.sources.templates import filled_in
from migsafe.text import Script

if TYPE_CHECKING:
    from migsafe.sources.git import Comparison

_OWN_SCHEMA = "version_table_schema"
BASE = "base"
"""The version of a database before the first migration, as Alembic calls it."""


class Step(NamedTuple):
    """A migration in its order: a selected one, or one of the history, which only determines the state of the database.
    `transaction_continues` if the next step runs in the same transaction, `transaction_may_continue` if it does so when one run of the runner
    applies both, which is not known. `in_release`: it belongs to the release that the selected migrations are, or are a part of."""

    migration: Migration
    selected: bool
    transaction_continues: bool = False
    transaction_may_continue: bool = False
    in_release: bool = False


class Source:
    """One history: the selected migrations of a folder, and those that they depend on, in the order in which the runner applies them.

    `path` is what the user would type for the folder (or for a single file). The selected migrations of a `release` are applied in one run of
    the runner; otherwise each is deployed by itself. `template_values` are put into the SQL files. `deployed` are the positions of the
    migrations that production has for certain. `new_paths` are those of the files that were added or changed since the revision of git with
    which it was `compared`, selected or not. `to_end`: its steps include the migrations after the last selected one. `reaches_end` unless it
    has later migrations than its steps.
    """

    def __init__(
        self,
        path: str,
        runner: Runner,
        files: Sequence[tuple[MigrationFile, bool]],
        transaction: Transaction | None,
        problems: dict[str, UnreadableError],
        *,
        release: bool = False,
        changes: HistoryChanges | None = None,
        compared: bool = False,
        template_values: Mapping[str, str] | None = None,
        deployed: frozenset[int] = frozenset(),
        to_end: bool = False,
        new_paths: frozenset[str] = frozenset(),
    ) -> None:
        last = [position for position, (_, selected) in enumerate(files) if selected or to_end]
        needed = with_ancestors([file for file, _ in files], last)
        self.path = path
        self.to_end = to_end
        self.runner = runner
        self._all = files
        self._files = [file for position, file in enumerate(files) if position in needed]
        self.reaches_end = len(files) - 1 in needed
        self._transaction = transaction
        self._problems = problems
        self.release = release
        self.changes = changes or HistoryChanges()
        self.compared = compared
        self._new_paths = new_paths
        self._template_values = template_values or {}
        self._deployed = frozenset(files[position][0].id for position in deployed)

    def steps(self) -> Iterator[Step]:
        """Yields the migrations in order; each file is read when it is needed. Files that cannot be read are added to the plan's problems."""
        before: Step | None = None
        for file, selected in self._files:
            for migration in self._read(file):
                if before is not None:
                    together = selected and before.migration.own_transaction_advice is not None
                    # Of a named file it is not known whether the migration before it is deployed; at a revision of git it is.
                    unknown = not self.compared and before.migration.id not in self._deployed if not before.selected else not self.release
                    yield before._replace(
                        transaction_continues=together and before.selected and self.release, transaction_may_continue=together and unknown
                    )
                in_release = file.up.path in self._release_paths and is_new(migration, self.changes.merged.get(file.up.path))
                before = Step(migration, selected, in_release=in_release)
        if before is not None:
            yield before

    @cached_property
    def _release_paths(self) -> frozenset[str]:
        """The paths of the files with the migrations that are deployed together, selected or not."""
        return self._new_paths if self.compared else paths_of_release(self._files) if self.release else frozenset()

    def selected_with_files(self) -> Iterator[tuple[MigrationFile, Migration]]:
        """Yields the selected migrations, each with its files, without reading the history."""
        for file, selected in self._files:
            if selected:
                yield from ((file, migration) for migration in self._read(file))

    def selected(self) -> Iterator[Migration]:
        """Yields the selected migrations, without reading the history."""
        for file, selected in self._files:
            if selected:
                yield from self._read(file)

    def history(self) -> Iterator[Migration]:
        """Yields the migrations before the last selected one that are not selected themselves."""
        for file, selected in self._files:
            if not selected:
                yield from self._read(file)

    def edited(self, scripts: Mapping[str, Script], problems: dict[str, UnreadableError]) -> "Source":
        """Returns the same history with other texts: `scripts` are edited and new files, by their absolute paths. New migrations are selected,
        and so remain those that are selected now. Raises MigsafeError."""
        now = {absolute_path(file.up.path): (file.up.path, selected) for file, selected in self._all}
        if not os.path.isdir(self.path or "."):
            return self._with_files([(file.edited(scripts), selected) for file, selected in self._all], problems)
        files = []
        for file in self.runner.files(EditedFolder(self.path, scripts)):
            absolute = absolute_path(file.up.path)
            # Messages show the path that the user typed.
            path, selected = now.get(absolute, (file.up.path, absolute in scripts))
            up = file.up if path == file.up.path else Script(path, file.up.text if absolute in scripts else None)
            files.append((msgspec.structs.replace(file.edited(scripts), up=up), selected))
        histories = self.runner.databases(files)
        mine = max(histories, key=lambda history: sum(absolute_path(file.up.path) in now for file, _ in history), default=files)
        edited = self._with_files(mine, problems)
        edited._new_paths |= {file.up.path for file, selected in mine if selected and absolute_path(file.up.path) not in now}
        return edited

    def with_only(self, path: str) -> "Source | None":
        """Returns the same history with one selected migration, whose file has an absolute path; None if it contains no such file."""
        files = [(file, absolute_path(file.up.path) == path) for file, _ in self._all]
        return self._with_files(files, self._problems) if any(selected for _, selected in files) else None

    def _with_files(self, files: Sequence[tuple[MigrationFile, bool]], problems: dict[str, UnreadableError]) -> "Source":
        source = Source(
            self.path,
            self.runner,
            files,
            self._transaction,
            problems,
            release=self.release,
            changes=self.changes,
            compared=self.compared,
            template_values=self._template_values,
            to_end=self.to_end,
        )
        source._deployed, source._new_paths = self._deployed, self._new_paths
        return source

    def starting_after(self, version: str, *, is_upgrade: bool = False) -> "Source | None":
        """Returns the same history in which nothing up to a migration is selected; None if it does not contain the migration.

        The rest is only a release if it `is_upgrade`: otherwise the project may have started to use migsafe years ago, and has deployed most of
        it since. An upgrade from `base` is the whole history.
        """
        positions = [position for position, (file, _) in enumerate(self._all) if _is_called(file, version)]
        if not positions and not (is_upgrade and version == BASE):
            return None
        done = with_ancestors([file for file, _ in self._all], positions)
        files = [(file, selected and position not in done) for position, (file, selected) in enumerate(self._all)]
        return Source(
            self.path,
            self.runner,
            files,
            self._transaction,
            self._problems,
            release=self.release or is_upgrade,
            changes=self.changes,
            compared=self.compared,
            template_values=self._template_values,
            deployed=frozenset(done),
        )

    def beginning_at(self, path: str) -> "Source":
        """Returns the last part of the history, from a file on."""
        part, files = copy(self), self._files
        part._files = files[next((number for number, (file, _) in enumerate(files) if file.up.path == path), len(files)) :]
        return part

    def with_text(self, script: Script, problems: dict[str, UnreadableError]) -> "Source":
        """Returns the same history with another text of one of its selected files, at the path of the script. No folder is listed again:
        the file's place in the history remains the same. Files that cannot be read are added to `problems`."""
        edited = copy(self)
        edited._files, edited._problems = [], problems
        for file, selected in self._files:
            text_file = file
            if selected and file.up.path == script.path:
                text_file = msgspec.structs.replace(file.with_text(script), down=file.down)
                lineage = self.lineages[script.path].with_places_of(text_file.lineage)
                edited.__dict__["lineages"] = {**self.lineages, script.path: lineage}
            edited._files.append((text_file, selected))
        return edited

    def compared_with(self, comparison: "Comparison", *, to_end: bool = False) -> "Source":
        """Returns the same history with what has changed in it since a revision of git. Only those selected files remain selected that have
        changed, or whose settings have. That migrations are gone is known only of a whole folder, not of single files of it. `to_end`: the
        steps of a whole folder include its last migration."""
        files = [file for file, _ in self._all]
        in_folder = self.folder is not None and (len(files) > 1 or not self.release)
        past = past_of(comparison, self.path, files) if in_folder else None
        unchanged = past.unchanged_files(files) if past is not None else frozenset()

        def changed(file: MigrationFile) -> bool:
            return file.up.path not in unchanged and file.is_among(comparison.changed)

        changes = history_changes(self.runner, files, changed, past) if past is not None else HistoryChanges()
        if self.release:
            changes = msgspec.structs.replace(changes, gone=None)
        selected = [(file, selected and changed(file)) for file, selected in self._all]
        return Source(
            self.path,
            self.runner,
            selected,
            self._transaction,
            self._problems,
            release=True,
            changes=changes,
            compared=True,
            template_values=self._template_values,
            to_end=to_end and (in_folder or len(files) == 1) and not self.release,
            new_paths=frozenset(file.up.path for file in files if changed(file) and not file.repeatable),
        )

    @property
    def removed(self) -> Migration | None:
        """A migration without SQL for those of the history that are gone, unless a new one replaces them; its file is the first of them."""
        if self.changes.gone is None or self.changes.gone_script is None:
            return None
        half = Half(self.changes.gone_script, (), self.runner.default_transaction)
        return Migration(self.changes.gone.gone[0].version, self.runner.name, half, half)

    @property
    def is_fully_selected(self) -> bool:
        """Whether it has several migrations, and all of them are selected."""
        return len(self._all) > 1 and all(selected for _, selected in self._all)

    @cached_property
    def lineages(self) -> dict[str, Lineage]:
        """The lineages of the selected migrations, by path."""
        changes = self.changes
        return {
            path: msgspec.structs.replace(lineage, late=changes.late.get(path), merged=changes.merged.get(path))
            for path, lineage in lineages(self._all, unique=self.runner.unique_versions).items()
        }

    @property
    def folder(self) -> str | None:
        """A folder that contains files of the history; None for standard input."""
        return next((file.up.path.rpartition("/")[0] or "." for file, _ in self._all if file.up.path != "-"), None)

    @property
    def selected_paths(self) -> list[str]:
        """The paths of the selected files."""
        return [file.up.path for file, selected in self._all if selected]

    @property
    def paths(self) -> list[str]:
        """The paths of the files of its steps, in order."""
        return [file.up.path for file, _ in self._files]

    @property
    def files(self) -> list[MigrationFile]:
        """All its migrations, in the runner's order."""
        return [file for file, _ in self._all]

    @property
    def versions(self) -> list[str]:
        """The versions of all its migrations."""
        return [file.id for file, _ in self._all]

    def _read(self, file: MigrationFile) -> list[Migration]:
        try:
            migrations = self.runner.read(filled_in(file, self._template_values))
        except UnreadableError as error:
            self._problems[error.message] = error
            return []
        migrations = [self._as_run(migration) for migration in migrations]
        if self._transaction:
            return [self._as_configured(migration) for migration in migrations]
        return [as_observed(migration, self.runner, self._deployed_before(file)) for migration in migrations]

    @cached_property
    def connection_setup(self) -> tuple[str, ...]:
        """The SQL that the settings of the project send on each connection."""
        return () if self.folder is None else known_connection_setup(Path(self.folder).absolute())

    @cached_property
    def own_table(self) -> str:
        """The table in which the runner records migrations, if it names that without a schema, and no setting of the project gives another."""
        table = self.runner.own_table
        return "" if self.folder is None or (table and known_to_name_own_table(Path(self.folder).absolute())) else table

    def _as_run(self, migration: Migration) -> Migration:
        down = self._half_as_run(migration.down) if migration.down else None
        return msgspec.structs.replace(migration, up=self._half_as_run(migration.up), down=down)

    def _half_as_run(self, half: Half) -> Half:
        syntax = self.runner.psql_syntax
        sends = syntax is PsqlSyntax.SENT or (syntax is PsqlSyntax.SENT_UNLESS_USED and not is_for_psql(half.script.text))
        return msgspec.structs.replace(
            half,
            setup=(*self.connection_setup, *half.setup),
            own_table=self._own_table_of(half),
            record_table=self.runner.record_table,
            platform=self.runner.platform,
            reads_psql=not sends,
        )

    def _own_table_of(self, half: Half) -> str:
        # Alembic's settings are those of env.py.
        return "" if half.program is not None and _OWN_SCHEMA in half.program.environment else self.own_table

    def _deployed_before(self, file: MigrationFile) -> Iterator[MigrationFile]:
        for earlier, _ in self._all:
            if earlier.up.path == file.up.path:
                return
            if earlier.up.path not in self._release_paths:
                yield earlier

    def _as_configured(self, migration: Migration) -> Migration:
        down = self._half_as_configured(migration.down) if migration.down else None
        up = self._half_as_configured(migration.up)
        return msgspec.structs.replace(migration, up=up, down=down, own_transaction_advice=None, transaction_assumed=False)

    def _half_as_configured(self, half: Half) -> Half:
        # A directive in the file takes precedence over the configuration, which is for all files.
        if self._transaction is None or half.transaction is not self.runner.default_transaction:
            return half
        return msgspec.structs.replace(half, transaction=self._transaction, one_query=False)


def absolute_path(path: str) -> str:
    """Returns a path that begins at the root; links in it stay."""
    return os.path.abspath(path)  # noqa: PTH100  # resolve() asks the file system for each part of each path


def _is_called(file: MigrationFile, version: str) -> bool:
    """Whether `version` names the migration: by its version (42 is 0042) or by its file, with or without the suffix."""
    name = file.up.path.replace("\\", "/").rpartition("/")[2]
    numbers = version.isdecimal() and file.id.isdecimal() and int(version) == int(file.id)
    return numbers or version in (file.id, name, name.removesuffix(".sql"), name.removesuffix(".py"))
