"""Scripts that depend on the time or on random values: their result may differ from run to run.

Most only write such a value into a row, which makes no difference to locks. A decision based on it does. Python's `random` returns the same
values in each run (`seed_random`).
"""

import ast
import random
from collections.abc import Iterator, Sequence

_CLOCKS = frozenset(("now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "ctime"))
_RANDOM = frozenset(("uuid1", "uuid4", "urandom", "token_hex", "token_bytes", "token_urlsafe", "randbelow", "SystemRandom", "getpid"))
_CALLS = _CLOCKS | _RANDOM
_SERVER_SIDE = frozenset(("func", "sa_func", "sqlfunc"))


def seed_random() -> None:
    """Resets Python's random numbers, so that a script gets the same ones each time."""
    random.seed(0)


def depends_on_chance(nodes: Sequence[ast.AST]) -> bool:
    """Whether a decision in a script with these nodes depends on the time or on random values, according to its own text."""
    if not any(map(_is_nondeterministic, nodes)):
        return False
    names = _tainted(nodes)
    return any(_contains(condition, names) for node in nodes for condition in _conditions(node))


def _is_nondeterministic(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name)):
            return name in _CALLS and owner not in _SERVER_SIDE
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _CALLS
    return False


def _tainted(nodes: Sequence[ast.AST]) -> set[str]:
    """Returns the names of variables that contain nondeterministic values, and of functions that return them."""
    names: set[str] = set()
    while True:
        before = len(names)
        for node in nodes:
            match node:
                case ast.Assign(targets=targets, value=value) if _contains(value, names):
                    names.update(name for target in targets for name in _names(target))
                case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value) if _contains(
                    value, names
                ):
                    names.update(_names(target))
                case ast.NamedExpr(target=target, value=value) if _contains(value, names):
                    names.update(_names(target))
                case ast.FunctionDef(name=name) if any(isinstance(inner, ast.Return) and _contains(inner, names) for inner in ast.walk(node)):
                    names.add(name)
        if len(names) == before:
            return names


def _names(target: ast.expr) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _contains(node: ast.AST, names: set[str]) -> bool:
    return any(_is_nondeterministic(inner) or (isinstance(inner, ast.Name) and inner.id in names) for inner in ast.walk(node))


def _conditions(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the expressions that a node bases a decision on."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            yield test
        case (
            ast.For(iter=ast.Call(func=ast.Name(id="range")) as iterated)
            | ast.comprehension(iter=ast.Call(func=ast.Name(id="range")) as iterated)
        ):
            yield iterated  # the length of other iterables does not depend on their values
        case ast.comprehension(ifs=conditions):
            yield from conditions
        case ast.Match(subject=subject):
            yield subject
