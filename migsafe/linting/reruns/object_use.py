"""What a statement does to the objects that it names, as far as it decides whether it can run once more.

Objects go by paths: a schema, what stands in it, what stands on that (`("public", "relation orders", "column note")`). Who drops one drops
all below it.
"""

from enum import Enum

from msgspec import Struct

Path = tuple[str, ...]

NO_SCHEMA = ""
"""The first step to what stands in no schema: roles, databases, extensions."""

_CODES = {
    "duplicate_column": "42701",
    "duplicate_database": "42P04",
    "duplicate_function": "42723",
    "duplicate_object": "42710",
    "duplicate_schema": "42P06",
    "duplicate_table": "42P07",
    "invalid_parameter_value": "22023",
    "invalid_schema_name": "3F000",
    "invalid_table_definition": "42P16",
    "object_not_in_prerequisite_state": "55000",
    "undefined_column": "42703",
    "undefined_function": "42883",
    "undefined_object": "42704",
    "undefined_table": "42P01",
    "unique_violation": "23505",
    "wrong_object_type": "42809",
}
_CLASS_42 = "syntax_error_or_access_rule_violation"


class Action(Enum):
    """What is done to an object."""

    CREATES = "makes it, and is refused where it is there"
    DROPS = "takes it away, and is refused where it is not there"
    RENAMES = "gives it another path, and is refused where it is not there or that path is taken"
    REQUIRES = "is refused where it is not there"
    EMPTIES = "takes all rows out of it"
    REPEATS = "does something that the next run does once more, or that fails then"


class Outcome(Enum):
    """What becomes of a second run."""

    FAILS = "fails"
    TWICE = "twice"
    EITHER = "fails or twice"


class ObjectUse(Struct, frozen=True, kw_only=True):
    """One thing that a statement does to an object.

    `what` is what messages call the object. `error` is the condition under which PostgreSQL refuses the act, as PL/pgSQL names it; empty
    where that depends. A `lenient` act is passed over where another one is refused: IF EXISTS, IF NOT EXISTS, OR REPLACE; a `guarded` one
    even where IF EXISTS does not help, because the new name is taken: a branch or a handler decides about it. `on` is the relation
    with which the object goes although it is not below it: an index's table. `brings` are the paths of what is made with it, `to` is where it
    moves. `why` says what a repeated act comes to, as a sentence, and `outcome` whether that is an error. `words` is SQL that
    names columns.
    """

    action: Action
    path: Path
    label: str
    error: str = ""
    lenient: bool = False
    guarded: bool = False
    table: Path | None = None
    parts: tuple[Path, ...] = ()
    new_path: Path | None = None
    reason: str = ""
    outcome: Outcome = Outcome.TWICE
    sql: str = ""


def is_caught(error: str, conditions: tuple[str, ...]) -> bool:
    """Whether one of a handler's conditions is that of an error; any is where the error is not known."""
    if not error or not conditions:
        return bool(conditions)
    code = _CODES[error]
    wanted = {error, f"sqlstate '{code.lower()}'", "others", *((_CLASS_42,) if code.startswith("42") else ())}
    return not wanted.isdisjoint(conditions)


def is_below(path: Path, above: Path) -> bool:
    """Whether a path is another one, or goes on from it."""
    return path[: len(above)] == above
