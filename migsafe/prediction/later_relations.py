"""The tables, views, types, sequences and functions that a migration creates itself, and with which statements."""

from collections.abc import Iterator

from migsafe.patterns import lazy_pattern
from migsafe.session import sent_statements
from migsafe.sources import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation, Persistence

_CREATES = lazy_pattern(
    r"create\s+(?:(?:or\s+replace\s+)?(?P<function>function)|(?:unlogged\s+)?(?:table|view|materialized\s+view|type|domain|sequence))\s+"
    r'(?!if\s)(?:[\w"$]+\s*\.\s*)*"?(?P<name>[^\s"(;.]+)'
)
"""It is searched in lower case: with IGNORECASE, Python tries it at every character."""
_NO_CALL = ("exists", "on function", "drop function", "create function", "replace function", "alter function")
"""What stands before the name of a function where nothing calls it."""
_LONGEST_SCRIPT = 200_000
"""A longer script is a dump, whose statements are not read twice."""
_REMOVED_WITH_MORE = frozenset(("schema", "extension", "owned", "database"))


def created_relations(half: Half) -> dict[Name, Operation]:
    """Returns the tables, views, types, sequences and functions that a migration certainly creates, by their names as written, each with its
    statement: PostgreSQL would refuse it if there were one (except CREATE OR REPLACE FUNCTION), and nothing before it in the migration gives
    the name away. Only those that the text names before."""
    has_paths = half.program is not None and len(half.program.paths) > 1
    if has_paths or len(half.script.text) > _LONGEST_SCRIPT or not _names_before(half.script.text.lower()):
        return {}
    created: dict[Name, Operation] = {}
    freed: set[str] = set()
    for statement, _, _ in sent_statements(half):
        for operation in statement.operations:
            if _may_free_any(operation):
                return created
            freed.update(_freed(operation))
            name = _created(operation)
            if name is not None and name.name not in freed:
                created.setdefault(name, operation)
    return created


def _names_before(text: str) -> bool:
    """Whether a script, in lower case, has the name of a relation, or the call of a function, before the statement that creates it."""
    return any(_has_word(text, match["name"], match.start(), is_call=match["function"] is not None) for match in _CREATES.finditer(text))


def _has_word(text: str, word: str, end: int, *, is_call: bool) -> bool:
    start = text.find(word, 0, end)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (before.isalnum() or before == "_" or after.isalnum() or after == "_") and (not is_call or _is_call(text, start, word)):
            return True
        start = text.find(word, start + 1, end)
    return False


def _is_call(text: str, start: int, word: str) -> bool:
    """Whether a name, perhaps in quotes and after its schema, is that of a function that is called."""
    before = text[max(start - 80, 0) : start].rpartition("\n")[2].rstrip('" .').removesuffix("public").rstrip('" .')
    return text[start + len(word) : start + len(word) + 3].lstrip('" ')[:1] == "(" and not before.endswith(_NO_CALL)


def _may_free_any(operation: Operation) -> bool:
    """Whether an operation may drop or rename relations that it does not name, or change what names without a schema mean."""
    match operation:
        case sql.OpaqueCode() | sql.Call():
            return True
        case sql.SetVariable(variable="search_path"):
            return True
        case sql.Drop(kind=kind):
            return kind in _REMOVED_WITH_MORE
    return False


def _freed(operation: Operation) -> Iterator[str]:
    match operation:
        case sql.Drop(names=names):
            yield from (name.name for name in names)
        case sql.Rename(name=name, new_name=new_name):
            yield from (name.name, new_name)
        case sql.SetSchema(name=name):
            yield name.name


def _created(operation: Operation) -> Name | None:
    if not operation.certain or operation.caught or operation.releases is not None:
        return None
    match operation:
        case sql.CreateTable(table=name, if_not_exists=False) | sql.CreateTableAs(table=name, if_not_exists=False):
            return None if operation.persistence is Persistence.TEMPORARY else name
        case sql.CreateMaterializedView(view=name, if_not_exists=False) | sql.CreateView(view=name, or_replace=False, temporary=False):
            return name
        case sql.CreateSequence(sequence=name, if_not_exists=False):
            return None if operation.persistence is Persistence.TEMPORARY else name
        case sql.CreateFunction(function=name):
            return name
        case sql.CreateEnum(type=name) | sql.CreateCompositeType(type=name) | sql.CreateDomain(domain=name):
            return name
    return None
