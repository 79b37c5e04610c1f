"""Values that stand literally in a syntax tree, or follow from what does."""

import ast
from collections.abc import Mapping
from enum import Enum


class Unknown(Enum):
    """What cannot be known without running the script."""

    VALUE = 0


Known = Mapping[str, object]


def evaluate(node: ast.expr, known: Known) -> object:
    """The value of an expression, where names have values that are `known`; Unknown.VALUE where it takes more than that."""
    match node:
        case ast.Constant(value=constant):
            return constant
        case ast.Name(id=name):
            return known.get(name, Unknown.VALUE)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            items = tuple(evaluate(element, known) for element in elements)
            return Unknown.VALUE if Unknown.VALUE in items else items
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined(evaluate(left, known), evaluate(right, known))
        case ast.JoinedStr(values=pieces):
            return _joined("", *(evaluate(piece.value if isinstance(piece, ast.FormattedValue) else piece, known) for piece in pieces))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = evaluate(operand, known)
            return Unknown.VALUE if found is Unknown.VALUE else not found
    return Unknown.VALUE


def _joined(*pieces: object) -> object:
    return "".join(map(str, pieces)) if all(isinstance(piece, str) for piece in pieces) else Unknown.VALUE


def as_names(found: object) -> tuple[str, ...] | None:
    """A value that is a string, several of them, or none at all, as Alembic takes them; None where it is something else."""
    if found is None or found == ():
        return ()
    if isinstance(found, str):
        return (found,)
    if isinstance(found, tuple) and all(isinstance(item, str) for item in found):
        return tuple(dict.fromkeys(found))
    return None
