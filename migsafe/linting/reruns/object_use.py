"""How a statement uses an object: whether it creates, drops, renames or needs it. This decides whether the statement can run again.

An object is identified by its path: its schema, its name in the schema, a part of it (`("public", "relation orders", "column note")`).
Dropping an object drops all objects below its path.
"""

from enum import Enum

from msgspec import Struct

Path = tuple[str, ...]

NO_SCHEMA = ""
"""The first step of the path of an object that belongs to no schema: a role, a database, an extension."""

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
    """What a statement does with an object."""

    CREATES = "creates the object, and fails if it exists"
    DROPS = "drops the object, and fails if it does not exist"
    RENAMES = "gives the object another path, and fails if the object does not exist or the new path exists"
    REQUIRES = "fails if the object does not exist"
    EMPTIES = "removes all rows of the object"
    REPEATS = "does something that the next run repeats, or that fails in the next run"


class Outcome(Enum):
    """The result of a statement in a second run."""

    FAILS = "fails"
    TWICE = "twice"
    EITHER = "fails or twice"


class ObjectUse(Struct, frozen=True, kw_only=True):
    """One use of an object by a statement.

    `label` is the object's name in messages. `error` is PostgreSQL's error condition if the action fails, as PL/pgSQL names it; empty if it
    is unknown. A `lenient` action is skipped instead of failing: IF EXISTS, IF NOT EXISTS, OR REPLACE. A `guarded` action, in a branch or
    with an error handler, is skipped even if IF EXISTS would not help, because the new name exists. `table` is a relation whose removal
    also removes the object, although the object's path is not below it: the table of an index. `parts` are the paths of parts that are
    created with the object, `new_path` is the path after a rename. `only_with` is an object without which the action is skipped: the table of
    ALTER TABLE IF EXISTS. `reason` says, as a sentence, what a repeated action does, and `outcome`
    whether it fails. `sql` is SQL that names columns of the object.
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
    only_with: Path | None = None
    reason: str = ""
    outcome: Outcome = Outcome.TWICE
    sql: str = ""


def is_caught(error: str, conditions: tuple[str, ...]) -> bool:
    """Whether an error handler with these conditions catches an error. Any handler catches an unknown error."""
    if not error or not conditions:
        return bool(conditions)
    code = _CODES[error]
    wanted = {error, f"sqlstate '{code.lower()}'", "others", *((_CLASS_42,) if code.startswith("42") else ())}
    return not wanted.isdisjoint(conditions)


def is_below(path: Path, above: Path) -> bool:
    """Whether a path is equal to another path or below it."""
    return path[: len(above)] == above
