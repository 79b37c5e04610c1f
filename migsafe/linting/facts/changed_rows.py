"""The rows that an UPDATE, DELETE or MERGE changes, and those that an INSERT copies."""

import re
from collections.abc import Iterator

from migsafe import expressions
from migsafe.linting.facts.ownership import column_added_by_migration
from migsafe.linting.facts.restricted_tables import joins_restricted_table
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.formulas import identifiers
from migsafe.sql.operations import AddColumn, Delete, Insert, Merge, Name, Update

_CHANGES = (Update, Delete, Merge)
_WORDS = "null|is|in|exists|select|any|some|all|not|or|case|coalesce|nullif|true|false|using|with"
_MAY_RESTRICT_NOTHING = lazy_pattern(rf"\b(?:{_WORDS})\b|<>|!=", re.IGNORECASE)
_MAY_RESTRICT_NOTHING_OR_JOIN = lazy_pattern(rf"\b(?:{_WORDS}|from)\b|<>|!=", re.IGNORECASE)
_NAMED_QUERY = lazy_pattern(
    r"(?:\bWITH\s+(?:RECURSIVE\s+)?|\)\s*,\s*)(\w+)\s*(?:\([^()]*\)\s*)?AS\s+(?:(?:NOT\s+)?MATERIALIZED\s*)?\(", re.IGNORECASE
)
_WORD = lazy_pattern(r"\w+")
_LIMIT = lazy_pattern(r"\bLIMIT\s+\w+", re.IGNORECASE)


def _unknown(_: str) -> bool:
    return False


def changes_rows_by_key(op: Update | Delete, at: Context) -> bool:
    """Whether a statement finds its rows by the values of a primary or unique key: it changes a few rows, whatever the size of the table. Of an
    unknown table `id` is taken for the key."""
    if op.current_of is not None:
        return True
    if op.where is None:
        return False
    # Most filters name no key, and need no tree.
    named = set(identifiers(op.where.sql))
    keys = [key for key in _keys(op.table, at) if key <= named]
    if not keys:
        return False
    columns = expressions.columns_equal_to_constants(op.where)
    if any(key <= columns for key in keys):
        return True
    text = "" if is_in_called_function(at, op) else at.text(*op.span)
    if "values" not in text.lower() or _reads_outer_query(op, at):
        return False
    return any(key <= expressions.columns_joined_to_values(text) for key in keys)


def _keys(table: Name, at: Context) -> Iterator[frozenset[str]]:
    """Yields the columns of each primary or unique key of a table."""
    relation = at.catalog.relation(table)
    if relation is None or not relation.complete:
        yield frozenset(("id",))
    if relation is None:
        return
    for index in at.catalog.indexes(relation.oid):
        if index.unique and index.valid and index.predicate is None:
            columns = [relation.column_numbered(key.column) if key.column is not None else None for key in index.keys]
            if None not in columns:
                yield frozenset(column.name for column in columns if column is not None)


def long_work(at: Context) -> list[Effect]:
    """Returns the effects of the operation that take a time that grows with a table."""
    return at.fact(_long_work)


def _long_work(at: Context) -> list[Effect]:
    op = at.operation
    if isinstance(op, Update | Delete) and changes_rows_by_key(op, at):
        return []
    slow = at.slow_effects(filled=True)
    if slow or not isinstance(op, (*_CHANGES, Insert)):
        return slow
    lock = LockMode.ACCESS_SHARE if isinstance(op, Insert) else LockMode.ROW_EXCLUSIVE
    effects = [effect for effect in at.effects if (effect.filled or not effect.new) and effect.lock is lock]
    return effects if not isinstance(op, Insert) or (effects and _copies_rows(op, at)) else []


def _copies_rows(op: Insert, at: Context) -> bool:
    """Whether an INSERT copies the rows of other tables, except for those in which some columns are null or are not. The text decides first
    whether a tree is needed."""
    return op.source == "query" and "null" in at.text(*op.span).lower() and expressions.inserts_all_but_nulls(at.text(*op.span))


def unrestricting_filter(op: Update | Delete | Merge, at: Context) -> "frozenset[expressions.Unrestricting] | None":
    """Returns why a statement may change every row of its table; None if its filter restricts them."""
    not_null = expressions.not_null_columns(at.catalog.relation(op.table))
    if not isinstance(op, Merge):
        if op.where is None:
            return None if op.current_of is not None else frozenset()
        if expressions.is_always_true(op.where, not_null, lambda name: is_null_in_every_row(op.table, name, at)):
            return frozenset((expressions.Unrestricting.TRUE,))
        if is_in_called_function(at, op) or _reads_outer_query(op, at) or not _needs_tree(op, at):
            return None  # the text of the statement is elsewhere, or the rows that it joins are
    reasons = expressions.unrestricted(at.text(*op.span), _target_columns(op.table, at))
    if isinstance(op, Merge) or reasons != frozenset((expressions.Unrestricting.JOIN,)):
        return reasons
    return None if joins_restricted_table(op, at, lambda condition: _restricts(op, condition, at)) else reasons


def _restricts(op: Update | Delete, condition: str, at: Context) -> bool:
    """Whether a condition would restrict the rows of a statement."""
    values = ", ".join(f"{Name(column)} = DEFAULT" for column in op.columns) if isinstance(op, Update) else ""
    words = ("UPDATE", str(op.table), "SET", values) if values else ("DELETE FROM", str(op.table))
    return expressions.unrestricted(" ".join((*words, "WHERE", condition)), _target_columns(op.table, at)) is None


def restricts_only_by_limit(op: Update | Delete, at: Context) -> bool:
    """Whether a change of the statement itself would change every row without its LIMIT."""
    text = at.text(*op.span)
    without, count = _LIMIT.subn("", text)
    return bool(count) and expressions.unrestricted(without, _target_columns(op.table, at)) is not None


def reads_rows_to_fill(query: str, op: Update, at: Context) -> bool:
    """Whether a query reads every row of the table of an UPDATE, or each one that the UPDATE has not filled yet."""
    return expressions.reads_every_row(query, op.table.name, op.columns, _target_columns(op.table, at))


def _target_columns(table: Name, at: Context) -> "expressions.TargetColumns":
    not_null = expressions.not_null_columns(at.catalog.relation(table))
    return expressions.TargetColumns(
        not_null=lambda name: not_null(name) or _has_default(table, name, at),
        null=lambda name: is_null_in_every_row(table, name, at),
        constant=lambda name: _has_default(table, name, at) and not _is_set(table, name, at),
        filled=lambda name: _is_set(table, name, at, wholly=True),
    )


def _reads_outer_query(op: Update | Delete, at: Context) -> bool:
    """Whether a statement in the WITH of another one may read a query that is named before it there: that may be a batch."""
    before = at.text(at.statement.span.start, op.span.start).rpartition(";")[2]
    words = set(_WORD.findall(at.text(*op.span).lower()))
    return any(name.lower() in words for name in _NAMED_QUERY.findall(before))


def _needs_tree(op: Update | Delete, at: Context) -> bool:
    """Whether the filter may restrict nothing. Comparisons of old columns with constants, the usual case, restrict: they need no tree."""
    words = _MAY_RESTRICT_NOTHING if isinstance(op, Delete) else _MAY_RESTRICT_NOTHING_OR_JOIN
    if op.where is None or words.search(at.text(*op.span)):
        return True
    return any(column_added_by_migration(at, op.table, name) is not None for name in identifiers(op.where.sql))


def is_null_in_every_row(table: Name, column: str, at: Context) -> bool:
    """Whether a column is null in every row: this migration added it without a value and has not filled it since."""
    addition = column_added_by_migration(at, table, column)
    return addition is not None and adds_without_value(addition) and not _is_set(table, column, at)


def adds_without_value(op: AddColumn) -> bool:
    """Whether ADD COLUMN certainly adds a column that is null in every row. IF NOT EXISTS may find a column with values."""
    new = op.column
    return op.certain and not (new.default or new.identity or new.generated or new.not_null)


def _has_default(table: Name, column: str, at: Context) -> bool:
    """Whether this migration added a column with a default."""
    addition = column_added_by_migration(at, table, column)
    return addition is not None and addition.certain and addition.column.default is not None


def _is_set(table: Name, column: str, at: Context, *, wholly: bool = False) -> bool:
    """Whether a statement of this migration has set a column of existing rows; `wholly`: of all rows that had no value."""
    resolved = at.resolve(table)
    for done in at.past:
        match done.operation:
            case Update(table=changed, columns=columns) as op if column in columns and at.resolve(changed) == resolved:
                if (
                    not wholly
                    or op.where is None
                    or expressions.unrestricted(
                        at.text(*op.span), expressions.TargetColumns(not_null=_unknown, null=_unknown, constant=_unknown, filled=_unknown)
                    )
                    is not None
                ):
                    return True
    return False
