"""The selected migrations, and the history before them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from migsafe.errors import ConfigError, UnreadableError, did_you_mean
from migsafe.sources.connection_settings import known_connection_setup, known_to_name_own_table
from migsafe.sources.edited_folder import EditedFolder
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.observed_transactions import as_observed
from migsafe.sources.order import lineages, with_ancestors
from migsafe.sources.past import HistoryChanges, history_changes, past_of
from migsafe.sources.psql_variables import is_for_psql
from migsafe.sources.release_files import is_new, paths_of_release
from migsafe.sources.runner import MigrationFile, PsqlSyntax, Runner, Unused
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
        now = {_absolute(file.up.path): (file.up.path, selected) for file, selected in self._all}
        if not os.path.isdir(self.path or "."):
            return self._with_files([(file.edited(scripts), selected) for file, selected in self._all], problems)
        files = []
        for file in self.runner.files(EditedFolder(self.path, scripts)):
            absolute = _absolute(file.up.path)
            # Messages show the path that the user typed.
            path, selected = now.get(absolute, (file.up.path, absolute in scripts))
            up = file.up if path == file.up.path else Script(path, file.up.text if absolute in scripts else None)
            files.append((msgspec.structs.replace(file.edited(scripts), up=up), selected))
        histories = self.runner.databases(files)
        mine = max(histories, key=lambda history: sum(_absolute(file.up.path) in now for file, _ in history), default=files)
        edited = self._with_files(mine, problems)
        edited._new_paths |= {file.up.path for file, selected in mine if selected and _absolute(file.up.path) not in now}
        return edited

    def with_only(self, path: str) -> "Source | None":
        """Returns the same history with one selected migration, whose file has an absolute path; None if it contains no such file."""
        files = [(file, _absolute(file.up.path) == path) for file, _ in self._all]
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
            half, setup=(*self.connection_setup, *half.setup), own_table=self._own_table_of(half), reads_psql=not sends
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


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # resolve() asks the file system for each part of each path


def _is_called(file: MigrationFile, version: str) -> bool:
    """Whether `version` names the migration: by its version (42 is 0042) or by its file, with or without the suffix."""
    name = file.up.path.replace("\\", "/").rpartition("/")[2]
    numbers = version.isdecimal() and file.id.isdecimal() and int(version) == int(file.id)
    return numbers or version in (file.id, name, name.removesuffix(".sql"), name.removesuffix(".py"))


class Plan:
    """The migrations that the given paths select, and the files that could not be read.

    `sources` are their histories, one for each folder of migrations, in the order of the paths. `skipped` are files in these folders that
    are not migrations: their names do not follow the runner's pattern, or they are for another database. `excluded` are the given paths that
    the configuration excludes, `unused` folders of migrations that their runner does not run on PostgreSQL. `revision` is the commit of git
    with which they were compared, as git names it; None without one.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        skipped: Sequence[str],
        problems: dict[str, UnreadableError],
        revision: str | None = None,
        excluded: Sequence[str] = (),
        unused: Sequence[Unused] = (),
    ) -> None:
        self.unused = tuple(unused)
        self.revision = revision
        self.sources = tuple(sources)
        self.skipped = tuple(skipped)
        self.excluded = tuple(excluded)
        self._problems = problems

    def compared_with(self, comparison: "Comparison", *, to_end: bool = False) -> "Plan":
        """Returns the same plan with what has changed since a revision of git; only changed files remain selected. `to_end`: the steps include
        the last migration. Raises MigsafeError."""
        compared = [source.compared_with(comparison, to_end=to_end) for source in self.sources]
        return Plan(compared, self.skipped, self._problems, comparison.commit, self.excluded)

    def edited(self, scripts: Mapping[str, Script]) -> "Plan":
        """Returns the same plan with other texts: `scripts` are edited and new files, by their absolute paths. Raises MigsafeError."""
        problems: dict[str, UnreadableError] = {}
        return Plan([source.edited(scripts, problems) for source in self.sources], self.skipped, problems, self.revision, self.excluded)

    def with_new_file(self, script: Script) -> "Plan":
        """Returns the history in which a script that is not on the disk is a migration, as the only selected one; without histories if it is
        in none. Raises MigsafeError."""
        path = _absolute(script.path)
        plan = self.edited({path: script})
        sources = [source for each in plan.sources if (source := each.with_only(path)) is not None]
        return Plan(sources, (), plan._problems, self.revision)

    @property
    def compared(self) -> bool:
        """Whether it has been compared with a revision of git."""
        return any(source.compared for source in self.sources)

    @property
    def removed(self) -> list[tuple[Migration, Lineage]]:
        """One migration without SQL for each history from which migrations are gone, with its lineage; a history of several databases once."""
        found = {source.removed.up.script.path: source for source in self.sources if source.removed is not None}
        return [(source.removed, Lineage(merged=source.changes.gone)) for source in found.values() if source.removed is not None]

    def starting_after(self, version: str, *, is_upgrade: bool = False) -> "Plan":
        """Returns the same plan in which, in histories that contain a migration, only what follows it is selected; `is_upgrade`: that is
        applied in one run of the runner. Raises ConfigError if none contains it and all of a history is selected: a single file may be from
        anywhere."""
        shortened = [source.starting_after(version, is_upgrade=is_upgrade) for source in self.sources]
        if not any(shortened) and (is_upgrade or any(source.is_fully_selected for source in self.sources)):
            known = [known_version for source in self.sources for known_version in source.versions]
            option = "--upgrade-from" if is_upgrade else "start-after"
            raise ConfigError(f"{option}: there is no migration {version}", did_you_mean(version, known, f"The last one is {known[-1]}."))
        kept = [short or source for short, source in zip(shortened, self.sources, strict=True)]
        return Plan(kept, self.skipped, self._problems, excluded=self.excluded)

    @cached_property
    def migrations(self) -> list[Migration]:
        """The selected migrations, without reading the history."""
        return [migration for source in self.sources for migration in source.selected()]

    @property
    def problems(self) -> list[UnreadableError]:
        """The files that could not be read so far; files of the history are read only when needed."""
        return list(self._problems.values())

    @property
    def history(self) -> Iterator[Migration]:
        """The migrations before the selected ones, of every source; each is read when it is needed."""
        return (migration for source in self.sources for migration in source.history())
