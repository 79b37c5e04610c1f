"""Expressions and conditions of a query, read from sqlglot's trees."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from sqlglot import exp

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
from migsafe.expressions.trees import DIALECT, TYPE_NAMES, folded_name, type_sql
from migsafe.patterns import lazy_pattern

QueryNumbers = Mapping[int, int]
"""The indexes of the queries in an expression, by the identity of their trees."""

_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Like: "like",
    exp.ILike: "ilike",
    exp.RegexpLike: "~",
    exp.RegexpILike: "~*",
    exp.SimilarTo: "similar to",
    exp.ArrayContainsAll: "@>",
    exp.ArrayContainedBy: "<@",
    exp.ArrayOverlaps: "&&",
    exp.JSONBContains: "?",
    exp.JSONBContainsTopKey: "?",
    exp.JSONBContainsAnyTopKeys: "?|",
    exp.JSONBContainsAllTopKeys: "?&",
    exp.Mod: "%",
    exp.Adjacent: "-|-",
    exp.ExtendsLeft: "&<",
    exp.ExtendsRight: "&>",
}
_NEGATED = {**NEGATION, "in": "not in", "not in": "in"}
_COMMUTED = {**COMMUTED, "@>": "<@", "<@": "@>", "&&": "&&", "%": "%"}
_STRINGS = ("text", "character varying", "varchar", "character", "bpchar", "name", "citext")
_TYPES = {
    **TYPE_NAMES,
    "TIME": "time without time zone",
    "TIMETZ": "time with time zone",
    "CHAR": "character",
    "BPCHAR": "character",
    "VARBINARY": "bytea",
}
_UNIT = lazy_pattern(r"\bdate_trunc\('[A-Z]+'")
PASSING = (exp.Coalesce, exp.Case, exp.Nullif, exp.Lower, exp.Upper, exp.Trim)
"""Expressions whose result may be one of their operands, or a string that differs from it in its form only."""
OPERATORS_OF_LISTS = frozenset(("in", "any"))
"""The operators that compare with each element of a list or an array for equality."""


def type_text(to: exp.Expr) -> str:
    """Returns a data type as PostgreSQL spells it, without its length: `uuid`, `text[]`, `schema.name`."""
    if not isinstance(to, exp.DataType):
        return type_sql(to).lower()
    name = getattr(to.this, "name", "")
    if name == "ARRAY" and to.expressions:
        return f"{type_text(to.expressions[0])}[]"
    if name in ("USERDEFINED", "USER_DEFINED") and to.args.get("kind") is not None:
        kind = to.args["kind"]
        if isinstance(kind, exp.Expr):
            parts = list(kind.find_all(exp.Identifier))
            return ".".join(folded_name(part) for part in parts) if parts else str(kind.sql("postgres")).lower()
        return str(kind).lower()
    return _TYPES.get(name) or _type_name(type_sql(to))


@lru_cache(256)
def _type_name(sql: str) -> str:
    return sql.split("(", maxsplit=1)[0].strip().strip('"').lower()


class Operands:
    """Reads the expressions of one query. `numbers` are the queries in them. Without `spells`, formulas have no text, with which indexes are
    found: writing it takes as long as reading the query."""

    def __init__(self, numbers: QueryNumbers, *, spells: bool = True) -> None:
        self.numbers = numbers
        self.spells = spells

    def operand(self, node: exp.Expr, cast: str | None = None) -> Operand:
        """Returns one side of a comparison."""
        while isinstance(node, exp.Paren):
            node = node.this
        constant = _constant(node)
        if constant is not None:
            return constant
        match node:
            case exp.Cast() if not isinstance(node, exp.TryCast):
                to = type_text(node.to)
                inner = self.operand(node.this, cast or to)
                # A column that is cast to text keeps its order and its equality only if it is a string: that is for the binder to say. An
                # expression that is cast to text is mostly text already.
                is_same = isinstance(inner, Parameter | Nested) or (isinstance(inner, Formula) and (not inner.refs or to in _STRINGS))
                return inner if is_same else self._formula(node, cast or to)
            case exp.Column() if isinstance(node.this, exp.Identifier):
                return ref_of(node)
            case exp.Parameter() if isinstance(node.this, exp.Literal) and node.this.this.isdigit():
                return Parameter(int(node.this.this), cast)
            case exp.Subquery() | exp.Query() if id(_query(node)) in self.numbers:
                return Nested(self.numbers[id(_query(node))], cast)
            case exp.Collate():
                return self._formula(node, cast)
        return self._formula(node, cast)

    def _formula(self, node: exp.Expr, cast: str | None) -> Formula:
        inside = list(node.walk(prune=lambda inner: id(inner) in self.numbers))
        refs = tuple(
            dict.fromkeys(ref_of(column) for column in inside if isinstance(column, exp.Column) and isinstance(column.this, exp.Identifier))
        )
        queries = tuple(self.numbers[id(query)] for query in inside if id(query) in self.numbers)
        return Formula(spelling(node) if refs and self.spells else "", refs, cast, function_name(node), queries, tuple(self._passed(node)))

    def _passed(self, node: exp.Expr) -> Iterator[Parameter]:
        """Yields the parameters whose value an expression may have."""
        match node:
            case exp.Coalesce():
                results = [node.this, *node.expressions]
            case exp.Case():
                results = [*(branch.args["true"] for branch in node.args["ifs"]), *filter(None, [node.args.get("default")])]
            case _:
                results = [node.this] if isinstance(node, PASSING) else []
        for result in results:
            operand = self.operand(result)
            yield from [operand] if isinstance(operand, Parameter) else operand.passed if isinstance(operand, Formula) else ()

    def condition(self, node: exp.Expr | None, *, negated: bool = False) -> Condition:
        """Returns a condition, or its negation."""
        while isinstance(node, exp.Paren):
            node = node.this
        if node is not None and node.args.get("negate"):
            negated = not negated  # NOT LIKE, IS NOT and similar
        match node:
            case exp.And() | exp.Or():
                parts = tuple(self.condition(part, negated=negated) for part in _flattened(node))
                return All(parts) if isinstance(node, exp.And) != negated else Either(parts)
            case exp.Not():
                return self.condition(node.this, negated=not negated)
            case exp.Is():
                return self._is(node, negated=negated)
            case exp.Exists() if id(_query(node.this)) in self.numbers:
                return Exists(self.numbers[id(_query(node.this))], negated)
            case exp.Between() if not negated:
                subject = self.operand(node.this)
                low, high = self.operand(node.args["low"]), self.operand(node.args["high"])
                return All((Compare(subject, ">=", low), Compare(subject, "<=", high)))
            case exp.In():
                return self._in(node, negated=negated)
            case exp.MatchAgainst() if not negated and len(node.expressions) == 1:
                return Compare(self.operand(node.expressions[0]), "@@", self.operand(node.this))
            case exp.Column():
                return Truth(self.operand(node), not negated)
            case exp.Binary() if type(node) in _COMPARED:
                return self._comparison(node, _COMPARED[type(node)], negated=negated)
            case exp.Operator() if not negated:
                return Compare(self.operand(node.this), str(node.args.get("operator")), self.operand(node.expression))
            case exp.Func() | exp.Anonymous():
                return Truth(self.operand(node), not negated)
        return Other()

    def _is(self, node: exp.Expr, *, negated: bool) -> Condition:
        if isinstance(node.expression, exp.Null):
            return NullTest(self.operand(node.this), negated)
        if isinstance(node.expression, exp.Boolean) and not negated:
            return Truth(self.operand(node.this), bool(node.expression.this))
        return Other()

    def _in(self, node: exp.In, *, negated: bool) -> Condition:
        operator = "not in" if negated else "in"
        subjects = _fields(node.this)
        query = node.args.get("query")
        if query is not None:
            number = self.numbers.get(id(_query(query)))
            if number is None:
                return Other()
            compared = tuple(Compare(self.operand(subject), operator, Nested(number)) for subject in subjects)
            return compared[0] if len(compared) == 1 else All(compared) if not negated else Other()
        if len(subjects) > 1:
            # (a, b) IN ((1, 2), (3, 4)): the columns by themselves have one of the values, too.
            rows = [_fields(row) for row in node.expressions]
            if negated or any(len(row) != len(subjects) for row in rows):
                return Other()
            columns = (Several(tuple(self.operand(row[at]) for row in rows)) for at in range(len(subjects)))
            return All(tuple(Compare(self.operand(subject), "in", values) for subject, values in zip(subjects, columns, strict=True)))
        return Compare(self.operand(node.this), operator, Several(tuple(self.operand(element) for element in node.expressions)))

    def _comparison(self, node: exp.Binary, operator: str, *, negated: bool) -> Condition:
        left, right = node.this, node.expression
        array = _array(right)
        if array is not None:
            name, values = array
            if (name, operator) == ("any", "=") and not negated:
                return Compare(self.operand(left), "any", self._array_values(values))
            if (name, operator) in (("any", "like"), ("any", "ilike")) and not negated:
                return Compare(self.operand(left), operator, self.operand(values))
            return Other()
        if _array(left) is not None:
            # $1 = ANY(column): only a GIN index could serve another spelling of it.
            return Other()
        lefts, rights = _fields(left), _fields(right)
        if len(lefts) > 1:
            return self._rows(lefts, rights, operator) if not negated else Other()
        if operator == "=" and isinstance(right, exp.Boolean):
            return (
                self.condition(left, negated=negated != (not right.this))
                if not isinstance(left, exp.Column)
                else Truth(self.operand(left), bool(right.this) != negated)
            )
        if negated:
            if operator not in _NEGATED:
                return Other()
            operator = _NEGATED[operator]
        first, second = self.operand(left), self.operand(right)
        is_value = isinstance(first, Value | Parameter | Nested) or (isinstance(first, Formula) and not first.refs)
        if is_value and operator in _COMMUTED:
            return Compare(second, _COMMUTED[operator], first)
        return Compare(first, operator, second)

    def _rows(self, lefts: list[exp.Expr], rights: list[exp.Expr], operator: str) -> Condition:
        if len(rights) == 1 and (number := self.numbers.get(id(_query(rights[0])))) is not None and operator == "=":
            return All(tuple(Compare(self.operand(left), "=", Nested(number)) for left in lefts))
        if len(lefts) != len(rights):
            return Other()
        if operator == "=":
            return All(tuple(Compare(self.operand(left), "=", self.operand(right)) for left, right in zip(lefts, rights, strict=True)))
        # (a, b) > (c, d) bounds only the first column by itself.
        return Compare(self.operand(lefts[0]), f"{operator[0]}=", self.operand(rights[0])) if operator != "<>" else Other()

    def _array_values(self, values: exp.Expr) -> Operand:
        while isinstance(values, exp.Paren):
            values = values.this
        if isinstance(values, exp.Array) and not any(isinstance(element, exp.Query) for element in values.expressions):
            return Several(tuple(self.operand(element) for element in values.expressions))
        return self.operand(values)


def ref_of(column: exp.Expr) -> Ref:
    """Returns the reference to a column."""
    table, schema = column.args.get("table"), column.args.get("db")
    return Ref(folded_name(column.this), folded_name(table) if table is not None else None, folded_name(schema) if schema is not None else None)


def spelling(node: exp.Expr) -> str:
    """Returns the normal spelling of an expression: columns without qualifiers, no parentheses around a column or call."""

    def plain(inner: exp.Expr) -> exp.Expr:
        while isinstance(inner, exp.Paren) and isinstance(inner.this, exp.Column | exp.Literal | exp.Func | exp.Cast | exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Column) and isinstance(inner.this, exp.Identifier):
            return exp.column(exp.to_identifier(folded_name(inner.this), quoted=True))
        return inner

    text = str(node.copy().transform(plain, copy=False).sql(dialect=DIALECT, normalize_functions="lower"))
    # sqlglot writes the unit in upper case: another constant, with which PostgreSQL finds no index.
    return _UNIT.sub(lambda unit: unit[0].lower(), text)


def function_name(node: exp.Expr) -> str | None:
    """Returns the name of the function that an expression calls and that sqlglot does not know; None for another expression."""
    return str(node.name).lower() if isinstance(node, exp.Anonymous) else None


def _constant(node: exp.Expr) -> Value | None:
    casts: tuple[str, ...] = ()
    sign = ""
    while True:
        match node:
            case exp.Paren():
                node = node.this
            case exp.Cast() if not isinstance(node, exp.TryCast):
                casts = (type_text(node.to), *casts)
                node = node.this
            case exp.Neg() if isinstance(node.this, exp.Literal):
                sign, node = "-", node.this
            case exp.Literal():
                return Value(sign + str(node.this), bool(node.is_string), casts)
            case exp.RawString():
                return Value(str(node.this), True, casts)
            case exp.Null():
                return Value("null", False, casts)
            case exp.Boolean():
                return Value("true" if node.this else "false", False, casts)
            case _:
                return None


def _query(node: exp.Expr) -> exp.Expr:
    """Returns the query inside parentheses."""
    while isinstance(node, exp.Subquery | exp.Paren) and isinstance(node.this, exp.Expr) and not node.args.get("alias"):
        node = node.this
    return node


def query_of(node: exp.Expr) -> exp.Expr:
    """Returns the query inside parentheses; the node itself if it has none."""
    return _query(node)


def _fields(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Tuple) or (isinstance(node, exp.Anonymous) and node.name.lower() == "row"):
        return list(node.expressions)
    return [node]


def _array(node: exp.Expr) -> tuple[str, exp.Expr] | None:
    """Returns `any` or `all` with the array; None for another expression."""
    if isinstance(node, exp.Any):
        return "any", node.this
    if isinstance(node, exp.All):
        return "all", node.this
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("all", "some", "any") and len(node.expressions) == 1:
        return ("all" if node.name.lower() == "all" else "any"), node.expressions[0]
    return None


def _flattened(node: exp.Expr) -> list[exp.Expr]:
    """Returns the operands of a chain of AND, or of OR."""
    kind = type(node)
    parts: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        while isinstance(current, exp.Paren) and isinstance(current.this, exp.And | exp.Or | exp.Paren):
            current = current.this
        if type(current) is kind:
            waiting += [current.expression, current.this]
        else:
            parts.append(current)
    return parts
