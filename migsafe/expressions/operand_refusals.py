"""Operands of types that PostgreSQL does not accept (parse_coerce.c, parse_oper.c): conditions that are not boolean, invalid constants of the
other operand's type, operators that do not exist for two types, and results of COALESCE and CASE without a common type.

Only types of PostgreSQL itself are decided about.
"""

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from migsafe.expressions.expression_types import LITERAL, TEXT, TypeOf
from migsafe.expressions.query_outputs import find_in_outputs, value_types
from migsafe.expressions.trees import folded_name, parse_query
from migsafe.schema.casts import CATEGORIES
from migsafe.schema.query_columns import TableColumns
from migsafe.sql.operations import Name, Query, TypeName

_NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
_TEXTS = frozenset(("text", "character varying"))
_MOMENTS = frozenset(("timestamp without time zone", "timestamp with time zone"))
_TIMES = _MOMENTS | {"date"}
_OTHERS = frozenset(("boolean", "uuid"))
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.DPipe: "||"}
_PATTERNS: dict[type[exp.Expr], str] = {exp.Like: "~~", exp.ILike: "~~*", exp.RegexpLike: "~", exp.RegexpILike: "~*"}
_KINDS: tuple[type[exp.Expr], ...] = (*_COMPARISONS, *_SIGNS, exp.In, exp.Case, exp.Coalesce, *_PATTERNS, exp.Column, exp.Window)
_PLACES: dict[type[exp.Expr], str] = {
    exp.Where: "WHERE",
    exp.Having: "HAVING",
    exp.Join: "JOIN/ON",
    exp.And: "AND",
    exp.Or: "OR",
    exp.Not: "NOT",
}
"""What PostgreSQL's messages call the places of conditions."""


class RefusedOperand(Struct, frozen=True):
    """What PostgreSQL refuses: `kind` is `boolean` (the argument of `name` has the type `left`), `operator` (`name` is its sign), `match` (the
    types of the results of `name` do not match), `constant` (`name` is the text, `left` the type), `assignment` (of `left` to the column
    `name`), `array` (ANY of the type `left`), or `window` (window functions in a condition)."""

    kind: str
    name: str
    left: TypeName
    right: TypeName = LITERAL


def refused_operands(query: Query, tables: TableColumns) -> tuple[RefusedOperand, ...]:
    """Return the operands in a query that PostgreSQL refuses."""
    found = find_in_outputs(query, tables, _KINDS, _refused_operand)
    return (*_assigned(query, tables), *(each for group in found for each in group))


def _refused_operand(node: exp.Expr, type_of: TypeOf) -> tuple[RefusedOperand, ...] | None:
    match node:
        case exp.Window():
            found = RefusedOperand("window", "WHERE", LITERAL) if _is_in_condition(node) else None
        case exp.Column():
            found = _not_boolean(node, type_of)
        case exp.Case():
            found = _unmatched("CASE", [node.args.get("default"), *(branch.args["true"] for branch in node.args["ifs"])], type_of)
        case exp.Coalesce():
            found = _unmatched("COALESCE", [node.this, *node.expressions], type_of)
        case _ if type(node) in _PATTERNS:
            found = _refused_pattern(node, type_of)
        case exp.In():
            return _constants(node.this, node.expressions, type_of) if all(_is_string(each) for each in node.expressions) else None
        case _ if isinstance(node, _COMPARISONS):
            if isinstance(node.expression, exp.Any):
                found = _refused_array(node, type_of)
            else:
                return _constants(node.this, [node.expression], type_of) or _constants(node.expression, [node.this], type_of) or None
        case _:
            found = _refused_operator(node, type_of)
    return (found,) if found is not None else None


def _plain(data_type: TypeName | None) -> TypeName | None:
    """Return a built-in type without its length, whose operators are known here."""
    is_known = data_type is not None and data_type.schema is None and not data_type.dimensions and data_type.name in CATEGORIES
    return replace(data_type, modifiers=()) if data_type is not None and is_known else None


def _is_string(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _is_in_condition(node: exp.Expr) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, exp.Where):
            return True
        parent = parent.parent
    return False


def _not_boolean(column: exp.Column, type_of: TypeOf) -> RefusedOperand | None:
    """Return a column that stands where PostgreSQL expects a condition."""
    inner: exp.Expr = column
    while isinstance(inner.parent, exp.Paren):
        inner = inner.parent
    place = _PLACES.get(type(inner.parent)) if inner.parent is not None else None
    if place is None and isinstance(inner.parent, exp.If) and inner.parent.this is inner and isinstance(inner.parent.parent, exp.Case):
        place = "CASE/WHEN" if inner.parent.parent.this is None else None
    data_type = _plain(type_of(column)) if place is not None else None
    return RefusedOperand("boolean", str(place), data_type) if data_type is not None and data_type.name != "boolean" else None


def _unmatched(name: str, results: list[exp.Expr | None], type_of: TypeOf) -> RefusedOperand | None:
    types = [type_of(result) for result in results if result is not None and not isinstance(result, exp.Null)]
    known = [plain for data_type in types if data_type is not None and data_type != LITERAL and (plain := _plain(data_type)) is not None]
    if len(known) < sum(data_type != LITERAL for data_type in types) or not known:
        return None
    other = next((each for each in known if CATEGORIES[each.name] != CATEGORIES[known[0].name]), None)
    if other is not None:
        return RefusedOperand("match", name, known[0], other)
    if any(each != known[0] for each in known):
        return None
    strings = [result for result in results if result is not None and _is_string(result)]
    return next((RefusedOperand("constant", str(each.this), known[0]) for each in strings), None)


def _constants(operand: exp.Expr, constants: list[exp.Expr], type_of: TypeOf) -> tuple[RefusedOperand, ...]:
    strings = [str(each.this) for each in constants if _is_string(each)]
    data_type = _plain(type_of(operand)) if strings and not isinstance(operand, exp.Literal) else None
    return tuple(RefusedOperand("constant", each, data_type) for each in strings) if data_type is not None else ()


def _refused_pattern(node: exp.Expr, type_of: TypeOf) -> RefusedOperand | None:
    left, pattern = _plain(type_of(node.this)), type_of(node.expression)
    # NOT may stand before LIKE, which is another operator, or before the whole condition.
    if left is None or left.name in _TEXTS or isinstance(node.parent, exp.Not) or pattern not in (LITERAL, TEXT):
        return None
    sign = ("!" if node.args.get("negate") else "") + _PATTERNS[type(node)]
    return RefusedOperand("operator", sign, left, pattern or LITERAL)


def _refused_array(node: exp.Expr, type_of: TypeOf) -> RefusedOperand | None:
    inner = node.expression.this
    while isinstance(inner, exp.Paren):
        inner = inner.this
    array = _plain(type_of(inner)) if isinstance(inner, exp.Column) else None
    return RefusedOperand("array", "ANY", array) if array is not None else None


def _refused_operator(node: exp.Expr, type_of: TypeOf) -> RefusedOperand | None:
    if not all(isinstance(operand, exp.Column | exp.Literal) for operand in (node.this, node.expression)):
        return None
    sign, left, right = _SIGNS[type(node)], _plain(type_of(node.this)), _plain(type_of(node.expression))
    if left is None or right is None:
        return None
    first, second = left.name, right.name
    if sign == "||":
        is_refused = {first, second} <= _NUMBERS | _TIMES | _OTHERS
    elif _TEXTS & {first, second}:
        is_refused = {first, second} <= _TEXTS | _NUMBERS | _MOMENTS | _OTHERS
    elif _OTHERS & {first, second}:
        is_refused = {first, second} <= _OTHERS | _NUMBERS
    else:
        is_refused = (first in _MOMENTS and second in _NUMBERS) or (first in _NUMBERS and second in _MOMENTS)
    return RefusedOperand("operator", sign, left, right) if is_refused else None


def _assigned(query: Query, tables: TableColumns) -> tuple[RefusedOperand, ...]:
    """Return the constants and the other values that an UPDATE, or an INSERT with a query, stores in columns of other types."""
    tree = parse_query(query)
    if not isinstance(tree, exp.Update | exp.Insert) or (values := _stored_values(tree)) is None:
        return ()
    table, names, items, sources = values[0], values[1], values[2], value_types(tree, tables)
    columns = tables(table) or ()
    types = {column.name: column.type for column in columns}
    names = names or [column.name for column in columns]
    found: list[RefusedOperand] = []
    for number, (name, value) in enumerate(zip(names, items, strict=False)):
        target, source = types.get(name), sources[number] if number < len(sources) else None
        if target is None:
            continue
        if _is_string(value):
            found.append(RefusedOperand("constant", str(value.this), target))
        elif isinstance(value, exp.Case) and _is_literal(value):
            found.append(RefusedOperand("assignment", name, TEXT, target))
        elif source is not None and source != LITERAL and not isinstance(value, exp.Literal | exp.Null | exp.Column):
            found.append(RefusedOperand("assignment", name, replace(source, modifiers=()), target))
    return tuple(found)


def _stored_values(tree: exp.Update | exp.Insert) -> tuple[Name, list[str], list[exp.Expr]] | None:
    """Return the table of a statement, the columns that it names, and the values for them."""
    table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return None
    name = Name(folded_name(table.this), folded_name(table.args["db"]) if table.args.get("db") else None)
    if isinstance(tree, exp.Update):
        # An assignment to a row or to an element has no single column.
        if not all(isinstance(each, exp.EQ) and isinstance(each.this, exp.Column) for each in tree.expressions):
            return None
        return name, [folded_name(each.this.this) for each in tree.expressions], [each.expression for each in tree.expressions]
    select = tree.expression
    if not isinstance(select, exp.Select) or tree.args.get("with_") or any(item.is_star for item in select.expressions):
        return None
    names = [folded_name(each) for each in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    return name, names, [item.this if isinstance(item, exp.Alias) else item for item in select.expressions]


def _is_literal(case: exp.Case) -> bool:
    """Whether all results of a CASE are strings, so that its type is text."""
    results = [*(branch.args["true"] for branch in case.args["ifs"]), *([case.args["default"]] if case.args.get("default") else [])]
    return any(map(_is_string, results)) and all(_is_string(result) or isinstance(result, exp.Null) for result in results)
