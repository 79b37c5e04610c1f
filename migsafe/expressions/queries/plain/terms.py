"""Terms: the parts of expressions that `plain_expressions` reads, and the operands and conditions that they become.

Terms have the structure of sqlglot's trees, so that they become the operands and conditions that `operands` makes of those.
"""

from collections.abc import Iterator

from migsafe.expressions.queries.shapes import (
    COMMUTED,
    NEGATION,
    All,
    Compare,
    Condition,
    Either,
    Exists,
    Formula,
    Nested,
    NullTest,
    Operand,
    Other,
    Parameter,
    Ref,
    Several,
    Truth,
    Value,
)

_STRINGS = frozenset(("text", "character varying"))
_FUNCTIONS = frozenset(("call", "known", "cast", "case", "arrow"))
"""The kinds of terms that are a truth value if they stand alone as a condition."""


class Term:
    """A part of an expression.

    `kind` is one of these, in parentheses with what `data` is: `column` (its Ref), `constant` (its Value), `parameter` (its number), `query`
    and `exists` (the index of the query), `cast` (the type), `call` (the name of a function that sqlglot does not know), `known` (that of
    another function), `dotted` (a call of a function with its schema), `compare`, `like`, `binary` and `arrow` (the operator), `in` (whether it
    has a query), `is` (`null`, `true` or `false`), `case` (whether it has ELSE), `paren`, `not`, `and`, `or`, `between`, `if`, `distinct`,
    `interval`.
    `negated` belongs to LIKE and IS NULL with NOT before them.
    """

    __slots__ = ("children", "data", "kind", "negated")

    def __init__(self, kind: str, data: object = None, children: "tuple[Term, ...]" = (), *, negated: bool = False) -> None:
        self.kind = kind
        self.data = data
        self.children = children
        self.negated = negated

    def walk(self) -> "Iterator[Term]":
        """Yields the term and those in it, the outer ones first."""
        waiting = [self]
        for term in waiting:
            yield term
            waiting += term.children


def inside(term: Term) -> Term:
    """Returns a term without the parentheses around it."""
    while term.kind == "paren":
        term = term.children[0]
    return term


def operand_of(term: Term, cast: str | None = None) -> Operand:
    """Returns one side of a comparison."""
    term = inside(term)
    constant = constant_of(term)
    if constant is not None:
        return constant
    match term.kind:
        case "cast":
            to = str(term.data)
            inner = operand_of(term.children[0], cast or to)
            is_same = isinstance(inner, Parameter | Nested) or (isinstance(inner, Formula) and (not inner.refs or to in _STRINGS))
            return inner if is_same else _formula(term, cast or to)
        case "column":
            assert isinstance(term.data, Ref)
            return term.data
        case "parameter":
            assert isinstance(term.data, int)
            return Parameter(term.data, cast)
        case "query":
            assert isinstance(term.data, int)
            return Nested(term.data, cast)
    return _formula(term, cast)


def constant_of(term: Term) -> Value | None:
    """Returns the constant that a term is, with its casts; None for any other term."""
    casts: tuple[str, ...] = ()
    while term.kind in ("cast", "paren"):
        if term.kind == "cast":
            casts = (str(term.data), *casts)
        term = term.children[0]
    if term.kind != "constant":
        return None
    value = term.data
    assert isinstance(value, Value)
    return Value(value.text, value.is_string, casts) if casts else value


def is_null(operand: Operand | None) -> bool:
    """Whether an operand is the constant NULL."""
    return isinstance(operand, Value) and operand.text == "null" and not operand.is_string


def _formula(term: Term, cast: str | None) -> Formula:
    refs: dict[Ref, None] = {}
    queries: list[int] = []
    for part in term.walk():
        if isinstance(part.data, Ref):
            refs[part.data] = None
        elif part.kind in ("query", "exists"):
            assert isinstance(part.data, int)
            queries.append(part.data)
    function = str(term.data) if term.kind == "call" else None
    return Formula("", tuple(refs), cast, function, tuple(queries))


def condition_of(term: Term, *, negated: bool = False) -> Condition:
    """Returns a condition, or its negation."""
    term = inside(term)
    if term.negated:
        negated = not negated
    match term.kind:
        case "and" | "or":
            parts = tuple(condition_of(part, negated=negated) for part in _flattened(term))
            return All(parts) if (term.kind == "and") != negated else Either(parts)
        case "not":
            return condition_of(term.children[0], negated=not negated)
        case "is":
            return _truth_test(term, negated=negated)
        case "exists":
            assert isinstance(term.data, int)
            return Exists(term.data, negated)
        case "between" if not negated:
            subject, low, high = (operand_of(child) for child in term.children)
            return All((Compare(subject, ">=", low), Compare(subject, "<=", high)))
        case "in":
            return _membership(term, "not in" if negated else "in")
        case "column":
            return Truth(operand_of(term), not negated)
        case "compare" | "like":
            return _comparison(term, negated=negated)
    return Truth(operand_of(term), not negated) if term.kind in _FUNCTIONS else Other()


def _truth_test(term: Term, *, negated: bool) -> Condition:
    if term.data == "null":
        return NullTest(operand_of(term.children[0]), negated)
    return Other() if negated else Truth(operand_of(term.children[0]), term.data == "true")


def _membership(term: Term, operator: str) -> Condition:
    subject, *elements = term.children
    if term.data:
        assert isinstance(elements[0].data, int)
        return Compare(operand_of(subject), operator, Nested(elements[0].data))
    return Compare(operand_of(subject), operator, Several(tuple(operand_of(element) for element in elements)))


def _comparison(term: Term, *, negated: bool) -> Condition:
    operator = str(term.data)
    left, right = term.children
    if operator == "=" and right.kind == "constant" and isinstance(right.data, Value) and not right.data.is_string:
        value = right.data.text
        if value in ("true", "false"):
            is_false = value == "false"
            return Truth(operand_of(left), is_false == negated) if left.kind == "column" else condition_of(left, negated=negated != is_false)
    if negated:
        if operator not in NEGATION:
            return Other()
        operator = NEGATION[operator]
    first, second = operand_of(left), operand_of(right)
    is_value = isinstance(first, Value | Parameter | Nested) or (isinstance(first, Formula) and not first.refs)
    if is_value and operator in COMMUTED:
        return Compare(second, COMMUTED[operator], first)
    return Compare(first, operator, second)


def _flattened(term: Term) -> list[Term]:
    """Returns the operands of a chain of AND, or of OR."""
    parts: list[Term] = []
    waiting = [term]
    while waiting:
        current = waiting.pop()
        while current.kind == "paren" and current.children[0].kind in ("and", "or", "paren"):
            current = current.children[0]
        if current.kind == term.kind:
            waiting += reversed(current.children)
        else:
            parts.append(current)
    return parts
