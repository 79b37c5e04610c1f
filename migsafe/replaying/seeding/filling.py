"""Filling one table: chooses an expression for each column, the foreign keys first, and inserts the rows."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migsafe.replaying.seeding.column_choice import ColumnChoice, Unfillable
from migsafe.replaying.seeding.combinations import Expressions
from migsafe.replaying.seeding.generation import Generation
from migsafe.replaying.seeding.insertion import Insertion
from migsafe.replaying.seeding.preferences import Preferences
from migsafe.replaying.seeding.references import Joins, ReferencedTables, in_useful_order
from migsafe.replaying.seeding.refinement import Refined, Refinement
from migsafe.replaying.seeding.tables import Reference, Table
from migsafe.replaying.seeding.values import Values

if TYPE_CHECKING:
    from psycopg import Connection


class KeyValues:
    """The expressions of referenced columns that are fixed before their table is filled, because the references form a cycle.

    `rows` are the rows that such a table must get, by its oid: the rows that reference it are there already.
    """

    def __init__(self, fix: Callable[[Reference], int]) -> None:
        self._fix = fix
        self._expressions: dict[tuple[int, int], str] = {}
        self.rows: dict[int, int] = {}

    def of(self, reference: Reference) -> list[str]:
        """Returns the expressions of a foreign key's columns in row `n`. Raises Unfillable."""
        if any((reference.table, number) not in self._expressions for number in reference.referenced):
            self.rows[reference.table] = self._fix(reference)
        count = self.rows[reference.table]
        return [
            f"(SELECT {self._expressions[reference.table, number]} FROM (SELECT (n - 1) % {count} + 1 AS n) AS other)"  # noqa: S608
            for number in reference.referenced
        ]

    def set(self, table: int, expressions: Expressions) -> None:
        """Fixes the expressions of some columns of a table."""
        self._expressions.update({(table, number): expression for number, expression in expressions.items()})

    def fixed(self, table: int) -> Expressions:
        """Returns the expressions that are fixed for a table."""
        return {number: expression for (oid, number), expression in self._expressions.items() if oid == table}


class Filling:
    """One table while it is filled. `later` are the tables that it references and that have no rows yet, `wanted` is the number of rows."""

    def __init__(
        self,
        connection: "Connection[Any]",
        values: Values,
        referenced: ReferencedTables,
        table: Table,
        wanted: int,
        preferences: Preferences,
    ) -> None:
        self._preferences = preferences
        self._connection = connection
        self._referenced = referenced
        self._table = table
        self._wanted = wanted
        self._joins = Joins(table)
        self._generation = Generation(table, values, self._joins)
        self._expressions: Expressions = {}
        self._variants: dict[int, list[str]] = {}
        self._insertion: Insertion | None = None
        self.null_columns: frozenset[int] = frozenset()
        """The columns to which NULLs were given."""

    def key_expressions(self, numbers: tuple[int, ...]) -> Expressions:
        """Returns expressions for columns that other tables will reference. Raises Unfillable."""
        if not self._table.referring_columns.isdisjoint(numbers):
            raise Unfillable(f"the key of {self._table.name} is a foreign key itself, and the foreign keys form a cycle")
        choice = ColumnChoice(self._connection, self._generation, self._wanted)
        columns = [self._table.column(number) for number in numbers]
        return {column.number: self._generation.given(column) if column.given else choice.choose(column) for column in columns}

    def insert(self, later: frozenset[int], keys: KeyValues) -> int:
        """Fills the table; returns its number of rows. Raises Unfillable, and psycopg.Error."""
        fixed = keys.fixed(self._table.oid)
        self._expressions.update(fixed)
        own = [reference for reference in self._table.references if reference.table in (self._table.oid, *self._table.ancestors)]
        for reference in in_useful_order(self._table):
            if reference not in own:
                self._fill_reference(reference, reference.table in later, keys)
        self._leave_own_references_null(own)
        choice = ColumnChoice(self._connection, self._generation, self._wanted)
        self._choose_values(choice, own)
        self._copy_own_keys(own)
        with self._joins.kept_sample(self._connection, self._generation.sample_numbers(self._wanted)):
            expressions, share = choice.satisfy_checks(self._expressions, self._variants)
            refinement = Refinement(self._generation, choice, self._preferences, own, fixed, self._wanted)
            refined = refinement.refine(expressions, share)
            # Without references of the rows to each other, some of the rows may be left out.
            independent = refinement.refine(expressions, share, with_own_references=False) if refinement.references_itself else None
        self.null_columns = refinement.null_columns
        made = self._insert_refined(refined, independent)
        if made == 0:
            raise Unfillable("no generated row satisfies all its constraints")
        return made

    def _insert_refined(self, refined: Refined, independent: Refined | None) -> int:
        """Inserts rows; those without references to each other, if some of the others cannot be inserted."""
        from psycopg.errors import CheckViolation, UniqueViolation  # noqa: PLC0415  # start-up must not pay for it

        self._insertion = Insertion(self._connection, self._generation, *refined)
        if independent is None:
            return self._insertion.insert(self._wanted)
        try:
            return self._insertion.insert(self._wanted, complete=True)
        except (CheckViolation, UniqueViolation):
            self._insertion = Insertion(self._connection, self._generation, *independent)
            return self._insertion.insert(self._wanted)

    def insert_fewer(self, wanted: int) -> int:
        """Fills the table with fewer rows, after `insert` took too long; returns its number of rows. Raises psycopg.Error."""
        return self._insertion.insert(min(wanted, self._wanted)) if self._insertion is not None else 0

    def _fill_reference(self, reference: Reference, is_later: bool, keys: KeyValues) -> None:
        """Sets the columns of a foreign key to existing rows, or to rows that will exist."""
        bound = {number: self._expressions[number] for number in reference.columns if number in self._expressions}
        if any(self._is_null(number) for number in bound):
            return
        if is_later:
            self._fill_cyclic_reference(reference, bound, keys)
            return
        referenced = self._referenced.read(reference)
        if referenced.count == 0:
            self._leave_null(reference, f"its foreign key references {referenced.name}, which is empty")
            return
        chosen = self._preferences.referenced_row(self._table, reference, referenced.count, self._wanted)
        expressions = self._joins.add(reference, referenced, bound, chosen)
        self._expressions.update(expressions)
        for column in map(self._table.column, expressions):
            if not column.not_null:
                expression = expressions[column.number]
                self._variants[column.number] = [expression, f"CASE WHEN n % 2 = 0 THEN {expression} END", self._generation.null(column)]
        if any(set(key) <= set(reference.columns) for key in self._table.keys):
            self._wanted = min(self._wanted, referenced.count)
        elif any(set(key) <= self._table.referring_columns & self._expressions.keys() for key in self._table.keys):
            self._wanted = min(self._wanted, self._joins.pace)

    def _fill_cyclic_reference(self, reference: Reference, bound: Expressions, keys: KeyValues) -> None:
        if not self._table.must_reference(reference):
            self._leave_null(reference, "")
        elif bound:
            raise Unfillable("two of its foreign keys share a column, and one of them is part of a cycle")
        else:
            self._expressions.update(zip(reference.columns, keys.of(reference), strict=True))

    def _leave_own_references_null(self, own: list[Reference]) -> None:
        for reference in own:
            if not self._table.must_reference(reference) and not any(self._is_null(number) for number in reference.columns):
                self._leave_null(reference, "")

    def _leave_null(self, reference: Reference, why: str) -> None:
        can_be_null = [number for number in reference.columns if not self._table.column(number).not_null]
        others = {number for other in self._table.references if other is not reference for number in other.columns}
        # A column of another foreign key keeps its value if possible.
        number = min(can_be_null, key=lambda number: number in others, default=None)
        if number is None or (reference.is_full and len(can_be_null) < len(reference.columns)):
            raise Unfillable(why, for_now=True)
        for each in reference.columns if reference.is_full else (number,):
            self._expressions[each] = self._generation.null(self._table.column(each))
            self._variants.pop(each, None)

    def _choose_values(self, choice: ColumnChoice, own: list[Reference]) -> None:
        """Chooses an expression for each column that no foreign key sets."""
        copied = {
            number
            for reference in own
            if self._table.must_reference(reference)
            for number, key in zip(reference.columns, reference.referenced, strict=True)
            if number != key
        }
        self._expressions |= choice.choose_all(
            column
            for column in self._table.columns
            if not column.given and column.number not in self._expressions and column.number not in copied
        )

    def _copy_own_keys(self, own: list[Reference]) -> None:
        """Makes each row reference itself, where a row must reference a row of its table."""
        for reference in own:
            if self._table.must_reference(reference):
                for number, key in zip(reference.columns, reference.referenced, strict=True):
                    self._expressions.setdefault(key, self._generation.given(self._table.column(key)))
                    self._expressions[number] = self._expressions[key]

    def _is_null(self, number: int) -> bool:
        return self._expressions.get(number) == self._generation.null(self._table.column(number))
