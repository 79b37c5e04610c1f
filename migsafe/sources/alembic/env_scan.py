"""The options of env.py that can be read without following it: every call of `configure()`, wherever it is.

For an env.py whose way to `run_migrations()` leads through code that is not there.
"""

import ast
from collections.abc import Iterator, Mapping

from migsafe.sources.alembic.constants import Unknown, evaluate


class ScannedOptions(list[dict[str, object]]):
    """The options of each call of `configure()` with a connection, or of all calls if none has one. `autocommit` and `begins` are the lines
    where connections are in AUTOCOMMIT, and where `begin()` makes one; 0 for none."""

    autocommit = 0
    begins = 0


def scan(tree: ast.Module) -> ScannedOptions:
    """Returns the options in the syntax tree of an env.py."""
    names = _constants(tree)
    configured = list(_configured(tree, names))
    options = ScannedOptions([options for options in configured if "connection" in options] or configured)
    nodes = list(ast.walk(tree))
    options.autocommit = next((getattr(node, "lineno", 1) for node in nodes if _is_autocommit(node, names)), 0)
    options.begins = next((getattr(node, "lineno", 1) for node in nodes if _begins(node)), 0)
    return options


def _constants(tree: ast.Module) -> dict[str, object]:
    """Returns the names that have the same value wherever the script assigns one."""
    constants: dict[str, object] = {}
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=assigned) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as assigned)
            ):
                table = _options(assigned, constants)
                new = evaluate(assigned, constants) if table is None else dict(table)
                constants[name] = new if constants.get(name, new) == new else Unknown.VALUE
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key)))], value=assigned):
                options = constants.get(name)
                if isinstance(options, dict):
                    options[key] = evaluate(assigned, constants)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update" | "setdefault")):
                options = constants.get(name)
                if isinstance(options, dict):
                    options.update(_keywords(node, constants))
                    options.update(*(_options(argument, constants) or {} for argument in node.args[:1]))
    return constants


def _options(node: ast.expr, names: Mapping[str, object]) -> dict[str, object] | None:
    """Returns the known values of a dictionary with strings as keys; None for any other expression."""
    match node:
        case ast.Name(id=name):
            known = names.get(name)
            return known if isinstance(known, dict) else None
        case ast.Dict(keys=keys, values=values):
            options: dict[str, object] = {}
            for key, value in zip(keys, values, strict=True):
                if key is None:
                    options |= _options(value, names) or {}
                elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                    options[key.value] = evaluate(value, names)
            return options
        case ast.Call(func=ast.Name(id="dict")):
            return {**(_options(node.args[0], names) or {} if node.args else {}), **_keywords(node, names)}
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return {**(_options(left, names) or {}), **(_options(right, names) or {})}
    return None


def _keywords(call: ast.Call, names: Mapping[str, object]) -> dict[str, object]:
    options: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            options |= _options(keyword.value, names) or {}
        else:
            options[keyword.arg] = evaluate(keyword.value, names)
    return options


def _configured(tree: ast.Module, names: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yields the options of each call of `configure()`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="configure") | ast.Name(id="configure")):
                options = _keywords(node, names)
                if node.args:
                    options.setdefault("connection", Unknown.VALUE)
                yield {**options, **_inner(node, names)}


def _inner(call: ast.Call, names: Mapping[str, object]) -> dict[str, object]:
    """Returns the options in `opts={…}`, as MigrationContext.configure() accepts them."""
    options = next((keyword.value for keyword in call.keywords if keyword.arg == "opts"), None)
    return (_options(options, names) or {}) if options is not None else {}


def _is_autocommit(node: ast.AST, names: Mapping[str, object]) -> bool:
    """Whether a call creates connections in AUTOCOMMIT."""
    if not isinstance(node, ast.Call):
        return False
    level = _keywords(node, names).get("isolation_level")
    return isinstance(level, str) and level.upper() == "AUTOCOMMIT"


def _begins(node: ast.AST) -> bool:
    """Whether a node is `with engine.begin() as connection`, async or not."""
    if not isinstance(node, ast.With | ast.AsyncWith):
        return False
    return any(
        isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Attribute)
        and item.context_expr.func.attr == "begin"
        and item.optional_vars is not None
        for item in node.items
    )
