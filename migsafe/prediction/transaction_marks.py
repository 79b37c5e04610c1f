"""What the transactions of a session do to the catalogue: their changes are kept or undone."""

from migsafe.schema.catalog import Catalog
from migsafe.session import Transition, TransitionKind


class TransactionMarks:
    """The places in the catalogue's journal to which the savepoints of the current transaction lead back."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._marks: list[int] = []

    def turn(self, transitions: tuple[Transition, ...]) -> None:
        """Keeps or undoes what a transaction did."""
        for turn, depth, _ in transitions:
            match turn:
                case TransitionKind.COMMITTED:
                    self._catalog.commit()
                    self._marks.clear()
                case TransitionKind.PREPARED:
                    self._marks.clear()
                case TransitionKind.ROLLED_BACK:
                    self._catalog.undo(0)
                    self._marks.clear()
                case TransitionKind.SAVEPOINT:
                    self._marks.append(self._catalog.mark())
                case TransitionKind.ROLLED_BACK_TO:
                    self._catalog.undo(self._marks[depth])
                    del self._marks[depth + 1 :]
                case TransitionKind.RELEASED:
                    del self._marks[depth:]
