"""The names that PostgreSQL chooses for unnamed objects (makeObjectName and ChooseIndexName in its
src/backend/commands/indexcmds.c, ChooseConstraintName in src/backend/catalog/pg_constraint.c)."""

from collections.abc import Callable, Iterable

from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import CreateIndex, Name

_LONGEST = 63
"""NAMEDATALEN - 1, in bytes."""


def default_name(table: str, columns: Iterable[str], label: str) -> str:
    """Returns `table_column_label`, shortened as PostgreSQL does it: the longer of table and columns first. `label` is `fkey`, `idx`…

    The number that PostgreSQL appends if the name is already in use is not added here.
    """
    first, second = table.encode(), "_".join(columns).encode()[:_LONGEST]
    room = _LONGEST - len(label.encode()) - 1 - bool(second)
    while len(first) + len(second) > room:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
    pieces = (first.decode(errors="ignore"), second.decode(errors="ignore"), label)
    return "_".join(piece for piece in pieces if piece)


def default_index_name(index: CreateIndex, catalog: Catalog) -> str | None:
    """Returns the name that PostgreSQL gives to an unnamed index; None if it has an expression, which is named after the function in it."""
    columns = [element.column for element in (*index.elements, *index.include) if element.column is not None]
    if len(columns) < len(index.elements) + len(index.include):
        return None
    return free_relation_name(catalog, catalog.resolve(index.table), index_columns(columns), "idx").name


def free_relation_name(
    catalog: Catalog, table: Name, columns: Iterable[str], label: str, *, constraint: bool = False, reserved_names: Iterable[str] = ()
) -> Name:
    """Returns the name of an index or a sequence of a table: with a number if a relation, or one of `reserved_names`, already has that name, or
    for a constraint's index a constraint."""
    reserved = tuple(reserved_names)

    def is_taken(name: Name) -> bool:
        return catalog.is_taken(name) or name.name in reserved or (constraint and catalog.has_constraint_named(name))

    return _free_name(is_taken, table, columns, label)


def free_constraint_name(catalog: Catalog, table: Name, columns: Iterable[str], label: str, reserved_names: Iterable[str] = ()) -> Name:
    """Returns the name of a constraint of a table: with a number if a constraint in the schema, or one of `reserved_names`, already has that
    name."""
    reserved = tuple(reserved_names)
    return _free_name(lambda name: catalog.has_constraint_named(name) or name.name in reserved, table, columns, label)


def index_columns(names: Iterable[str]) -> list[str]:
    """Returns the names of an index's columns, numbered where they are equal (ChooseIndexColumnNames)."""
    columns: list[str] = []
    for name in names:
        free, number = name, 0
        while free in columns:
            number += 1
            free = name.encode()[: _LONGEST - len(str(number))].decode(errors="ignore") + str(number)
        columns.append(free)
    return columns


def _free_name(is_taken: Callable[[Name], bool], table: Name, columns: Iterable[str], label: str) -> Name:
    column_names = tuple(columns)
    name, number = Name(default_name(table.name, column_names, label), table.schema), 0
    while is_taken(name):
        number += 1
        name = Name(default_name(table.name, column_names, f"{label}{number}"), table.schema)
    return name
