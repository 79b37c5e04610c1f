"""The meaning of expressions and queries, from PostgreSQL's own parse trees: their shape, what they call and what they read."""

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import Any

import pglast
from pglast import ast, enums

from tests.sql.oracle.entry import dotted

_POSITIONS = frozenset(("rexpr_list_start", "rexpr_list_end", "list_start", "list_end", "stmt_len", "subLinkId", "ancestors"))
_SLOTS: dict[type, tuple[str, ...]] = {}
# Calls that the grammar makes of LIKE … ESCAPE, SIMILAR TO and key words with parentheses. The statement does not name these functions.
_IMPLIED = frozenset(
    (
        ("pg_catalog", "like_escape"),
        ("pg_catalog", "similar_to_escape"),
        ("pg_catalog", "json_object"),
        ("substring",),
        ("overlay",),
    )
)
CHANGES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def slots(node: Any) -> tuple[str, ...]:
    """Return the names of the attributes of a node, without those for its place in the text."""
    kind = type(node)
    found = _SLOTS.get(kind)
    if found is None:
        found = _SLOTS[kind] = tuple(slot for slot in kind.__slots__ if slot not in _POSITIONS and not slot.endswith("location"))
    return found


def shape(node: Any) -> str:
    """Return a tree as a line of text, equal for trees that differ only in their places in the text."""
    match node:
        case None:
            return "-"
        case ast.Node():
            parts = ((slot, getattr(node, slot)) for slot in slots(node))
            said = (f"{slot}={shape(value)}" for slot, value in parts if value is not None and value is not False and value != "\0")
            return f"{type(node).__name__}({' '.join(said)})"
        case tuple() | list():
            return f"[{' '.join(shape(item) for item in node)}]"
        case Enum():
            return str(node.name)
    return repr(node)


@lru_cache(maxsize=4096)
def expression_shape(sql: str) -> str:
    """The shape of an expression that is given as text."""
    try:
        (statement,) = pglast.parse_sql(f"SELECT ({sql}\n)")
        select: Any = statement.stmt
        (target,) = select.targetList
    except (pglast.parser.ParseError, ValueError) as error:
        return f"no expression: {sql!r} ({error})"
    return shape(target.val)


@lru_cache(maxsize=4096)
def query_shape(sql: str) -> str:
    """The shape of a query that is given as text."""
    try:
        (statement,) = pglast.parse_sql(sql)
    except (pglast.parser.ParseError, ValueError) as error:
        return f"no query: {sql!r} ({error})"
    return shape(statement.stmt)


def walk(node: Any) -> Iterator[Any]:
    """Every node of a tree, the outer ones first."""
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, (tuple, list)):
            stack.extend(reversed(node))
        elif isinstance(node, ast.Node):
            yield node
            if not _repeats(node):
                stack.extend(value for slot in reversed(slots(node)) if isinstance(value := getattr(node, slot), (ast.Node, tuple)))


def _repeats(node: Any) -> bool:
    """Whether a node repeats the content of a node before it: (a, b) = (SELECT …) has its query once for each column."""
    return isinstance(node, ast.MultiAssignRef) and node.colno != 1


def calls(*nodes: Any) -> tuple[str, ...]:
    """Return the functions that trees call by name, sorted."""
    made = (node for node in walk(nodes) if isinstance(node, ast.FuncCall) and node.funcformat == enums.CoercionForm.COERCE_EXPLICIT_CALL)
    names = (tuple(part.sval for part in node.funcname or ()) for node in made)
    return tuple(sorted(dotted(parts) for parts in names if parts not in _IMPLIED))


def relation(node: Any) -> str:
    """A relation's name as written."""
    return dotted((node.catalogname, node.schemaname, node.relname))


Hidden = frozenset[str]
"""The names of the visible WITH queries, which hide relations with the same name."""
NOTHING: Hidden = frozenset()


def reads(*nodes: Any, hidden: Hidden = NOTHING) -> tuple[str, ...]:
    """Return the relations that trees read in FROM and USING, sorted, without the names of visible WITH queries."""
    return tuple(sorted(_reads(nodes, hidden)))


def own_queries(node: Any) -> Hidden:
    """The names of a statement's own WITH queries."""
    clause = getattr(node, "withClause", None)
    return NOTHING if clause is None else frozenset(query.ctename for query in clause.ctes)


def _reads(node: Any, hidden: Hidden) -> Iterator[str]:
    if isinstance(node, (tuple, list)):
        for item in node:
            yield from _reads(item, hidden)
        return
    if not isinstance(node, ast.Node) or _repeats(node):
        return
    if isinstance(node, ast.RangeVar):
        if node.schemaname is not None or node.relname not in hidden:
            yield relation(node)
        return
    with_clause = getattr(node, "withClause", None)
    if with_clause is not None:
        if with_clause.recursive:
            hidden |= {query.ctename for query in with_clause.ctes}
        for query in with_clause.ctes:
            yield from _reads((query.ctequery, query.search_clause, query.cycle_clause), hidden)
            hidden |= {query.ctename}
    unread = {"lockingClause", "intoClause", "withClause", "rel"}
    if isinstance(node, CHANGES):
        unread.add("relation")
    for slot in slots(node):
        if slot not in unread:
            yield from _reads(getattr(node, slot), hidden)


def row_locks(query: Any) -> str | None:
    """The relations of FOR UPDATE and its kin, wherever the query has one, by their names even where it says their aliases; None where it
    has none."""
    locking = [node for node in walk(query) if isinstance(node, ast.SelectStmt) and node.lockingClause]
    if not locking:
        return None
    return "of " + ", ".join(sorted(found for node in locking for found in _locked(node)))


def _locked(query: Any) -> Iterator[str]:
    tables = [node for node in from_items(query.fromClause) if isinstance(node, ast.RangeVar)]
    aliases = {node.alias.aliasname: relation(node) for node in tables if node.alias is not None}
    for clause in query.lockingClause:
        for locked in clause.lockedRels or ():
            name = relation(locked)
            yield aliases.get(name, name)


def from_items(node: Any) -> Iterator[Any]:
    """Yield the items of a FROM clause, also those of its joins."""
    if isinstance(node, (tuple, list)):
        for item in node:
            yield from from_items(item)
    elif isinstance(node, ast.JoinExpr):
        yield from from_items((node.larg, node.rarg))
    elif node is not None:
        yield node


def filtered(query: Any) -> bool:
    """Whether the outermost SELECT has a WHERE; of several SELECTs the last one counts."""
    while query.op != enums.SetOperation.SETOP_NONE:
        query = query.rarg
    return query.whereClause is not None


def changes(node: Any, hidden: Hidden = NOTHING) -> Iterator[tuple[Any, Hidden]]:
    """Yield the statements that change rows in the WITH queries of a tree, each with the names that hide relations in it."""
    if isinstance(node, (tuple, list)):
        for item in node:
            yield from changes(item, hidden)
        return
    if not isinstance(node, ast.Node):
        return
    clause = getattr(node, "withClause", None)
    if clause is not None:
        if clause.recursive:
            hidden |= own_queries(node)
        for query in clause.ctes:
            if isinstance(query.ctequery, CHANGES):
                yield query.ctequery, hidden
            yield from changes(query.ctequery, hidden)
            hidden |= {query.ctename}
    for slot in slots(node):
        if slot != "withClause":
            yield from changes(getattr(node, slot), hidden)


def into(query: Any) -> Any:
    """The new table of a SELECT … INTO, which the first SELECT of several names."""
    while query.larg is not None:
        query = query.larg
    return query.intoClause
