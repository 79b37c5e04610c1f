"""The schema in the middle of a migration, with the statements sent so far applied and later undone."""

from collections.abc import Iterable, Sequence
from types import TracebackType

from migsafe.prediction.execution_order import in_execution_order
from migsafe.schema.application import apply_operation, end_statement
from migsafe.schema.catalog import Catalog
from migsafe.session import Session
from migsafe.sources import Transaction
from migsafe.sql.statements import read


class TentativeSchema:
    """Applies statements to a catalog, and undoes them when it is left."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._sent: list[str] = []
        self._session = Session(Transaction.FILE)

    def __enter__(self) -> "TentativeSchema":
        catalog = self._catalog
        self._mark = catalog.mark()
        self._state = catalog.state()
        self._uncertain_oids = list(catalog.uncertain_oids)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._undo()

    def after(self, sent: Sequence[str]) -> Catalog:
        """Returns the catalog after these statements."""
        if list(sent[: len(self._sent)]) != self._sent:
            self._undo()
        self._apply(sent[len(self._sent) :])
        return self._catalog

    def _undo(self) -> None:
        catalog = self._catalog
        catalog.undo(self._mark)
        catalog.restore_state(self._state)
        catalog.uncertain_oids[:] = self._uncertain_oids
        catalog.refusals = []
        self._sent.clear()
        self._session = Session(Transaction.FILE)

    def _apply(self, statements: Iterable[str]) -> None:
        for sql in statements:
            self._sent.append(sql)
            for statement in read(sql):
                self._session.begin_statement(statement)
                for operation in in_execution_order(statement.operations):
                    self._set_path()
                    apply_operation(self._catalog, operation)
                    self._session.apply(operation)
                end_statement(self._catalog)
                self._session.end_statement()
        self._set_path()

    def _set_path(self) -> None:
        settings = self._session.settings
        self._catalog.search_path, self._catalog.path_is_set = settings.search_path, settings.path_is_set
