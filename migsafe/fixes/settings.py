"""Timeouts that fixes have set in SQL and that have no effect: each fix sets and resets what its own statement needs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from migsafe.fixes.edits import FileChange
from migsafe.fixes.steps import end_of, normal
from migsafe.sources import Migration
from migsafe.sql.operations import Call, Do, Operation, ResetVariable, Rollback, RollbackTo, Select, SessionSetting, SetVariable, Unparsed
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

_TIMEOUTS = ("lock_timeout", "statement_timeout")
_MAY_SET = (Call, Do, Rollback, RollbackTo, Select, SessionSetting, Unparsed)
"""What may change a timeout otherwise: code, the end of a transaction that is undone, other settings."""

Timeout = SetVariable | ResetVariable


def without_dead_settings(change: FileChange, migrations: Iterable[Migration]) -> FileChange:
    """Returns a changed file without the timeouts that have no effect and that it did not contain before it was fixed. `migrations` are those
    of the plan with the changes.

    A timeout has no effect if the next statement sets the same one, if it repeats the value that is set already, and if it takes back what is
    not set.
    """
    before, text = change.before or "", change.after
    if change.path.endswith(".py"):
        from migsafe.fixes.alembic.settings import without_dead_settings  # noqa: PLC0415  # only for scripts

        return replace(change, after=without_dead_settings(text, before))
    halves = [each.up for each in migrations if each.up.program is None and (each.up.file.path, each.up.file.text) == (change.path, text)]
    for half in sorted(halves, key=lambda half: half.chunks, reverse=True):
        text = _in_sql(text, half.chunks, before)
    return replace(change, after=text)


def _in_sql(text: str, chunks: Sequence[Span], before: str) -> str:
    """Returns a script without the settings of a migration that have no effect; `chunks` are the parts of the script that contain its SQL."""
    statements = list(read(text, chunks))
    texts = [normal(text[statement.span.start : statement.span.end]) for statement in statements]
    added = Counter(texts) - Counter(normal(before[statement.span.start : statement.span.end]) for statement in read(before))
    left = list(range(len(statements)))
    while (dead := _first_dead([statements[number] for number in left], [added[texts[number]] > 0 for number in left])) is not None:
        added[texts[left[dead]]] -= 1
        del left[dead]
    for number in sorted(set(range(len(statements))) - set(left), reverse=True):
        text = _without(text, statements[number].span)
    return text


def _first_dead(statements: Sequence[Statement], added: Sequence[bool]) -> int | None:
    """Returns the position of the first statement that fixes have `added` and that sets a timeout without effect."""
    current = dict.fromkeys(_TIMEOUTS, "0")
    for number, statement in enumerate(statements):
        setting = _timeout(statement.operations)
        if setting is None:
            if any(isinstance(operation, _MAY_SET) for operation in statement.operations):
                current.clear()
            continue
        following = _timeout(statements[number + 1].operations) if number + 1 < len(statements) else None
        name, value, local = _set(setting)
        if following is not None and added[number] and _set(following)[0] == name and (local or not _set(following)[2]):
            return number
        if local:
            current.pop(name, None)
            continue
        if added[number] and current.get(name) == value:
            return number
        current[name] = value
    return None


def _timeout(operations: Sequence[Operation]) -> Timeout | None:
    match operations:
        case [SetVariable() | ResetVariable() as setting] if setting.variable in _TIMEOUTS:
            return setting
    return None


def _set(setting: Timeout) -> tuple[str, str, bool]:
    """Returns the timeout that a statement sets, its value, and whether it does so for the transaction. RESET is taken for 0: a fix resets what
    it has set."""
    assert setting.variable is not None
    if isinstance(setting, ResetVariable):
        return setting.variable, "0", False
    return setting.variable, setting.value or "0", setting.local


def _without(text: str, span: Span) -> str:
    """Returns a text without a statement, and without its line if nothing else is on that."""
    start, end = span.start, end_of(text, span.end, len(text))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if not text[line_start:start].strip() and not rest.strip():
        return text[:line_start] + (text[line_end + 1 :] if line_end >= 0 else "")
    return text[:start] + text[end:]
