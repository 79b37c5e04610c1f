"""A statement as it should be written so that it can run again, for people to paste."""

import re
from collections.abc import Callable
from typing import Any

from migsafe.linting.reruns.object_use import Outcome
from migsafe.linting.rule import Context, PastOperation
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.sources import Transaction
from migsafe.sql import operations as sql
from migsafe.sql.generation import (
    add_constraint_using_index,
    check_not_valid,
    create_index,
    create_unique_index,
    foreign_key_clause,
    validate_constraints,
)
from migsafe.sql.operations import AlterRelation, Constraint, ConstraintKind, CreateIndex, Name, Operation
from migsafe.sql.operations.values import quoted

_LONGEST = 400
"""The longest statement that is written down again."""


def can_run_in_one_transaction(at: Context) -> bool:
    """Whether all of the migration can run in one transaction."""
    return all(refused_in_transaction_block(done.operation, at.catalog) is None for done in at.past)


def rerunnable_statement(at: Context, done: PastOperation, outcome: Outcome, *, one_transaction: bool) -> str:
    """The safe way for an operation that has run: guarded, or in a transaction (if all of the migration can be in one `together`), or in a
    migration of its own."""
    op = done.operation
    way = next((way for kind, way in _WAYS if isinstance(op, kind)), None)
    text = way(at, op) if way is not None and done.statement.operations == (op,) else None
    return text if text is not None and len(text) <= _LONGEST else _apart(outcome, together=one_transaction)


def _apart(outcome: Outcome, *, together: bool) -> str:
    guard = _GUARDS[outcome]
    if not together:
        return f"-- {guard}, or move it to a migration of its own"
    return f"-- {guard}, or run the statements in one transaction:\nBEGIN;\n-- …\nCOMMIT;"


_FIND_IT_DONE = "make it skip work that is already done: IF EXISTS, IF NOT EXISTS, or a DO block that checks the catalogue first"
_LEAVE_OUT = "make it skip rows that are already changed: a WHERE, ON CONFLICT, or a DO block that checks first"
_WITH_ITS_TABLE = "-- run it in one transaction with the CREATE TABLE before it:\nBEGIN;\n-- …\nCOMMIT;"
_GUARDS = {Outcome.FAILS: _FIND_IT_DONE, Outcome.TWICE: _LEAVE_OUT, Outcome.EITHER: _LEAVE_OUT}


def recreate_index(op: CreateIndex, name: str, *, new: bool) -> str:
    """An index that can be made again under its name; on a `new` table nobody is in the way."""
    full = Name(name, op.table.schema)
    if new:
        return f"DROP INDEX IF EXISTS {full};\n{create_index(op, name)};"
    return f"DROP INDEX CONCURRENTLY IF EXISTS {full};\n{create_index(op, name, concurrently=True)};"


def recreate_constraint(table: Name, given: Constraint, name: str, text: str, *, new: bool) -> str:
    """A constraint that can be added again under its name; `text` is what the script says of it without one."""
    dropped = f"DROP CONSTRAINT IF EXISTS {quoted(name)}"
    if new or given.not_valid:
        return f"ALTER TABLE {table} {dropped}, ADD CONSTRAINT {quoted(name)} {text};"
    match given.kind:
        case ConstraintKind.CHECK if given.check is not None:
            added = check_not_valid(given.check.sql, name, no_inherit=given.no_inherit)
        case ConstraintKind.FOREIGN_KEY:
            added = foreign_key_clause(given, name)
        case ConstraintKind.UNIQUE if not given.period:
            cleared = f"ALTER TABLE {table} {dropped};\nDROP INDEX CONCURRENTLY IF EXISTS {Name(name, table.schema)};"
            return f"{cleared}\n{create_unique_index(table, given, name)};\n{add_constraint_using_index(table, given, name)}"
        case _:
            return f"-- ALTER TABLE {table} {dropped}, ADD CONSTRAINT {quoted(name)} …"
    return f"ALTER TABLE {table} {dropped}, ADD {added};\n{validate_constraints(table, name)}"


def _sql(at: Context, op: Operation) -> str:
    return at.text(*op.span)


def _said(words: str) -> Callable[[Context, Any], str]:
    """For what is a hazard of its own, so that nobody should paste it: only the words that make it run again."""
    return lambda at, op: f"-- write it as {words}"


def _dropped(at: Context, op: sql.Drop) -> str:
    kind = op.kind.upper()
    if op.kind == "index":
        return (
            f"DROP INDEX CONCURRENTLY IF EXISTS {', '.join(map(str, op.names))};"
            if len(op.names) == 1
            else f"-- write it as DROP {kind} IF EXISTS"
        )
    if op.table is not None:
        return f"DROP {kind} IF EXISTS {op.names[0]} ON {op.table};"
    return f"-- write it as DROP {kind} IF EXISTS"


def _if_not_exists(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)\b(SEQUENCE|SCHEMA|EXTENSION|STATISTICS|VALUE)\s+", r"\1 IF NOT EXISTS ", _sql(at, op), count=1) + ";"


def _or_replace(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)^CREATE\s+", "CREATE OR REPLACE ", _sql(at, op), count=1) + ";"


def _with_drop(at: Context, op: sql.CreatePolicy) -> str:
    return f"DROP POLICY IF EXISTS {quoted(op.policy)} ON {op.table};\n{_sql(at, op)};"


def _index(at: Context, op: sql.CreateIndex) -> str | None:
    if op.name is None:
        return "-- give it a name: then a DROP INDEX IF EXISTS before it can remove an existing one"
    if at.is_new(op.table):
        return _WITH_ITS_TABLE
    one_by_one = at.migration.up.transaction in (Transaction.STATEMENT, Transaction.NONE)
    return recreate_index(op, op.name, new=False) if one_by_one else None


def _altered(at: Context, op: AlterRelation) -> str | None:
    verb = f"ALTER {op.target.kind.upper()} {op.target.name}"
    match op:
        case sql.AddColumn():
            words = re.sub(r"(?i)^ADD\s+(?:COLUMN\s+)?", "ADD COLUMN IF NOT EXISTS ", _sql(at, op))
            return f"{verb} {words};"
        case sql.DropColumn():
            return "-- write it as DROP COLUMN IF EXISTS"
        case sql.DropConstraint():
            return f"{verb} DROP CONSTRAINT IF EXISTS {quoted(op.constraint)};"
        case sql.AddConstraint(constraint=given) if given.kind is not ConstraintKind.PRIMARY_KEY and given.index is None:
            if given.name is None:
                return "-- give it a name: then a DROP CONSTRAINT IF EXISTS in the same ALTER TABLE can remove an existing one"
            if at.is_new(op.target.name):
                return _WITH_ITS_TABLE
            definition = re.sub(r"(?is)^CONSTRAINT\s+(?:\"(?:[^\"]|\"\")*\"|\S+)\s+", "", at.text(*given.span))
            return recreate_constraint(op.target.name, given, given.name, definition, new=False)
    return None


def _type(at: Context, op: Operation) -> str:
    return f"DO $$\nBEGIN\n    {_sql(at, op)};\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;"


_WAYS: tuple[tuple[Any, Callable[[Context, Any], str | None]], ...] = (
    ((sql.CreateTable, sql.CreateTableAs), _said("CREATE TABLE IF NOT EXISTS")),
    (sql.CreateMaterializedView, _said("CREATE MATERIALIZED VIEW IF NOT EXISTS")),
    ((sql.CreateSequence, sql.CreateStatistics, sql.CreateSchema, sql.CreateExtension, sql.AddEnumValue), _if_not_exists),
    ((sql.CreateView, sql.CreateFunction, sql.CreateRule, sql.CreateTrigger), _or_replace),
    ((sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain), _type),
    (sql.CreatePolicy, _with_drop),
    (sql.CreateIndex, _index),
    (sql.Drop, _dropped),
    (AlterRelation, _altered),
)
