"""What is known of the schema before the migrations, read from the database or shown by a dump, and what is predicted with it."""

from collections.abc import Callable, Sequence

from migsafe.errors import MigsafeError
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.schema_dump import read_schema
from migsafe.schema.refusal import RefusalKind
from migsafe.sources import Half, Migration
from migsafe.sql.operations import Name
from migsafe.sql.statements import Statement
from migsafe.text import Script

_EXISTS = "already exists"
_SETTINGS = """
    SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('TimeZone'), current_user,
        EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = current_user)
"""


def new_predictor(host: Host, database: str) -> Predictor:
    """Returns a predictor that knows the settings with which the sessions of migrations begin, and nothing of the schema."""
    connection = host.connect_as_migrator(database)
    try:
        [(path, timezone, user, has_own)] = connection.execute(_SETTINGS).fetchall()
    finally:
        connection.close()
    if has_own:
        path = path.replace('"$user"', str(Name(user)))
    return Predictor(host.major, timezone=timezone, search_path=path)


def read_predictor(host: Host, database: str) -> Predictor:
    """Returns a predictor that knows the schema of a database. Raises MigsafeError with the reason, as a clause, if it cannot be read."""
    with host.connect(database) as connection:
        text = read_schema(connection)
    predictor = new_predictor(host, database)
    predictor.load(Script("pg_dump", text))
    predictor.contradictions.clear()
    return predictor


def applied_with(history: Sequence[Migration], predictor: Predictor, render: Callable[[Half, Predictor], Half]) -> int:
    """Returns how many migrations of a history the dump that a predictor has loaded contains.

    The last migration that would create what exists, and all before it, are contained. If the rest does not fit onto the dump, because it drops
    or renames what does not exist any more, all are contained.
    """
    contained = next((number for number in range(len(history), 0, -1) if _creates_existing(history[number - 1], predictor, render)), 0)
    if not contained:
        return 0
    with predictor.trial():
        if any(_refusals(migration, predictor, render) for migration in history[contained:]):
            return len(history)
    return contained


def _creates_existing(migration: Migration, predictor: Predictor, render: Callable[[Half, Predictor], Half]) -> bool:
    with predictor.trial():
        return any(_EXISTS in error for error in _refusals(migration, predictor, render))


def _refusals(migration: Migration, predictor: Predictor, render: Callable[[Half, Predictor], Half]) -> list[str]:
    """Runs a migration, and returns why PostgreSQL would refuse its statements because of the schema."""
    try:
        predictions = list(predictor.predict_migration(render(migration.up, predictor)))
    except MigsafeError:
        return []
    refusals = (prediction.refusal for prediction in predictions)
    return [refusal.error for refusal in refusals if refusal is not None and refusal.kind is RefusalKind.SCHEMA]


def predict(predictor: Predictor, half: Half) -> tuple[tuple[StatementPrediction, ...], dict[int, Statement]]:
    """Predicts a migration; returns the predictions, and its statements that cannot run in a transaction, by index."""
    predictions, nontransactional = [], {}
    for prediction in predictor.predict_migration(half):
        predictions.append(prediction)
        if any(refused_in_transaction_block(operation, predictor.catalog) for operation in prediction.statement.operations):
            nontransactional[prediction.statement.index] = prediction.statement
    return tuple(predictions), nontransactional
