"""Whether an expression that is assigned to a column gives another value when it is computed again from its own result.

`n + 1` does, `lower(note)` does not. A copy of another column does not change either, because that column still has the same value. A
user-defined function or a pattern is assumed to give the same value: `normalize(name)` usually does.
"""

from collections.abc import Iterator
from typing import Literal

from sqlglot import exp

from migsafe.expressions.trees import folded_name, folded_table, parse_expression
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName

_APPENDING_FUNCTIONS = frozenset(("array_append", "array_prepend", "array_cat", "concat", "concat_ws", "jsonb_insert"))
_CLOCKS = frozenset(("clock_timestamp", "timeofday", "statement_timestamp"))
_TEXT_TYPES = frozenset(("text", "character varying", "character", "citext"))
_ANY_TYPE_FUNCTIONS = frozenset(("to_json", "to_jsonb"))

Reconversion = Literal["converts again", "expects the old type"]
"""What the USING of an ALTER COLUMN … TYPE does to values that already have the new type."""


def volatile_functions(tree: exp.Expr, pg_version: int) -> Iterator[str]:
    """Yield the names of PostgreSQL's volatile functions that an expression calls."""
    for call in tree.find_all(exp.Func):
        name = call.sql("postgres").partition("(")[0].lower()
        if volatility_of(Name(name), pg_version) == "volatile":
            yield name


class Assignments:
    """The assignments `SET column = expression` of one statement, and which of them change a value again when the statement runs again.

    `target` holds the names by which the expressions can call the table; `jsonb` its columns of that type.
    """

    def __init__(
        self, assignments: list[tuple[str, exp.Expr]], target: frozenset[str], pg_version: int, jsonb: frozenset[str] = frozenset()
    ) -> None:
        self.assignments = assignments
        self.target = target
        self.pg_version = pg_version
        self.jsonb = jsonb
        self.assigned = frozenset(column for column, _ in assignments)

    def columns_changed_again(self) -> list[str]:
        """Return the columns that get another value when the statement runs again."""
        return [column for column, value in self.assignments if self._changes_again(value)]

    def _changes_again(self, value: exp.Expr) -> bool:
        return (
            any(self._grows(column) for column in self._assigned_columns(value)) or self._reads_changed_column(value) or self._is_drawn(value)
        )

    def _assigned_columns(self, value: exp.Expr) -> Iterator[exp.Expr]:
        """Yield the places where an expression names an assigned column of the target. Columns in a subquery are the subquery's own."""
        for column in value.find_all(exp.Column):
            table = folded_table(column)
            if folded_name(column.this) in self.assigned and (not table or table in self.target) and not column.find_ancestor(exp.Select):
                yield column

    def _reads_changed_column(self, value: exp.Expr) -> bool:
        """Whether a value reads a column that the same statement changes: the second run reads what the first run wrote."""
        own_column = next(column for column, assigned in self.assignments if assigned is value)
        columns = {folded_name(column.this) for column in self._assigned_columns(value)} - {own_column}
        return any(not self._keeps(column) for column in columns)

    def _keeps(self, column: str) -> bool:
        """Whether a column is set to itself."""
        value = next(value for name, value in self.assignments if name == column)
        return isinstance(value, exp.Column) and folded_name(value.this) == column

    def _grows(self, column: exp.Expr) -> bool:
        """Whether the expression around a column makes another value of it on each run."""
        node, parent = column, column.parent
        while parent is not None and not isinstance(parent, exp.Update | exp.Insert | exp.OnConflict | exp.When | exp.Select):
            if isinstance(parent, exp.If) and parent.this is node:
                return self._chains(parent)
            if isinstance(parent, exp.Case) and parent.this is node:
                return self._chains(parent.args["ifs"][0])
            if isinstance(parent, exp.Predicate) or (isinstance(parent, exp.Not) and not isinstance(node, exp.Column)):
                node, parent = parent, parent.parent
                continue
            if self._changes(parent, node):
                return True
            node, parent = parent, parent.parent
        return False

    def _changes(self, parent: exp.Expr, node: exp.Expr) -> bool:
        match parent:
            case exp.Add() | exp.Mul() | exp.Div() | exp.IntDiv() | exp.Mod() | exp.Neg() | exp.Not() | exp.Array() | exp.Pow():
                return True
            case exp.AtTimeZone() | exp.Concat() | exp.ConcatWs() | exp.ArrayAppend() | exp.ArrayPrepend() | exp.ArrayConcat():
                return True
            case exp.Sub():
                # The second removal of a key from a jsonb value changes nothing.
                return not (bool(parent.expression.is_string) or self._is_json(node))
            case exp.DPipe():
                other_operand = parent.expression if parent.this is node else parent.this
                return not (self._is_json(node) or self._is_json(other_operand))
            case exp.Replace():
                old, new = parent.expression, parent.args.get("replacement")
                return new is not None and bool(old.is_string and new.is_string and old.this in new.this)
            case exp.Anonymous():
                return str(parent.this).lower() in _APPENDING_FUNCTIONS
        return False

    def _is_json(self, node: exp.Expr) -> bool:
        if isinstance(node, exp.Cast):
            return bool(node.to.sql("postgres").lower().startswith("json"))
        if isinstance(node, exp.Column):
            return folded_name(node.this) in self.jsonb
        return isinstance(node, exp.JSONObject) or (isinstance(node, exp.Anonymous) and str(node.this).lower().startswith("jsonb_build"))

    def _chains(self, branch: exp.Expr) -> bool:
        """Whether a CASE on the column itself gives a value that another branch changes again: 'a' to 'b', and 'b' to 'c'."""
        case = branch.parent if isinstance(branch.parent, exp.Case) else branch
        branches = case.args.get("ifs", ())
        results = {arm.args["true"].this for arm in branches if isinstance(arm.args.get("true"), exp.Literal)}
        conditions = {literal.this for arm in branches for literal in arm.this.find_all(exp.Literal)}
        return bool(results & conditions)

    def _is_drawn(self, value: exp.Expr) -> bool:
        """Whether a value is different on each run: a random value, the next number of a sequence. Times of the clock do not count."""
        return any(name not in _CLOCKS for name in volatile_functions(value, self.pg_version))

    def is_guarded(self, where: exp.Expr | None) -> bool:
        """Whether a condition excludes the rows that the statement has already changed: it tests an assigned column for certain values."""
        if where is None:
            return False
        for column in self._assigned_columns(where):
            parent = column.parent
            while isinstance(parent, exp.Func | exp.Cast | exp.Paren) and not isinstance(parent, exp.Predicate | exp.And | exp.Or | exp.Exists):
                parent = parent.parent
            if not isinstance(parent, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between):
                return True
        return False


def converts_again(op: sql.AlterColumnType, old_type: TypeName | None, pg_version: int) -> Reconversion | None:
    """Return what the USING of an ALTER COLUMN … TYPE does to values that already have the new type; None where it keeps them."""
    tree = parse_expression(op.using) if op.using is not None else None
    if tree is None or not any(folded_name(column.this) == op.column for column in tree.find_all(exp.Column)) or _is_cast(tree):
        return None
    assignments = Assignments([(op.column, tree.copy())], frozenset((op.target.name.name,)), pg_version)
    is_text = op.type.name in _TEXT_TYPES and not op.type.dimensions
    if assignments.columns_changed_again():
        return "converts again"
    if (old_type is None or old_type != op.type) and not _accepts_both_types(tree, is_text=is_text):
        return "expects the old type"
    return None


def _is_cast(tree: exp.Expr) -> bool:
    """Whether an expression is a column, perhaps with casts around it."""
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    return isinstance(tree, exp.Column)


def _accepts_both_types(tree: exp.Expr, *, is_text: bool) -> bool:
    """Whether an expression that was written for the old type also keeps a value of the new type."""
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    match tree:
        case exp.Anonymous():
            return str(tree.this).lower() in _ANY_TYPE_FUNCTIONS
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return is_text or not any(literal.is_string for literal in tree.find_all(exp.Literal))
        case exp.Lower() | exp.Upper() | exp.Trim() | exp.Nullif() | exp.Left() | exp.Initcap() | exp.Case():
            return is_text
    return False
