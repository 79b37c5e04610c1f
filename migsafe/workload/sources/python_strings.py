"""The strings of a Python module that are written literally, and the names that have them."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

HOLE = "\ufffc"
"""Marks a part of a string that is known only when the program runs."""

_KEPT_METHODS = frozenset(("strip", "lstrip", "rstrip"))
_FILLED_METHODS = frozenset(("format", "replace", "join", "format_map"))
_DEDENT = frozenset(("dedent", "cleandoc"))
_DEEPEST = 50
_LONGEST = 1 << 20


class Literal(NamedTuple):
    """A string, with HOLE where a part is unknown, and the node of the expression that it is written in."""

    text: str
    node: ast.expr


class Strings:
    """The strings of a module. Names of the module, its classes and the function that uses them are followed, if they are assigned once."""

    def __init__(self, tree: ast.Module) -> None:
        self._assigned: dict[tuple[ast.AST | None, str], ast.expr | None] = {}
        self.scopes: dict[ast.AST, ast.AST | None] = {}
        self._collect(tree)

    def _collect(self, tree: ast.Module) -> None:
        """Collects the assignments of each function and of the module; those in classes are the module's."""
        pending: list[tuple[ast.AST, ast.AST | None]] = [(tree, None)]
        while pending:
            node, scope = pending.pop()
            inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else scope
            if isinstance(node, ast.Call):
                self.scopes[node] = scope
            for name, value in _assignments(node):
                key = scope, name
                self._assigned[key] = None if key in self._assigned else value
            pending += ((child, inner) for child in ast.iter_child_nodes(node))

    def of(self, node: ast.expr, scope: ast.AST | None, depth: int = 0) -> Literal | None:
        """Returns the string of an expression; None if it is not one, or nothing of it is known."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return Literal(text, node)
            case ast.JoinedStr(values=values):
                return Literal("".join(self._part(value, scope, depth) for value in values), node)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                first, second = self.of(left, scope, depth + 1), self.of(right, scope, depth + 1)
                if first is None and second is None:
                    return None
                text = (first.text if first else HOLE) + (second.text if second else HOLE)
                return Literal(text, first.node if first else node) if len(text) <= _LONGEST else None
            case ast.BinOp(left=left, op=ast.Mod()):
                template = self.of(left, scope, depth + 1)
                return Literal(f"{template.text}{HOLE}", template.node) if template else None
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _KEPT_METHODS | _FILLED_METHODS:
                inner = self.of(value, scope, depth + 1)
                filled = method in _FILLED_METHODS
                return Literal(inner.text + HOLE * filled, inner.node) if inner else None
            case ast.Call(func=ast.Attribute(attr=function) | ast.Name(id=function), args=[value]) if function in _DEDENT:
                return self.of(value, scope, depth + 1)
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                assigned = self._assigned.get((scope, name)) if (scope, name) in self._assigned else self._assigned.get((None, name))
                return self.of(assigned, scope, depth + 1) if assigned is not None else None
        return None

    def _part(self, value: ast.expr, scope: ast.AST | None, depth: int) -> str:
        """Returns the text of a part of an f-string."""
        match value:
            case ast.Constant(value=str(text)):
                return text
            case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
                literal = self.of(inner, scope, depth + 1)
                return literal.text if literal else HOLE
        return HOLE

    def module_constants(self) -> Iterator[tuple[str, ast.expr]]:
        """Yields the names of the module and its classes that are assigned once, with their values."""
        yield from ((name, value) for (scope, name), value in self._assigned.items() if scope is None and value is not None)


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yields the names that a statement assigns, with the value; None where it is not one expression."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield name.id, value if name is target else None
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
            yield name, value
        case ast.AugAssign(target=ast.Name(id=name)) | ast.arg(arg=name):
            yield name, None
        case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    yield each.id, None
