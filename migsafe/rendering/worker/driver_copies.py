"""What the cursors of psycopg and psycopg2 send besides `execute()`: COPY, one statement for each of several sets of values, calls."""

from collections.abc import Iterable, Sequence
from typing import Any

from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.sql_constants import as_literal

_OWN_SEPARATOR, _OWN_NULL = "\t", "\\N"
"""The defaults of copy_from() and copy_to() of psycopg2 (psycopg/cursor_type.c), which are those of COPY."""


def quoted(name: str) -> str:
    """Returns a name as psycopg2 writes it: always quoted."""
    return '"' + name.replace('"', '""') + '"'


def copy_statement(table: str, direction: str, sep: str, null: str, columns: Iterable[str] | None) -> str:
    """Returns the statement of copy_from() (`direction` is `FROM STDIN`) or copy_to(). Options that are the defaults are left out."""
    names = f" ({', '.join(map(quoted, columns))})" if columns is not None else ""
    options = [f"DELIMITER {as_literal(sep)}"] * (sep != _OWN_SEPARATOR) + [f"NULL {as_literal(null)}"] * (null != _OWN_NULL)
    written = f" WITH ({', '.join(options)})" if options else ""
    return f"COPY {quoted(table)}{names} {direction}{written}"


def call_statement(routine: str, arguments: Sequence[Any]) -> str:
    """Returns the statement of callproc(), which calls a function in spite of its name."""
    return f"SELECT * FROM {routine}({', '.join(map(as_literal, arguments))})"  # noqa: S608  # it is only recorded


class Copy:
    """The object that `cursor.copy()` of psycopg 3 returns: it takes rows, and gives none."""

    def __enter__(self) -> "Copy":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, _: object) -> None:
        """Takes rows."""

    write_row = set_types = write

    def read(self) -> bytes:
        """Returns that there is nothing more."""
        return b""

    def rows(self) -> tuple[object, ...]:
        """Returns no rows."""
        return ()

    def __iter__(self) -> Any:
        return iter(())


def refuse_live(run: Run) -> None:
    """Raises NotImplementedError if the statements of a run are sent to a server: the rows of a COPY are not."""
    if run.live:
        raise NotImplementedError("the rows of a COPY are not sent to the server of a replay")
