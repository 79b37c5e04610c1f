"""The changes to the syntax tree of a script before it is compiled, which let it continue where a value is unknown.

Each `in`, `is None`, call, item and `%` becomes a call of a function of the run, under a name with a space in it, which no script can use. The
places in the text stay those of the original. See docs/architecture.md.
"""

import ast
import builtins
import re
from typing import TypeVar

Function = TypeVar("Function", ast.FunctionDef, ast.AsyncFunctionDef)

CONTAINS = "migsafe contains"
IS = "migsafe is"
CAUGHT = "migsafe caught"
CALL = "migsafe call"
ITEM = "migsafe item"
FORMAT = "migsafe format"
FAILED = "migsafe failed"
MATCHED = "migsafe matched"

_OF_THE_CALLER = frozenset(("super", "locals", "globals", "vars", "dir", "eval", "exec", "__import__"))
"""Functions whose result depends on the frame that calls them."""
_HANDLER = re.compile(rb"^[ \t]*except\b\s*\*?\s*\(?([\w.,\s]*)", re.MULTILINE)
_NAME = re.compile(rb"[\w.]+(?<!\bas)")
_CLASS_PATTERN = re.compile(rb"^[ \t]*case\b[^\n]*?\b(?:\w+\.)*[A-Z]\w*\(", re.MULTILINE)
_OWN_EXCEPTIONS = frozenset(name.encode() for name, value in vars(builtins).items() if isinstance(value, type))
_CONVERSION = re.compile(r"(%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?)[diouxXeEfFgGc]")


def transform(tree: ast.Module) -> ast.Module:
    """Returns the tree with the changes; the tree itself is changed."""
    changed: ast.Module = _Transformer().visit(tree)
    return changed


def transform_handlers(tree: ast.Module) -> ast.Module:
    """Returns the tree, in which the classes of the exceptions that are caught, and those in patterns, may be unknown; the tree itself is
    changed."""
    changed: ast.Module = _HandlerTransformer().visit(tree)
    return changed


def uses_other_classes(source: bytes) -> bool:
    """Whether a module may catch exceptions that are not Python's own, or match objects with classes."""
    if _CLASS_PATTERN.search(source) is not None:
        return True
    return any(name not in _OWN_EXCEPTIONS for names in _HANDLER.findall(source) for name in _NAME.findall(names))


def without_number_formats(text: str) -> str:
    """Returns a text for `%` in which numbers are written like strings."""
    return _CONVERSION.sub(r"%s", text)


def function_call(name: str, arguments: list[ast.expr], at: ast.expr) -> ast.Call:
    """Returns a call of one of the run's functions, at the place of an expression."""
    called = ast.copy_location(ast.Name(name, ast.Load()), at)
    return ast.copy_location(ast.Call(called, arguments, []), at)


class _HandlerTransformer(ast.NodeTransformer):
    """Replaces the classes of the exceptions that are caught, and those in patterns."""

    _patterns = 0

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        """Replaces the classes in patterns, of which some may be unknown, by variables that are assigned before the statement: a pattern can
        contain only names."""
        self.generic_visit(node)
        before: list[ast.stmt] = []
        for pattern in (inner for case in node.cases for inner in ast.walk(case.pattern)):
            if not isinstance(pattern, ast.MatchClass) or (isinstance(pattern.cls, ast.Name) and pattern.cls.id in vars(builtins)):
                continue
            self._patterns += 1
            target = ast.copy_location(ast.Name(f"{MATCHED} {self._patterns}", ast.Store()), pattern.cls)
            before.append(ast.copy_location(ast.Assign([target], function_call(MATCHED, [pattern.cls], pattern.cls)), pattern.cls))
            pattern.cls = ast.copy_location(ast.Name(target.id, ast.Load()), pattern.cls)
        return [*before, node]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        """Replaces the classes, of which some may be unknown."""
        self.generic_visit(node)
        if node.type is not None:
            node.type = function_call(CAUGHT, [node.type], node.type)
        return node


class _Transformer(_HandlerTransformer):
    """Replaces the operations that unknown values take part in."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Replaces `in`: a set compares only elements with the same hash, and would never compare an unknown one. Replaces `is` before None,
        True and False."""
        self.generic_visit(node)
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as operator], comparators=[right]):
                changed = function_call(CONTAINS, [left, right], node)
            case ast.Compare(
                left=left, ops=[ast.Is() | ast.IsNot() as operator], comparators=[ast.Constant(value=None | True | False) as right]
            ):
                changed = function_call(IS, [left, right], node)
            case _:
                return node
        return changed if isinstance(operator, ast.In | ast.Is) else ast.copy_location(ast.UnaryOp(ast.Not(), changed), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replaces a call."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _OF_THE_CALLER:
            return node
        node.args.insert(0, node.func)
        node.func = ast.copy_location(ast.Name(CALL, ast.Load()), node.func)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Replaces reading an item."""
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice | ast.Tuple):
            return node
        return function_call(ITEM, [node.value, node.slice], node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Replaces `%`, which formats a text."""
        self.generic_visit(node)
        return function_call(FORMAT, [node.left, node.right], node) if isinstance(node.op, ast.Mod) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leaves the annotation of the result unchanged."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Leaves the annotation of the result unchanged."""
        return self._function(node)

    def _function(self, node: Function) -> Function:
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Leaves annotations unchanged."""
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Leaves the annotation unchanged."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node
