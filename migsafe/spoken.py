"""What messages call things."""

import re

from migsafe.rule import Context, Done
from migsafe.sql.operations import AlterRelation, Name, Operation
from migsafe.text import Span

_WORDS = re.compile(r"[A-Za-z]+")
_GO_ON = frozenset(
    """concurrently database domain event extension foreign from function if index into materialized only policy procedure publication rule
    schema sequence table temp temporary trigger type unique unlogged user view""".split()
)
_MOST = 3


def verb(at: Context, of: Operation | Done) -> str:
    """What a statement does, in SQL's own words: `ALTER TABLE`, `CREATE UNIQUE INDEX`."""
    operation = of.operation if isinstance(of, Done) else of
    statement = of.statement if isinstance(of, Done) else at.statement
    # The parts of an ALTER TABLE begin with what they do to it.
    span = statement.span if isinstance(operation, AlterRelation) and operation in statement.operations[:1] else operation.span
    if isinstance(operation, AlterRelation) and span == operation.span:
        return f"ALTER {operation.target.kind.upper()}"
    return words(at, span)


def words(at: Context, span: Span) -> str:
    """The first words of a piece of the script, as far as they say what it does."""
    found: list[str] = []
    for match in _WORDS.finditer(at.text(*span)[:80]):
        if found and match[0].lower() not in _GO_ON:
            break
        if match[0].lower() == "if" or len(found) == _MOST:
            break
        found.append(match[0].upper())
    return " ".join(found)


def listed(names: "list[Name] | tuple[Name, ...]", most: int = 3) -> str:
    """Names one after the other; of too many the first ones."""
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def stopped(blocks: tuple[str, ...]) -> str:
    """Who waits, in SQL's words, for a sentence with `every` before it."""
    return "SELECT, INSERT, UPDATE and DELETE" if "reads" in blocks else "INSERT, UPDATE and DELETE"
