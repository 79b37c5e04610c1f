"""Proofs from a table's valid CHECKs and NOT NULLs, with which PostgreSQL avoids a scan of the table.

SET NOT NULL, ATTACH PARTITION, and the check of the default partition when a partition is added call ConstraintImpliedByRelConstraint
(src/backend/commands/tablecmds.c). It compares the required condition with the known ones by predicate_implied_by. This module does the
same. It finds no proof in an expression that it does not understand, although PostgreSQL may.

A timestamp with time zone that is written without an offset is assumed to have been read under the same TimeZone everywhere.
"""

from collections.abc import Callable, Sequence

from migsafe.expressions.conditions import ColumnTypes, Conditions, subject_of
from migsafe.expressions.constants import Constant, fits_type
from migsafe.expressions.predicates import (
    IsNull,
    Opaque,
    Predicate,
    TruthValue,
    comparison,
    conjunction,
    disjunction,
    implies,
    list_comparison,
    negation,
)
from migsafe.expressions.trees import parse_expression
from migsafe.sql.operations import Bound, Expression, IndexElement, PartitionKey
from migsafe.text import Span

__all__ = ["proves_bound", "proves_check", "proves_default_excludes", "proves_not_null"]

NotNull = Callable[[str], bool]
"""Whether a column has a valid NOT NULL."""


def proves_not_null(check: Expression, column: str, *, composite: bool = False) -> bool:
    """Whether a valid CHECK implies `column IS NOT NULL`, so that SET NOT NULL does not scan.

    Several CHECKs prove it only if one of them does: PostgreSQL joins them by AND and examines each. A CHECK passes on NULL, so `x > 0` proves
    nothing. `composite`: the column is of a composite type. Its IS NOT NULL is about the fields of the value and proves nothing.
    """
    return not composite and implies(Conditions(lambda _: None).predicate(check), IsNull(column, is_negated=True))


def proves_check(checks: Sequence[Expression], not_null: Sequence[str], required: Expression, *, types: ColumnTypes) -> bool:
    """Whether valid CHECKs and the NOT NULLs of columns imply another CHECK, so that it refuses no row that they accept."""
    conditions = Conditions(types)
    known = [predicate for check in checks if (predicate := conditions.predicate(check)) != TruthValue(False)]
    known += [IsNull(column, is_negated=True) for column in not_null]
    return implies(conjunction(known), conditions.predicate(required))


def proves_bound(
    checks: Sequence[Expression],
    not_null: NotNull,
    key: PartitionKey,
    bound: Bound,
    *,
    types: ColumnTypes,
    siblings: Sequence[Bound] = (),
    utc: bool = False,
) -> bool:
    """Whether a table's valid CHECKs and NOT NULLs imply the constraint of the partition that it becomes.

    A parent that is itself a partition adds its own constraint: then the proof is needed for the key and bound of every level. For a DEFAULT
    partition `siblings` are the bounds of the other partitions. `utc`: the TimeZone is UTC.
    """
    conditions = Conditions(types, utc=utc)
    required = _excluding(conditions, key, siblings) if bound.kind == "default" else _including(conditions, key, [bound])
    return _proves(conditions, checks, not_null, key, required)


def proves_default_excludes(
    checks: Sequence[Expression], not_null: NotNull, key: PartitionKey, bound: Bound, *, types: ColumnTypes, utc: bool = False
) -> bool:
    """Whether a default partition's valid CHECKs and NOT NULLs imply that it holds no row that belongs in a new partition."""
    conditions = Conditions(types, utc=utc)
    return _proves(conditions, checks, not_null, key, _excluding(conditions, key, [bound]))


def _proves(conditions: Conditions, checks: Sequence[Expression], not_null: NotNull, key: PartitionKey, required: Predicate | None) -> bool:
    if required is None:
        return False
    if required == TruthValue(True):
        return True
    known = [predicate for check in checks if (predicate := conditions.predicate(check)) != TruthValue(False)]
    columns = [element.column for element in key.elements if element.column is not None]
    known += [IsNull(column, is_negated=True) for column in columns if not_null(column)]
    return implies(conjunction(known), required)


def _excluding(conditions: Conditions, key: PartitionKey, bounds: Sequence[Bound]) -> Predicate | None:
    """Return the condition that is true of rows outside all bounds (get_proposed_default_constraint)."""
    if not bounds:
        return TruthValue(True)
    constraint = _including(conditions, key, bounds)
    return None if constraint is None else negation(constraint)


def _including(conditions: Conditions, key: PartitionKey, bounds: Sequence[Bound]) -> Predicate | None:
    """Return the constraint of a partition with these bounds (src/backend/partitioning/partbounds.c); None for one that is not supported."""
    subjects = [_subject(element) for element in key.elements]
    known = [subject for subject in subjects if subject is not None]
    if len(known) < len(subjects) or any(element.opclass is not None or element.collation is not None for element in key.elements):
        return None
    if key.strategy == "list" and all(bound.kind == "in" for bound in bounds):
        return _list(conditions, known[0], key.elements[0], [value for bound in bounds for value in bound.start])
    if key.strategy == "range" and all(bound.kind == "range" for bound in bounds):
        ranges = [_range(conditions, known, key, bound) for bound in bounds]
        if any(Opaque() in _parts(predicate) for predicate in ranges):
            return None
        return conjunction([*(IsNull(subject, is_negated=True) for subject in known), disjunction(ranges)])
    return None  # the constraint of a hash partition is a function call, and no CHECK proves that


def _parts(predicate: Predicate) -> list[Predicate]:
    """Return a condition and all conditions inside it."""
    children = getattr(predicate, "parts", ())
    return [predicate, *(part for child in children for part in _parts(child))]


def _subject(element: IndexElement) -> str | None:
    if element.column is not None:
        return element.column
    return None if element.expression is None else subject_of(element.expression)


def _value(conditions: Conditions, element: IndexElement, written: str) -> Constant | None:
    tree = parse_expression(Expression(sql=written, span=Span(0, 0)))
    type_name = None if element.column is None else conditions.types(element.column)
    constant = None if tree is None else conditions.constant(tree, type_name)
    return constant if constant is not None and fits_type(constant, type_name) else None


def _list(conditions: Conditions, subject: str, element: IndexElement, written: Sequence[str]) -> Predicate | None:
    """Return the constraint of a list partition (get_qual_for_list)."""
    nullable = any(value.lower() == "null" for value in written)
    values = [_value(conditions, element, value) for value in written if value.lower() != "null"]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    if not known:
        return IsNull(subject)
    is_listed = list_comparison(subject, known, any_of=True)
    if is_listed == Opaque():
        return None
    return disjunction([IsNull(subject), is_listed]) if nullable else conjunction([IsNull(subject, is_negated=True), is_listed])


_UNBOUNDED = ("minvalue", "maxvalue")


def _range(conditions: Conditions, subjects: Sequence[str], key: PartitionKey, bound: Bound) -> Predicate:
    """Return the constraint of a range partition (get_qual_for_range) without its IS NOT NULLs.

    The leading columns that have the same value in both bounds are compared by `=`, the following ones with each end of the range.
    """
    parts: list[Predicate] = []
    first = 0
    for first, (low, high) in enumerate(zip(bound.start, bound.end, strict=True)):
        equal_low = _compare(conditions, subjects[first], key.elements[first], "=", low)
        if low in _UNBOUNDED or equal_low != _compare(conditions, subjects[first], key.elements[first], "=", high):
            break
        parts.append(equal_low)
    ends = (_end(conditions, subjects, key, values, first, low=low) for values, low in ((bound.start, True), (bound.end, False)))
    return conjunction([*parts, *ends])


def _end(conditions: Conditions, subjects: Sequence[str], key: PartitionKey, values: Sequence[str], first: int, *, low: bool) -> Predicate:
    """Return the condition of one end of a range, from column `first` on: inside in that column, or equal in it and inside in the next."""
    alternatives: list[Predicate] = []
    equal: list[Predicate] = []
    for position in range(first, len(values)):
        if values[position] in _UNBOUNDED:
            break
        subject, element = subjects[position], key.elements[position]
        following = values[position + 1] if position + 1 < len(values) else None
        or_equal = following in (None, "minvalue") if low else following == "maxvalue"
        operator = (">" if low else "<") + ("=" if or_equal else "")
        alternatives.append(conjunction([*equal, _compare(conditions, subject, element, operator, values[position])]))
        equal.append(_compare(conditions, subject, element, "=", values[position]))
    return disjunction(alternatives) if alternatives else TruthValue(True)


def _compare(conditions: Conditions, subject: str, element: IndexElement, operator: str, written: str) -> Predicate:
    if written in _UNBOUNDED:
        return Opaque()
    value = _value(conditions, element, written)
    return Opaque() if value is None else comparison(subject, operator, value)
