"""Statements of a script that fail here, although they succeed in production: the script continues after them.

A run that ends with an exception is repeated with a script in which the statement that failed catches its exception. The call is then opaque,
the names that the statement assigns are unknown, and all other statements run.
"""

import ast
from types import TracebackType
from typing import NamedTuple

from migsafe.rendering.worker.frames import instruction_points
from migsafe.rendering.worker.transformation import FAILED

_TEMPORARY = "migsafe value"
_CAUGHT = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Expr,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Return,
    ast.Delete,
    ast.Import,
    ast.ImportFrom,
    ast.Assert,
)
_WITH_TEST = (ast.If, ast.For, ast.AsyncFor, ast.Match, ast.With, ast.AsyncWith)


class Failure(NamedTuple):
    """The source of a call that fails, why it fails, and its range in the text."""

    source: str
    reason: str
    start: int
    end: int


Position = tuple[int, int]


def failing_statement(tree: ast.Module, path: str, traceback: TracebackType | None) -> Position | None:
    """Returns the line and column of the innermost statement of a script in a traceback."""
    innermost = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            innermost = traceback
        traceback = traceback.tb_next
    if innermost is None:
        return None
    line, column = instruction_points(innermost.tb_frame.f_code)[max(innermost.tb_lasti, 0) // 2][0]
    place = (line, column) if column >= 0 else (innermost.tb_lineno, 1 << 30)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and _contains(node, place)]
    if not statements:
        return None
    best = max(statements, key=lambda node: (node.lineno, node.col_offset))
    return best.lineno, best.col_offset


def _contains(statement: ast.stmt, place: Position) -> bool:
    end = statement.end_lineno or statement.lineno, statement.end_col_offset or 0
    return (statement.lineno, statement.col_offset) <= place and (place <= end or place[0] == end[0])


def tolerating(tree: ast.Module, failures: dict[Position, Failure]) -> ast.Module:
    """Returns the tree, changed so that these statements catch their exceptions."""
    _Tolerating(failures).visit(tree)
    return ast.fix_missing_locations(tree)


class _Tolerating(ast.NodeTransformer):
    def __init__(self, failures: dict[Position, Failure]) -> None:
        self._failures = failures

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        """Changes a statement that fails, and those in it."""
        self.generic_visit(node)
        if not isinstance(node, ast.stmt):
            return node
        failure = self._failures.get((node.lineno, node.col_offset))
        if failure is None:
            return node
        match node:
            case ast.Return():
                return [_caught([node], [ast.Return(_failed(failure))])]
            case ast.While(test=test, body=body):
                temporary, caught = _temporary(node, test, failure)
                node.test = ast.Constant(value=True)
                node.body = [caught, ast.If(ast.UnaryOp(ast.Not(), temporary), [ast.Break()], []), *body]
                return node
            case _ if isinstance(node, _WITH_TEST):
                return _with_test_before(node, failure)
            case _ if isinstance(node, _CAUGHT):
                return [
                    _caught(
                        [node],
                        [ast.Assign([ast.Name(name, ast.Store())], _failed(failure)) for name in _assigned(node)]
                        or [ast.Expr(_failed(failure))],
                    )
                ]
        return node


def _with_test_before(node: ast.stmt, failure: Failure) -> list[ast.stmt]:
    """Returns a compound statement whose condition or iterable is computed in a statement before it."""
    match node:
        case ast.If(test=test):
            node.test, caught = _temporary(node, test, failure)
        case ast.For(iter=iterable) | ast.AsyncFor(iter=iterable):
            node.iter, caught = _temporary(node, iterable, failure)
        case ast.Match(subject=subject):
            node.subject, caught = _temporary(node, subject, failure)
        case ast.With(items=[first, *_]) | ast.AsyncWith(items=[first, *_]):
            first.context_expr, caught = _temporary(node, first.context_expr, failure)
        case _:
            return [node]
    return [caught, node]


def _temporary(node: ast.stmt, value: ast.expr, failure: Failure) -> tuple[ast.Name, ast.Try]:
    """Returns a variable, and the statement that assigns a value to it."""
    name = f"{_TEMPORARY} {node.lineno} {node.col_offset}"
    body: list[ast.stmt] = [ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), value)]
    return ast.Name(name, ast.Load()), _caught(body, [ast.Assign([ast.Name(name, ast.Store())], _failed(failure))])


def _caught(body: list[ast.stmt], handler: list[ast.stmt]) -> ast.Try:
    caught = ast.Try(body, [ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, handler)], [], [])
    return ast.copy_location(caught, body[0])


def _failed(failure: Failure) -> ast.Call:
    return ast.Call(ast.Name(FAILED, ast.Load()), [ast.Constant(part) for part in failure], [])


def _assigned(node: ast.stmt) -> list[str]:
    """Returns the names that a statement assigns."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [(alias.asname or alias.name).partition(".")[0] for alias in aliases if alias.name != "*"]
        case ast.Delete():
            return []
    return list(dict.fromkeys(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)))
