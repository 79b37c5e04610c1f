"""What messages call things."""

import re

from migsafe.linting.rule import Context, PastOperation
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name, Operation

_WORD = re.compile(r"\s*([A-Za-z]+)")
_BEFORE_THE_KIND = frozenset(
    (
        "or",
        "replace",
        "unique",
        "temp",
        "temporary",
        "unlogged",
        "global",
        "local",
        "materialized",
        "foreign",
        "event",
        "user",
        "text",
        "search",
    )
)
_DEFINES = frozenset(("create", "alter", "drop", "refresh", "comment"))
_AFTER_THE_KIND = frozenset(("concurrently",))
_BY_THEMSELVES = {
    sql.Insert: "INSERT",
    sql.Update: "UPDATE",
    sql.Delete: "DELETE",
    sql.Merge: "MERGE",
    sql.Truncate: "TRUNCATE",
    sql.Copy: "COPY",
    sql.LockTable: "LOCK TABLE",
    sql.CreateTableAs: "CREATE TABLE AS",
}


def command_name(at: Context, of: Operation | PastOperation) -> str:
    """What an operation's statement does, in SQL's own words: `ALTER TABLE`, `CREATE UNIQUE INDEX`."""
    operation = of.operation if isinstance(of, PastOperation) else of
    statement = of.statement if isinstance(of, PastOperation) else at.statement
    if isinstance(operation, AlterRelation):
        return f"ALTER {operation.target.kind.upper()}"
    if type(operation) in _BY_THEMSELVES:
        return _BY_THEMSELVES[type(operation)]
    within = isinstance(statement.operations[0], sql.Do)
    return _words(at.text(*(operation.span if within else statement.span)))


def _words(text: str) -> str:
    """The first words of a statement, as far as they say what it does and not to what."""
    found: list[str] = []
    at = 0
    while match := _WORD.match(text, at):
        word = match[1].lower()
        found.append(word)
        at = match.end()
        if found[0] not in _DEFINES or (len(found) > 1 and word not in _BEFORE_THE_KIND):
            break
    after = _WORD.match(text, at)
    if after is not None and after[1].lower() in _AFTER_THE_KIND:
        found.append(after[1])
    return " ".join(found).upper()


def join_names(names: "list[Name] | tuple[Name, ...]", most: int = 3) -> str:
    """Names one after the other; of too many the first ones."""
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def blocked_statements(blocks: tuple[str, ...]) -> str:
    """Who waits, in SQL's words, for a sentence with `every` before it."""
    return "SELECT, INSERT, UPDATE and DELETE" if "reads" in blocks else "INSERT, UPDATE and DELETE"
