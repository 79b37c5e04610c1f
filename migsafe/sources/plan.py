"""The selected migrations, and the histories that they belong to."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from migsafe.errors import ConfigError, UnreadableError, did_you_mean
from migsafe.sources.lineage import Lineage
from migsafe.sources.migration import Migration
from migsafe.sources.runner import Unused
from migsafe.sources.source import Source, absolute_path
from migsafe.text import Script

if TYPE_CHECKING:
    from migsafe.sources.git import Comparison


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
        path = absolute_path(script.path)
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
