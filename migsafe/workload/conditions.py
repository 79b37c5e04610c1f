"""Conditions of a query on one table, and the predicates of partial indexes that they imply."""

from collections.abc import Callable, Iterable, Sequence

from migsafe.expressions.constants import Constant, WrittenConstant, evaluate
from migsafe.expressions.predicates import IsNull, Opaque, Predicate, comparison, conjunction, disjunction, implies, list_comparison
from migsafe.expressions.queries.shapes import (
    All,
    Compare,
    Condition,
    Either,
    Formula,
    NullTest,
    Operand,
    Parameter,
    Ref,
    Several,
    Truth,
    Value,
)
from migsafe.patterns import lazy_pattern
from migsafe.schema.objects import Formula as IndexFormula
from migsafe.schema.objects import Index, Key, Relation
from migsafe.sql.operations import TypeName
from migsafe.workload.shapes import Shapes

Owns = Callable[[Ref], bool]
"""Whether a reference is to a column of the table."""
Types = Callable[[str], TypeName | None]
"""The type of a subject: a column between double quotes."""

_PARAMETER = lazy_pattern(r"\$\d")
_STRICT = frozenset(("=", "<>", "<", "<=", ">", ">=", "in", "any", "like", "ilike", "~", "@>", "<@", "&&", "@@"))


def subject_of(operand: Operand, owns: Owns, types: Types = lambda _: None) -> str | None:
    """Returns what an index compares: a column between double quotes, or the spelling of an expression over columns of the table only.
    Returns None for an expression with a parameter: an index cannot contain one."""
    match operand:
        case Ref() if owns(operand):
            return quoted(operand.name)
        case Formula() if (
            operand.refs and not operand.queries and all(owns(ref) for ref in operand.refs) and not _PARAMETER.search(operand.text)
        ):
            return without_text_casts(operand.text, (quoted(ref.name) for ref in operand.refs), types)
    return None


def without_text_casts(text: str, columns: Iterable[str], types: Types) -> str:
    """Returns an expression without the casts of strings to text, which change nothing."""
    if "AS TEXT)" in text or "AS VARCHAR)" in text:
        for column in columns:
            type_name = types(column)
            if type_name is not None and type_name.name in ("text", "character varying") and not type_name.dimensions:
                text = text.replace(f"CAST({column} AS TEXT)", column).replace(f"CAST({column} AS VARCHAR)", column)
    return text


def quoted(name: str) -> str:
    """Returns the spelling of a column."""
    return '"' + name.replace('"', '""') + '"'


def predicate_of(condition: Condition | None, owns: Owns, types: Types) -> Predicate:
    """Returns a condition in the form of proofs. A comparison with a value that is not in the query proves only that its column is not null."""
    match condition:
        case All():
            return conjunction([predicate_of(part, owns, types) for part in condition.parts])
        case Either():
            return disjunction([predicate_of(part, owns, types) for part in condition.parts])
        case NullTest():
            subject = subject_of(condition.operand, owns, types)
            return Opaque() if subject is None else IsNull(subject, condition.is_negated)
        case Truth():
            subject = subject_of(condition.operand, owns, types)
            return Opaque() if subject is None else comparison(subject, "=", Constant("boolean", condition.value))
        case Compare():
            return _comparison(condition, owns, types)
    return Opaque()


def _comparison(condition: Compare, owns: Owns, types: Types) -> Predicate:
    subject = subject_of(condition.left, owns, types)
    if subject is None:
        other = subject_of(condition.right, owns, types)
        return IsNull(other, True) if other is not None and condition.operator in _STRICT else Opaque()
    values = condition.right.elements if isinstance(condition.right, Several) else (condition.right,)
    constants = [_constant(value, types(subject)) for value in values]
    known = [constant for constant in constants if constant is not None]
    if len(known) == len(constants):
        if condition.operator in ("in", "any"):
            return list_comparison(subject, known, any_of=True)
        if condition.operator == "not in":
            return list_comparison(subject, known, any_of=False)
        if condition.operator in ("=", "<>", "<", "<=", ">", ">=") and len(known) == 1:
            return comparison(subject, condition.operator, known[0])
    is_column = isinstance(condition.left, Ref)
    return IsNull(subject, True) if condition.operator in _STRICT and is_column else Opaque()


def _constant(value: Operand, type_name: TypeName | None) -> Constant | None:
    if not isinstance(value, Value) or (value.text == "null" and not value.is_string):
        return None
    if not value.is_string and value.text in ("true", "false"):
        return Constant("boolean", value.text == "true")
    return evaluate(WrittenConstant(value.text, value.is_string, value.casts), type_name)


def is_implied(index: Index, table: Relation, conditions: Sequence[Condition], owns: Owns, types: Types, shapes: Shapes) -> bool:
    """Whether the conditions of a query imply the predicate of an index, so that PostgreSQL may use the index."""
    if index.predicate is None:
        return True
    required = shapes.condition(index.predicate.expression.sql)
    if required is None:
        return False
    is_own = own_columns(index.predicate, table)
    known = conjunction([predicate_of(condition, owns, types) for condition in conditions])
    parts = required.parts if isinstance(required, All) else (required,)
    return all(_holds(part, known, conditions, is_own, owns, types) for part in parts)


def _holds(part: Condition, known: Predicate, conditions: Sequence[Condition], is_own: Owns, owns: Owns, types: Types) -> bool:
    predicate = predicate_of(part, is_own, types)
    if implies(known, predicate):
        return True
    # A parameter may have the value that the predicate demands: PostgreSQL sees it when it plans for that value.
    match part:
        case Compare(operator="=" | "in" | "any") | Truth():
            subject = subject_of(part.left if isinstance(part, Compare) else part.operand, is_own)
            return subject is not None and any(_is_parameter(condition, subject, owns) for condition in conditions)
    return False


def _is_parameter(condition: Condition, subject: str, owns: Owns) -> bool:
    return (
        isinstance(condition, Compare)
        and condition.operator in ("=", "in", "any")
        and subject_of(condition.left, owns) == subject
        and (
            isinstance(condition.right, Parameter)
            or (isinstance(condition.right, Several) and all(isinstance(element, Parameter) for element in condition.right.elements))
        )
    )


def compared_with_constants(index: Index, table: Relation, shapes: Shapes) -> frozenset[str]:
    """Returns the subjects of which the predicate of an index demands NULL, or one of some constants."""
    required = shapes.condition(index.predicate.expression.sql) if index.predicate is not None else None
    if required is None or index.predicate is None:
        return frozenset()
    is_own = own_columns(index.predicate, table)
    found = set()
    for part in required.parts if isinstance(required, All) else (required,):
        match part:
            case Compare(left=operand, operator="=" | "in" | "any") | NullTest(operand=operand, is_negated=False):
                found.add(subject_of(operand, is_own, types_of(table)))
    return frozenset(subject for subject in found if subject is not None)


def own_columns(formula: IndexFormula, table: Relation) -> Owns:
    """Returns a function that says whether a reference in an index's expression is a column of its table."""
    names = {column.name for column in table.columns} | {name for _, name in formula.column_uses}
    return lambda ref: ref.name in names


def types_of(table: Relation) -> Types:
    """Returns a function that returns the type of a column between double quotes."""

    def type_of(subject: str) -> TypeName | None:
        column = table.column(subject[1:-1].replace('""', '"')) if subject.startswith('"') else None
        return column.type if column is not None else None

    return type_of


def key_subject(key: Key, table: Relation, shapes: Shapes) -> str | None:
    """Returns what a key of an index compares, in the spelling of `subject_of`; None if it is not known."""
    if key.column is not None:
        column = table.column_numbered(key.column)
        return quoted(column.name) if column is not None else None
    if key.formula is None:
        return None
    operand = shapes.operand(key.formula.expression.sql)
    match operand:
        case Ref():
            return quoted(operand.name)
        case Formula():
            text = _with_current_names(operand.text, key.formula, table)
            return without_text_casts(text, (quoted(column.name) for column in table.columns), types_of(table))
    return None


def _with_current_names(text: str, formula: IndexFormula, table: Relation) -> str:
    """An expression names its columns as they were when the index was created."""
    for number, name in formula.column_uses:
        column = table.column_numbered(number)
        if column is not None and column.name != name:
            text = text.replace(quoted(name), quoted(column.name))
    return text
