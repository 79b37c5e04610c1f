"""The parts of a script in which it handles errors of the server, and continues."""

import ast
import builtins
from collections.abc import Iterator

from migsafe.text import Span

_ALL = ("Exception", "BaseException")


def node_span(text: str, node: ast.expr | ast.stmt) -> Span:
    """Returns the place of a node of a script's tree in its text."""
    lines = text.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())

    return Span(offset(node.lineno, node.col_offset), offset(node.end_lineno or 0, node.end_col_offset or 0))


def handling_spans(text: str) -> tuple[Span, ...]:
    """Returns the places of the statements after which a script may continue if the server refuses them: in a `try` whose `except` does not
    always raise an error, and does not only catch errors of Python."""
    if "except" not in text:
        return ()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    tries = (node for node in ast.walk(tree) if isinstance(node, ast.Try) and any(map(_handles_refusals, node.handlers)))
    return tuple(node_span(text, statement) for node in tries for statement in node.body)


def _handles_refusals(handler: ast.ExceptHandler) -> bool:
    if isinstance(handler.body[-1], ast.Raise):
        return False
    return handler.type is None or any(name in _ALL or not hasattr(builtins, name) for name in _names(handler.type))


def _names(type: ast.expr) -> Iterator[str]:
    match type:
        case ast.Tuple(elts=types):
            for each in types:
                yield from _names(each)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
