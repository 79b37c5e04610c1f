"""Settings of a session that fixes have added to a script and that have no effect: each fix sets and resets what its own statement needs."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from migsafe.fixes.timeouts import TIMEOUTS, Timeout
from migsafe.patterns import lazy_pattern

_SETTING = lazy_pattern(rf"(?P<verb>SET|SET LOCAL|RESET) (?P<name>{'|'.join(TIMEOUTS)})(?: = (?P<value>.+))?")


def without_dead_settings(text: str, before: str) -> str:
    """Returns a script without the settings that have no effect and that it did not contain `before` it was fixed.

    A setting has none if the next statement sets the same parameter, if it repeats the value of the block, or if it is for a transaction that
    an autocommit block, or the revision, ends at once.
    """
    while True:
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return text
        lines = text.splitlines(keepends=True)
        added = Counter(line.strip() for line in lines) - Counter(line.strip() for line in before.splitlines())
        dead = next((node for body in _bodies(tree) for node in _dead(body, tree) if added[lines[node.lineno - 1].strip()] > 0), None)
        if dead is None or dead.end_lineno != dead.lineno:
            return text
        is_alone = any(len(body) == 1 and body[0] is dead for body in _bodies(tree))
        lines[dead.lineno - 1] = lines[dead.lineno - 1].replace(lines[dead.lineno - 1].strip(), "pass") if is_alone else ""
        text = "".join(lines)


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Yields the blocks of a script."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield body


def _dead(body: Sequence[ast.stmt], tree: ast.Module) -> Iterator[ast.stmt]:
    """Yields the settings of a block that have no effect."""
    is_function = any(isinstance(node, ast.FunctionDef) and node.body is body for node in tree.body)
    current: dict[str, str] = {}
    for number, node in enumerate(body):
        setting = _setting(node)
        if isinstance(node, ast.With) and _is_autocommit(node):
            last = _setting(node.body[-1])
            if last is not None and last.is_replaced_by(_next_setting(body[number + 1] if number + 1 < len(body) else None)):
                yield node.body[-1]
        if setting is None:
            if not _is_operation(node):
                current.clear()  # it may set anything
            continue
        following = body[number + 1] if number + 1 < len(body) else None
        is_replaced = setting.is_replaced_by(_next_setting(following))
        if is_replaced or (setting.local and (_is_autocommit(following) if following is not None else is_function)):
            yield node
        elif not setting.local:
            if setting.value and current.get(setting.name) == setting.value:
                yield node
            current[setting.name] = setting.value
        else:
            current.pop(setting.name, None)


def _setting(node: ast.stmt) -> Timeout | None:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr="execute"), args=[ast.Constant(value=str(sql))], keywords=[])):
            match = _SETTING.fullmatch(sql)
            if match is not None and (match["value"] is None) == (match["verb"] == "RESET"):
                return Timeout(match["name"], match["value"] or "", match["verb"] == "SET LOCAL")
    return None


def _next_setting(node: ast.stmt | None) -> Timeout | None:
    """Returns what a statement sets, or the first one of an autocommit block."""
    if isinstance(node, ast.With) and _is_autocommit(node):
        node = node.body[0]
    return _setting(node) if node is not None else None


def _is_operation(node: ast.stmt) -> bool:
    """Whether a statement only calls operations of Alembic, alone or in a batch, which set nothing."""
    match node:
        case ast.With(items=[ast.withitem(context_expr=ast.Call(func=ast.Attribute(attr="batch_alter_table")))], body=body):
            return all(_is_call_of_batch(each) for each in body)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="op"), attr=name))):
            return name != "execute" or "_timeout" not in ast.dump(node)
    return False


def _is_call_of_batch(node: ast.stmt) -> bool:
    """Whether a statement of a batch only calls a method of the batch."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(), attr=name))):
            return name != "execute"
    return False


def _is_autocommit(node: ast.stmt) -> bool:
    match node:
        case ast.With(items=[ast.withitem(context_expr=ast.Call(func=ast.Attribute(attr="autocommit_block")))]):
            return True
    return False
