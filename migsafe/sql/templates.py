"""SQL in which parts are unknown until it runs, with marks in their place."""

import re
from collections.abc import Iterable

from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import (
    AlterDefaultPrivileges,
    AlterObject,
    AlterRelation,
    Comment,
    CreateIndex,
    CreateObject,
    Grant,
    OpaqueCode,
    Operation,
    Query,
    Select,
    SetOwner,
)
from migsafe.text import MARK_START

_ROLES = ("role", "user", "group")
_WITHOUT_LOCK = ("function", "procedure", "routine", "aggregate", "schema", "type", "domain")

_AGGREGATES = frozenset("count min max sum avg bool_and bool_or every".split())
_BARE_MARK = lazy_pattern(rf"""(?<!["']){MARK_START}""")
"""A mark that may stand for any expression: format() puts those for %I and %L into quotes."""

_DROPS_INDEX = lazy_pattern(r"\s*(?:format\s*\(\s*)?'\s*drop\s+index\b(?!.*;\s*\w)", re.IGNORECASE | re.DOTALL)
_FINDS_INVALID = lazy_pattern(r"\bnot\s+(?:\w+\.)?indisvalid\b|\bindisvalid\s*(?:=\s*'?f|is\s+(?:false|not\s+true)\b)", re.IGNORECASE)


def drops_invalid_index(code: str, body: str) -> bool:
    """Whether the dynamic SQL of a body drops indexes that a query of the body has found INVALID: those that a failed build has left."""
    return _DROPS_INDEX.match(code) is not None and _FINDS_INVALID.search(body) is not None


def operations_on_known_tables(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Returns the operations if each is an ALTER TABLE or a CREATE INDEX of a table without a mark in its name, so that their locks are known,
    or a statement that blocks and breaks nothing; nothing if there is another one."""
    known = tuple(operations)
    return known if all(_has_known_table(operation) or is_harmless(operation) for operation in known) else ()


def _has_known_table(operation: Operation) -> bool:
    match operation:
        case AlterRelation(target=target):
            return MARK_START not in str(target.name)
        case CreateIndex(table=table):
            return MARK_START not in str(table)
        case SetOwner(kind=kind, name=name):
            return kind in _WITHOUT_LOCK or MARK_START not in str(name)
    return False


def is_harmless(operation: Operation) -> bool:
    """Whether an operation blocks no session and takes nothing away, whatever its marks stand for: it creates or describes a role, changes
    settings of a database, grants privileges, comments on an object, only reads, or drops what a failed build of an index has left."""
    match operation:
        case CreateObject(kind=kind) | AlterObject(kind=kind) if kind in _ROLES:
            return True
        case AlterObject(kind="database", action=action):
            return action in ("set", "reset")
        case Grant(revoke=revoke) | AlterDefaultPrivileges(revoke=revoke):
            return not revoke
        case Comment():
            return True
        case Select(query=query):
            return _only_reads(query)
        case OpaqueCode(operations=operations, of_invalid_index=of_invalid_index):
            return of_invalid_index or (bool(operations) and all(map(is_harmless, operations)))
    return False


def _only_reads(query: Query) -> bool:
    """Whether a query changes and locks nothing: its marks are names and constants, and it calls no function except a few that compute."""
    calls = all(call.schema is None and call.name in _AGGREGATES for call in query.calls)
    return calls and query.row_locks is None and _BARE_MARK.search(query.sql) is None
