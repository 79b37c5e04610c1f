"""`migsafe locks`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.console import COULD_NOT, complain, deliver, look, watched
from migsafe.cli.options import Config, NoExec, Output, Paths, PgVersion, RunnerName, Schema, TransactionHabit, left_out
from migsafe.configuration import configuration
from migsafe.library.locks import predict_plan
from migsafe.library.planned import planned
from migsafe.prediction.predictor import Contradiction
from migsafe.reports.locks import FORMATS, reporter


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
        schema=schema, pg_version=pg_version, runner=runner, transaction=transaction, no_exec=no_exec or None
    )
    write = reporter(format)
    plan = planned(paths, settings, "look at")
    prediction = predict_plan(plan, settings, lambda steps: watched(steps, "migsafe: migration"))
    file = Path(output) if output else None
    for note in prediction.contradictions:
        _show(note)
    deliver(write(prediction, look(file)), file)
    for problem in prediction.problems:
        complain(problem)
    if plan.skipped:
        complain(left_out(plan.skipped))
    raise typer.Exit(COULD_NOT if prediction.problems else 0)


def _show(note: Contradiction) -> None:
    """Show where a migration contradicts the migrations before it."""
    place = note.script.position(note.span.start)
    complain(f"note: {note.script.path}:{place.line}:{place.column}: {note.text}")
