"""Conditions as PostgreSQL simplifies them before it proves anything from them: constants are folded, NOT moves to the innermost parts."""

from collections.abc import Callable
from datetime import datetime

from sqlglot import exp

from migsafe.expressions.constants import Constant, WrittenConstant, evaluate
from migsafe.expressions.predicates import (
    Comparison,
    IsNull,
    Opaque,
    Predicate,
    TruthValue,
    comparison,
    conjunction,
    disjunction,
    list_comparison,
    negation,
)
from migsafe.expressions.queries.shapes import COMMUTED
from migsafe.expressions.trees import DIALECT, TYPE_NAMES, folded_name, parse_expression, type_sql
from migsafe.sql.operations import Expression, TypeName

ColumnTypes = Callable[[str], TypeName | None]
"""The type of a column, or the base type of its domain; None where the type is not known."""

_TYPES = {
    **TYPE_NAMES,
    "DATE": "date",
    "TEXT": "text",
    "BPCHAR": "bpchar",
    "BOOLEAN": "boolean",
    "UUID": "uuid",
}
_TEXTS = frozenset(("text", "character varying"))


class Conditions:
    """A reader of the conditions on one table's rows. `utc`: the TimeZone is UTC."""

    def __init__(self, types: ColumnTypes, *, utc: bool = False) -> None:
        self.types = types
        self.utc = utc

    def predicate(self, expression: Expression) -> Predicate:
        """Return a condition in a form that proofs can use; Opaque where there is none, or sqlglot cannot read it."""
        # sqlglot reads IS UNKNOWN as IS NULL. PostgreSQL does not treat them alike.
        if "unknown" in expression.sql.lower():
            return Opaque()
        tree = parse_expression(expression)
        try:
            return Opaque() if tree is None else self._predicate(tree)
        except RecursionError:
            return Opaque()

    def _predicate(self, tree: exp.Expr) -> Predicate:
        match tree:
            case exp.Paren():
                return self._predicate(tree.this)
            case exp.And():
                return conjunction([self._predicate(tree.this), self._predicate(tree.expression)])
            case exp.Or():
                return disjunction([self._predicate(tree.this), self._predicate(tree.expression)])
            case exp.Not():
                return negation(self._predicate(tree.this))
            case exp.Boolean():
                return TruthValue(bool(tree.this))
            case exp.Null():
                return TruthValue(None)
            case exp.Is() if isinstance(tree.expression, exp.Null):
                return self._null(tree.this, is_negated=bool(tree.args.get("negate")))
            case exp.NullSafeEQ() | exp.NullSafeNEQ():
                return self._distinct(tree)
            case exp.Between():
                return self._between(tree)
            case exp.In():
                return self._in(tree)
            case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                return self._comparison(tree)
            case exp.Column() if (
                (type_name := self.types(folded_name(tree.this))) is not None and type_name.name == "boolean" and not type_name.dimensions
            ):
                return comparison(folded_name(tree.this), "=", Constant("boolean", True))
        return Opaque()

    def _null(self, tree: exp.Expr, *, is_negated: bool) -> Predicate:
        if isinstance(tree, exp.Tuple) or (isinstance(tree, exp.Anonymous) and tree.name.lower() == "row"):
            # A row IS NOT NULL if all its fields are not null. NOT (row IS NULL) is another condition.
            subjects = [_subject_of(field) for field in tree.expressions if not isinstance(field, exp.Literal)]
            nulls: list[Predicate] = [Opaque() if subject is None else IsNull(subject, is_negated) for subject in subjects]
            return conjunction(nulls) if is_negated and Opaque() not in nulls else Opaque()
        subject = _subject_of(tree)
        return Opaque() if subject is None else IsNull(subject, is_negated)

    def _distinct(self, tree: exp.Binary) -> Predicate:
        is_negated = isinstance(tree, exp.NullSafeNEQ)
        if isinstance(tree.expression, exp.Null):
            return self._null(tree.this, is_negated=is_negated)
        return self._null(tree.expression, is_negated=is_negated) if isinstance(tree.this, exp.Null) else Opaque()

    def _between(self, tree: exp.Between) -> Predicate:
        low, high = tree.args["low"], tree.args["high"]
        between = conjunction([self._compare(tree.this, ">=", low), self._compare(tree.this, "<=", high)])
        if tree.args.get("symmetric"):
            return disjunction([between, conjunction([self._compare(tree.this, ">=", high), self._compare(tree.this, "<=", low)])])
        return between

    def _in(self, tree: exp.In) -> Predicate:
        if tree.args.get("query") is not None or not tree.expressions:
            return Opaque()
        return self._list_comparison(tree.this, tree.expressions, (), any_of=True)

    def _comparison(self, tree: exp.Binary) -> Predicate:
        operator = _OPERATORS[type(tree).__name__]
        right = tree.expression
        any_of = isinstance(right, exp.Any)
        if any_of or (isinstance(right, exp.Anonymous) and right.name.lower() == "all"):
            if operator != ("=" if any_of else "<>"):
                return Opaque()
            array = right.this if any_of else right.expressions[0]
            elements, casts = _elements(array)
            predicate = Opaque() if elements is None else self._list_comparison(tree.this, elements, casts, any_of=any_of)
            # Up to PostgreSQL 15 an array of one boolean stays an array, while `x = true` becomes x.
            return Opaque() if isinstance(predicate, Comparison) and isinstance(predicate.value.value, bool) else predicate
        for condition, truth_value in ((tree.this, right), (right, tree.this)):
            if isinstance(truth_value, exp.Boolean) and operator in ("=", "<>"):
                predicate = self._predicate(condition)
                return predicate if truth_value.this == (operator == "=") else negation(predicate)
        predicate = self._compare(tree.this, operator, right)
        return predicate if not isinstance(predicate, Opaque) else self._compare(right, COMMUTED[operator], tree.this)

    def _compare(self, subject: exp.Expr, operator: str, value: exp.Expr) -> Predicate:
        subject_and_type = self._compared_subject(subject)
        if subject_and_type is None:
            return Opaque()
        name, type_name = subject_and_type
        constant = self.constant(value, type_name)
        return Opaque() if constant is None else comparison(name, operator, constant)

    def _list_comparison(self, subject: exp.Expr, elements: list[exp.Expr], casts: tuple[str, ...], *, any_of: bool) -> Predicate:
        subject_and_type = self._compared_subject(subject)
        if subject_and_type is None:
            return Opaque()
        name, type_name = subject_and_type
        constants: list[Constant] = []
        predicates: list[Predicate] = []
        kinds: set[tuple[str, ...]] = set()
        for element in elements:
            written = _written_constant(element, casts)
            constant = None if written is None else evaluate(written, type_name, utc=self.utc)
            if constant is not None and written is not None:
                constants.append(constant)
                kinds.add(written.casts or ("" if type_name is None else type_name.name,))
            elif written is not None:
                return Opaque()  # the whole list gets the type of this element
            else:
                predicates.append(Opaque())
        if len(kinds) > 1 and any(isinstance(constant.value, datetime) for constant in constants):
            return Opaque()  # a mixed list of dates becomes one of timestamps
        if constants:
            predicates.append(list_comparison(name, constants, any_of=any_of))
        return disjunction(predicates) if any_of else conjunction(predicates)

    def _compared_subject(self, tree: exp.Expr) -> tuple[str, TypeName | None] | None:
        """Return the subject of a comparison and its type. PostgreSQL compares varchar as text, so a cast between the two does not matter."""
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if isinstance(tree, exp.Cast) and _type_of(tree) in _TEXTS:
            inner = self._compared_subject(tree.this)
            return inner if inner is not None and inner[1] is not None and inner[1].name in _TEXTS and not inner[1].dimensions else None
        subject = self._subject(tree)
        if subject is None:
            return None
        while isinstance(tree, exp.Cast | exp.Paren):
            tree = tree.this
        return subject, self.types(subject) if isinstance(tree, exp.Column) else None

    def _subject(self, tree: exp.Expr) -> str | None:
        """Return the subject of a comparison. A cast to the type that a column already has does not matter."""
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if not isinstance(tree, exp.Cast):
            return _subject_of(tree)
        inner = self._subject(tree.this)
        type_name = None if inner is None else self.types(inner)
        return inner if type_name is not None and not type_name.dimensions and type_name.name == _type_of(tree) else None

    def constant(self, tree: exp.Expr, type_name: TypeName | None, casts: tuple[str, ...] = ()) -> Constant | None:
        """Return the value of a constant that is compared with a column of a type; None where the tree is not a constant."""
        written = _written_constant(tree, casts)
        return None if written is None else evaluate(written, type_name, utc=self.utc)


_OPERATORS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def _subject_of(tree: exp.Expr) -> str | None:
    """Return the normal spelling of a column or an expression without casts; None for any other tree."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Column):
        return folded_name(tree.this)
    is_supported = isinstance(tree, exp.Func | exp.Binary | exp.AtTimeZone) and not isinstance(tree, exp.Cast | exp.Case)
    return _normal_spelling(tree) if is_supported else None


def subject_of(expression: Expression) -> str | None:
    """Return the normal spelling of an expression, as the subjects of conditions have it."""
    tree = parse_expression(expression)
    return None if tree is None else _subject_of(tree)


def _normal_spelling(tree: exp.Expr) -> str:
    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.Column | exp.Literal | exp.Func):
            return plain(node.this)
        if isinstance(node, exp.Column):
            return exp.column(exp.to_identifier(folded_name(node.this), quoted=True))
        return node

    return tree.transform(plain).sql(dialect=DIALECT)


def _type_of(cast: exp.Cast) -> str:
    """Return the name of the type that a cast names; empty where it has a length, because that may change the value."""
    to = cast.to
    if to.expressions:
        return ""
    name = getattr(to.this, "name", "")  # sqlglot has an enum for most types and a string for some
    if name in _TYPES:
        return _TYPES[name]
    return type_sql(to).rsplit(".", 1)[-1].strip('"').lower()


def _written_constant(tree: exp.Expr, casts: tuple[str, ...]) -> WrittenConstant | None:
    sign = ""
    while True:
        match tree:
            case exp.Paren():
                tree = tree.this
            case exp.Neg():
                sign = "" if sign else "-"
                tree = tree.this
            case exp.Cast() if not sign:
                casts = (_type_of(tree), *casts)
                tree = tree.this
            case exp.Literal() if not (sign and tree.is_string):
                return WrittenConstant(sign + tree.this, bool(tree.is_string), casts)
            case exp.RawString() if not sign:
                return WrittenConstant(tree.this, True, casts)
            case exp.Boolean() if not sign:
                return WrittenConstant(str(tree.this), False, casts)
            case _:
                return None


def _elements(tree: exp.Expr) -> tuple[list[exp.Expr] | None, tuple[str, ...]]:
    """Return the elements of an array constant and the types that it is cast to; None for elements that are not constants in the SQL."""
    casts: tuple[str, ...] = ()
    while isinstance(tree, exp.Paren | exp.Cast):
        if isinstance(tree, exp.Cast):
            if getattr(tree.to.this, "name", "") != "ARRAY" or len(tree.to.expressions) != 1:
                return None, ()
            casts = (_type_of(exp.Cast(this=exp.Null(), to=tree.to.expressions[0])), *casts)
        tree = tree.this
    if isinstance(tree, exp.Array):
        return tree.expressions, casts
    if isinstance(tree, exp.Literal) and tree.is_string and tree.this[:1] == "{" and not set('"\\{}') & set(tree.this[1:-1]):
        elements = [element.strip() for element in tree.this[1:-1].split(",")]
        return [exp.Null() if element.lower() == "null" else exp.Literal.string(element) for element in elements], casts
    return None, ()
