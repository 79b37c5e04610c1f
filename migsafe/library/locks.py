"""What migrations lock, rewrite and read, for the command line as for programs."""

from collections.abc import Callable, Iterator, Sequence

from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, configuration
from migsafe.errors import MigsafeError, UnreadableError
from migsafe.library.lint import Watch
from migsafe.library.planned import dump, planned
from migsafe.library.project import renderer
from migsafe.prediction.history import selected_migrations
from migsafe.prediction.predictor import Contradiction, Predictor
from migsafe.reports.locks import PredictedMigration, PredictedStatement, Prediction
from migsafe.session import transactions
from migsafe.sources import Migration, Plan


def locks(paths: Sequence[str] | None = None, *, settings: Configuration | None = None) -> Prediction:
    """Tell what each statement locks, rewrites and reads, as `migsafe locks` does.

    `paths` are files and folders; without any, the `migrations` of the settings, which are the nearest configuration's unless they are given.
    Raises MigsafeError where nothing could be told; what else could not is among the prediction's `problems`.
    """
    settings = settings or configuration()
    problems: list[MigsafeError] = []
    found = tuple(predicted(planned(paths, settings, "look at"), settings, problems))
    return Prediction(migrations=found, problems=problems, pg_version=settings.pg_version)


def predicted(
    plan: Plan,
    settings: Configuration,
    problems: list[MigsafeError],
    note: Callable[[Contradiction], None] = lambda note: None,
    watch: Watch = iter,
) -> Iterator[PredictedMigration]:
    """The predictions for the migrations of a plan, each made when its turn comes. `note` is told what contradicts what came before."""
    forecast = None
    found = selected_migrations(plan, settings.pg_version, problems, renderer(settings, usual()), schema=dump(settings.schema), watch=watch)
    for migration, forecast, _, goes_on in found:
        _tell(forecast, note)
        try:
            yield _prediction(forecast, migration, goes_on=goes_on)
        except UnreadableError as error:
            problems.append(error)
    if forecast is not None:
        _tell(forecast, note)


def _prediction(forecast: Predictor, migration: Migration, *, goes_on: bool) -> PredictedMigration:
    half = migration.up
    found = list(forecast.predict_migration(half, transaction_continues=goes_on))
    numbers = transactions(half, [foreseen.statement for foreseen in found])
    return PredictedMigration(
        migration,
        tuple(
            PredictedStatement(
                statement=foreseen.statement,
                effects=foreseen.effects,
                transaction=number,
                refused=foreseen.refusal,
                understood=foreseen.understood,
            )
            for foreseen, number in zip(found, numbers, strict=True)
        ),
    )


def _tell(forecast: Predictor, note: Callable[[Contradiction], None]) -> None:
    """Tell what there is to note, and forget it."""
    for one in forecast.contradictions:
        note(one)
    forecast.contradictions.clear()
