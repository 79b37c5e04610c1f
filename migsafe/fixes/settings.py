"""Timeouts that fixes have set in SQL and that have no effect: each fix sets and resets what its own statement needs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.fixes.edits import FileChange
from migsafe.fixes.layouts import LAYOUTS, joined_at_mark
from migsafe.fixes.steps import end_of, normal
from migsafe.fixes.timeouts import TIMEOUTS, Timeout
from migsafe.sources import Migration
from migsafe.sql.operations import (
    Call,
    Commit,
    Do,
    Operation,
    ResetVariable,
    Rollback,
    RollbackTo,
    Select,
    SessionSetting,
    SetVariable,
    Unparsed,
)
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

_MAY_SET = (Call, Do, Rollback, RollbackTo, Select, SessionSetting, Unparsed)
"""What may change a timeout otherwise: code, the end of a transaction that is undone, other settings."""
_NONE = "0"
"""The value without a timeout. RESET is taken for it: a fix resets what it has set."""


def without_dead_settings(change: FileChange, migrations: Iterable[Migration]) -> FileChange:
    """Returns a changed file without the timeouts that have no effect and that it did not contain before it was fixed. `migrations` are those
    of the plan with the changes.

    A timeout has no effect if the next statement sets the same one, if it repeats the value that is set already, if it takes back what is
    not set, and if its transaction ends at once.
    """
    before, text = change.before or "", change.after
    if change.path.endswith(".py"):
        from migsafe.fixes.alembic.settings import without_dead_settings  # noqa: PLC0415  # only for scripts

        return replace(change, after=without_dead_settings(text, before))
    own = [each for each in migrations if each.up.program is None and (each.up.file.path, each.up.file.text) == (change.path, text)]
    for migration in sorted(own, key=lambda migration: migration.up.chunks, reverse=True):
        layout = LAYOUTS.get(migration.runner)
        text = _in_sql(text, migration.up.chunks, before, layout.mark if layout is not None else "")
    return replace(change, after=text)


def _in_sql(text: str, chunks: Sequence[Span], before: str, mark: str) -> str:
    """Returns a script without the settings of a migration that have no effect; `chunks` are the parts of the script that contain its SQL,
    `mark` stands between statements."""
    statements = list(read(text, chunks))
    texts = [normal(text[statement.span.start : statement.span.end]) for statement in statements]
    added = Counter(texts) - Counter(normal(before[statement.span.start : statement.span.end]) for statement in read(before))
    left = list(range(len(statements)))
    while (dead := _first_dead([statements[number] for number in left], [added[texts[number]] > 0 for number in left])) is not None:
        added[texts[left[dead]]] -= 1
        del left[dead]
    for number in sorted(set(range(len(statements))) - set(left), reverse=True):
        text = _without(text, statements[number].span, mark)
    return text


def _first_dead(statements: Sequence[Statement], added: Sequence[bool]) -> int | None:
    """Returns the position of the first statement that fixes have `added` and that sets a timeout without effect."""
    current = dict.fromkeys(TIMEOUTS, _NONE)
    for number, statement in enumerate(statements):
        timeout = _timeout(statement.operations)
        if timeout is None:
            if any(isinstance(operation, _MAY_SET) for operation in statement.operations):
                current.clear()
            continue
        next_operations = statements[number + 1].operations if number + 1 < len(statements) else ()
        if added[number] and timeout.is_replaced_by(_timeout(next_operations)):
            return number
        if timeout.local:
            if added[number] and any(isinstance(operation, Commit) for operation in next_operations):
                return number
            current.pop(timeout.name, None)
            continue
        value = timeout.value or _NONE
        if added[number] and current.get(timeout.name) == value:
            return number
        current[timeout.name] = value
    return None


def _timeout(operations: Sequence[Operation]) -> Timeout | None:
    match operations:
        case [SetVariable(variable=name, value=value, local=local)] if name in TIMEOUTS:
            return Timeout(name, value or "", local)
        case [ResetVariable(variable=name)] if name in TIMEOUTS:
            return Timeout(name, "", local=False)
    return None


def _without(text: str, span: Span, mark: str) -> str:
    """Returns a text without a statement, and without its line if nothing else is on that."""
    start, end = span.start, end_of(text, span.end, len(text))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if not text[line_start:start].strip() and not rest.strip():
        return joined_at_mark(text[:line_start], text[line_end + 1 :] if line_end >= 0 else "", mark)
    return joined_at_mark(text[:start], text[end:], mark)
