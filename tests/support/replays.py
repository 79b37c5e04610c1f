"""Replays of migrations that a test contains."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from migsafe.replaying.experiments.outcome import Outcome
from migsafe.replaying.recording.records import Recording, StatementRecord
from migsafe.replaying.replay import ReplayedMigration, ReplayOptions, ReplayRun
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.host import Host
from migsafe.sources import SourceSettings, find_migrations
from migsafe.text import Script

ROWS = 200


class FinishedReplay(NamedTuple):
    """A replay that has ended: the replayed migrations and the problems."""

    replayed: list[ReplayedMigration]
    problems: list[str]
    run: ReplayRun

    @property
    def recording(self) -> Recording:
        """The recording of the last migration."""
        return self.replayed[-1].recording

    @property
    def statements(self) -> tuple[StatementRecord, ...]:
        """The records of the last migration's statements."""
        return self.recording.statements

    def outcome(self, experiment: str) -> Outcome:
        """Returns the outcome of an experiment with the last migration."""
        return next(outcome for outcome in self.replayed[-1].outcomes if outcome.experiment == experiment)


def replay_files(
    host: Host,
    folder: Path,
    files: Mapping[str, str],
    *checks: str,
    only: str | None = None,
    rows: int | None = ROWS,
    settings: SourceSettings | None = None,
    progress: Callable[[str], None] = lambda text: None,
    **options: object,
) -> FinishedReplay:
    """Writes the files and replays them, or `only` one of them, with the files before it as history."""
    for name, text in files.items():
        (folder / name).write_text(text)
    plan = find_migrations([str(folder / only) if only else str(folder)], settings or SourceSettings())
    replay_options = ReplayOptions(experiments=checks, rows=same_for_every_table(rows) if rows else None, **options)  # type: ignore[arg-type]
    run = ReplayRun(plan, host, replay_options, progress)
    migrations = list(run.migrations())
    return FinishedReplay(migrations, [problem.message for problem in run.problems], run)


def script(text: str, path: str = "0001.sql") -> Script:
    """Returns a script that is not read from a file."""
    return Script(path, text)
