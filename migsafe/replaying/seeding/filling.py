"""Filling one table: chooses an expression for each column and inserts the rows."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from migsafe.replaying.seeding.combinations import Expressions, Score, search
from migsafe.replaying.seeding.references import Joins, ReferencedTables, in_useful_order
from migsafe.replaying.seeding.tables import Check, Column, Reference, Table
from migsafe.replaying.seeding.values import Values
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_SMALLEST_ROWS = 300
_SAMPLE = 500
_MAX_CANDIDATES = 120
_MAX_OVERSAMPLING = 20
"""How many times the wanted rows are generated at most if a condition accepts only some of them."""

_MARGIN = 1.25
_SEQUENCE = "SELECT pg_catalog.pg_get_serial_sequence(%s, %s)"


class Unfillable(Exception):
    """The reason why a table stays empty. With `for_now`, it may be filled later, when another table has rows."""

    def __init__(self, reason: str, *, for_now: bool = False) -> None:
        super().__init__(reason)
        self.for_now = for_now


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

    def __init__(self, connection: "Connection[Any]", values: Values, referenced: ReferencedTables, table: Table, wanted: int) -> None:
        self._connection = connection
        self._values = values
        self._referenced = referenced
        self._table = table
        self._wanted = wanted
        self._expressions: Expressions = {}
        self._candidates: dict[int, list[str]] = {}
        self._joins = Joins(table)
        self._share: float | None = None

    def key_expressions(self, numbers: tuple[int, ...]) -> Expressions:
        """Returns expressions for columns that other tables will reference. Raises Unfillable."""
        of_references = {number for reference in self._table.references for number in reference.columns}
        if not of_references.isdisjoint(numbers):
            raise Unfillable(f"the key of {self._table.name} is a foreign key itself, and the foreign keys form a cycle")
        columns = [self._table.column(number) for number in numbers]
        return {column.number: self._given(column) if column.given else self._choose(column) for column in columns}

    def insert(self, later: frozenset[int], keys: KeyValues) -> int:
        """Fills the table; returns its number of rows. Raises Unfillable, and psycopg.Error."""
        self._prepare(later, keys)
        made = self._insert_rows(self._wanted)
        if made == 0:
            raise Unfillable("no generated row satisfies all its constraints")
        self._continue_sequences()
        return made

    def insert_fewer(self, wanted: int) -> int:
        """Fills the table with fewer rows, after `insert` took too long; returns its number of rows. Raises psycopg.Error."""
        made = self._insert_rows(min(wanted, self._wanted)) if self._share is not None else 0
        self._continue_sequences()
        return made

    def _prepare(self, later: frozenset[int], keys: KeyValues) -> None:
        """Chooses all expressions."""
        self._expressions.update(keys.fixed(self._table.oid))
        to_itself = [reference for reference in self._table.references if reference.table in (self._table.oid, *self._table.ancestors)]
        for reference in in_useful_order(self._table):
            if reference not in to_itself:
                self._fill_reference(reference, reference.table in later, keys)
        for reference in to_itself:
            self._fill_reference_to_itself(reference)
        self._choose_values()
        if any(self._table.must_reference(reference) for reference in to_itself):
            self._copy_own_keys(to_itself)
        self._share = self._satisfy_checks()

    def _fill_reference(self, reference: Reference, is_later: bool, keys: KeyValues) -> None:
        """Sets the columns of a foreign key to existing rows, or to rows that will exist."""
        bound = {number: self._expressions[number] for number in reference.columns if number in self._expressions}
        if any(self._is_null(number, expression) for number, expression in bound.items()):
            return
        if is_later:
            if not self._table.must_reference(reference):
                self._leave_null(reference, "")
            elif bound:
                raise Unfillable("two of its foreign keys share a column, and one of them is part of a cycle")
            else:
                self._expressions.update(zip(reference.columns, keys.of(reference), strict=True))
            return
        referenced = self._referenced.read(reference)
        if referenced.count == 0:
            self._leave_null(reference, f"its foreign key references {referenced.name}, which is empty")
            return
        expressions = self._joins.add(reference, referenced, bound)
        self._expressions.update(expressions)
        for number, expression in expressions.items():
            if not self._table.column(number).not_null:
                self._candidates[number] = [expression, f"CASE WHEN n % 2 = 0 THEN {expression} END", self._null(self._table.column(number))]
        if any(set(key) <= set(reference.columns) for key in self._table.keys):
            self._wanted = min(self._wanted, referenced.count)
        elif self._is_key_of_references():
            self._wanted = min(self._wanted, self._joins.pace)

    def _is_key_of_references(self) -> bool:
        """Whether the columns that are set so far, all of foreign keys, contain a key."""
        referring = {number for reference in self._table.references for number in reference.columns}
        return any(set(key) <= referring & self._expressions.keys() for key in self._table.keys)

    def _fill_reference_to_itself(self, reference: Reference) -> None:
        if not self._table.must_reference(reference) and not any(
            self._is_null(number, self._expressions[number]) for number in reference.columns if number in self._expressions
        ):
            self._leave_null(reference, "")

    def _copy_own_keys(self, references: list[Reference]) -> None:
        """Makes each row reference itself, where a row must reference a row of its table."""
        for reference in references:
            if self._table.must_reference(reference):
                for number, key in zip(reference.columns, reference.referenced, strict=True):
                    column = self._table.column(key)
                    self._expressions.setdefault(key, self._given(column))
                    self._expressions[number] = self._expressions[key]

    def _leave_null(self, reference: Reference, why: str) -> None:
        can_be_null = [number for number in reference.columns if not self._table.column(number).not_null]
        others = {number for other in self._table.references if other is not reference for number in other.columns}
        # A column of another foreign key keeps its value if possible.
        number = min(can_be_null, key=lambda number: number in others, default=None)
        if number is None:
            raise Unfillable(why, for_now=True)
        self._expressions[number] = self._null(self._table.column(number))
        self._candidates.pop(number, None)

    def _choose_values(self) -> None:
        """Chooses an expression for each other column that fits the type and the CHECKs of this column alone."""
        own_keys = {
            number
            for reference in self._table.references
            if reference.table in (self._table.oid, *self._table.ancestors) and self._table.must_reference(reference)
            for number, key in zip(reference.columns, reference.referenced, strict=True)
            if number != key
        }
        open_columns = [
            column
            for column in self._table.columns
            if not column.given and column.number not in self._expressions and column.number not in own_keys
        ]
        first = {column.number: next(self._possible(column), None) for column in open_columns}
        fitting = self._fitting({column.number: expression for column in open_columns if (expression := first[column.number]) is not None})
        for column in open_columns:
            if column.number in fitting:
                self._expressions[column.number] = fitting[column.number]
            else:
                self._expressions[column.number] = self._choose(column)

    def _fitting(self, expressions: Expressions) -> Expressions:
        """Returns those of the expressions that fit, if all can be evaluated; one query for all is much faster than one for each."""
        columns = [self._table.column(number) for number in expressions]
        if not columns:
            return {}
        conditions = ", ".join(f"pg_catalog.bool_and({self._fits(column)})" for column in columns)
        values = ", ".join(f"{expressions[column.number]} AS {quoted(column.name)}" for column in columns)
        row = self._fetch_one(f"SELECT {conditions} FROM (SELECT {values} FROM {self._sample()}) AS t")  # noqa: S608  # PostgreSQL's own
        return {column.number: expressions[column.number] for column, fits in zip(columns, row or (), strict=False) if fits}

    def _fits(self, column: Column) -> str:
        """Returns the condition for a generated value: it is not NULL and satisfies every CHECK that reads no other column."""
        own = [f"({check.sql}) IS NOT FALSE" for check in self._table.checks if check.columns == {column.number}]
        return " AND ".join([f"{quoted(column.name)} IS NOT NULL", *own])

    def _choose(self, column: Column) -> str:
        """Returns the first expression that fits the column."""
        fitting = self._all_fitting(column)
        first = next(fitting, None)
        if first is None:
            if column.default is not None:
                return "DEFAULT"
            raise Unfillable(f"no generated value fits its column {column.name}")
        return first

    def _all_fitting(self, column: Column) -> Iterator[str]:
        for expression in self._possible(column):
            if self._fitting({column.number: expression}):
                yield expression
        # Only a column that nothing else fits is NULL in all rows.
        if not column.not_null:
            yield self._null(column)

    def _possible(self, column: Column) -> Iterator[str]:
        """Yields expressions of the column's type, the best first."""
        constants = " ".join(check.sql for check in self._table.checks if column.number in check.columns)
        several = self._values.several(column.type, column.modifier, constants)
        if several is not None:
            yield several
        yield from islice(self._values.candidates(column.type, column.modifier, constants), _MAX_CANDIDATES)

    def _satisfy_checks(self) -> float:
        """Chooses expressions for the CHECKs over several columns; returns the share of the generated rows that satisfy all."""
        checks = [check for check in self._table.checks if len(check.columns) != 1]
        if not checks:
            return self._score_of(self._expressions, []).all
        score = self._score(self._expressions, checks)
        if score is not None and score.all == 1.0:
            return score.all
        candidates = {
            column.number: self._candidates.get(column.number) or self._several_fitting(column)
            for column in self._table.columns
            if any(column.number in check.columns for check in checks) and self._can_choose(column)
        }
        found = search(self._expressions, candidates, [check.columns for check in checks], lambda tried: self._score(tried, checks))
        self._expressions = found.expressions
        return found.share

    def _can_choose(self, column: Column) -> bool:
        """Whether the column may have another expression: it has several already, or no foreign key sets it."""
        of_references = any(column.number in reference.columns for reference in self._table.references)
        return column.number in self._candidates or (column.number in self._expressions and not column.given and not of_references)

    def _several_fitting(self, column: Column) -> list[str]:
        return list(dict.fromkeys([self._expressions[column.number], *self._all_fitting(column)]))

    def _score(self, expressions: Expressions, checks: list[Check]) -> Score | None:
        """Returns how many rows of a sample satisfy the checks; None if an expression fails."""
        from psycopg import Error, OperationalError  # noqa: PLC0415  # start-up must not pay for it

        try:
            return self._score_of(expressions, checks)
        except OperationalError:
            raise
        except Error:
            return None

    def _score_of(self, expressions: Expressions, checks: list[Check]) -> Score:
        if not checks and not self._joins.can_lose_rows:
            return Score(1.0, 0.0, ())
        conditions = [f"({check.sql}) IS NOT FALSE" for check in checks]
        sums = [f"pg_catalog.count(*) FILTER (WHERE {condition})" for condition in (" AND ".join(conditions) or "true", *conditions)]
        query = f"SELECT {', '.join(sums)} FROM ({self._rows_query(expressions, self._sample(), sample=True)}) AS t"  # noqa: S608
        [counts] = self._connection.execute(query.encode()).fetchall()
        every, *each = (count / _SAMPLE for count in counts)
        return Score(every, sum(each), tuple(each))

    def _sample(self) -> str:
        """Returns a FROM item with some of the numbers of the rows: the first ones, and others up to the last one."""
        rest = _SAMPLE - _SMALLEST_ROWS
        return (
            f"(SELECT pg_catalog.generate_series(1::int8, {_SMALLEST_ROWS}) AS n UNION ALL SELECT 1 + i * {max(self._wanted - 1, 0)} / {rest} "  # noqa: S608
            f"FROM pg_catalog.generate_series(1::int8, {rest}) AS i) AS numbers"
        )

    def _fetch_one(self, query: str) -> Any:
        from psycopg import Error, OperationalError  # noqa: PLC0415  # start-up must not pay for it

        try:
            return self._connection.execute(query.encode()).fetchone()
        except OperationalError:
            raise
        except Error:
            return None

    def _rows_query(self, expressions: Expressions, numbers: str, *, sample: bool = False) -> str:
        """Returns a query for rows; columns that PostgreSQL fills have the values that it will give them, if these are known."""
        columns = []
        for column in self._table.columns:
            expression = expressions.get(column.number, "DEFAULT")
            if column.generated:
                continue
            if expression == "DEFAULT":
                expression = self._given(column) if column.given else self._null(column)
            columns.append(f"{expression} AS {quoted(column.name)}")
        generated = [
            f"{column.default} AS {quoted(column.name)}" for column in self._table.columns if column.generated and column.default is not None
        ]
        rows = f"SELECT {', '.join(columns)} FROM {numbers} {self._joins.sql(sample=sample)}"  # noqa: S608  # quoted
        return f"SELECT base.*, {', '.join(generated)} FROM ({rows}) AS base" if generated else rows  # noqa: S608  # PostgreSQL's own

    def _is_null(self, number: int, expression: str) -> bool:
        return expression == self._null(self._table.column(number))

    def _null(self, column: Column) -> str:
        return f"NULL::{self._values.spelt(column.type, column.modifier)}"

    def _given(self, column: Column) -> str:
        """Returns the value of a column with a sequence in row `n`, if the sequence has not been used."""
        return f"n::{self._values.spelt(column.type, column.modifier)}"

    def _columns_with_values(self) -> list[Column]:
        return [
            column
            for column in self._table.columns
            if not column.generated and self._expressions.get(column.number, "DEFAULT") != "DEFAULT"
        ]

    def _insert_rows(self, wanted: int) -> int:
        from psycopg.errors import CheckViolation, DataError  # noqa: PLC0415  # start-up must not pay for it

        if not self._share:
            return 0
        if self._share == 1.0:
            try:
                return self._insert(wanted, wanted, filtered=False)
            except CheckViolation:
                # The sample was too small to contain a row that a condition refuses.
                return self._insert(wanted, wanted, filtered=True)
        generated = int(wanted * min(_MARGIN / self._share, _MAX_OVERSAMPLING)) + _SAMPLE
        try:
            return self._insert(wanted, generated, filtered=True)
        except DataError:
            # The numbers of the additional rows are too large for a type.
            return self._insert(wanted, wanted, filtered=True)

    def _insert(self, wanted: int, generated: int, *, filtered: bool) -> int:
        """Inserts up to `wanted` of the generated rows; returns how many. Raises psycopg.Error."""
        from psycopg.errors import ObjectNotInPrerequisiteState, WrongObjectType  # noqa: PLC0415  # start-up must not pay for it

        columns = self._columns_with_values()
        names = ", ".join(quoted(column.name) for column in columns)
        numbers = f"pg_catalog.generate_series(1::int8, {generated}) AS n"
        checks = " AND ".join(f"({check.sql}) IS NOT FALSE" for check in self._table.checks) or "true"
        if filtered:
            rows = f"SELECT {names} FROM ({self._rows_query(self._expressions, numbers)}) AS t WHERE {checks} LIMIT {wanted}"  # noqa: S608
        else:
            values = ", ".join(self._expressions[column.number] for column in columns)
            rows = f"SELECT {values} FROM {numbers} {self._joins.sql(sample=False)}"  # noqa: S608  # quoted
        into = f"{self._table.name} ({names})" if names else str(self._table.name)
        over = " OVERRIDING SYSTEM VALUE" if any(column.given for column in columns) else ""
        sql = f"INSERT INTO {into}{over} {rows}"
        if not self._table.keys:
            return self._connection.execute(sql.encode()).rowcount
        try:
            return self._connection.execute(f"{sql} ON CONFLICT DO NOTHING".encode()).rowcount
        except (ObjectNotInPrerequisiteState, WrongObjectType):
            # ON CONFLICT is not possible with a deferrable constraint.
            return self._connection.execute(sql.encode()).rowcount

    def _continue_sequences(self) -> None:
        """Makes the sequences of columns whose values were generated continue after the highest one."""
        for column in self._columns_with_values():
            if column.given:
                [(sequence,)] = self._connection.execute(_SEQUENCE, (str(self._table.name), column.name)).fetchall()
                if sequence is not None:
                    highest = f"SELECT max({quoted(column.name)}) FROM {self._table.name}"  # noqa: S608  # quoted
                    self._connection.execute(f"SELECT pg_catalog.setval(%s, ({highest}))".encode(), (sequence,))
