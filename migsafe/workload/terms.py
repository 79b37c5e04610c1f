"""The conditions of a query on one table that an index may meet."""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum

from msgspec import Struct

from migsafe.expressions.queries.shapes import (
    All,
    Compare,
    Condition,
    Formula,
    Nested,
    NullTest,
    Operand,
    Parameter,
    Ref,
    Several,
    Truth,
    Value,
)
from migsafe.schema.objects import SYSTEM_COLUMNS
from migsafe.sql.operations import TypeName
from migsafe.workload.binding import Binder
from migsafe.workload.conditions import quoted, subject_of, types_of
from migsafe.workload.few_values import has_few_values, is_usual_state, is_usually_unset
from migsafe.workload.lookups import Lookups
from migsafe.workload.scopes import BoundSource, Level
from migsafe.workload.types import base_type

ROW_PLACE = '"ctid"'
"""The subject of a condition on the place of a row, which needs no index."""
OUTER = -1
"""The number of all elements of FROM of the queries around."""


class Strength(IntEnum):
    """How few rows of a table a condition selects: RANGE may select many of them, WEAK selects one of a few values, STRONG one of many."""

    RANGE = 0
    WEAK = 1
    STRONG = 2


class Term(Struct, frozen=True, kw_only=True):
    """A condition on a table. `subject` is the column or expression, as `subject_of` spells it. `others` are the numbers of the other elements
    of FROM in it; OUTER for those of queries around. `query` is the number of the query that it is compared with. `value` is what it is
    compared with. `is_unset`: the rows without a reference, in a column of a foreign key."""

    subject: str
    operator: str
    strength: Strength
    type: TypeName | None = None
    others: frozenset[int] = frozenset()
    query: int | None = None
    value: Operand | None = None
    is_unset: bool = False

    @property
    def is_equality(self) -> bool:
        """Whether it selects the rows of single values."""
        return self.operator in ("=", "in", "any", "is null", "is")

    @property
    def selects_most(self) -> bool:
        """Whether most rows usually fulfil it: a state of most rows, another value than one, a value at all, a positive number."""
        if self.strength is not Strength.RANGE:
            return False
        if self.operator in (">", ">="):
            return isinstance(self.value, Value) and self.value.text in ("-1", "0", "1")
        return self.is_equality or self.operator in ("<>", "not in", "is not null")


_COMMUTED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "@>": "<@", "<@": "@>", "&&": "&&", "~": "~", "%": "%", "@@": "@@"}
_SPATIAL = frozenset(
    """st_intersects st_contains st_containsproperly st_within st_covers st_coveredby st_crosses st_overlaps st_touches st_equals
    st_orderingequals st_dwithin st_dfullywithin st_3dintersects st_3ddwithin st_3ddfullywithin st_linecrossingdirection""".split()
)
"""The functions of PostGIS with index support (PostGIS manual, 5.3 and 7.11)."""
_FAMILIES = (
    frozenset(("smallint", "integer", "bigint")),
    frozenset(("real", "double precision")),
    frozenset(("numeric",)),
)
_CONVERTED_FOR = {
    "citext": frozenset(("text", "character varying", "character", "name")),
    "character": frozenset(("text", "citext", "name")),
    "character varying": frozenset(("character", "name")),
    "text": frozenset(("name",)),
}
"""The strings that PostgreSQL compares by converting the column, so that no index on it is used (measured on 15)."""


class Terms:
    """Finds the conditions on the tables of one level."""

    def __init__(self, catalog: Lookups, binder: Binder, level: Level) -> None:
        self.catalog = catalog
        self.binder = binder
        self.level = level
        self.levels = (level, *level.outer)
        self.numbers = {id(source): at for at, source in enumerate(level.sources)}

    def owner(self, ref: Ref) -> int | None:
        """Returns the number of the element of FROM that a reference belongs to; OUTER for one of a query around, None if it is not known."""
        found = self.binder.find(ref, self.levels)
        if found is not None:
            return self.numbers.get(id(found[0]), OUTER)
        unknown = [source for source in self.level.sources if source.is_unknown and ref.table in (None, source.alias)]
        return self.numbers[id(unknown[0])] if len(unknown) == 1 else None

    def owns(self, at: int) -> Callable[[Ref], bool]:
        """Returns a function that says whether a reference is to a column of an element of FROM."""
        return lambda ref: self.owner(ref) == at

    def of(self, at: int, conditions: Iterable[Condition]) -> list[Term]:
        """Returns the terms on an element of FROM."""
        return [term for condition in conditions for term in self._terms(at, condition)]

    def _terms(self, at: int, condition: Condition) -> Iterator[Term]:
        source = self.level.sources[at]
        match condition:
            case All():
                for part in condition.parts:
                    yield from self._terms(at, part)
            case Compare():
                yield from self._comparison(at, source, condition.left, condition.operator, condition.right)
                if condition.operator in _COMMUTED and not isinstance(condition.right, Several | Value | Parameter):
                    yield from self._comparison(at, source, condition.right, _COMMUTED[condition.operator], condition.left)
            case NullTest():
                subject = self.subject(at, condition.operand)
                if subject is not None:
                    operator = "is not null" if condition.is_negated else "is null"
                    selects_most = condition.is_negated or is_usually_unset(subject.strip('"'))
                    strength = Strength.RANGE if selects_most else Strength.WEAK
                    is_unset = not condition.is_negated and self._is_reference(source, subject)
                    yield Term(subject=subject, operator=operator, strength=strength, type=self._type(source, subject), is_unset=is_unset)
            case Truth():
                yield from self._spatial(at, source, condition)
                subject = self.subject(at, condition.operand)
                if subject is not None:
                    value = Value("true" if condition.value else "false")
                    strength = Strength.RANGE if _is_of_most_rows(subject.strip('"'), value) else Strength.WEAK
                    yield Term(subject=subject, operator="is", strength=strength, type=TypeName(name="boolean"), value=value)

    def _spatial(self, at: int, source: BoundSource, condition: Truth) -> Iterator[Term]:
        """A function of PostGIS that an index of the geometry serves, as if the operator && stood beside it (its support function)."""
        call = condition.operand
        if not condition.value or not isinstance(call, Formula) or call.function not in _SPATIAL:
            return
        for ref in call.refs:
            argument = re.escape(quoted(ref.name))
            if self.owner(ref) == at and re.search(rf"(?:^\w+\(|, ){argument}(?:, |\)$)", call.text):
                others = frozenset(owner for other in call.refs if other != ref and (owner := self.owner(other)) is not None)
                if at not in others:
                    column = quoted(ref.name)
                    yield Term(subject=column, operator="&&", strength=Strength.RANGE, type=self._type(source, column), others=others)

    def subject(self, at: int, operand: Operand) -> str | None:
        """Returns the column or expression of an element of FROM that an operand is; None if it is anything else."""
        source = self.level.sources[at]
        types = types_of(source.relation) if source.relation is not None else lambda _: None
        if isinstance(operand, Ref) and operand.name in SYSTEM_COLUMNS and operand.name not in source.columns and operand.name != "ctid":
            return None
        return subject_of(operand, self.owns(at), types)

    def _type(self, source: BoundSource, subject: str) -> TypeName | None:
        return types_of(source.relation)(subject) if source.relation is not None else None

    def _is_reference(self, source: BoundSource, subject: str) -> bool:
        """Whether a subject is a column of a foreign key."""
        relation = source.relation
        if relation is None:
            return False
        numbers = {number for reference in self.catalog.references(relation.oid) for number in reference.columns}
        return any(column.number in numbers and quoted(column.name) == subject for column in relation.columns)

    def _refers_to_one_row(self, source: BoundSource, column: str) -> bool:
        """Whether a column is a reference to a table that has no room for two rows."""
        relation = source.relation
        found = relation.column(column) if relation is not None else None
        if relation is None or found is None:
            return False
        to = (each.references for each in self.catalog.references(relation.oid) if each.columns == (found.number,))
        return any(oid is not None and self.catalog.has_one_row(oid) for oid in to)

    def _comparison(self, at: int, source: BoundSource, left: Operand, operator: str, right: Operand) -> Iterator[Term]:
        subject = self.subject(at, left)
        if subject is None:
            return
        owners = {self.owner(ref) for ref in _refs(right)}
        if at in owners or None in owners:
            return
        type_name = self._type(source, subject)
        if not self._is_usable(type_name, right):
            return
        yield Term(
            subject=subject,
            operator=operator,
            strength=self._strength(source, left, operator, right),
            type=type_name,
            others=frozenset(owner for owner in owners if owner is not None),
            query=right.query if isinstance(right, Nested) else None,
            value=right,
        )

    def converted(self, at: int, conditions: Iterable[Condition]) -> Iterator[tuple[str, TypeName]]:
        """Yields the columns of an element of FROM that equalities with values convert, and the types of the values."""
        source = self.level.sources[at]
        for condition in conditions:
            match condition:
                case Compare(left=Ref() as ref, operator="=" | "any", right=Value() | Parameter() as value) if self.owner(ref) == at:
                    type_name, compared = self._type(source, quoted(ref.name)), self.binder.type_of(value, self.levels)
                    if compared is not None and not self._is_usable(type_name, value):
                        yield ref.name, compared

    def _is_usable(self, type_name: TypeName | None, right: Operand) -> bool:
        """Whether an index on a column serves the comparison. An integer that is compared with a numeric becomes numeric itself, and no index
        on the integers is used."""
        compared = self.binder.type_of(right, self.levels)
        if type_name is None or compared is None:
            return True
        if compared.name in _CONVERTED_FOR.get(type_name.name, ()):
            return False
        own, other = (next((family for family in _FAMILIES if name.name in family), None) for name in (type_name, compared))
        if own is None or other is None or own == other:
            return True
        return own == _FAMILIES[1] or (own == _FAMILIES[2] and other == _FAMILIES[0])

    def _strength(self, source: BoundSource, left: Operand, operator: str, right: Operand) -> Strength:
        if operator not in ("=", "in", "any"):
            return Strength.RANGE
        refs = _refs(left)
        values = right.elements if isinstance(right, Several) else (right,)
        if len(refs) == 1 and any(_is_of_most_rows(refs[0].name, value) for value in values):
            return Strength.RANGE
        if len(refs) == 1 and self._has_few_values(source, refs[0].name):
            return Strength.WEAK
        return Strength.WEAK if all(isinstance(value, Value) for value in values) else Strength.STRONG

    def _has_few_values(self, source: BoundSource, column: str) -> bool:
        """Whether a column has few values, by its name or its type, or because it refers to a table of one row. So has an expression of it,
        such as a cast to text."""
        if has_few_values(column) or self._refers_to_one_row(source, column):
            return True
        type_name = self._type(source, quoted(column))
        base = base_type(self.catalog, type_name) if type_name is not None and not type_name.dimensions else None
        return base is not None and (base[1] is not None or base[0] == "boolean")


def _is_of_most_rows(column: str, value: Operand) -> bool:
    """Whether most rows have a constant, by its name and that of the column: `status = 'published'`, `is_deleted = false`."""
    if not isinstance(value, Value):
        return False
    return is_usual_state(value.text) if value.is_string else value.text == "false" and is_usually_unset(column)


def _refs(operand: Operand) -> tuple[Ref, ...]:
    match operand:
        case Ref():
            return (operand,)
        case Formula():
            return operand.refs
        case Several():
            return tuple(ref for element in operand.elements for ref in _refs(element))
    return ()


def conjuncts(condition: Condition | None) -> list[Condition]:
    """Returns the conditions that AND combines."""
    match condition:
        case None:
            return []
        case All():
            return [part for inner in condition.parts for part in conjuncts(inner)]
    return [condition]
