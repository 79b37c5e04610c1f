"""A migration with its predictions, as it will be sent. What is sent can depend on rows (the SQL of a script, and what is left out because an
extension is missing), so it is rendered again if these change."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from migsafe.prediction.predictor import Predictor
from migsafe.replaying.known_schema import predict
from migsafe.replaying.recording.records import StatementRecord
from migsafe.session import sent_statements
from migsafe.sources import Migration

Render = Callable[[], Migration | None]
"""Renders a migration again, on the rows that its database has now; None if that is not possible."""


class Prepared:
    """A migration with its `predictions`, and the statements that cannot run in a transaction (`nontransactional`), by index."""

    def __init__(self, migration: Migration, predictor: Predictor, render: Render | None) -> None:
        self.migration = migration
        self._predictor = predictor
        self._render = render
        self._trial = ExitStack()
        self._predict()

    def _predict(self) -> None:
        if self._render is not None:
            self._trial.enter_context(self._predictor.trial())
        self.predictions, self.nontransactional = predict(self._predictor, self.migration.up)

    def render_again(self) -> None:
        """Renders the migration for the rows of now. Its database must be as it was before the migration."""
        if self._render is not None:
            self._trial.close()
            self.migration = self._render() or self.migration
            self._predict()

    def finish(self) -> None:
        """Leaves the predictor with the database after the migration, as it was sent last."""
        if self._render is not None:
            self._trial.close()
            predict(self._predictor, self.migration.up)

    def close(self) -> None:
        """Leaves the predictor with the database before the migration."""
        self._trial.close()

    def index_of(self, record: StatementRecord) -> int:
        """Returns the index of a statement that was recorded before the migration was rendered again; 0 if it is not sent any more."""
        text = self.migration.up.script.text
        statements = (sent.statement for sent in sent_statements(self.migration.up))
        return next((each.index for each in statements if text[each.span.start : each.span.end] == record.sql), 0)


@contextmanager
def prepared(migration: Migration, predictor: Predictor, render: Render | None) -> Iterator[Prepared]:
    """Predicts a migration for the `with` block, in which it is recorded. After it, the predictor has the database after the migration; after
    an exception, if it could be rendered again, that before it."""
    migration_with_predictions = Prepared(migration, predictor, render)
    try:
        yield migration_with_predictions
    except BaseException:
        migration_with_predictions.close()
        raise
    migration_with_predictions.finish()
