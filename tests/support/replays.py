"""Replays as the tests of this folder make them: a folder of migrations, on a host."""

from collections.abc import Mapping
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


class Done(NamedTuple):
    """What came of a replay."""

    replayed: list[ReplayedMigration]
    problems: list[str]
    run: ReplayRun

    @property
    def recording(self) -> Recording:
        """What was recorded of the last migration."""
        return self.replayed[-1].recording

    @property
    def statements(self) -> tuple[StatementRecord, ...]:
        """Its statements."""
        return self.recording.statements

    def outcome(self, experiment: str) -> Outcome:
        """What came of an experiment with it."""
        return next(one for one in self.replayed[-1].outcomes if one.experiment == experiment)


def replayed(
    host: Host,
    folder: Path,
    files: Mapping[str, str],
    *checks: str,
    only: str | None = None,
    rows: int | None = ROWS,
    settings: SourceSettings | None = None,
    **options: object,
) -> Done:
    """Replay migrations, all of them or `only` one file: those before it are its history."""
    for name, text in files.items():
        (folder / name).write_text(text)
    plan = find_migrations([str(folder / only) if only else str(folder)], settings or SourceSettings())
    made = ReplayOptions(experiments=checks, rows=same_for_every_table(rows) if rows else None, **options)  # type: ignore[arg-type]
    run = ReplayRun(plan, host, made, lambda words: None)
    migrations = list(run.migrations())
    return Done(migrations, [problem.message for problem in run.problems], run)


def script(text: str, path: str = "0001.sql") -> Script:
    """A script that is no file."""
    return Script(path, text)
