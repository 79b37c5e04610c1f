"""The database at the end of a replay: its schema and its rows, in a form that can be compared with those of another replay."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migsafe.replaying.experiments.contents import Rows, Schema, read_rows, read_schema, read_tables
from migsafe.sql.operations import Name

if TYPE_CHECKING:
    from psycopg import Connection

RowsByTable = dict[Name, Rows]


class EndState(Struct, frozen=True):
    """The schema and the rows at the end of a source, and the rows before its first selected migration."""

    schema: Schema
    start: RowsByTable
    rows: RowsByTable


def rows_of(connection: "Connection[Any]") -> RowsByTable:
    """Reads the rows of all tables."""
    return read_rows(connection, read_tables(connection).tables)


def read_end(connection: "Connection[Any]", start: RowsByTable) -> EndState:
    """Reads the schema and the rows of a database; `start` are the rows that it had before the migrations."""
    return EndState(read_schema(connection), start, rows_of(connection))


def row_differences(before: EndState, after: EndState, repeat: Callable[[], EndState]) -> list[str]:
    """Returns in which tables the rows at the end differ, one line each. What differs in a repeated run of the same migrations too, such as
    times and random values, does not count; `repeat` runs them, if anything differs."""
    changing = {key for key, _ in _differences(before.start, after.start)}  # the history inserted times or random values
    different = {key: text for key, text in _differences(before.rows, after.rows) if key not in changing}
    if not different:
        return []
    changing = {key for key, _ in _differences(before.rows, repeat().rows)}
    return [text for key, text in different.items() if key not in changing and (key[0], "") not in changing]


def start_difference(before: EndState, after: EndState) -> Name | None:
    """Returns a table that had more rows before the migrations of one run than before those of the other; None if there is none."""
    one, other = ({name: rows.count for name, rows in state.start.items()} for state in (before, after))
    return next((name for name in sorted(one.keys() | other.keys(), key=str) if one.get(name) != other.get(name)), None)


def _differences(before: RowsByTable, after: RowsByTable) -> Iterator[tuple[tuple[Name, str], str]]:
    """Yields the tables, or the columns of tables, whose rows differ, each with a text. Tables and columns that only one side has are
    differences of the schema."""
    for name in sorted(before.keys() & after.keys(), key=str):
        old, new = before[name], after[name]
        if old.count != new.count:
            yield (name, ""), f"{name} has {new.count:,} rows instead of {old.count:,}"
            continue
        for column in sorted(old.columns.keys() & new.columns.keys()):
            if old.columns[column] != new.columns[column]:
                yield (name, column), f"{name} has other values in {column}"
