"""Scripts that go by the time of day or by chance: they come to something else when they run again.

Most put no more than a value into a row, which makes no difference to what is locked. It does where the script decides by it. What Python's
`random` gives is the same each time (`settled`).
"""

import ast
import random
from collections.abc import Iterator

_CLOCKS = frozenset(("now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "ctime"))
_CHANCE = frozenset(("uuid1", "uuid4", "urandom", "token_hex", "token_bytes", "token_urlsafe", "randbelow", "SystemRandom", "getpid"))
_CALLS = _CLOCKS | _CHANCE
_OF_SERVER = frozenset(("func", "sa_func", "sqlfunc"))


def seed_random() -> None:
    """Begin Python's random numbers anew, so that a script gets those that it got before."""
    random.seed(0)


def depends_on_chance(tree: ast.Module) -> bool:
    """Whether a script decides by what is different each time, as far as its own text shows."""
    if not any(map(_is_chance, ast.walk(tree))):
        return False
    names = _tainted(tree)
    return any(_holds(one, names) for node in ast.walk(tree) for one in _deciding(node))


def _is_chance(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=of) | ast.Attribute(attr=of), attr=name)):
            return name in _CALLS and of not in _OF_SERVER
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _CALLS
    return False


def _tainted(tree: ast.Module) -> set[str]:
    """The names that hold something that is different each time, and the functions that return it."""
    names: set[str] = set()
    while True:
        before = len(names)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value) if _holds(value, names):
                    names.update(name for target in targets for name in _names(target))
                case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value) if _holds(
                    value, names
                ):
                    names.update(_names(target))
                case ast.NamedExpr(target=target, value=value) if _holds(value, names):
                    names.update(_names(target))
                case ast.FunctionDef(name=name) if any(isinstance(one, ast.Return) and _holds(one, names) for one in ast.walk(node)):
                    names.add(name)
        if len(names) == before:
            return names


def _names(target: ast.expr) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _holds(node: ast.AST, names: set[str]) -> bool:
    return any(_is_chance(one) or (isinstance(one, ast.Name) and one.id in names) for one in ast.walk(node))


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """What a node goes by."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            yield test
        case (
            ast.For(iter=ast.Call(func=ast.Name(id="range")) as iterated)
            | ast.comprehension(iter=ast.Call(func=ast.Name(id="range")) as iterated)
        ):
            yield iterated  # a list is as long with other values in it
        case ast.comprehension(ifs=conditions):
            yield from conditions
        case ast.Match(subject=subject):
            yield subject
