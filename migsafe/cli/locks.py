"""`migsafe locks`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from migsafe.cache.renderings import usual
from migsafe.cli.console import COULD_NOT, complain, deliver, look, watched
from migsafe.cli.options import Config, NoExec, Output, Paths, PgVersion, RunnerName, Schema, TransactionHabit, asked_for, dump, left_out
from migsafe.cli.project import renderer
from migsafe.configuration import Configuration, configuration
from migsafe.errors import MigsafeError, UnreadableError
from migsafe.forecast import Forecast
from migsafe.histories import stops
from migsafe.reports.locks import FORMATS, PredictedMigration, PredictedStatement, Prediction, reporter
from migsafe.session import transactions
from migsafe.sources import Migration, Plan, find
from migsafe.text import Script


def locks(
    paths: Paths = None,
    format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the predictions.")] = "text",
    output: Output = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
) -> None:
    """Tell what each statement locks, rewrites and reads.

    A folder means every migration in it, in the runner's order; a file means that one alone, after the migrations before it.

    \b
      migsafe locks migrations/0042_orders.sql   one migration
      migsafe locks migrations/                  a whole history
      migsafe locks                              what the configuration says
      echo 'ALTER TABLE orders ADD note text' | migsafe locks -

    What no migration made is taken to be there, and to be large. Better, show what is there:

    \b
      pg_dump --schema-only shop > shop.sql
      migsafe locks --schema shop.sql hotfix.sql

    What a lock stops:

    \b
      reads and writes   every query of the table waits, SELECT too
      writes             INSERT, UPDATE and DELETE wait, SELECT goes on
      nothing            reads and writes go on, other changes may wait
      nobody             the migration made the table itself

    A lock is held until its transaction ends, and a statement that waits for one makes those behind it wait too. What rewrites a table
    or reads all of it takes the longer the larger the table is.

    \b
    Exit code 0: done.
    Exit code 2: it could not be done, or not all of it; what could be is reported.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    settings = configuration(Path(config) if config else None).overridden(
        pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = reporter(format)
    plan = find(asked_for(paths, settings, "look at"), settings.sources)
    problems: list[MigsafeError] = []
    migrations = _predicted(plan, settings, dump(schema or settings.schema), problems)
    file = Path(output) if output else None
    deliver(write(Prediction(migrations=migrations, problems=problems, pg_version=settings.pg_version), look(file)), file)
    for problem in problems:
        complain(problem)
    if plan.skipped:
        complain(left_out(plan.skipped))
    raise typer.Exit(COULD_NOT if problems else 0)


def _predicted(plan: Plan, settings: Configuration, schema: Script | None, problems: list[MigsafeError]) -> Iterator[PredictedMigration]:
    """The predictions for the migrations asked for, each made when its turn comes."""
    forecast = None
    found = stops(
        plan,
        settings.pg_version,
        problems,
        schema,
        lambda steps: watched(steps, "migsafe: migration"),
        renderer=renderer(settings, usual()),
    )
    for migration, forecast, _, goes_on in found:
        _say_notes(forecast)
        try:
            yield _prediction(forecast, migration, goes_on=goes_on)
        except UnreadableError as error:
            problems.append(error)
    if forecast is not None:
        _say_notes(forecast)


def _prediction(forecast: Forecast, migration: Migration, *, goes_on: bool) -> PredictedMigration:
    half = migration.up
    found = list(forecast.steps(half, goes_on=goes_on))
    numbers = transactions(half, [foreseen.statement for foreseen in found])
    return PredictedMigration(
        migration,
        tuple(
            PredictedStatement(
                statement=foreseen.statement,
                effects=foreseen.effects,
                transaction=number,
                refused=foreseen.refused,
                understood=foreseen.understood,
            )
            for foreseen, number in zip(found, numbers, strict=True)
        ),
    )


def _say_notes(forecast: Forecast) -> None:
    """Say what contradicts what came before, and forget it."""
    for note in forecast.notes:
        place = note.script.position(note.span.start)
        complain(f"note: {note.script.path}:{place.line}:{place.column}: {note.text}")
    forecast.notes.clear()
