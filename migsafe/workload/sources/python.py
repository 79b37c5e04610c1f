"""The SQL in Python: `text("…")`, `execute("…")` and what drivers call likewise, and constants of modules that contain a query.

Only strings that are written whole are read. A query with a part that is known only when the program runs is reported as unread.
"""

import ast
import re
import warnings
from collections.abc import Iterator

from migsafe.patterns import lazy_pattern
from migsafe.text import Script
from migsafe.workload.placeholders import Prepared, from_any, from_colons
from migsafe.workload.query import CallSite, Query, UnreadQuery
from migsafe.workload.sources.found import CreatedTable, Found, Piece, queries_of
from migsafe.workload.sources.python_strings import HOLE, Literal, Strings

_TEXT = frozenset(("text", "TextClause"))
_FIRST = frozenset(
    """execute executemany execute_async fetch fetchrow fetchval fetchmany fetch_all fetch_one fetch_val fetch_row fetchone fetchall iterate
    cursor prepare mogrify raw scalar scalars stream read_sql read_sql_query execute_query execute_query_dict""".split()
)
_SECOND = frozenset(("execute_values", "execute_batch", "read_sql_query"))
_BEGINS = lazy_pattern(
    rf"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT\b|INSERT\s+INTO\b|UPDATE\s+[\w.\"{HOLE}]|DELETE\s+FROM\b|WITH\s+\w|MERGE\s+INTO\b)",
    re.IGNORECASE | re.DOTALL,
)
_CONSTANT = lazy_pattern(
    rf"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT\b.+\bFROM\b|INSERT\s+INTO\s+\S+.*\b(?:VALUES|SELECT)\b|UPDATE\s+[\w.\"{HOLE}]+.*\bSET\b.*="
    r"|DELETE\s+FROM\s+\S+\s+(?:WHERE|USING)\b|WITH\s+(?:RECURSIVE\s+)?\w+(?:\s*\([^)]*\))?\s+AS\s.*\()",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = lazy_pattern(r"\s*(?:Select|Insert|Update|Delete|With)\b")
_MARK = lazy_pattern(r"[*,=(]|\b(?:WHERE|LIMIT|JOIN)\b", re.IGNORECASE)
_MENTIONED = lazy_pattern(r"\bselect\b|\b(?:insert|update|delete|merge)\s+[\w\"'{]", re.IGNORECASE)
"""The words of each query: WITH contains one of the others."""
_NOT_OF_THE_APPLICATION = lazy_pattern(
    r"(?:^|/)(?:tests?|testing|migrations?|versions|alembic|examples?|benchmarks?)/|(?:^|/)(?:test_[^/]*|conftest|[^/]*_test)\.py$"
)
_HOLE_IN_WORDS = "a part of its text is known only when the program runs"


def is_read(name: str) -> bool:
    """Whether a file can contain queries of the application: a Python module that does not look like a test or a migration."""
    return name.endswith(".py") and not _NOT_OF_THE_APPLICATION.search(name)


def python_queries(script: Script) -> Iterator[Found]:
    """Yields the queries of a module, and those that could not be read. A module that Python cannot parse has none. Raises UnreadableError."""
    if not _MENTIONED.search(script.text):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the strings of the project
            tree = ast.parse(script.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from sorted(_of_module(script, Strings(tree)), key=_line)


def _of_module(script: Script, strings: Strings) -> Iterator[Found]:
    seen: set[ast.expr] = set()
    for call, scope in strings.scopes.items():
        assert isinstance(call, ast.Call)
        for literal, colons in _arguments(call, scope, strings):
            if literal.node not in seen:
                seen.add(literal.node)
                yield from _found(script, literal, _name_of(scope), colons=colons)
    for name, value in strings.module_constants():
        # Also `NAME = Query("…")`: what a project calls with a whole query is its own class of queries.
        constant = strings.of(value, None) or (strings.of(value.args[0], None) if isinstance(value, ast.Call) and value.args else None)
        if constant is not None and constant.node not in seen and _is_sql(constant.text):
            seen.add(constant.node)
            yield from _found(script, constant, name, colons=False)


def _arguments(call: ast.Call, scope: ast.AST | None, strings: Strings) -> Iterator[tuple[Literal, bool]]:
    """Yields the SQL that a call has as an argument, and whether its placeholders begin with colons."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    candidates = call.args[1:2] if name in _SECOND and len(call.args) > 1 else call.args[:1] if name in _FIRST | _TEXT else []
    if name in _FIRST and not isinstance(call.func, ast.Attribute):
        return
    for candidate in candidates or [keyword.value for keyword in call.keywords if keyword.arg in ("query", "statement") and name in _FIRST]:
        literal = strings.of(candidate, scope)
        if literal is not None and _BEGINS.match(literal.text):
            yield literal, name in _TEXT


def _found(script: Script, literal: Literal, name: str, *, colons: bool) -> Iterator[Found]:
    place = CallSite(script.path, literal.node.lineno, name)
    if HOLE in literal.text:
        yield UnreadQuery(place, _HOLE_IN_WORDS)
        return
    prepared: Prepared = from_colons(literal.text) if colons else from_any(literal.text)
    start = script.line_start(literal.node.lineno)
    yield from queries_of(Piece(text=prepared.text, start=start, name=name, hole=prepared.hole), script)


def _line(found: Found) -> int:
    if isinstance(found, CreatedTable):
        return 0
    return (found.places[0] if isinstance(found, Query) else found.place).line


def _is_sql(text: str) -> bool:
    """Whether a constant that no call has as an argument is SQL, and not a sentence of a message."""
    return _CONSTANT.match(text) is not None and _SENTENCE.match(text) is None and _MARK.search(text) is not None


def _name_of(scope: ast.AST | None) -> str:
    return scope.name if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) else ""
