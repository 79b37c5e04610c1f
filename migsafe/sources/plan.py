"""What is to be judged, and the history before it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from migsafe.errors import ConfigError, UnreadableError, did_you_mean
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.order import lineages, with_ancestors
from migsafe.sources.runner import MigrationFile, Runner


class Step(NamedTuple):
    """A migration in its place: one to judge, or one of the history, which only says what the database looks like by then. `goes_on` where
    the step after it runs in the same transaction."""

    migration: Migration
    selected: bool
    transaction_continues: bool = False


class Source:
    """One history: a folder's migrations in the order in which its runner applies them, as far as those to judge come after them.

    `path` is what the user would type for the folder (or the file, where it stands alone). The migrations to judge of a `release` are
    applied in one run of the runner; otherwise each is taken to be deployed by itself.
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
    ) -> None:
        needed = with_ancestors([file for file, _ in files], [place for place, (_, judged) in enumerate(files) if judged])
        self.path = path
        self.runner = runner
        self._all = files
        self._files = [one for place, one in enumerate(files) if place in needed]
        self._transaction = transaction
        self._problems = problems
        self.release = release

    def steps(self) -> Iterator[Step]:
        """The migrations in order, each file read when its turn comes. What cannot be read goes to the plan's problems."""
        before: Step | None = None
        for file, judged in self._files:
            for migration in self._read(file):
                if before is not None:
                    together = self.release and before.selected and judged and before.migration.own_transaction_advice is not None
                    yield before._replace(transaction_continues=together)
                before = Step(migration, judged)
        if before is not None:
            yield before

    def selected(self) -> Iterator[Migration]:
        """The migrations to judge, without reading the history."""
        for file, judged in self._files:
            if judged:
                yield from self._read(file)

    def history(self) -> Iterator[Migration]:
        """The migrations before the last judged one that are not themselves to be judged."""
        for file, judged in self._files:
            if not judged:
                yield from self._read(file)

    def restricted_to(self, keep: Callable[[MigrationFile], bool]) -> "Source":
        """The same history, but judged are only the files that `keep` wants; the others are history."""
        files = [(file, judged and keep(file)) for file, judged in self._all]
        return Source(self.path, self.runner, files, self._transaction, self._problems, release=True)

    def starting_after(self, version: str) -> "Source | None":
        """The same history, where all up to a migration is not judged; None where it holds no such migration.

        What comes after it is no release: it is where a project began to be judged, perhaps years ago.
        """
        places = [place for place, (file, _) in enumerate(self._all) if _is_called(file, version)]
        if not places:
            return None
        done = with_ancestors([file for file, _ in self._all], places)
        files = [(file, judged and place not in done) for place, (file, judged) in enumerate(self._all)]
        return Source(self.path, self.runner, files, self._transaction, self._problems, release=self.release)

    @property
    def is_fully_selected(self) -> bool:
        """Whether it has several migrations, and all of them are to be judged."""
        return len(self._all) > 1 and all(judged for _, judged in self._all)

    @cached_property
    def lineages(self) -> dict[str, Lineage]:
        """What is odd about the places of the migrations to judge, by path."""
        return lineages(self._all, unique=self.runner.unique_versions)

    @property
    def folder(self) -> str | None:
        """A folder that holds files of it; None where there is only standard input."""
        return next((file.up.path.rpartition("/")[0] or "." for file, _ in self._all if file.up.path != "-"), None)

    @property
    def versions(self) -> list[str]:
        """The versions of all its migrations."""
        return [file.id for file, _ in self._all]

    def _read(self, file: MigrationFile) -> list[Migration]:
        try:
            migrations = self.runner.read(file)
        except UnreadableError as error:
            self._problems[error.what] = error
            return []
        return [self._as_configured(migration) for migration in migrations] if self._transaction else migrations

    def _as_configured(self, migration: Migration) -> Migration:
        down = self._sent(migration.down) if migration.down else None
        return msgspec.structs.replace(migration, up=self._sent(migration.up), down=down, own_transaction_advice=None)

    def _sent(self, half: Half) -> Half:
        # What a directive in the file says goes before what is configured for all of them.
        if self._transaction is None or half.transaction is not self.runner.default_transaction:
            return half
        return msgspec.structs.replace(half, transaction=self._transaction, one_query=False)


def _is_called(file: MigrationFile, version: str) -> bool:
    """Whether a version, or the name of a file with or without its ending, is that of a migration; 42 is 0042."""
    name = file.up.path.replace("\\", "/").rpartition("/")[2]
    numbers = version.isdecimal() and file.id.isdecimal() and int(version) == int(file.id)
    return numbers or version in (file.id, name, name.removesuffix(".sql"), name.removesuffix(".py"))


class Plan:
    """What the given paths ask for, with what could not be read.

    `sources` are the histories that they stand in, one for each folder of migrations, in the order of the paths. `skipped` are files
    in these folders that are no migrations: not named as the runner wants it, or for another database.
    """

    def __init__(self, sources: Sequence[Source], skipped: Sequence[str], problems: dict[str, UnreadableError]) -> None:
        self.sources = tuple(sources)
        self.skipped = tuple(skipped)
        self._problems = problems

    def restricted_to(self, keep: Callable[[MigrationFile], bool]) -> "Plan":
        """The same, but judged are only the files that `keep` wants."""
        return Plan([source.restricted_to(keep) for source in self.sources], self.skipped, self._problems)

    def starting_after(self, version: str) -> "Plan":
        """The same, but judged is only what comes after a migration, in the histories that hold it. Raises ConfigError where none does, if
        all of a history is to be judged: a file by itself may be from anywhere."""
        after = [source.starting_after(version) for source in self.sources]
        if not any(after) and any(source.is_fully_selected for source in self.sources):
            known = [known for source in self.sources for known in source.versions]
            raise ConfigError(f"start-after: there is no migration {version}", did_you_mean(version, known, f"The last one is {known[-1]}."))
        return Plan([found or source for found, source in zip(after, self.sources, strict=True)], self.skipped, self._problems)

    @cached_property
    def migrations(self) -> list[Migration]:
        """The migrations to judge, without reading the history."""
        return [migration for source in self.sources for migration in source.selected()]

    @property
    def problems(self) -> list[UnreadableError]:
        """What could not be read so far: of the history, only when it is read."""
        return list(self._problems.values())

    @property
    def history(self) -> Iterator[Migration]:
        """The migrations before those to judge, of every source, read as they are asked for."""
        return (migration for source in self.sources for migration in source.history())
