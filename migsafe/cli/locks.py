"""`migsafe locks`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.options import Config, Exclude, NoExec, Output, Paths, PgVersion, RunnerName, Schema, TransactionHabit, format_option
from migsafe.cli.results import FAILED, left_out, split_names
from migsafe.configuration import read_configuration
from migsafe.library.locks import predict_plan
from migsafe.library.plan import find_plan
from migsafe.prediction.predictor import Contradiction
from migsafe.reports.locks import FORMATS, reporter
from migsafe.terminal.display import display_for
from migsafe.terminal.output import show_error, write_output
from migsafe.terminal.progress import track


def locks(
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the predictions.")] = "text",
    output: Output = None,
    exclude: Exclude = None,
    schema: Schema = None,
    pg_version: PgVersion = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    no_exec: NoExec = False,
    config: Config = None,
) -> None:
    """Show which locks each statement takes, what they block, and what it rewrites or reads.

    A folder means every migration in it, in the order in which they run. A file means that migration alone, with the migrations before it
    as history.

    \b
      migsafe locks migrations/0042_orders.sql   one migration
      migsafe locks migrations/                  a whole history
      migsafe locks                              `migrations` of the configuration
      echo 'ALTER TABLE orders ADD note text' | migsafe locks -

    A table that no migration creates is assumed to exist, and to be large. A dump of the schema makes the prediction more exact:

    \b
      pg_dump --schema-only shop > shop.sql
      migsafe locks --schema shop.sql hotfix.sql

    What a lock blocks:

    \b
      reads and writes   every query on the table waits, SELECT too
      writes             INSERT, UPDATE and DELETE wait, SELECT does not
      nothing            queries do not wait; other schema changes may

    A transaction holds its locks until it ends. While a statement waits for a lock, later queries on the table wait behind it. A rewrite
    or a full scan takes longer the larger the table is.

    \b
    Exit code 0: success.
    Exit code 2: an error, or some migrations could not be read; the others are
                 shown.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    settings = read_configuration(Path(config) if config else None).overridden(
        exclude=split_names(exclude),
        schema=schema,
        pg_version=pg_version,
        runner=runner,
        transaction=transaction,
        no_exec=no_exec or None,
    )
    write = reporter(format)
    plan = find_plan(paths, settings, "predict")
    prediction = predict_plan(plan, settings, lambda steps: track(steps, "migsafe: migration"))
    file = Path(output) if output else None
    for contradiction in prediction.contradictions:
        _show(contradiction)
    write_output(write(prediction, display_for(file)), file)
    for problem in prediction.problems:
        show_error(problem)
    for message in left_out(plan):
        show_error(message)
    raise typer.Exit(FAILED if prediction.problems else 0)


def _show(contradiction: Contradiction) -> None:
    """Show where a migration contradicts the migrations before it."""
    position = contradiction.script.position(contradiction.span.start)
    show_error(f"note: {contradiction.script.path}:{position.line}:{position.column}: {contradiction.text}")
