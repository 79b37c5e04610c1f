"""A statement as it should be written so that it can run again, for people to paste."""

import re
from collections.abc import Callable
from typing import Any

from migsafe.effects.blocks import alone
from migsafe.reruns.touch import Outcome
from migsafe.rule import Context, Done
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted
from migsafe.sql.written import create_index

_LONGEST = 400
"""The longest statement that is written down again."""

_IF_NOT_EXISTS = (sql.CreateTable, sql.CreateTableAs, sql.CreateMaterializedView, sql.CreateSequence, sql.CreateStatistics)
_OR_REPLACE = (sql.CreateView, sql.CreateFunction, sql.CreateRule, sql.CreateTrigger)
_TYPES = (sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain)


def can_be_in_one_transaction(at: Context) -> bool:
    """Whether all of the migration can run in one transaction."""
    return all(alone(done.operation, at.catalog) is None for done in at.past)


def guarded(at: Context, done: Done, outcome: Outcome, *, together: bool) -> str:
    """The safe way for an operation that has run: guarded, or in a transaction (if all of the migration can be in one `together`), or in a
    migration of its own."""
    op = done.operation
    way = next((way for kind, way in _WAYS if isinstance(op, kind)), None)
    text = way(at, op) if way is not None else None
    if text is None or len(text) > _LONGEST or done.statement.operations[0] is not op or len(done.statement.operations) > 1:
        return _apart(outcome, together=together)
    return text


def _apart(outcome: Outcome, *, together: bool) -> str:
    if not together:
        return f"-- {_guard(outcome)}, or give it a migration of its own"
    return f"-- {_guard(outcome)}, or put the statements into one transaction:\nBEGIN;\n-- …\nCOMMIT;"


def _guard(outcome: Outcome) -> str:
    if outcome is Outcome.FAILS:
        return "let it find its work done: IF EXISTS, IF NOT EXISTS, or a DO block that looks into the catalogue first"
    return "let it leave out what is done already: a WHERE, ON CONFLICT, or a DO block that looks first"


def _sql(at: Context, op: Operation) -> str:
    return at.text(*op.span)


def _if_not_exists(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)\b(TABLE|VIEW|SEQUENCE|SCHEMA|EXTENSION|STATISTICS|COLUMN|VALUE)\s+", r"\1 IF NOT EXISTS ", _sql(at, op), count=1) + ";"


def _or_replace(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)^CREATE\s+", "CREATE OR REPLACE ", _sql(at, op), count=1) + ";"


def _with_drop(at: Context, op: sql.CreatePolicy) -> str:
    return f"DROP POLICY IF EXISTS {quoted(op.policy)} ON {op.table};\n{_sql(at, op)};"


def _index(at: Context, op: sql.CreateIndex) -> str | None:
    name = op.name
    if name is None:
        return "-- give it a name: then DROP INDEX IF EXISTS before it can clear away what is there"
    if not op.concurrently:
        return create_index(op, name).replace(f" {quoted(name)} ON", f" IF NOT EXISTS {quoted(name)} ON", 1) + ";"
    dropped = f"DROP INDEX CONCURRENTLY IF EXISTS {Name(name, op.table.schema)};"
    return f"{dropped}\n{create_index(op, name, concurrently=True)};"


def _drop(at: Context, op: sql.Drop) -> str:
    return (
        re.sub(rf"(?i)^(DROP\s+{op.kind.replace(' ', chr(92) + 's+')}(?:\s+CONCURRENTLY)?)\s+", r"\1 IF EXISTS ", _sql(at, op), count=1) + ";"
    )


def _altered(at: Context, op: AlterRelation) -> str | None:
    if isinstance(op, sql.AddConstraint) and op.constraint.name is None and op.constraint.kind is not ConstraintKind.PRIMARY_KEY:
        return "-- give it a name: then DROP CONSTRAINT IF EXISTS in the same ALTER TABLE can clear away what is there"
    verb = f"ALTER {op.target.kind.upper()} {op.target.name} "
    match op:
        case sql.AddColumn():
            words = re.sub(r"(?i)^ADD\s+(?:COLUMN\s+)?", "ADD COLUMN IF NOT EXISTS ", _sql(at, op))
        case sql.DropColumn():
            words = re.sub(r"(?i)^DROP\s+(?:COLUMN\s+)?", "DROP COLUMN IF EXISTS ", _sql(at, op))
        case sql.DropConstraint():
            words = re.sub(r"(?i)^DROP\s+CONSTRAINT\s+", "DROP CONSTRAINT IF EXISTS ", _sql(at, op))
        case sql.AddConstraint(constraint=given) if given.name is not None and given.index is None:
            kind = given.kind is ConstraintKind.PRIMARY_KEY
            words = f"DROP CONSTRAINT IF EXISTS {quoted(given.name)}, {_sql(at, op)}" if not kind else ""
        case _:
            words = ""
    return f"{verb}{words};" if words else None


def _type(at: Context, op: Operation) -> str:
    return f"DO $$\nBEGIN\n    {_sql(at, op)};\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;"


_WAYS: tuple[tuple[Any, Callable[[Context, Any], str | None]], ...] = (
    (_IF_NOT_EXISTS, _if_not_exists),
    ((sql.CreateSchema, sql.CreateExtension, sql.AddEnumValue), _if_not_exists),
    (_OR_REPLACE, _or_replace),
    (_TYPES, _type),
    (sql.CreatePolicy, _with_drop),
    (sql.CreateIndex, _index),
    (sql.Drop, _drop),
    (AlterRelation, _altered),
)
