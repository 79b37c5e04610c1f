"""What a table's valid CHECKs and NOT NULLs prove, so that PostgreSQL does not read the table for it.

SET NOT NULL, ATTACH PARTITION, and the default partition when another one is added: all three ask ConstraintImpliedByRelConstraint
(src/backend/commands/tablecmds.c), which lets predicate_implied_by compare the condition that is wanted with what is known. Here the same
is done; where PostgreSQL would find a proof in an expression that is not understood here, none is found.

A constant of a timestamp with time zone that names no offset is taken to have been read under the same TimeZone wherever it stands.
"""

from collections.abc import Callable, Sequence

from migsafe.expressions.conditions import ColumnTypes, Conditions, subject_of
from migsafe.expressions.constants import Constant, fits
from migsafe.expressions.predicates import Fixed, Null, Opaque, Predicate, both, compared, either, implies, listed, negated
from migsafe.expressions.trees import parse_expression
from migsafe.sql.operations import Bound, Expression, IndexElement, PartitionKey
from migsafe.text import Span

__all__ = ["proves_bound", "proves_default_excludes", "proves_not_null"]

NotNull = Callable[[str], bool]
"""Whether a column has a valid NOT NULL."""


def proves_not_null(check: Expression, column: str, *, composite: bool = False) -> bool:
    """Whether a valid CHECK implies `column IS NOT NULL`, so that SET NOT NULL does not scan.

    One CHECK must do it alone: several are joined by AND, and PostgreSQL looks at each. A CHECK passes on NULL, so `x > 0` proves nothing.
    `composite`: the column is of a composite type, whose IS NOT NULL is about its fields and proves nothing.
    """
    return not composite and implies(Conditions(lambda _: None).predicate(check), Null(column, negated=True))


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
    """Whether a table's valid CHECKs and NOT NULLs imply the constraint of the partition that it is to be.

    A partitioned parent that is a partition itself passes its own constraint on: then this must hold of every level's key and bound. For
    a DEFAULT partition `siblings` are the other partitions' bounds. `utc`: the TimeZone is UTC.
    """
    conditions = Conditions(types, utc=utc)
    wanted = _excluding(conditions, key, siblings) if bound.kind == "default" else _including(conditions, key, [bound])
    return _proves(conditions, checks, not_null, key, wanted)


def proves_default_excludes(
    checks: Sequence[Expression], not_null: NotNull, key: PartitionKey, bound: Bound, *, types: ColumnTypes, utc: bool = False
) -> bool:
    """Whether a default partition's valid CHECKs and NOT NULLs imply that it holds no row of a new partition's bound."""
    conditions = Conditions(types, utc=utc)
    return _proves(conditions, checks, not_null, key, _excluding(conditions, key, [bound]))


def _proves(conditions: Conditions, checks: Sequence[Expression], not_null: NotNull, key: PartitionKey, wanted: Predicate | None) -> bool:
    if wanted is None:
        return False
    if wanted == Fixed(True):
        return True
    known = [found for check in checks if (found := conditions.predicate(check)) != Fixed(False)]
    columns = [element.column for element in key.elements if element.column is not None]
    known += [Null(column, negated=True) for column in columns if not_null(column)]
    return implies(both(known), wanted)


def _excluding(conditions: Conditions, key: PartitionKey, bounds: Sequence[Bound]) -> Predicate | None:
    """What holds of a row that belongs to none of the bounds (get_proposed_default_constraint)."""
    if not bounds:
        return Fixed(True)
    found = _including(conditions, key, bounds)
    return None if found is None else negated(found)


def _including(conditions: Conditions, key: PartitionKey, bounds: Sequence[Bound]) -> Predicate | None:
    """The constraint of a partition with these bounds (src/backend/partitioning/partbounds.c); None where it is not understood here."""
    subjects = [_subject(element) for element in key.elements]
    known = [subject for subject in subjects if subject is not None]
    if len(known) < len(subjects) or any(element.opclass is not None or element.collation is not None for element in key.elements):
        return None
    if key.strategy == "list" and all(bound.kind == "in" for bound in bounds):
        return _list(conditions, known[0], key.elements[0], [value for bound in bounds for value in bound.start])
    if key.strategy == "range" and all(bound.kind == "range" for bound in bounds):
        ranges = [_range(conditions, known, key, bound) for bound in bounds]
        if any(Opaque() in _parts(found) for found in ranges):
            return None
        return both([*(Null(subject, negated=True) for subject in known), either(ranges)])
    return None  # a hash partition's constraint is a function that no CHECK proves


def _parts(predicate: Predicate) -> list[Predicate]:
    inner = getattr(predicate, "parts", ())
    return [predicate, *(part for one in inner for part in _parts(one))]


def _subject(element: IndexElement) -> str | None:
    if element.column is not None:
        return element.column
    return None if element.expression is None else subject_of(element.expression)


def _value(conditions: Conditions, element: IndexElement, written: str) -> Constant | None:
    tree = parse_expression(Expression(written, Span(0, 0)))
    type_name = None if element.column is None else conditions.types(element.column)
    found = None if tree is None else conditions.constant(tree, type_name)
    return found if found is not None and fits(found, type_name) else None


def _list(conditions: Conditions, subject: str, element: IndexElement, written: Sequence[str]) -> Predicate | None:
    """get_qual_for_list."""
    nullable = any(value.lower() == "null" for value in written)
    values = [_value(conditions, element, value) for value in written if value.lower() != "null"]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    if not known:
        return Null(subject)
    found = listed(subject, known, any_of=True)
    if found == Opaque():
        return None
    return either([Null(subject), found]) if nullable else both([Null(subject, negated=True), found])


_UNBOUNDED = ("minvalue", "maxvalue")


def _range(conditions: Conditions, subjects: Sequence[str], key: PartitionKey, bound: Bound) -> Predicate:
    """get_qual_for_range, without its IS NOT NULLs: first the columns that the bounds hold to one value, then either end."""
    parts: list[Predicate] = []
    first = 0
    for first, (low, high) in enumerate(zip(bound.start, bound.end, strict=True)):
        same = _compare(conditions, subjects[first], key.elements[first], "=", low)
        if low in _UNBOUNDED or same != _compare(conditions, subjects[first], key.elements[first], "=", high):
            break
        parts.append(same)
    ends = (_end(conditions, subjects, key, values, first, low=low) for values, low in ((bound.start, True), (bound.end, False)))
    return both([*parts, *ends])


def _end(conditions: Conditions, subjects: Sequence[str], key: PartitionKey, values: Sequence[str], first: int, *, low: bool) -> Predicate:
    """One end of a range, from column `first` on: past it in that column, or equal there and past it in the next, and so on."""
    arms: list[Predicate] = []
    equal: list[Predicate] = []
    for at in range(first, len(values)):
        if values[at] in _UNBOUNDED:
            break
        following = values[at + 1] if at + 1 < len(values) else None
        or_equal = following in (None, "minvalue") if low else following == "maxvalue"
        operator = (">" if low else "<") + ("=" if or_equal else "")
        arms.append(both([*equal, _compare(conditions, subjects[at], key.elements[at], operator, values[at])]))
        equal.append(_compare(conditions, subjects[at], key.elements[at], "=", values[at]))
    return either(arms) if arms else Fixed(True)


def _compare(conditions: Conditions, subject: str, element: IndexElement, operator: str, written: str) -> Predicate:
    if written in _UNBOUNDED:
        return Opaque()
    value = _value(conditions, element, written)
    return Opaque() if value is None else compared(subject, operator, value)
