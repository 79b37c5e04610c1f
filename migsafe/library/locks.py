"""Predicting what migrations lock, rewrite and read, for the command line and for programs."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import MigsafeError, UnreadableError
from migsafe.library.lint import Track
from migsafe.library.plan import find_plan, schema_script
from migsafe.library.project import make_renderer
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.history import HistoryEnd, selected_migrations
from migsafe.prediction.predictor import Contradiction, Predictor
from migsafe.session import transaction_numbers
from migsafe.sources import Half, Migration, Plan, ProgramPath
from migsafe.sources.conditions import condition_of
from migsafe.sql.statements import Statement
from migsafe.text import Span


class PredictedStatement(Struct, frozen=True, kw_only=True):
    """A statement and its effects: for each relation, the strongest.

    `transaction` numbers the transactions of the migration: statements with the same number share one, and its locks, until it ends. It is
    None for a statement that is not sent to the server. `refused` says why PostgreSQL would refuse the statement, as the end of a sentence.
    `understood` is False where not all effects of the statement are known; `unknown` has the reasons. `condition` says on which paths a script
    sends it, as the end of a sentence; it is empty if it does so on all of them.
    """

    statement: Statement
    effects: tuple[Effect, ...]
    transaction: int | None
    refused: str | None = None
    understood: bool = True
    unknown: tuple[str, ...] = ()
    condition: str = ""


class PredictedMigration(Struct, frozen=True):
    """A migration and what its statements do."""

    migration: Migration
    statements: tuple[PredictedStatement, ...]


class Prediction(Struct, frozen=True, kw_only=True):
    """What a run predicts.

    `problems` are the migrations that could not be read; `contradictions` say where a migration contradicts the history.
    """

    migrations: tuple[PredictedMigration, ...]
    pg_version: int
    problems: tuple[MigsafeError, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()


def locks(paths: Sequence[str] | None = None, *, settings: Configuration | None = None, text: str | None = None) -> Prediction:
    """Predict what each statement locks, rewrites and reads, as `migsafe locks` does.

    `paths` are files and folders; without any, the `migrations` of the settings. `text` is SQL instead, as with `migsafe locks -`; its path is
    `-`. Without `settings`, the nearest configuration is read. Raises MigsafeError if nothing could be
    predicted; single migrations that could not be read are the prediction's `problems`.
    """
    settings = settings or read_configuration()
    return predict_plan(find_plan(paths, settings, "look at", text=text), settings)


def predict_plan(plan: Plan, settings: Configuration, track: Track = iter) -> Prediction:
    """Predict the effects of a plan's migrations. `track` iterates over the migrations and may show the progress."""
    problems: list[MigsafeError] = []
    contradictions: list[Contradiction] = []
    migrations: list[PredictedMigration] = []
    for selected in selected_migrations(
        plan,
        settings.pg_version,
        make_renderer(settings, usual()),
        schema=schema_script(settings.schema),
        watch=track,
        find_contradictions=True,
    ):
        if isinstance(selected, MigsafeError):
            problems.append(selected)
            continue
        if isinstance(selected, HistoryEnd):
            continue
        try:
            migrations.append(_predict(selected.predictor, selected.migration, transaction_continues=selected.transaction_continues))
        except UnreadableError as error:
            problems.append(error)
        contradictions += _take_contradictions(selected.predictor)
    return Prediction(
        migrations=tuple(migrations), pg_version=settings.pg_version, problems=tuple(problems), contradictions=tuple(contradictions)
    )


def _predict(predictor: Predictor, migration: Migration, *, transaction_continues: bool) -> PredictedMigration:
    half = migration.up
    predictions = list(predictor.predict_migration(half, transaction_continues=transaction_continues))
    numbers = transaction_numbers(half, [prediction.statement for prediction in predictions])
    conditions = _conditions(half)
    return PredictedMigration(
        migration,
        tuple(
            PredictedStatement(
                statement=prediction.statement,
                effects=prediction.effects,
                transaction=number,
                refused=str(prediction.refusal) if prediction.refusal is not None else None,
                understood=prediction.understood,
                unknown=prediction.unknown,
                condition=_condition(half, prediction.statement, conditions),
            )
            for prediction, number in zip(predictions, numbers, strict=True)
        ),
    )


def _conditions(half: Half) -> dict[Span, str]:
    """Returns on which paths a program makes each of its calls, by the span of its SQL; nothing if there is only one path."""
    paths = half.program.paths if half.program is not None else ()
    sending: dict[Span, list[ProgramPath]] = {}
    for path in paths:
        for call in path.calls:
            sending.setdefault(call.sql_span, []).append(path)
    return {span: condition_of(makers, paths) for span, makers in sending.items()}


def _condition(half: Half, statement: Statement, conditions: Mapping[Span, str]) -> str:
    """Returns on which paths of a program it sends a statement."""
    call = half.call(statement.span.start) if conditions else None
    return conditions.get(call.sql_span, "") if call is not None else ""


def _take_contradictions(predictor: Predictor) -> Iterator[Contradiction]:
    """Yields the predictor's contradictions and clears them, so that the next migration's are told apart."""
    yield from predictor.contradictions
    predictor.contradictions.clear()
