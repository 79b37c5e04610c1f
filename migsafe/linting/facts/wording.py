"""The words of messages: names of commands, lists of names, blocked statements."""

from collections.abc import Mapping, Sequence

from migsafe.linting.finding import NamedQuery
from migsafe.linting.rule import Context, PastOperation
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name, Operation

_WORD = lazy_pattern(r"\s*([A-Za-z]+)")
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
_NUMBERS = {2: "two", 3: "three"}
_COMMANDS = {
    sql.Insert: "INSERT",
    sql.Update: "UPDATE",
    sql.Delete: "DELETE",
    sql.Merge: "MERGE",
    sql.Truncate: "TRUNCATE",
    sql.Copy: "COPY",
    sql.LockTable: "LOCK TABLE",
    sql.CreateTableAs: "CREATE TABLE AS",
}


def command_name(at: Context, op: Operation | PastOperation) -> str:
    """Returns the name of an operation's command in SQL: `ALTER TABLE`, `CREATE UNIQUE INDEX`."""
    operation = op.operation if isinstance(op, PastOperation) else op
    statement = op.statement if isinstance(op, PastOperation) else at.statement
    if isinstance(operation, AlterRelation):
        return f"ALTER {operation.target.kind.upper()}"
    if type(operation) in _COMMANDS:
        return _COMMANDS[type(operation)]
    in_do_block = isinstance(statement.operations[0], sql.Do)
    return _first_words(at.text(*(operation.span if in_do_block else statement.span)))


def _first_words(text: str) -> str:
    """Returns the first words of a statement, up to the name of its object."""
    words: list[str] = []
    at = 0
    while match := _WORD.match(text, at):
        word = match[1].lower()
        words.append(word)
        at = match.end()
        if words[0] not in _DEFINES or (len(words) > 1 and word not in _BEFORE_THE_KIND):
            break
    after = _WORD.match(text, at)
    if after is not None and after[1].lower() in _AFTER_THE_KIND:
        words.append(after[1])
    return " ".join(words).upper()


def join_names(names: "list[Name] | tuple[Name, ...]", most: int = 3) -> str:
    """Returns names as `a, b and c`; of more than `most` the first ones and the number of the others."""
    texts = list(dict.fromkeys(map(str, names)))
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def blocked_statements(blocks: tuple[str, ...]) -> str:
    """Returns the commands that wait for a lock, for a sentence with `every` before it."""
    return "SELECT, INSERT, UPDATE and DELETE" if "reads" in blocks else "INSERT, UPDATE and DELETE"


def locked_relations(locks: Mapping[Name, LockMode]) -> str:
    """Returns held locks with their relations, the strongest first: `ACCESS EXCLUSIVE on a and SHARE on b`."""
    modes = sorted(set(locks.values()), key=lambda mode: mode.strength, reverse=True)
    return " and ".join(f"{mode} on {join_names([name for name, held in locks.items() if held is mode])}" for mode in modes)


def blocked_on(locks: Mapping[Name, LockMode]) -> str:
    """Returns which commands wait for held locks, for each group of relations, as a sentence's subject and verb."""
    groups: dict[str, list[Name]] = {}
    for name, mode in sorted(locks.items(), key=lambda item: len(item[1].blocks), reverse=True):
        groups.setdefault(blocked_statements(mode.blocks), []).append(name)
    return f"{' and '.join(f'every {commands} on {join_names(names)}' for commands, names in groups.items())} waits"


def deployments(*steps: str) -> str:
    """Returns the first line of a safe way that takes several deployments, as a comment that says what each of them is."""
    numbered = "; ".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"-- takes {_NUMBERS[len(steps)]} deployments: {numbered}\n"


def once_released(condition: str, rule: str) -> str:
    """Returns the comments above a statement of a later deployment: when it may run, and the suppression of the rule that reports it."""
    return f"-- when {condition}, in a separate migration:\n{suppression(condition, rule)}\n"


def after_release(release: str, condition: str, rule: str) -> str:
    """Returns the safe way of a statement that is right, but too early: which release comes first, and the suppression for then."""
    return f"-- first deploy {release}; run the statement when {condition}, in a later migration, with this line above it:\n" + suppression(
        condition, rule
    )


def suppression(condition: str, rule: str) -> str:
    """Returns the comment that suppresses a rule for a reason."""
    return f"-- migsafe: ignore[{rule}] {condition}"


def join_queries(queries: Sequence[NamedQuery], most: int = 3) -> str:
    """Returns queries as `a (file:line), b (file:line) and 4 more`."""
    texts = [str(query) for query in queries]
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""
