"""The type of an expression, where it follows from the types of its columns: casts, operators, CASE, and common functions.

The rules are those of PostgreSQL's analyser (src/backend/parser/parse_coerce.c, parse_oper.c, parse_func.c) for built-in types; a test compares
them with a server. None is an unknown type. A string constant and NULL have the type `LITERAL` until their context gives them another.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.trees import parse_expression, type_sql
from migsafe.schema.casts import BUILT_IN
from migsafe.sql.operations import AddColumn, Expression, TypeName
from migsafe.sql.statements import read

LITERAL = TypeName(name="unknown")
TEXT = TypeName(name="text")
BOOLEAN = TypeName(name="boolean")
_SMALLINT, _INTEGER, _BIGINT = (TypeName(name=name) for name in ("smallint", "integer", "bigint"))
_NUMERIC, _REAL, _DOUBLE = (TypeName(name=name) for name in ("numeric", "real", "double precision"))
_DATE, _INTERVAL = TypeName(name="date"), TypeName(name="interval")
_TIMESTAMP, _TIMESTAMPTZ = TypeName(name="timestamp without time zone"), TypeName(name="timestamp with time zone")
_JSON, _JSONB, _UUID = (TypeName(name=name) for name in ("json", "jsonb", "uuid"))

_NUMBERS = (_SMALLINT, _INTEGER, _BIGINT, _NUMERIC, _REAL, _DOUBLE)
"""The types of numbers, each convertible to those after it."""
_TIMES = (_DATE, _TIMESTAMP, _TIMESTAMPTZ)
_STRINGS = frozenset(("text", "character varying", "character", "bpchar"))
_LARGEST_INTEGER, _LARGEST_BIGINT = 2**31 - 1, 2**63 - 1

_FIXED: dict[type[exp.Expr], TypeName] = {
    **dict.fromkeys((exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank), _BIGINT),
    **dict.fromkeys((exp.Length, exp.StrPosition, exp.ArraySize, exp.Ntile), _INTEGER),
    **dict.fromkeys((exp.CurrentTimestamp, exp.UnixToTime), _TIMESTAMPTZ),
    **dict.fromkeys((exp.CurrentDate, exp.StrToDate), _DATE),
    **dict.fromkeys((exp.Concat, exp.ConcatWs, exp.Replace, exp.RegexpReplace, exp.SplitPart, exp.Initcap, exp.MD5, exp.Pad, exp.Left), TEXT),
    **dict.fromkeys((exp.Right, exp.TimeToStr, exp.ToChar, exp.Repeat, exp.JSONExtractScalar, exp.JSONBExtractScalar), TEXT),
    **dict.fromkeys((exp.LogicalAnd, exp.LogicalOr, exp.Exists, exp.Boolean, exp.Not, exp.And, exp.Or, exp.Is, exp.In, exp.Between), BOOLEAN),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike), BOOLEAN),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.SimilarTo), BOOLEAN),
    exp.Localtimestamp: _TIMESTAMP,
    exp.JSONArrayAgg: _JSON,
    exp.Uuid: _UUID,
    exp.Rand: _DOUBLE,
    exp.Interval: _INTERVAL,
}
"""The types of expressions whatever their arguments are."""
_TAKE_PRECISION = (exp.CurrentTimestamp, exp.Localtimestamp)
_TEXT_OF_STRINGS = (exp.Lower, exp.Upper, exp.Substring, exp.Trim, exp.Reverse)
"""Functions that return text for strings, and something else for ranges or bytea."""
_NAMED = {
    **dict.fromkeys(("jsonb_agg", "jsonb_build_object", "jsonb_build_array", "jsonb_object_agg", "to_jsonb"), _JSONB),
    **dict.fromkeys(("json_build_object", "json_build_array", "json_object_agg", "to_json", "row_to_json", "json_agg"), _JSON),
    **dict.fromkeys(("clock_timestamp", "statement_timestamp", "transaction_timestamp", "now"), _TIMESTAMPTZ),
    **dict.fromkeys(("uuid_generate_v4", "uuid_generate_v1", "gen_random_uuid"), _UUID),
    **dict.fromkeys(("quote_literal", "quote_ident", "format", "encode", "current_setting"), TEXT),
    "every": BOOLEAN,
    "nextval": _BIGINT,
    "currval": _BIGINT,
    "cardinality": _INTEGER,
    "jsonb_array_length": _INTEGER,
}
"""The types of functions that sqlglot has no class for."""
_SUMS = {_SMALLINT: _BIGINT, _INTEGER: _BIGINT, _BIGINT: _NUMERIC, _NUMERIC: _NUMERIC, _REAL: _REAL, _DOUBLE: _DOUBLE, _INTERVAL: _INTERVAL}
_AVERAGES = {**dict.fromkeys((_SMALLINT, _INTEGER, _BIGINT, _NUMERIC), _NUMERIC), _REAL: _DOUBLE, _DOUBLE: _DOUBLE, _INTERVAL: _INTERVAL}
_ROUNDED = {**dict.fromkeys((_SMALLINT, _INTEGER, _BIGINT, _REAL, _DOUBLE), _DOUBLE), _NUMERIC: _NUMERIC}
_TRUNCATED = {_DATE: _TIMESTAMPTZ, _TIMESTAMP: _TIMESTAMP, _TIMESTAMPTZ: _TIMESTAMPTZ, _INTERVAL: _INTERVAL}
_OTHER_ZONE = {_TIMESTAMP: _TIMESTAMPTZ, _TIMESTAMPTZ: _TIMESTAMP}

TypeOf = Callable[[exp.Expr], TypeName | None]


def type_of_default(default: Expression, column_type: TypeName) -> TypeName | None:
    """Return the type of an expression without columns, as the default of a column of this type has it: a string constant has the column's
    type. None if it is not known."""
    tree = parse_expression(default)
    found = expression_type(tree, lambda _: None, lambda _: None, lambda _: None) if tree is not None else None
    return column_type if found == LITERAL else found


def expression_type(node: exp.Expr, column_type: TypeOf, query_type: TypeOf, call_type: TypeOf) -> TypeName | None:
    """Return the type of an expression. `column_type` returns that of a column, `query_type` that of the first column of a query, `call_type`
    that of a function that is not PostgreSQL's own."""

    def type_of(inner: exp.Expr) -> TypeName | None:
        return expression_type(inner, column_type, query_type, call_type)

    match node:
        case exp.Paren() | exp.Collate() | exp.Filter() | exp.Window() | exp.Alias():
            return type_of(node.this)
        case exp.Subquery() | exp.Select() | exp.SetOperation():
            return query_type(node)
        case exp.Column():
            return column_type(node)
        case exp.TryCast():
            return None
        case exp.Cast():
            return _cast_type(type_sql(node.to))
        case exp.Literal():
            return LITERAL if node.is_string else _number_type(str(node.this))
        case exp.Null():
            return LITERAL
        case exp.Case():
            # ELSE comes first (transformCaseExpr); without it, the last result is NULL.
            results = [node.args.get("default") or exp.Null(), *(branch.args["true"] for branch in node.args["ifs"])]
            return common_type([type_of(result) for result in results])
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return common_type([type_of(item) for item in (node.this, *node.expressions)])
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
            return _arithmetic_type(node, type_of(node.this), type_of(node.expression))
    if isinstance(node, _TAKE_PRECISION) and node.this is not None:
        return None
    if type(node) in _FIXED:
        return _FIXED[type(node)]
    if isinstance(node, exp.Anonymous):
        return _NAMED.get(node.name.lower()) or call_type(node)
    if isinstance(node, exp.Dot):
        return call_type(node)
    return _type_from_argument(node, type_of)


def _type_from_argument(node: exp.Expr, type_of: TypeOf) -> TypeName | None:
    """Return the type of a function or operator whose type is decided by that of its first argument."""
    inner = node.this
    if isinstance(inner, exp.Distinct):
        inner = inner.expressions[0] if len(inner.expressions) == 1 else None
    argument = type_of(inner) if isinstance(inner, exp.Expr) else None
    if argument is None:
        return None
    plain = _plain(argument)
    match node:
        case exp.JSONExtract() | exp.JSONBExtract():
            return argument if argument in (_JSON, _JSONB) else None
        case exp.Nullif():
            other = type_of(node.expression)
            is_same = _is_known(plain) and other is not None and (other == LITERAL or _plain(other) == plain)
            return (TEXT if plain.name == "character varying" and not plain.dimensions else argument) if is_same else None
        case exp.DPipe():
            return _joined_type(argument, type_of(node.expression))
        case exp.Sum():
            return _SUMS.get(plain)
        case exp.Avg():
            return _AVERAGES.get(plain)
        case exp.Min() | exp.Max():
            return TEXT if plain.name == "character varying" and not plain.dimensions else plain if _is_known(plain) else None
        case exp.GroupConcat():
            return TEXT if plain.name in _STRINGS and not plain.dimensions else None
        case exp.ArrayAgg():
            return replace(plain, dimensions=1) if not plain.dimensions and _is_known(plain) else None
        case exp.Lag() | exp.Lead() | exp.FirstValue() | exp.LastValue():
            return plain if _is_known(plain) and not node.args.get("default") else None
        case exp.TimestampTrunc():
            return _TRUNCATED.get(plain)
        case exp.AtTimeZone():
            return _OTHER_ZONE.get(plain)
        case exp.Floor() | exp.Ceil() | exp.Round():
            return _ROUNDED.get(plain) if not node.args.get("decimals") else _NUMERIC
        case exp.Abs() | exp.Neg():
            return plain if plain in _NUMBERS else None
        case exp.Bracket() if argument.dimensions and len(node.expressions) == 1 and not isinstance(node.expressions[0], exp.Slice):
            return replace(argument, dimensions=0) if argument.dimensions == 1 else None
        case exp.Explode():
            return replace(argument, dimensions=0) if argument.dimensions else None
    is_string = not plain.dimensions and (plain.name in _STRINGS or plain == LITERAL)
    return TEXT if isinstance(node, _TEXT_OF_STRINGS) and is_string else None


def common_type(types: Sequence[TypeName | None]) -> TypeName | None:
    """Return the type of CASE, COALESCE and UNION (select_common_type): one to which all can be converted."""
    known = [type_ for type_ in types if type_ is not None and type_ != LITERAL]
    if len(known) < sum(type_ != LITERAL for type_ in types):
        return None
    if not known:
        return LITERAL
    if len(known) == len(types) and all(type_ == known[0] for type_ in known):
        return known[0]
    # A constant has no length or precision, so the result has none either.
    plain = [_plain(type_) for type_ in known]
    if all(type_ == plain[0] for type_ in plain):
        return plain[0]
    for family in (_NUMBERS, _TIMES):
        if all(type_ in family for type_ in plain):
            return max(plain, key=family.index)
    # Both strings can be converted to each other, so the first type is kept.
    return plain[0] if all(type_.name in ("text", "character varying") and not type_.dimensions for type_ in plain) else None


def _plain(type_: TypeName) -> TypeName:
    """Return a type without its length or precision; character without a length is not character(1)."""
    name = "bpchar" if type_.name == "character" and type_.schema is None and not type_.dimensions else type_.name
    return replace(type_, name=name, modifiers=(), fields="")


def _is_known(plain: TypeName) -> bool:
    """Whether a type is built in: of another one, which may be a domain, functions return the base type."""
    return plain.schema is None and (plain.name in BUILT_IN or plain.name == "bpchar") and not plain.percent_type


def _arithmetic_type(node: exp.Expr, left: TypeName | None, right: TypeName | None) -> TypeName | None:
    if left is None or right is None:
        return None
    left, right = _plain(left), _plain(right)
    # A constant string takes the type of the other operand.
    left, right = (right if left == LITERAL else left), (left if right == LITERAL else right)
    if left in _NUMBERS and right in _NUMBERS:
        wider = max(left, right, key=_NUMBERS.index)
        return _DOUBLE if wider == _REAL and left != right else wider
    integers = _NUMBERS[:2]
    match node:
        case exp.Sub() if left == right == _DATE:
            return _INTEGER
        case exp.Sub() if left == right and left in _TIMES:
            return _INTERVAL
        case exp.Add() | exp.Sub() if left == _DATE and right in integers:
            return _DATE
        case exp.Add() | exp.Sub() if left in _TIMES and right == _INTERVAL:
            return _TIMESTAMP if left == _DATE else left
        case exp.Add() | exp.Sub() if left == right == _INTERVAL:
            return _INTERVAL
    return None


def _joined_type(left: TypeName, right: TypeName | None) -> TypeName | None:
    """Return the type of `||`."""
    if right is None:
        return None
    types = {_plain(left), _plain(right)} - {LITERAL}
    if types == {_JSONB}:
        return _JSONB
    return TEXT if all(type_.name in _STRINGS and not type_.dimensions for type_ in types) else None


def _number_type(text: str) -> TypeName:
    if not text.isdigit() or int(text) > _LARGEST_BIGINT:
        return _NUMERIC
    return _INTEGER if int(text) <= _LARGEST_INTEGER else _BIGINT


@lru_cache(1024)
def _cast_type(type_sql: str) -> TypeName | None:
    for statement in read(f"ALTER TABLE a ADD b {type_sql}"):
        operation = statement.operations[0]
        return operation.column.type if isinstance(operation, AddColumn) else None
    return None
