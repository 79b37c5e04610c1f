"""The rows of a query whose result is unknown."""

from collections.abc import Iterator
from typing import Any

from migsafe.rendering.messages import DATABASE_ONLY
from migsafe.rendering.worker.frames import caller, unpack_count
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.unknown import Unknown


class KnownRow(tuple[Any, ...]):
    """A row whose only value is known; it has the name of its column."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or len(self) != 1:
            raise AttributeError(name)
        return self[0]


class Rows:
    """The result of a textual query: its `known` rows, or one row of unknown values, or none."""

    returns_rows = True
    closed = False

    def __init__(self, run: Run, name: str = "row", known: list[tuple[object, ...]] | None = None, *, always: bool = False) -> None:
        self._run = run
        self._name = name
        self._left = True
        self._known = [KnownRow(row) for row in known] if known is not None else None
        self._always = always

    def _row(self) -> Any:
        if self._known is not None:
            return self._known[0] if self._known else None
        return Row(self._run, self._name, DATABASE_ONLY, truth=True)

    def _value(self, truth: bool | None = None) -> Any:
        if self._known is not None:
            return self._known[0][0] if self._known else None
        return Unknown(self._run, f"{self._name}[0]", DATABASE_ONLY, truth)

    def _any(self) -> bool:
        has_rows, self._left = self._left, False
        if self._known is not None:
            return has_rows and bool(self._known)
        self._run.result_uses += 1
        if self._always:
            return has_rows
        return has_rows and self._run.decide(caller(2), about_rows=True)

    def fetchall(self) -> list[Any]:
        """Returns all rows."""
        if not self._any():
            return []
        return list(self._known) if self._known is not None else [self._row()]

    all = fetchall

    def fetchmany(self, _: int | None = None) -> list[Any]:
        """Returns the next rows."""
        return [self._row()] if self._any() else []

    def partitions(self, _: int | None = None) -> Iterator[list[Any]]:
        """Returns the rows, some at a time."""
        return iter([[self._row()]] if self._any() else [])

    def first(self) -> Any:
        """Returns the first row, or None."""
        return self._row() if self._any() else None

    fetchone = one_or_none = first

    def scalar(self) -> Any:
        """Returns the first value of the first row, or None."""
        return self._value(truth=None if self._always else True) if self._any() else None

    scalar_one_or_none = scalar

    def one(self) -> Any:
        """Returns the only row."""
        return self._row()

    def scalar_one(self) -> Any:
        """Returns the only value."""
        return self._value()

    def scalars(self, *_: object) -> "Rows":
        """Returns the first values of the rows."""
        return self

    mappings = unique = columns = tuples = yield_per = freeze = scalars

    def keys(self) -> Any:
        """Returns the names of the columns."""
        return Unknown(self._run, "columns", DATABASE_ONLY)

    @property
    def rowcount(self) -> Any:
        """The number of rows."""
        if self._run.is_exhausted:
            return 0
        self._run.result_uses += 1
        return Unknown(self._run, "rowcount", DATABASE_ONLY)

    def close(self) -> None:
        """Does nothing."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def __next__(self) -> Any:
        if not self._any():
            raise StopIteration
        return self._row()

    next = __next__  # its name in SQLAlchemy until 1.3

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Row(Unknown):
    """A row whose items and attributes are unknown values."""

    def __iter__(self) -> Iterator[Any]:
        number = unpack_count(caller())
        return iter([self[position] for position in range(number if number is not None else 1)])
