"""What migrations require of the rows that exist before them: generated NULLs and repeated values would only prove that they were generated."""

import re
from collections.abc import Iterable

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name

_NOT_NULL = (ConstraintKind.NOT_NULL, ConstraintKind.PRIMARY_KEY)
_ABOUT_NULLS = lazy_pattern(r"\bnull\b|\bnum_(?:non)?nulls\b|\bcoalesce\b|\bdistinct\s+from\b", re.IGNORECASE)
"""A CHECK that a NULL can violate; others are satisfied by it."""

_WORD = lazy_pattern(r"\w+")
_KEYS = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE)


EVERY_COLUMN = ""
"""Stands for the columns of an expression or of an index, which can be any of the table."""


class Requirements(Struct, frozen=True):
    """The columns that must not be NULL, the columns of keys, and the tables to which the migrations insert rows.

    Tables are those that the statements name: without a schema if it is not known.
    """

    not_null: frozenset[tuple[Name, str]] = frozenset()
    keys: frozenset[tuple[Name, tuple[str, ...]]] = frozenset()
    written: frozenset[Name] = frozenset()

    def columns_without_null(self, table: Name) -> frozenset[str]:
        """Returns the columns of a table that must not be NULL."""
        return frozenset(column for name, column in self.not_null if _is_same(name, table))

    def keys_of(self, table: Name) -> tuple[tuple[str, ...], ...]:
        """Returns the columns of each key of a table."""
        return tuple(sorted(columns for name, columns in self.keys if _is_same(name, table)))

    def writes(self, table: Name) -> bool:
        """Whether the migrations insert rows into a table, or read it for rows that they insert."""
        return any(_is_same(name, table) for name in self.written)


class RequirementsFinder:
    """Finds the requirements of statements, in their order. A column that an earlier UPDATE sets may be NULL before: it is being filled."""

    def __init__(self) -> None:
        self._not_null: set[tuple[Name, str]] = set()
        self._keys: set[tuple[Name, tuple[str, ...]]] = set()
        self._written: set[Name] = set()
        self._filled: set[tuple[Name, str]] = set()
        self._former: dict[tuple[Name, str], str] = {}

    def add(self, operation: sql.Operation, table: Name) -> None:
        """Adds what an operation on a table requires."""
        match operation:
            case sql.Update(columns=columns):
                self._filled.update((table, self._former.get((table, column), column)) for column in columns)
            case sql.Insert(reads=reads):
                self._written.update((table, *reads))
            case sql.SetNotNull(column=column):
                self._must_not_be_null(table, [column])
            case sql.AddConstraint(constraint=constraint):
                self._add_constraint(table, constraint)
            case sql.RenameColumn(column=column, new_name=new_name):
                self._former[table, new_name] = self._former.get((table, column), column)
            case sql.CreateIndex(unique=True, elements=elements):
                self._add_key(table, tuple(element.column or EVERY_COLUMN for element in elements))

    def _add_constraint(self, table: Name, constraint: sql.Constraint) -> None:
        if constraint.kind in _NOT_NULL:
            # A primary key that is made from an index names no columns.
            self._must_not_be_null(table, constraint.columns or [EVERY_COLUMN])
        elif constraint.check is not None and _ABOUT_NULLS.search(constraint.check.sql):
            self._must_not_be_null(table, _WORD.findall(constraint.check.sql))
        if constraint.kind in _KEYS:
            self._add_key(table, constraint.columns or tuple(element.column or EVERY_COLUMN for element in constraint.elements))

    def found(self) -> Requirements:
        """Returns the requirements so far."""
        return Requirements(frozenset(self._not_null), frozenset(self._keys), frozenset(self._written))

    def _must_not_be_null(self, table: Name, columns: Iterable[str]) -> None:
        names = (self._former.get((table, column), column) for column in columns)
        self._not_null.update((table, column) for column in names if (table, column) not in self._filled)

    def _add_key(self, table: Name, columns: Iterable[str]) -> None:
        self._keys.add((table, tuple(self._former.get((table, column), column) for column in columns)))


def _is_same(name: Name, table: Name) -> bool:
    return name.name == table.name and name.schema in (None, table.schema)
