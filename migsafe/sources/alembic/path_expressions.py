"""The folders that an env.py adds to `sys.path`, read from its syntax tree."""

import ast
import os
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePath

from migsafe.errors import UnreadableError
from migsafe.text import read_text

_SAME_PATH = frozenset(
    ("abspath", "realpath", "normpath", "resolve", "absolute", "expanduser", "as_posix", "fspath", "str", "Path", "PurePath")
)
_ADDED_LAST = {"append": 0, "insert": 1, "addsitedir": 0}
"""The functions that add one folder, and the position of the argument that names it."""
_CONSTANTS = {"pardir": "..", "curdir": ".", "sep": "/"}


def added_folders(path: str) -> tuple[str, ...]:
    """Returns the folders that a Python file adds to `sys.path`, as far as its syntax tree tells; relative ones as they are written."""
    try:
        text = read_text(path)
        if "sys" not in text:
            return ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (UnreadableError, SyntaxError, ValueError, RecursionError):
        return ()
    names: dict[str, str] = {"__file__": str(Path(path).absolute())}
    folders: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                folder = _path(value, names)
                if folder is not None:
                    names[name] = folder
        folders += [folder for added in _added(node) if (folder := _path(added, names)) is not None]
    return tuple(dict.fromkeys(folders))


def _added(node: ast.AST) -> Iterator[ast.expr]:
    """Yields the expressions that a statement or call adds to `sys.path`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=function), args=arguments) if function in _ADDED_LAST:
            if (_is_sys_path(value) or function == "addsitedir") and len(arguments) > _ADDED_LAST[function]:
                yield arguments[_ADDED_LAST[function]]
        case ast.Call(func=ast.Attribute(value=value, attr="extend"), args=[argument]) if _is_sys_path(value):
            yield from _items(argument)
        case ast.Assign(targets=[target], value=value) if _is_sys_path(target.value if isinstance(target, ast.Subscript) else target):
            yield from _items(value)
        case ast.AugAssign(target=target, value=value) if _is_sys_path(target):
            yield from _items(value)


def _items(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            yield from (item for item in items if not isinstance(item, ast.Starred))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _items(left)
            yield from _items(right)


def _is_sys_path(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
            return True
    return False


def _path(node: ast.expr, names: dict[str, str]) -> str | None:
    """Returns the path that an expression of `os.path` or `pathlib` stands for; None if it is unknown."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=ast.Name(id="os") | ast.Attribute(attr="path"), attr=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Attribute(value=inner, attr="parent"):
            folder = _path(inner, names)
            return str(PurePath(os.path.normpath(folder)).parent) if folder is not None else None
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(number))):
            folder = _path(inner, names)
            parents = PurePath(os.path.normpath(folder)).parents if folder is not None else ()
            return str(parents[number]) if -len(parents) <= number < len(parents) else None
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _joined([left, right], names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before, after = _path(left, names), _path(right, names)
            return before + after if before is not None and after is not None else None
        case ast.JoinedStr(values=values):
            pieces = [_path(value.value if isinstance(value, ast.FormattedValue) else value, names) for value in values]
            return "".join(piece for piece in pieces if piece is not None) if None not in pieces else None
        case ast.Call():
            return _called(node, names)
    return None


def _called(call: ast.Call, names: dict[str, str]) -> str | None:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    if function in ("join", "joinpath"):
        joined_to = [call.func.value] if function == "joinpath" and isinstance(call.func, ast.Attribute) else []
        return _joined([*joined_to, *call.args], names)
    if function in ("getcwd", "cwd"):
        return "."
    if function == "dirname" and call.args:
        folder = _path(call.args[0], names)
        return str(PurePath(folder).parent) if folder is not None else None
    if function in _SAME_PATH:
        inner = call.args[0] if call.args else call.func.value if isinstance(call.func, ast.Attribute) else None
        folder = _path(inner, names) if inner is not None else None
        return os.path.normpath(folder) if folder is not None else None
    return None


def _joined(nodes: list[ast.expr], names: dict[str, str]) -> str | None:
    parts = [_path(node, names) for node in nodes]
    return str(PurePath(*(part for part in parts if part is not None))) if parts and None not in parts else None
