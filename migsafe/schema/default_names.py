"""The names that PostgreSQL gives to what a statement leaves unnamed (makeObjectName in its src/backend/commands/indexcmds.c)."""

from collections.abc import Iterable

from migsafe.sql.operations import CreateIndex

_LONGEST = 63
"""NAMEDATALEN - 1, in bytes."""


def default_name(table: str, columns: Iterable[str], label: str) -> str:
    """`table_column_label`, cut where PostgreSQL would: the longer of table and columns first. `label` is `fkey`, `idx`…

    A number that PostgreSQL appends where the name is taken is not known here.
    """
    first, second = table.encode(), "_".join(columns).encode()
    room = _LONGEST - len(label.encode()) - 1 - bool(second)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    pieces = (first.decode(errors="ignore"), second.decode(errors="ignore"), label)
    return "_".join(piece for piece in pieces if piece)


def default_index_name(index: CreateIndex) -> str | None:
    """The name of an index that was given none; None where it has an expression, which PostgreSQL names after what it calls."""
    columns = [element.column for element in (*index.elements, *index.include)]
    return None if None in columns else default_name(index.table.name, (column for column in columns if column is not None), "idx")
