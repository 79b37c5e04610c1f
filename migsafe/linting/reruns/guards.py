"""The help of not-rerunnable: a statement in a form that can run again."""

import re
from collections.abc import Callable
from typing import Any

from migsafe.linting.reruns.object_use import Outcome
from migsafe.linting.rule import Context, PastOperation
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.schema.objects import RelationKind
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
"""The longest statement that the help repeats, in characters."""


def can_run_in_one_transaction(at: Context) -> bool:
    """Whether all statements of the migration can run in one transaction."""
    return all(refused_in_transaction_block(done.operation, at.catalog) is None for done in at.past)


def rerunnable_statement(at: Context, done: PastOperation, outcome: Outcome, *, one_transaction: bool) -> tuple[str, str]:
    """Returns the safe way for an operation, and the SQL of its fix: with a guard, in one transaction if all of the migration can run in one,
    or in a separate migration."""
    op = done.operation
    rewrite = next((rewrite for kind, rewrite in _REWRITES if isinstance(op, kind)), None)
    text = rewrite(at, op) if rewrite is not None and done.statement.operations == (op,) else None
    help = text if text is not None and len(text) <= _LONGEST else _separated(outcome, one_transaction=one_transaction)
    return help, _new_table(at, done) or help


def _new_table(at: Context, done: PastOperation) -> str | None:
    """Returns the statement that creates a table with a guard. The help only names the guard, because the statement is long."""
    text = at.text(*done.statement.span)
    is_table = isinstance(done.statement.operations[0], sql.CreateTable) and isinstance(done.operation, sql.CreateTable)
    head = _CREATE_TABLE.match(text) if is_table else None
    return f"{head[0]}IF NOT EXISTS {text[head.end() :]};" if head is not None else None


def only_adds_guard(text: str, original: str) -> bool:
    """Whether a text is one statement that differs from another only by IF [NOT] EXISTS or OR REPLACE, so that a first run does the same."""
    return _without_guards(text) == _without_guards(original)


def _without_guards(sql: str) -> str:
    words = re.sub(r"(?i)\b(?:IF (?:NOT )?EXISTS|OR REPLACE|COLUMN)\s+", "", " ".join(sql.split()))
    return words.rstrip("; ")


def _separated(outcome: Outcome, *, one_transaction: bool) -> str:
    guard = _GUARDS[outcome]
    if not one_transaction:
        return f"-- {guard}, or move it to a separate migration"
    return f"-- {guard}, or run the statements in one transaction:\nBEGIN;\n-- …\nCOMMIT;"


_CREATE_TABLE = lazy_pattern(r"(?i)CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?!IF\s)")

_SKIP_DONE_WORK = "make it skip work that is already done: IF EXISTS, IF NOT EXISTS, or a DO block that checks the catalogue first"
_SKIP_CHANGED_ROWS = "make it skip rows that are already changed: a WHERE, ON CONFLICT, or a DO block that checks first"
_IN_TRANSACTION_OF_TABLE = "-- run it in one transaction with the CREATE TABLE before it:\nBEGIN;\n-- …\nCOMMIT;"
_GUARDS = {Outcome.FAILS: _SKIP_DONE_WORK, Outcome.TWICE: _SKIP_CHANGED_ROWS, Outcome.EITHER: _SKIP_CHANGED_ROWS}


def recreate_index(op: CreateIndex, name: str, *, in_one_step: bool) -> str:
    """Returns SQL that creates an index again under its name; `in_one_step`, without CONCURRENTLY, on a new or a partitioned table."""
    full = Name(name, op.table.schema)
    if in_one_step:
        return f"DROP INDEX IF EXISTS {full};\n{create_index(op, name, only=op.only)};"
    return f"DROP INDEX CONCURRENTLY IF EXISTS {full};\n{create_index(op, name, concurrently=True)};"


def recreate_constraint(table: Name, constraint: Constraint, name: str, text: str, *, in_one_step: bool) -> str:
    """Returns SQL that adds a constraint again under its name; `text` is its definition in the script, without the name. `in_one_step`, on a
    new or a partitioned table, it is not validated later."""
    dropped = f"DROP CONSTRAINT IF EXISTS {quoted(name)}"
    if in_one_step or constraint.not_valid:
        return f"ALTER TABLE {table} {dropped}, ADD CONSTRAINT {quoted(name)} {text};"
    match constraint.kind:
        case ConstraintKind.CHECK if constraint.check is not None:
            added = check_not_valid(constraint.check.sql, name, no_inherit=constraint.no_inherit)
        case ConstraintKind.FOREIGN_KEY:
            added = foreign_key_clause(constraint, name)
        case ConstraintKind.UNIQUE if not constraint.period:
            cleared = f"ALTER TABLE {table} {dropped};\nDROP INDEX CONCURRENTLY IF EXISTS {Name(name, table.schema)};"
            return f"{cleared}\n{create_unique_index(table, constraint, name)};\n{add_constraint_using_index(table, constraint, name)}"
        case _:
            return f"-- ALTER TABLE {table} {dropped}, ADD CONSTRAINT {quoted(name)} …"
    return f"ALTER TABLE {table} {dropped}, ADD {added};\n{validate_constraints(table, name)}"


def _sql(at: Context, op: Operation) -> str:
    return at.text(*op.span)


def _only_words(words: str) -> Callable[[Context, Any], str]:
    """Returns a help that only names the words, for statements that should not be pasted because they have other hazards."""
    return lambda at, op: f"-- use {words}"


def _drop(at: Context, op: sql.Drop) -> str:
    kind = op.kind.upper()
    # The index no longer exists; the effects of its DROP tell the kind of its table.
    effects = next((done.effects for done in at.past if done.operation is op), ())
    if op.kind == "index" and len(op.names) == 1 and any(effect.kind == RelationKind.PARTITIONED.value for effect in effects):
        return f"DROP INDEX IF EXISTS {op.names[0]};"
    if op.kind == "index":
        return f"DROP INDEX CONCURRENTLY IF EXISTS {', '.join(map(str, op.names))};" if len(op.names) == 1 else f"-- use DROP {kind} IF EXISTS"
    if op.table is not None:
        return f"DROP {kind} IF EXISTS {op.names[0]} ON {op.table};"
    return f"-- use DROP {kind} IF EXISTS"


def _if_not_exists(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)\b(SEQUENCE|SCHEMA|EXTENSION|STATISTICS|VALUE)\s+", r"\1 IF NOT EXISTS ", _sql(at, op), count=1) + ";"


def _or_replace(at: Context, op: Operation) -> str:
    return re.sub(r"(?i)^CREATE\s+", "CREATE OR REPLACE ", _sql(at, op), count=1) + ";"


def _is_partitioned(at: Context, table: Name) -> bool:
    relation = at.catalog.relation(table)
    return relation is not None and relation.kind is RelationKind.PARTITIONED


def _with_drop(at: Context, op: sql.CreatePolicy) -> str:
    return f"DROP POLICY IF EXISTS {quoted(op.policy)} ON {op.table};\n{_sql(at, op)};"


def _index(at: Context, op: sql.CreateIndex) -> str | None:
    if op.name is None:
        return "-- give the index a name: then a DROP INDEX IF EXISTS before this statement can remove an existing one"
    if (at.is_new(op.table) and not op.concurrently) or _is_partitioned(at, op.table):
        # Its index is not built CONCURRENTLY, so a failure leaves no INVALID index of this name.
        return re.sub(r"(?i)\bINDEX\s+", "INDEX IF NOT EXISTS ", _sql(at, op), count=1) + ";"
    # Where an index is built CONCURRENTLY, there is no transaction, in an autocommit block of a script neither.
    one_by_one = at.migration.up.transaction in (Transaction.STATEMENT, Transaction.NONE) or (
        op.concurrently and at.migration.up.transaction is Transaction.FILE
    )
    return recreate_index(op, op.name, in_one_step=False) if one_by_one else None


def _alteration(at: Context, op: AlterRelation) -> str | None:
    verb = f"ALTER {op.target.kind.upper()} {op.target.name}"
    match op:
        case sql.AddColumn():
            words = re.sub(r"(?i)^ADD\s+(?:COLUMN\s+)?", "ADD COLUMN IF NOT EXISTS ", _sql(at, op))
            return f"{verb} {words};"
        case sql.DropColumn():
            return "-- use DROP COLUMN IF EXISTS"
        case sql.DropConstraint():
            return f"{verb} DROP CONSTRAINT IF EXISTS {quoted(op.constraint)};"
        case sql.AddConstraint(constraint=constraint) if constraint.kind is not ConstraintKind.PRIMARY_KEY and constraint.index is None:
            if constraint.name is None:
                return "-- give the constraint a name: then a DROP CONSTRAINT IF EXISTS in the same ALTER TABLE can remove an existing one"
            is_new = at.is_new(op.target.name)
            if is_new and constraint.kind not in (ConstraintKind.CHECK, ConstraintKind.FOREIGN_KEY):
                # A foreign key may depend on it, so it cannot be dropped.
                return _IN_TRANSACTION_OF_TABLE if at.catalog.is_created_now(at.catalog.relation(op.target.name)) else None
            definition = re.sub(r"(?is)^CONSTRAINT\s+(?:\"(?:[^\"]|\"\")*\"|\S+)\s+", "", at.text(*constraint.span))
            return recreate_constraint(op.target.name, constraint, constraint.name, definition, in_one_step=is_new)
    return None


def _type(at: Context, op: Operation) -> str:
    return f"DO $$\nBEGIN\n    {_sql(at, op)};\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;"


_REWRITES: tuple[tuple[Any, Callable[[Context, Any], str | None]], ...] = (
    ((sql.CreateTable, sql.CreateTableAs), _only_words("CREATE TABLE IF NOT EXISTS")),
    (sql.CreateMaterializedView, _only_words("CREATE MATERIALIZED VIEW IF NOT EXISTS")),
    ((sql.CreateSequence, sql.CreateStatistics, sql.CreateSchema, sql.CreateExtension, sql.AddEnumValue), _if_not_exists),
    ((sql.CreateView, sql.CreateFunction, sql.CreateRule, sql.CreateTrigger), _or_replace),
    ((sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain), _type),
    (sql.CreatePolicy, _with_drop),
    (sql.CreateIndex, _index),
    (sql.Drop, _drop),
    (AlterRelation, _alteration),
)
