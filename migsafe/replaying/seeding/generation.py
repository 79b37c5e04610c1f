"""The query that generates the rows of a table: an expression in `n`, the number of the row, for each column."""

from msgspec import Struct

from migsafe.replaying.seeding.combinations import Expressions
from migsafe.replaying.seeding.references import Joins
from migsafe.replaying.seeding.tables import Column, Table
from migsafe.replaying.seeding.values import Values
from migsafe.sql.operations.values import quoted

DEFAULT = "DEFAULT"
"""The expression of a column that PostgreSQL fills itself."""

SAMPLED = 500
_FIRST = 300


class Generation(Struct, frozen=True):
    """The generated rows of a table. Columns without an expression have the one that PostgreSQL gives them."""

    table: Table
    values: Values
    joins: Joins

    def columns(self, expressions: Expressions) -> list[Column]:
        """Returns the columns that an INSERT names."""
        return [column for column in self.table.columns if not column.generated and expressions.get(column.number, DEFAULT) != DEFAULT]

    def insertable(self, expressions: Expressions, number: int) -> str:
        """Returns a query for this number of rows, with the columns that an INSERT names."""
        values = ", ".join(expressions[column.number] for column in self.columns(expressions))
        return f"SELECT {values} FROM {self._numbers(number)} {self.joins.sql(sample=False)}"  # noqa: S608  # PostgreSQL's own, or quoted

    def all_columns(self, expressions: Expressions, number: int) -> str:
        """Returns a query for this number of rows, with all columns, on which the table's CHECKs can be evaluated."""
        return self._all_columns(expressions, self._numbers(number), sample=False)

    def sample(self, expressions: Expressions, last: int) -> str:
        """Returns a query for a sample of the rows up to `last`, with all columns."""
        return self.joins.sampled(self._all_columns(expressions, self.joins.sample_numbers(self.sample_numbers(last)), sample=True))

    def _all_columns(self, expressions: Expressions, numbers: str, *, sample: bool) -> str:
        columns = []
        for column in self.table.columns:
            if column.generated:
                continue
            expression = expressions.get(column.number, DEFAULT)
            if expression == DEFAULT:
                expression = self.given(column) if column.given else self.null(column)
            columns.append(f"{expression} AS {quoted(column.name)}")
        rows = f"SELECT {', '.join(columns)} FROM {numbers} {self.joins.sql(sample=sample)}"  # noqa: S608  # quoted
        generated = [column for column in self.table.columns if column.generated and column.default is not None]
        if not generated:
            return rows
        values = ", ".join(f"{column.default} AS {quoted(column.name)}" for column in generated)
        return f"SELECT base.*, {values} FROM ({rows}) AS base"  # noqa: S608  # PostgreSQL's own

    def null(self, column: Column) -> str:
        """Returns NULL with the column's type."""
        return f"NULL::{self.values.spelt(column.type, column.modifier)}"

    def given(self, column: Column) -> str:
        """Returns the value of a column with a sequence in row `n`, if the sequence has not been used."""
        number = f"(n + {self.table.offset})" if self.table.offset else "n"
        return f"{number}::{self.values.spelt(column.type, column.modifier)}"

    def sample_numbers(self, last: int) -> str:
        """Returns a FROM item with SAMPLED numbers of rows: the first ones, and others up to the last one."""
        first, rest = self.table.existing + 1, SAMPLED - _FIRST
        return (
            f"(SELECT pg_catalog.generate_series({first}::int8, {first + _FIRST - 1}) AS n UNION ALL "  # noqa: S608  # numbers
            f"SELECT {first} + i * {max(last - 1, 0)} / {rest} FROM pg_catalog.generate_series(1::int8, {rest}) AS i) AS numbers"
        )

    def _numbers(self, number: int) -> str:
        first = self.table.existing + 1
        return f"pg_catalog.generate_series({first}::int8, {first + number - 1}) AS n"
