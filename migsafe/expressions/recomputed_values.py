"""Whether an expression that is written to a column gives something else when it is computed once more from what it gave.

`n + 1` does, `lower(note)` does not, and what another column says does not change by being copied again. What nobody can tell, a function
of the user's or a pattern, is taken to change nothing: who calls `normalize(name)` means it to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from migsafe.expressions.trees import parse_expression
from migsafe.linting.reruns.touch import Outcome
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName

if TYPE_CHECKING:
    from sqlglot import exp

_APPENDS = frozenset(("array_append", "array_prepend", "array_cat", "concat", "concat_ws", "jsonb_insert"))
_CLOCKS = frozenset(("clock_timestamp", "timeofday", "statement_timestamp"))
_TEXTS = frozenset(("text", "character varying", "character", "citext"))
_WHOLE_VALUES = frozenset(("to_json", "to_jsonb"))


class Changes:
    """What the assignments `SET column = expression` of one statement do when they run again."""

    def __init__(
        self, assignments: list[tuple[str, exp.Expr]], target: frozenset[str], pg_version: int, jsonb: frozenset[str] = frozenset()
    ) -> None:
        self.assignments = assignments
        self.target = target
        self.pg_version = pg_version
        self.jsonb = jsonb
        self.assigned = frozenset(name for name, _ in assignments)

    @cached_property
    def _exp(self) -> Any:
        from sqlglot import exp  # noqa: PLC0415  # costs more than the rest of the program's start

        return exp

    def repeated(self) -> list[str]:
        """The columns that get something else when the statement runs again."""
        return [name for name, value in self.assignments if self._repeats(value)]

    def _repeats(self, value: exp.Expr) -> bool:
        return any(self._grows(column) for column in self._own(value)) or self._crosses(value) or self._is_drawn(value)

    def _own(self, value: exp.Expr) -> Iterator[exp.Expr]:
        """The columns of the target that are assigned too, where they stand in an expression; what a query in it reads is its own."""
        e = self._exp
        for column in value.find_all(e.Column):
            table = column.table.lower()
            if column.name.lower() in self.assigned and (not table or table in self.target) and not column.find_ancestor(e.Select):
                yield column

    def _crosses(self, value: exp.Expr) -> bool:
        """Whether it reads a column that the statement gives another value: the second run reads what the first one wrote."""
        name = next(name for name, one in self.assignments if one is value)
        others = {column.name.lower() for column in self._own(value)} - {name}
        return any(not self._keeps(other) for other in others)

    def _keeps(self, name: str) -> bool:
        value = next(value for one, value in self.assignments if one == name)
        return isinstance(value, self._exp.Column) and value.name.lower() == name

    def _grows(self, column: exp.Expr) -> bool:
        """Whether what stands around a column makes another value of it each time."""
        e = self._exp
        node, parent = column, column.parent
        while parent is not None and not isinstance(parent, e.Update | e.Insert | e.OnConflict | e.When | e.Select):
            if isinstance(parent, e.If) and parent.this is node:
                return self._chains(parent)
            if isinstance(parent, e.Case) and parent.this is node:
                return self._chains(parent.args["ifs"][0])
            if isinstance(parent, e.Predicate) or (isinstance(parent, e.Not) and not isinstance(node, e.Column)):
                node, parent = parent, parent.parent
                continue
            if self._changes(parent, node):
                return True
            node, parent = parent, parent.parent
        return False

    def _changes(self, parent: exp.Expr, node: exp.Expr) -> bool:
        e = self._exp
        match parent:
            case e.Add() | e.Mul() | e.Div() | e.IntDiv() | e.Mod() | e.Neg() | e.Not() | e.Array() | e.Pow() | e.AtTimeZone():
                return True
            case e.Concat() | e.ConcatWs() | e.ArrayAppend() | e.ArrayPrepend() | e.ArrayConcat():
                return True
            case e.Sub():
                # A key is taken out of a jsonb value only once.
                return not (bool(parent.expression.is_string) or self._is_json(node))
            case e.DPipe():
                other = parent.expression if parent.this is node else parent.this
                return not (self._is_json(node) or self._is_json(other))
            case e.Replace():
                old, new = parent.expression, parent.args.get("replacement")
                return new is not None and bool(old.is_string and new.is_string and old.this in new.this)
            case e.Anonymous():
                return str(parent.this).lower() in _APPENDS
        return False

    def _is_json(self, node: exp.Expr) -> bool:
        e = self._exp
        if isinstance(node, e.Cast):
            return bool(node.to.sql("postgres").lower().startswith("json"))
        if isinstance(node, e.Column):
            return node.name.lower() in self.jsonb
        return isinstance(node, e.JSONObject) or (isinstance(node, e.Anonymous) and str(node.this).lower().startswith("jsonb_build"))

    def _chains(self, branch: exp.Expr) -> bool:
        """Whether a CASE over the column itself makes a value that another branch of it changes again: 'a' to 'b', and 'b' to 'c'."""
        e = self._exp
        case = branch.parent if isinstance(branch.parent, e.Case) else branch
        results = {one.args["true"].this for one in case.args.get("ifs", ()) if isinstance(one.args.get("true"), e.Literal)}
        sought = {literal.this for one in case.args.get("ifs", ()) for literal in one.this.find_all(e.Literal)}
        return bool(results & sought)

    def _is_drawn(self, value: exp.Expr) -> bool:
        """Whether it is drawn anew each time: a random value, the next number of a sequence."""
        for call in value.find_all(self._exp.Func):
            name = call.sql("postgres").partition("(")[0].lower()
            if name not in _CLOCKS and volatility_of(Name(name), self.pg_version) == "volatile":
                return True
        return False

    def is_guarded(self, where: exp.Expr | None) -> bool:
        """Whether a condition leaves out what the statement has changed already: it says what an assigned column is, or is not."""
        if where is None:
            return False
        e = self._exp
        ranges = (e.GT, e.GTE, e.LT, e.LTE, e.Between)
        for column in self._own(where):
            parent = column.parent
            while isinstance(parent, e.Func | e.Cast | e.Paren) and not isinstance(parent, e.Predicate | e.And | e.Or | e.Exists):
                parent = parent.parent
            if not isinstance(parent, ranges):
                return True
        return False


def converts_again(op: sql.AlterColumnType, before: TypeName | None, pg_version: int) -> tuple[str, Outcome] | None:
    """What an ALTER COLUMN … TYPE … USING does to values that have the new type already; None where that is nothing."""
    from sqlglot import exp  # noqa: PLC0415

    tree = parse_expression(op.using) if op.using is not None else None
    if tree is None or not any(column.name.lower() == op.column for column in tree.find_all(exp.Column)) or _is_cast(tree):
        return None
    changes = Changes([(op.column, tree.copy())], frozenset((op.target.name.name,)), pg_version)
    is_text = op.type.name in _TEXTS and not op.type.dimensions
    if changes.repeated():
        return "its USING converts the values once more, or stops at them", Outcome.EITHER
    if (before is None or before != op.type) and not _takes_both(tree, is_text=is_text):
        return "its USING meets values that have the new type already", Outcome.EITHER
    return None


def _is_cast(tree: exp.Expr) -> bool:
    """Whether an expression is the column, cast perhaps several times."""
    from sqlglot import exp  # noqa: PLC0415

    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    return isinstance(tree, exp.Column)


def _takes_both(tree: exp.Expr, *, is_text: bool) -> bool:
    """Whether an expression that keeps a value of the new type does so for the old type too."""
    from sqlglot import exp  # noqa: PLC0415

    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    match tree:
        case exp.Anonymous():
            return str(tree.this).lower() in _WHOLE_VALUES
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return is_text or not any(literal.is_string for literal in tree.find_all(exp.Literal))
        case exp.Lower() | exp.Upper() | exp.Trim() | exp.Nullif() | exp.Left() | exp.Initcap() | exp.Case():
            return is_text
    return False
