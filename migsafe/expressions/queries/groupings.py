"""The columns that a grouped query may only use if it groups by them, read from sqlglot's trees.

It follows check_ungrouped_columns in src/backend/parser/parse_agg.c. What may be an aggregate function (a function that PostgreSQL does not
have, or an aggregate function that sqlglot does not know) is not looked into.
"""

from collections.abc import Iterator

from sqlglot import exp

from migsafe.expressions.queries.aggregates import is_scalar
from migsafe.expressions.queries.operands import ref_of, spelling
from migsafe.expressions.queries.shapes import Grouping, GroupingUse

_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.ArrayAgg, exp.GroupConcat, exp.LogicalAnd, exp.LogicalOr)
_UNKNOWN = (exp.AggFunc, exp.Anonymous, exp.Lambda, exp.Dot, exp.Query, exp.DML, exp.Exists)
_SETS = ("rollup", "cube", "grouping_sets", "all", "totals")
_IN_HAVING = -1


def read_grouping(node: exp.Select) -> Grouping | None:
    """Returns by what a query groups, and the columns that it uses outside aggregate functions; None if it does not group, or by several
    sets of columns."""
    reader = _Reader(node)
    if not reader.read_keys():
        return None
    return reader.read_uses()


def aggregates_in(node: exp.Expr | None) -> bool:
    """Whether an expression calls an aggregate function itself, not in a query in it."""
    return node is not None and any(isinstance(inner, _AGGREGATES) for inner in _own_nodes(node))


def _own_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yields the nodes of an expression without queries and calls of window functions in it."""
    if isinstance(node, exp.Query | exp.Exists | exp.Window):
        return
    yield node
    for child in node.iter_expressions():
        yield from _own_nodes(child)


class _Reader:
    def __init__(self, node: exp.Select) -> None:
        self.node = node
        self.group = node.args.get("group")
        self.columns: list[exp.Expr] = []
        self.positions: list[int] = []
        self.formulas: dict[str, exp.Expr] = {}
        self.uses: list[GroupingUse] = []
        self.is_grouped = self.group is not None

    def read_keys(self) -> bool:
        """Reads GROUP BY. Returns False if it has a form that is not read."""
        if self.group is None:
            return True
        if any(self.group.args.get(key) for key in _SETS):
            return False
        for item in self.group.expressions:
            parts = item.expressions if isinstance(item, exp.Tuple) else [item]
            if not all(self._read_key(part.unnest()) for part in parts):
                return False
        return True

    def _read_key(self, key: exp.Expr) -> bool:
        if isinstance(key, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            return False
        if isinstance(key, exp.Literal):
            number = int(key.this) if not key.is_string and key.this.isdigit() else 0
            if not 0 < number <= len(self.node.expressions):
                return False
            self.positions.append(number - 1)
            key = self.node.expressions[number - 1].unalias().unnest()
        if _is_column(key):
            self.columns.append(key)
        else:
            self.formulas[spelling(key)] = key
        return True

    def read_uses(self) -> Grouping | None:
        """Reads the SELECT list, ORDER BY and HAVING."""
        names = {item.alias for item in self.node.expressions if isinstance(item, exp.Alias)}
        for number, item in enumerate(self.node.expressions):
            self._walk(item.unalias(), number, is_whole=True)
        order = self.node.args.get("order")
        for ordered in order.expressions if order is not None else ():
            key = ordered.this.unnest() if isinstance(ordered, exp.Ordered) else ordered
            if not isinstance(key, exp.Literal) and not (_is_column(key) and not key.table and key.name in names):
                self._walk(key, _IN_HAVING, is_whole=True)
        having = self.node.args.get("having")
        if having is not None:
            self.is_grouped = True
            self._walk(having.this, _IN_HAVING, is_whole=False)
        if not self.is_grouped:
            return None
        mentioned = {ref_of(column).name for key in self.formulas.values() for column in key.find_all(exp.Column) if _is_column(column)}
        return Grouping(
            keys=tuple(ref_of(column) for column in self.columns),
            positions=tuple(self.positions),
            mentioned=tuple(sorted(mentioned)),
            uses=tuple(dict.fromkeys(self.uses)),
        )

    def _walk(self, node: exp.Expr, output: int, *, is_whole: bool) -> None:
        inner = node.unnest()
        if self.formulas and spelling(inner) in self.formulas:
            return
        match inner:
            case exp.Column() if _is_column(inner):
                self.uses.append(GroupingUse(ref_of(inner), output, is_whole))
            case exp.Window():
                function = inner.this
                while isinstance(function, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
                    function = function.this
                for child in (*function.iter_expressions(), *inner.iter_expressions()):
                    if child is not inner.this:
                        self._walk(child, output, is_whole=False)
            case exp.Filter() | exp.WithinGroup():
                self.is_grouped = self.is_grouped or isinstance(inner.this, (*_AGGREGATES, exp.WithinGroup))
            case _ if isinstance(inner, _AGGREGATES):
                self.is_grouped = True
            case exp.In():
                for child in (inner.this, *inner.expressions):
                    self._walk(child, output, is_whole=False)
            case _ if isinstance(inner, _UNKNOWN) and not _is_scalar(inner):
                return
            case _:
                for child in inner.iter_expressions():
                    self._walk(child, output, is_whole=False)


def _is_scalar(node: exp.Expr) -> bool:
    """Whether a call that sqlglot does not know is a function of PostgreSQL that does not aggregate."""
    if not isinstance(node, exp.Anonymous) or not isinstance(node.this, str):
        return False
    return is_scalar(node.this.lower())


def _is_column(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier)
