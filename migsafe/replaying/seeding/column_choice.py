"""The choice of an expression for each column that no foreign key sets."""

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from migsafe.replaying.seeding.combinations import Expressions, Found, Score, search
from migsafe.replaying.seeding.distribution import at, depends_on_row
from migsafe.replaying.seeding.documents import documents_for
from migsafe.replaying.seeding.generation import DEFAULT, SAMPLED, Generation
from migsafe.replaying.seeding.gradation import gradation
from migsafe.replaying.seeding.tables import Check, Column
from migsafe.sql.operations.values import quoted

if TYPE_CHECKING:
    from psycopg import Connection

_MAX_CANDIDATES = 120


class Unfillable(Exception):
    """The reason why a table stays empty. With `for_now`, it may be filled later, when another table has rows."""

    def __init__(self, reason: str, *, for_now: bool = False) -> None:
        super().__init__(reason)
        self.for_now = for_now


class ColumnChoice:
    """Chooses expressions for the columns of a table, up to row `last`, by trying them on a sample of rows."""

    def __init__(self, connection: "Connection[Any]", generation: Generation, last: int) -> None:
        self._connection = connection
        self._generation = generation
        self._checks = generation.table.checks
        self._last = last

    def choose_all(self, columns: Iterable[Column]) -> Expressions:
        """Returns expressions that fit the types of the columns and the CHECKs of each column alone. Raises Unfillable."""
        first = {column: next(self._possible(column), None) for column in columns}
        # One query for all columns is much faster than one for each; it fails if a single expression fails.
        fitting = self._fitting({column: expression for column, expression in first.items() if expression is not None})
        return {column.number: fitting.get(column) or self.choose(column) for column in first}

    def choose(self, column: Column) -> str:
        """Returns the first expression that fits the column. Raises Unfillable."""
        fitting = self._all_fitting(column)
        expression = next(fitting, None)
        if expression is not None and not depends_on_row(expression):
            # Many different values are better than the same one in all rows, which leaves room for one row in a key.
            expression = next(filter(depends_on_row, fitting), expression)
        if expression is None:
            if column.default is not None:
                return DEFAULT
            raise Unfillable(f"no generated value fits its column {column.name}")
        return expression

    def satisfy_checks(self, expressions: Expressions, variants: dict[int, list[str]]) -> tuple[Expressions, float]:
        """Returns expressions for the CHECKs over several columns, and the share of the generated rows that satisfy all of them.

        `variants` are the other expressions that columns of foreign keys may have.
        """
        table = self._generation.table
        checks = [check for check in self._checks if len(check.columns) != 1]
        if not checks and not self._generation.joins.can_lose_rows:
            return expressions, 1.0
        score = self._score(expressions, checks)
        if score is not None and score.all == 1.0:
            return expressions, 1.0
        candidates: dict[int, list[str]] = {}
        for column in table.columns:
            if not any(column.number in check.columns for check in checks):
                continue
            if column.number in variants:
                candidates[column.number] = variants[column.number]
            elif column.number in expressions and not column.given and column.number not in table.referring_columns:
                candidates[column.number] = list(dict.fromkeys([expressions[column.number], *self._all_fitting(column)]))
        columns_of_checks = [check.columns for check in checks]
        found = search(expressions, candidates, columns_of_checks, lambda tried: self._score(tried, checks))
        keys = [key for key in table.keys if not candidates.keys().isdisjoint(key)]
        different = self._different(found, keys)
        if different < SAMPLED / 2:
            # A key has room for few rows: rather fewer of the generated rows satisfy the checks.
            free = {number: values for number, values in candidates.items() if not any(number in key for key in keys)}
            others = search(expressions, free, columns_of_checks, lambda tried: self._score(tried, checks))
            if others.share * self._different(others, keys) > found.share * different:
                found = others
        return found.expressions, found.share

    def _different(self, found: Found, keys: Iterable[Collection[int]]) -> int:
        """Returns how many rows of a sample differ in each of the keys whose columns have values; SAMPLED without such a key."""
        generation = self._generation
        compared = []
        for key in keys:
            columns = [generation.table.column(number) for number in key]
            if not any(found.expressions.get(column.number) in (DEFAULT, generation.null(column)) for column in columns):
                compared.append(f"pg_catalog.count(DISTINCT ({', '.join(quoted(column.name) for column in columns)}))")
        if not compared:
            return SAMPLED
        row = self._fetch_one(f"SELECT {', '.join(compared)} FROM ({generation.sample(found.expressions, self._last)}) AS t")  # noqa: S608  # quoted
        return min(row, default=0) if row is not None else 0

    def share(self, expressions: Expressions) -> float | None:
        """Returns the share of the generated rows that satisfy the CHECKs over several columns; None if an expression fails."""
        score = self._score(expressions, [check for check in self._checks if len(check.columns) != 1])
        return score.all if score is not None else None

    def can_be_null(self, columns: Iterable[Column]) -> list[Column]:
        """Returns the columns that can be NULL according to their types and to the CHECKs that read no other column."""
        doubtful: list[Column] = []
        possible: list[Column] = []
        for column in columns:
            is_doubtful = self._generation.values.is_domain(column.type, column.modifier) or any(
                check.columns == {column.number} for check in self._checks
            )
            (doubtful if is_doubtful else possible).append(column)
        return possible + [column for column in doubtful if self._accepts_null(column)]

    def _accepts_null(self, column: Column) -> bool:
        own = [f"({check.sql}) IS NOT FALSE" for check in self._checks if check.columns == {column.number}]
        # PostgreSQL evaluates the NULL, which a domain may refuse, only if it is selected.
        name = quoted(column.name)
        query = f"SELECT {' AND '.join(own) or 'true'}, {name} FROM (SELECT {self._generation.null(column)} AS {name}) AS t"  # noqa: S608  # quoted
        row = self._fetch_one(query)
        return row is not None and bool(row[0])

    def _fitting(self, expressions: dict[Column, str]) -> dict[Column, str]:
        """Returns those of the expressions that fit; none if one of them cannot be evaluated."""
        if not expressions:
            return {}
        conditions = ", ".join(f"pg_catalog.bool_and({self._condition(column)})" for column in expressions)
        values = ", ".join(f"{expression} AS {quoted(column.name)}" for column, expression in expressions.items())
        query = f"SELECT {conditions} FROM (SELECT {values} FROM {self._generation.sample_numbers(self._last)}) AS t"  # noqa: S608  # PostgreSQL's own
        row = self._fetch_one(query)
        return {column: expressions[column] for column, fits in zip(expressions, row or (), strict=False) if fits}

    def _condition(self, column: Column) -> str:
        """Returns the condition for a generated value: it is not NULL and satisfies every CHECK that reads no other column."""
        own = [f"({check.sql}) IS NOT FALSE" for check in self._checks if check.columns == {column.number}]
        return " AND ".join([f"{quoted(column.name)} IS NOT NULL", *own])

    def _all_fitting(self, column: Column) -> Iterator[str]:
        for expression in self._possible(column):
            if self._fitting({column: expression}):
                yield expression
        # Only a column that nothing else fits is NULL in all rows.
        if not column.not_null:
            yield self._generation.null(column)

    def _possible(self, column: Column) -> Iterator[str]:
        """Yields expressions of the column's type, the best first."""
        table, expressions = self._generation.table, self._possible_in_row(column)
        if not table.offset or column.number in table.bound:
            return expressions
        # What is different in each row is different in each row of all partitions.
        return (at(expression, f"(n + {table.offset})") for expression in expressions)

    def _possible_in_row(self, column: Column) -> Iterator[str]:
        values = self._generation.values
        yield from self._documents(column)
        checks = [check.sql for check in self._checks if column.number in check.columns]
        constants = " ".join(checks)
        yield from documents_for(checks, column.name, values.spelt(column.type, column.modifier))
        several = values.several(column.type, column.modifier, constants)
        if several is not None:
            yield several
        yield from islice(values.candidates(column.type, column.modifier, constants), _MAX_CANDIDATES)

    def _documents(self, column: Column) -> Iterator[str]:
        """Yields an object with the keys that generated columns read from a JSON column, so that these columns are not NULL."""
        values = self._generation.values
        spelt = values.spelt(column.type, column.modifier)
        if spelt not in ("json", "jsonb"):
            return
        members: dict[str, str] = {}
        for generated in self._generation.table.columns:
            if generated.generated and generated.default is not None:
                for key in re.findall(rf"(?<!\w){re.escape(quoted(column.name))} ->>? '((?:[^']|'')+)'", generated.default):
                    value = next(values.candidates(generated.type, generated.modifier), None)
                    if value is not None:
                        members.setdefault(key, value)
        if members:
            pairs = ", ".join(f"'{key}', {value}" for key, value in members.items())
            yield f"pg_catalog.jsonb_build_object({pairs})::{spelt}"

    def _score(self, expressions: Expressions, checks: list[Check]) -> Score | None:
        """Returns how many rows of a sample satisfy the checks; None if an expression fails."""
        conditions = [f"({check.sql}) IS NOT FALSE" for check in checks]
        sums = [f"pg_catalog.count(*) FILTER (WHERE {condition})" for condition in (" AND ".join(conditions) or "true", *conditions)]
        sums += [f"coalesce(pg_catalog.sum({gradation(check.sql)}), 0)::float8" for check in checks]
        query = f"SELECT {', '.join(sums)} FROM ({self._generation.sample(expressions, self._last)}) AS t"  # noqa: S608  # PostgreSQL's own
        counts = self._fetch_one(query)
        if counts is None:
            return None
        every, *each = (count / SAMPLED for count in counts)
        return Score(every, sum(each[len(checks) :]), tuple(each[: len(checks)]))

    def _fetch_one(self, query: str) -> Any:
        """Returns the first row; None if an expression fails."""
        from psycopg import Error, OperationalError  # noqa: PLC0415  # start-up must not pay for it

        try:
            return self._connection.execute(query.encode()).fetchone()
        except OperationalError:
            raise
        except Error:
            return None
