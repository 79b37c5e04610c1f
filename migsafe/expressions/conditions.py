"""From a condition's tree to what PostgreSQL makes of it before it proves anything: constants folded, NOT carried inwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from migsafe.expressions.constants import Constant, Written, constant
from migsafe.expressions.predicates import (
    COMMUTED,
    Compared,
    Fixed,
    Null,
    Opaque,
    Predicate,
    both,
    compared,
    either,
    listed,
    negated,
)
from migsafe.expressions.trees import parse_expression
from migsafe.sql.operations import Expression, TypeName

if TYPE_CHECKING:
    from sqlglot import exp

ColumnTypes = Callable[[str], TypeName | None]
"""The type of a column, a domain's base type for a domain; None where nobody knows."""

_TYPES = {
    "SMALLINT": "smallint",
    "INT": "integer",
    "BIGINT": "bigint",
    "DECIMAL": "numeric",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMPTZ": "timestamp with time zone",
    "TEXT": "text",
    "VARCHAR": "character varying",
    "BPCHAR": "bpchar",
    "BOOLEAN": "boolean",
    "UUID": "uuid",
}
_TEXTS = frozenset(("text", "character varying"))


class Conditions:
    """Reads the conditions on one table's rows. `utc`: the TimeZone is UTC."""

    def __init__(self, types: ColumnTypes, *, utc: bool = False) -> None:
        self.types = types
        self.utc = utc

    def predicate(self, expression: Expression) -> Predicate:
        """What a condition says; Opaque where that is nothing to prove with, or it cannot be read."""
        # sqlglot reads IS UNKNOWN as IS NULL, which it is not to PostgreSQL.
        if "unknown" in expression.sql.lower():
            return Opaque()
        tree = parse_expression(expression)
        try:
            return Opaque() if tree is None else self._predicate(tree)
        except RecursionError:
            return Opaque()

    def _predicate(self, tree: exp.Expr) -> Predicate:
        from sqlglot import exp  # noqa: PLC0415  # see migsafe.expressions.trees

        match tree:
            case exp.Paren():
                return self._predicate(tree.this)
            case exp.And():
                return both([self._predicate(tree.this), self._predicate(tree.expression)])
            case exp.Or():
                return either([self._predicate(tree.this), self._predicate(tree.expression)])
            case exp.Not():
                return negated(self._predicate(tree.this))
            case exp.Boolean():
                return Fixed(bool(tree.this))
            case exp.Null():
                return Fixed(None)
            case exp.Is() if isinstance(tree.expression, exp.Null):
                return self._null(tree.this, negated=bool(tree.args.get("negate")))
            case exp.NullSafeEQ() | exp.NullSafeNEQ():
                return self._distinct(tree)
            case exp.Between():
                return self._between(tree)
            case exp.In():
                return self._in(tree)
            case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                return self._comparison(tree)
            case exp.Column() if (
                (type_name := self.types(_name(tree))) is not None and type_name.name == "boolean" and not type_name.dimensions
            ):
                return compared(_name(tree), "=", Constant("boolean", True))
        return Opaque()

    def _null(self, tree: exp.Expr, *, negated: bool) -> Predicate:
        from sqlglot import exp  # noqa: PLC0415

        if isinstance(tree, exp.Tuple) or (isinstance(tree, exp.Anonymous) and tree.name.lower() == "row"):
            # A row IS NOT NULL if each of its fields is; NOT (row IS NULL) is something else.
            subjects = [_bare(field) for field in tree.expressions if not isinstance(field, exp.Literal)]
            nulls: list[Predicate] = [Opaque() if subject is None else Null(subject, negated) for subject in subjects]
            return both(nulls) if negated and Opaque() not in nulls else Opaque()
        subject = _bare(tree)
        return Opaque() if subject is None else Null(subject, negated)

    def _distinct(self, tree: exp.Binary) -> Predicate:
        from sqlglot import exp  # noqa: PLC0415

        negated = isinstance(tree, exp.NullSafeNEQ)
        if isinstance(tree.expression, exp.Null):
            return self._null(tree.this, negated=negated)
        return self._null(tree.expression, negated=negated) if isinstance(tree.this, exp.Null) else Opaque()

    def _between(self, tree: exp.Between) -> Predicate:
        low, high = tree.args["low"], tree.args["high"]
        found = both([self._compare(tree.this, ">=", low), self._compare(tree.this, "<=", high)])
        if tree.args.get("symmetric"):
            return either([found, both([self._compare(tree.this, ">=", high), self._compare(tree.this, "<=", low)])])
        return found

    def _in(self, tree: exp.In) -> Predicate:
        if tree.args.get("query") is not None or not tree.expressions:
            return Opaque()
        return self._listed(tree.this, tree.expressions, (), any_of=True)

    def _comparison(self, tree: exp.Binary) -> Predicate:
        from sqlglot import exp  # noqa: PLC0415

        operator = _OPERATORS[type(tree).__name__]
        right = tree.expression
        any_of = isinstance(right, exp.Any)
        if any_of or (isinstance(right, exp.Anonymous) and right.name.lower() == "all"):
            if operator != ("=" if any_of else "<>"):
                return Opaque()
            array = right.this if any_of else right.expressions[0]
            elements, casts = _elements(array)
            found = Opaque() if elements is None else self._listed(tree.this, elements, casts, any_of=any_of)
            # An array of one boolean stays an array up to 15, while `x = true` becomes x.
            return Opaque() if isinstance(found, Compared) and isinstance(found.value.value, bool) else found
        for condition, fixed in ((tree.this, right), (right, tree.this)):
            if isinstance(fixed, exp.Boolean) and operator in ("=", "<>"):
                found = self._predicate(condition)
                return found if fixed.this == (operator == "=") else negated(found)
        found = self._compare(tree.this, operator, right)
        return found if not isinstance(found, Opaque) else self._compare(right, COMMUTED[operator], tree.this)

    def _compare(self, subject: exp.Expr, operator: str, value: exp.Expr) -> Predicate:
        found = self._compared_subject(subject)
        if found is None:
            return Opaque()
        name, type_name = found
        worth = self.constant(value, type_name)
        return Opaque() if worth is None else compared(name, operator, worth)

    def _listed(self, subject: exp.Expr, elements: list[exp.Expr], casts: tuple[str, ...], *, any_of: bool) -> Predicate:
        found = self._compared_subject(subject)
        if found is None:
            return Opaque()
        name, type_name = found
        constants: list[Constant] = []
        others: list[Predicate] = []
        kinds: set[tuple[str, ...]] = set()
        for element in elements:
            written = _written(element, casts)
            worth = None if written is None else constant(written, type_name, utc=self.utc)
            if worth is not None and written is not None:
                constants.append(worth)
                kinds.add(written.casts or ("" if type_name is None else type_name.name,))
            elif written is not None:
                return Opaque()  # all of the list becomes that one's type
            else:
                others.append(Opaque())
        if len(kinds) > 1 and any(isinstance(worth.value, datetime) for worth in constants):
            return Opaque()  # a mixed list of dates becomes one of timestamps
        if constants:
            others.append(listed(name, constants, any_of=any_of))
        return either(others) if any_of else both(others)

    def _compared_subject(self, tree: exp.Expr) -> tuple[str, TypeName | None] | None:
        """What a comparison is about, with its type. A varchar is compared as text, so that a cast between the two is no other subject."""
        from sqlglot import exp  # noqa: PLC0415

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
        """What a comparison is about. A cast to the type that a column has is none."""
        from sqlglot import exp  # noqa: PLC0415

        while isinstance(tree, exp.Paren):
            tree = tree.this
        if not isinstance(tree, exp.Cast):
            return _bare(tree)
        inner = self._subject(tree.this)
        own = None if inner is None else self.types(inner)
        return inner if own is not None and not own.dimensions and own.name == _type_of(tree) else None

    def constant(self, tree: exp.Expr, type_name: TypeName | None, casts: tuple[str, ...] = ()) -> Constant | None:
        """What a constant is worth beside a column of a type; None for anything else."""
        written = _written(tree, casts)
        return None if written is None else constant(written, type_name, utc=self.utc)


_OPERATORS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def _bare(tree: exp.Expr) -> str | None:
    """One spelling for a column or an expression, without casts around it; None for anything else."""
    from sqlglot import exp  # noqa: PLC0415

    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Column):
        return _name(tree)
    known = isinstance(tree, exp.Func | exp.Binary | exp.AtTimeZone) and not isinstance(tree, exp.Cast | exp.Case)
    return _spelt(tree) if known else None


def subject_of(expression: Expression) -> str | None:
    """The one spelling of an expression that conditions are about."""
    tree = parse_expression(expression)
    return None if tree is None else _bare(tree)


def _name(column: exp.Expr) -> str:
    identifier = column.this
    name: str = identifier.this
    return name if identifier.args.get("quoted") else name.lower()


def _spelt(tree: exp.Expr) -> str:
    from sqlglot import exp  # noqa: PLC0415

    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.Column | exp.Literal | exp.Func):
            return plain(node.this)
        if isinstance(node, exp.Column):
            return exp.column(exp.to_identifier(_name(node), quoted=True))
        return node

    return tree.transform(plain).sql(dialect="postgres")


def _type_of(cast: exp.Cast) -> str:
    """The name of the type that a cast names; empty where it has a length, which may change the value."""
    to = cast.to
    if to.expressions:
        return ""
    name = getattr(to.this, "name", "")  # sqlglot has an enum for most types and a string for some
    if name in _TYPES:
        return _TYPES[name]
    return to.sql(dialect="postgres").rsplit(".", 1)[-1].strip('"').lower()


def _written(tree: exp.Expr, casts: tuple[str, ...]) -> Written | None:
    from sqlglot import exp  # noqa: PLC0415

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
                return Written(sign + tree.this, bool(tree.is_string), casts)
            case exp.RawString() if not sign:
                return Written(tree.this, True, casts)
            case exp.Boolean() if not sign:
                return Written(str(tree.this), False, casts)
            case _:
                return None


def _elements(tree: exp.Expr) -> tuple[list[exp.Expr] | None, tuple[str, ...]]:
    """The elements of an array that is written out, and the types that the array is cast to; None where it is not."""
    from sqlglot import exp  # noqa: PLC0415

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
        words = [word.strip() for word in tree.this[1:-1].split(",")]
        return [exp.Null() if word.lower() == "null" else exp.Literal.string(word) for word in words], casts
    return None, ()
