"""The refinement of generated rows: repeated values, references within the table, and NULLs, where the constraints allow them."""

import re
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from migsafe.replaying.seeding.column_choice import ColumnChoice
from migsafe.replaying.seeding.combinations import Expressions
from migsafe.replaying.seeding.distribution import Distribution, at, earlier_row
from migsafe.replaying.seeding.generation import DEFAULT, Generation
from migsafe.replaying.seeding.preferences import Preferences, seed_of
from migsafe.replaying.seeding.tables import Column, Reference
from migsafe.sql.operations.values import quoted

_MAX_TRIES = 40

Refined = tuple[Expressions, float]
"""Expressions, and the share of the rows that satisfy the CHECKs with them."""


class Refinement:
    """Refines the expressions of a table's columns, for `last` rows. `own` are the references of the table to itself, `fixed` the columns whose
    values other tables reference already."""

    def __init__(
        self,
        generation: Generation,
        choice: ColumnChoice,
        preferences: Preferences,
        own: Collection[Reference],
        fixed: Collection[int],
        last: int,
    ) -> None:
        self._generation = generation
        self._table = generation.table
        self._choice = choice
        self._preferences = preferences
        self._own = own
        self._fixed = fixed
        self._last = last
        self._keys = preferences.keys(self._table)
        self._checked = self._columns_of_checks()
        self.references_itself = False
        """Whether rows reference other rows of the table, so that none of them may be left out."""
        self.null_columns: frozenset[int] = frozenset()
        """The columns that contain NULLs."""

    def refine(self, expressions: Expressions, share: float, *, with_own_references: bool = True) -> Refined:
        """Returns the refined expressions, and the share of the rows that satisfy the CHECKs, which is not smaller than `share`."""
        refined, share = self._apply(expressions, share, [{number: value} for number, value in self._repeated(expressions)])
        if with_own_references and share == 1.0 and not self._table.has_exclusion:
            references = list(self._own_references(refined))
            before = refined
            refined, share = self._apply(refined, share, references)
            self.references_itself = any(before.get(number) != refined[number] for each in references for number in each)
        nullable = dict(self._nullable(refined))
        result, share = self._apply(refined, share, self._kept_together(nullable))
        self.null_columns = frozenset(number for number, expression in nullable.items() if result[number] == expression)
        return result, share

    def _apply(self, expressions: Expressions, share: float, changes: Collection[Expressions]) -> tuple[Expressions, float]:
        """Applies changes, each as a whole: those of columns in CHECKs over several columns only if as many rows as before satisfy these."""
        checked = [change for change in changes if not self._checked.isdisjoint(change)]
        for change in changes:
            expressions = expressions if change in checked else expressions | change
        if not checked:
            return expressions, share
        all_of_them = {number: value for change in checked for number, value in change.items()}
        for part in (all_of_them, *(checked[:_MAX_TRIES] if len(checked) > 1 else ())):
            new_share = self._choice.share(expressions | part)
            if new_share is not None and new_share >= share:
                expressions, share = expressions | part, new_share
                if part is all_of_them:
                    break
        return expressions, share

    def _kept_together(self, nullable: Expressions) -> list[Expressions]:
        """Returns changes to columns that contain NULLs: the columns of a foreign key with MATCH FULL are changed together or not at all."""
        changes: list[Expressions] = []
        rest = dict(nullable)
        for reference in (reference for reference in self._table.references if reference.is_full):
            together = {number: rest.pop(number) for number in reference.columns if number in rest}
            changes += [together] if len(together) == len(reference.columns) else []
        return [*changes, *({number: value} for number, value in rest.items())]

    def _repeated(self, expressions: Expressions) -> Iterator[tuple[int, str]]:
        """Yields the columns whose values have another distribution than one value for each row, in the order of the rows."""
        for column in self._table.columns:
            expression = self._generated_value(column, expressions)
            if expression is None or column.number in self._table.referring_columns:
                continue
            distribution = self._preferences.distribution(self._table, column, expression, self._last)
            if distribution is not None and self._is_possible(column, distribution):
                yield column.number, at(expression, distribution.value(self._last))

    def _is_possible(self, column: Column, distribution: Distribution) -> bool:
        """Whether the keys of the table allow a distribution: a key of one column can be permuted, other keys keep their values."""
        keys = [key for key in self._keys if column.number in key]
        if column.number in self._table.key_expressions or column.number in self._fixed or self._generates_key(column):
            return False
        return not keys or (not distribution.distinct and all(len(key) == 1 for key in keys))

    def _own_references(self, expressions: Expressions) -> Iterator[Expressions]:
        """Yields the columns of each reference of the table to itself: each row references an earlier one, so that there are no cycles."""
        for reference in self._own:
            others = {number for other in self._table.references if other is not reference for number in other.columns}
            if not others.isdisjoint((*reference.columns, *reference.referenced)) or not set(reference.columns).isdisjoint(
                reference.referenced
            ):
                continue
            if any(not set(reference.columns).isdisjoint(key) for key in self._keys):
                continue
            keys = {number: self._key_expression(number, expressions) for number in reference.referenced}
            if any(key is None for key in keys.values()):
                continue
            earlier = earlier_row(seed_of(self._table, self._table.column(reference.columns[0])))
            changes = {number: key for number, key in keys.items() if key is not None}
            must_reference = self._table.must_reference(reference)
            for number, referenced in zip(reference.columns, reference.referenced, strict=True):
                expression = at(keys[referenced] or "", earlier)
                # The first row has no earlier one.
                is_needed = must_reference or self._table.column(number).not_null
                changes[number] = expression if is_needed else f"CASE WHEN n > 1 THEN {expression} END"
            yield changes

    def _key_expression(self, number: int, expressions: Expressions) -> str | None:
        column = self._table.column(number)
        if column.generated:
            return None
        if column.given and expressions.get(number, DEFAULT) == DEFAULT:
            return self._generation.given(column)
        return self._generated_value(column, expressions)

    def _nullable(self, expressions: Expressions) -> Iterator[tuple[int, str]]:
        """Yields the columns that contain NULLs."""
        together = self._null_together()
        wanted = {}
        for column in self._table.columns:
            expression = self._generated_value(column, expressions)
            share = self._preferences.nulls(self._table, column)
            if expression is not None and share > 0 and not self._needs_value(column):
                wanted[column] = Distribution(seed_of(self._table, together.get(column.number, column)), nulls=share).nullable(expression)
        for column in self._choice.can_be_null(wanted):
            yield column.number, wanted[column]

    def _null_together(self) -> dict[int, Column]:
        """Returns the first column of the foreign key of each column: a key is NULL as a whole."""
        return {
            number: self._table.column(reference.columns[0])
            for reference in sorted(self._table.references, key=lambda reference: -len(reference.columns))
            for number in reference.columns
        }

    def _needs_value(self, column: Column) -> bool:
        return (
            column.not_null
            or column.number in self._table.valued
            or column.number in self._fixed
            or any(column.number in reference.referenced for reference in self._own)
            or any(_needs(generated, column) and generated.not_null for generated in self._table.columns if generated.generated)
        )

    def _generated_value(self, column: Column, expressions: Expressions) -> str | None:
        """Returns the expression of a column; None if PostgreSQL fills it, or if it is NULL in all rows."""
        expression = expressions.get(column.number, DEFAULT)
        return None if column.generated or expression in (DEFAULT, self._generation.null(column)) else expression

    def _generates_key(self, column: Column) -> bool:
        keys = frozenset().union(*self._keys) | self._table.key_expressions
        return any(_mentions(generated, column) and generated.number in keys for generated in self._table.columns if generated.generated)

    def _columns_of_checks(self) -> frozenset[int]:
        """Returns the columns that CHECKs over several columns read, also through generated columns."""
        checks = [check.columns for check in self._table.checks if len(check.columns) != 1]
        checks += [
            check.columns for check in self._table.checks if any(self._table.column(number).generated for number in check.columns if number > 0)
        ]
        read = frozenset(number for columns in checks for number in columns)
        generated = [column for column in self._table.columns if column.generated and column.number in read]
        return read | {column.number for column in self._table.columns if any(_mentions(each, column) for each in generated)}


def _mentions(generated: Column, column: Column) -> bool:
    """Whether the expression of a generated column may read a column."""
    return generated.default is not None and re.search(rf"(?<!\w){re.escape(quoted(column.name))}(?!\w)", generated.default) is not None


def _needs(generated: Column, column: Column) -> bool:
    """Whether the expression of a generated column may be NULL because a column is: it does not only test whether the column is NULL."""
    tests = re.sub(rf"(?<!\w){re.escape(quoted(column.name))} IS (?:NOT )?NULL\b", "true", generated.default or "")
    return _mentions(replace(generated, default=tests), column)
