"""Going through histories, to what is to be judged."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Lineage, Migration, Plan, Source, Step
from migsafe.text import Script

Steps = Sequence[tuple[Source, Step]]


class SelectedMigration(NamedTuple):
    """A migration to judge, and the database as the migrations before it have left it. Who stops here takes the migration in.

    `standing` is what is odd about its place in the history; the transaction `goes_on` where the next stop is in the same.
    """

    migration: Migration
    predictor: Predictor
    lineage: Lineage = Lineage()
    transaction_continues: bool = False


class Resumption(Protocol):
    """Who knows how far an earlier run has come, and wants to know how far this one does."""

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """How many of the steps need not be taken, and the database after them."""

    def save_progress(self, number: int, predictor: Predictor) -> None:
        """So many steps have been taken, and this is the database after them."""


def selected_migrations(
    plan: Plan,
    pg_version: int,
    problems: list[MigsafeError],
    schema: Script | None = None,
    watch: Callable[[Steps], Iterable[tuple[Source, Step]]] = iter,
    resumption: Resumption | None = None,
    renderer: Renderer | None = None,
    *,
    back: bool = False,
) -> Iterator[SelectedMigration]:
    """The migrations to judge, source by source, each when its turn comes.

    Each source is a database of its own; `schema` is the dump with which it starts. The migrations before a judged one are taken in. What
    cannot be read goes to `problems`. `watch` goes through the steps, and may show how far it has come; `resumption` may spare the first of
    them. `renderer` renders the migrations that are programs; the ways `back` of those to judge, too, if they are wanted. Raises
    UnreadableError for the schema.
    """
    with renderer or Renderer() as rendering:
        yield from _selected_migrations(plan, pg_version, problems, schema, watch, resumption, rendering, back=back)


def _selected_migrations(
    plan: Plan,
    pg_version: int,
    problems: list[MigsafeError],
    schema: Script | None,
    watch: Callable[[Steps], Iterable[tuple[Source, Step]]],
    resumption: Resumption | None,
    renderer: Renderer,
    *,
    back: bool,
) -> Iterator[SelectedMigration]:
    steps = [(source, step) for source in plan.sources for step in source.steps()]
    problems += plan.problems
    done, resumed = resumption.resume(steps) if resumption is not None and not problems else (0, None)
    at, forecast = (steps[done - 1][0], resumed) if resumed is not None else (None, Predictor(pg_version))
    for number, (source, (written, judged, goes_on)) in enumerate(watch(steps[done:]), done + 1):
        if source is not at:
            at, forecast = source, Predictor(pg_version)
            if schema is not None:
                forecast.load(schema)
        try:
            migration = renderer.migration(written, forecast)
            if judged and back:
                migration = renderer.back(migration, forecast)
        except MigsafeError as error:
            if error not in problems:
                problems.append(error)
            continue
        if judged:
            yield SelectedMigration(migration, forecast, source.lineages.get(migration.up.file.path, Lineage()), goes_on)
        else:
            try:
                forecast.apply(migration.up)
            except UnreadableError as error:
                problems.append(error)
        if resumption is not None:
            resumption.save_progress(number, forecast)
