"""Calls and operators that PostgreSQL evidently has, in an expression over the columns of one table.

Such an expression needs no tree: importing sqlglot takes longer than judging a small file.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from migsafe.expressions.queries.plain.expressions import read_expression
from migsafe.expressions.queries.plain.terms import Term
from migsafe.expressions.queries.shapes import Ref, Value
from migsafe.sql.operations import TypeName

_LITERAL = TypeName(name="unknown")
_TEXT, _BOOLEAN, _INTEGER, _NUMERIC = (TypeName(name=name) for name in ("text", "boolean", "integer", "numeric"))
_STRINGS = frozenset(("text", "character varying", "unknown"))
_JSON = frozenset(("json", "jsonb"))
_OF_STRINGS = {
    **dict.fromkeys(("lower", "upper", "trim", "md5", "replace", "substr", "substring"), _TEXT),
    **dict.fromkeys(("length", "char_length"), _INTEGER),
}
"""Functions whose first argument is a string, with the types of their results."""


class _NotEvidentError(Exception):
    """A call or an operator may not exist."""


class KnownFunctions(Struct, frozen=True):
    """What is known of the functions that sqlglot does not know: the type of their result, None if it is not known; and whether one of them, if
    the history has any, may accept arguments of these types."""

    result: Callable[[str], TypeName | None]
    accepts: Callable[[str, list[TypeName | None]], bool]


def has_evident_calls(text: str, columns: Mapping[str, TypeName], functions: KnownFunctions) -> bool:
    """Whether an expression over columns of these types evidently has no call and no operator that PostgreSQL refuses."""
    expression = read_expression(text)
    if expression is None:
        return False
    try:
        _Types(columns, functions).of(expression[0])
    except (_NotEvidentError, RecursionError):
        return False
    return True


class _Types:
    """Finds the types of the parts of an expression; None for one that is not known."""

    def __init__(self, columns: Mapping[str, TypeName], functions: KnownFunctions) -> None:
        self._columns = columns
        self._functions = functions

    def of(self, term: Term) -> TypeName | None:
        """Returns the type of a term. Raises _NotEvidentError."""
        match term.kind:
            case "column":
                return self._column(term.data)
            case "constant":
                assert isinstance(term.data, Value)
                return _type_of_constant(term.data)
            case "query" | "exists" | "parameter" | "dotted":
                raise _NotEvidentError
        types = [self.of(child) for child in term.children]
        match term.kind:
            case "paren":
                return types[0]
            case "cast":
                return TypeName(name=str(term.data))
            case "call":
                return self._call(str(term.data), types)
            case "known":
                return _type_of_function(str(term.data), types)
            case "arrow" | "binary":
                return _type_of_operator(str(term.data), types)
            case "compare" | "in":
                return self._comparison(term, types)
            case "case" | "if" | "interval":
                return None
        return _BOOLEAN

    def _column(self, ref: object) -> TypeName:
        assert isinstance(ref, Ref)
        if ref.table is not None or ref.name not in self._columns:
            raise _NotEvidentError
        return replace(self._columns[ref.name], modifiers=())

    def _call(self, name: str, types: list[TypeName | None]) -> TypeName | None:
        if not self._functions.accepts(name, types):
            raise _NotEvidentError
        return self._functions.result(name)

    def _comparison(self, term: Term, types: list[TypeName | None]) -> TypeName:
        if any(part.kind == "call" for part in term.walk()):
            different = {each for each in types if each != _LITERAL}
            if len(different) > 1 or None in different:
                raise _NotEvidentError
        return _BOOLEAN


def _type_of_constant(value: Value) -> TypeName:
    if value.is_string or value.text == "null":
        return _LITERAL
    return _BOOLEAN if value.text in ("true", "false") else _NUMERIC if "." in value.text or len(value.text) > 9 else _INTEGER


def _type_of_function(name: str, types: list[TypeName | None]) -> TypeName | None:
    if name in _OF_STRINGS:
        first = types[0]
        if first is None or first.name not in _STRINGS or first.schema is not None or first.dimensions:
            raise _NotEvidentError
        return _OF_STRINGS[name]
    if name in ("coalesce", "greatest", "least"):
        different = {each for each in types if each != _LITERAL}
        return (different.pop() if different else _LITERAL) if len(different) < 2 else None
    if name in ("now", "gen_random_uuid", "extract", "nullif"):
        return None
    raise _NotEvidentError


def _type_of_operator(sign: str, types: list[TypeName | None]) -> TypeName | None:
    left = types[0]
    if sign == "is distinct":
        return _BOOLEAN
    if sign == "||":
        return _TEXT if all(each is not None and each.name in _STRINGS and not each.dimensions for each in types) else None
    if left is None or left.schema is not None or left.dimensions:
        raise _NotEvidentError
    if sign in ("->", "->>", "#>", "#>>"):
        if left.name not in _JSON:
            raise _NotEvidentError
        return _TEXT if sign.endswith(">>") else left
    if left.name in _JSON:
        raise _NotEvidentError
    return left if types[1] == left else None
