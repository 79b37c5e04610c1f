"""Values of expressions in a syntax tree that consist of literals and known names."""

import ast
from collections.abc import Mapping
from enum import Enum


class Unknown(Enum):
    """A value that is unknown unless the script is run."""

    VALUE = 0


Known = Mapping[str, object]


def evaluate(node: ast.expr, known: Known) -> object:
    """Returns the value of an expression of literals and names that are `known`; Unknown.VALUE for any other."""
    match node:
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id=name):
            return known.get(name, Unknown.VALUE)
        case ast.Attribute(value=ast.Name() | ast.Attribute()):
            return known.get(ast.unparse(node), Unknown.VALUE)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            items = tuple(evaluate(element, known) for element in elements)
            return Unknown.VALUE if Unknown.VALUE in items else items
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined(evaluate(left, known), evaluate(right, known))
        case ast.JoinedStr(values=pieces):
            return _joined("", *(evaluate(piece.value if isinstance(piece, ast.FormattedValue) else piece, known) for piece in pieces))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            result = evaluate(operand, known)
            return Unknown.VALUE if result is Unknown.VALUE else not result
    return Unknown.VALUE


def _joined(*pieces: object) -> object:
    return "".join(map(str, pieces)) if all(isinstance(piece, str) for piece in pieces) else Unknown.VALUE


def as_names(value: object) -> tuple[str, ...] | None:
    """Returns the names in a value that is a string, a tuple of strings or None, as Alembic accepts them; None for any other value."""
    if value is None or value in ((), ""):
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(dict.fromkeys(value))
    return None
