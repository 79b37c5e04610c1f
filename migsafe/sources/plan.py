"""What is to be judged, and the history before it."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from migsafe.errors import UnreadableError
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import MigrationFile, Runner


class Step(NamedTuple):
    """A migration in its place: one to judge, or one of the history, which only says what the database looks like by then."""

    migration: Migration
    judged: bool


class Source:
    """One history: a folder's migrations in the order in which its runner applies them, up to the last one to judge.

    `path` is what the user would type for the folder (or the file, where it stands alone).
    """

    def __init__(
        self,
        path: str,
        runner: Runner,
        files: Sequence[tuple[MigrationFile, bool]],
        transaction: Transaction | None,
        problems: dict[str, UnreadableError],
    ) -> None:
        last = max((place for place, (_, judged) in enumerate(files) if judged), default=-1)
        self.path = path
        self.runner = runner
        self._files = files[: last + 1]
        self._transaction = transaction
        self._problems = problems

    def steps(self) -> Iterator[Step]:
        """The migrations in order, each file read when its turn comes. What cannot be read goes to the plan's problems."""
        for file, judged in self._files:
            for migration in self._read(file):
                yield Step(migration, judged)

    def judged(self) -> Iterator[Migration]:
        """The migrations to judge, without reading the history."""
        for file, judged in self._files:
            if judged:
                yield from self._read(file)

    def history(self) -> Iterator[Migration]:
        """The migrations before the last judged one that are not themselves to be judged."""
        for file, judged in self._files:
            if not judged:
                yield from self._read(file)

    def _read(self, file: MigrationFile) -> list[Migration]:
        try:
            migrations = self.runner.read(file)
        except UnreadableError as error:
            self._problems[error.what] = error
            return []
        return [self._as_configured(migration) for migration in migrations] if self._transaction else migrations

    def _as_configured(self, migration: Migration) -> Migration:
        return msgspec.structs.replace(migration, up=self._sent(migration.up), down=self._sent(migration.down) if migration.down else None)

    def _sent(self, half: Half) -> Half:
        # What a directive in the file says goes before what is configured for all of them.
        if self._transaction is None or half.transaction is not self.runner.habit:
            return half
        return msgspec.structs.replace(half, transaction=self._transaction)


class Plan:
    """What the given paths ask for, with what could not be read.

    `sources` are the histories that they stand in, one for each folder of migrations, in the order of the paths. `skipped` are .sql files
    in these folders that are no migrations: not named as the runner wants it, or for another database.
    """

    def __init__(self, sources: Sequence[Source], skipped: Sequence[str], problems: dict[str, UnreadableError]) -> None:
        self.sources = tuple(sources)
        self.skipped = tuple(skipped)
        self._problems = problems

    @cached_property
    def migrations(self) -> list[Migration]:
        """The migrations to judge, without reading the history."""
        return [migration for source in self.sources for migration in source.judged()]

    @property
    def problems(self) -> list[UnreadableError]:
        """What could not be read so far: of the history, only when it is read."""
        return list(self._problems.values())

    @property
    def history(self) -> Iterator[Migration]:
        """The migrations before those to judge, of every source, read as they are asked for."""
        return (migration for source in self.sources for migration in source.history())
