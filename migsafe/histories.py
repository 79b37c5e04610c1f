"""Going through histories, to what is to be judged."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.forecast import Forecast
from migsafe.sources import Migration, Plan, Source, Standing, Step
from migsafe.text import Script

Steps = Sequence[tuple[Source, Step]]


class Stop(NamedTuple):
    """A migration to judge, and the database as the migrations before it have left it. Who stops here takes the migration in.

    `standing` is what is odd about its place in the history; the transaction `goes_on` where the next stop is in the same.
    """

    migration: Migration
    forecast: Forecast
    standing: Standing = Standing()
    goes_on: bool = False


def stops(
    plan: Plan,
    pg_version: int,
    problems: list[MigsafeError],
    schema: Script | None = None,
    watch: Callable[[Steps], Iterable[tuple[Source, Step]]] = iter,
) -> Iterator[Stop]:
    """The migrations to judge, source by source, each when its turn comes.

    Each source is a database of its own; `schema` is the dump with which it starts. The migrations before a judged one are taken in. What
    cannot be read goes to `problems`. `watch` goes through the steps, and may show how far it has come. Raises UnreadableError for the
    schema.
    """
    steps = [(source, step) for source in plan.sources for step in source.steps()]
    problems += plan.problems
    at, forecast = None, Forecast(pg_version)
    for source, (migration, judged, goes_on) in watch(steps):
        if source is not at:
            at, forecast = source, Forecast(pg_version)
            if schema is not None:
                forecast.load(schema)
        if judged:
            yield Stop(migration, forecast, source.standings.get(migration.up.file.path, Standing()), goes_on)
            continue
        try:
            forecast.apply(migration.up)
        except UnreadableError as error:
            problems.append(error)
