"""Which rows the filter of an UPDATE, DELETE or MERGE leaves out.

A filter is a conjunction. A conjunct restricts nothing if it is true of every row, if it only joins the rows with those of other tables, if it
only leaves out the rows that another table has (NOT EXISTS, NOT IN: how many rows remain is unknown), or if it only finds the rows that the
statement has not filled yet. Every other conjunct restricts: a comparison with a constant or a variable, a range, a function of the columns,
an anti-join with the table itself, LIMIT, HAVING, rows that are written in the statement itself (VALUES).
"""

from collections.abc import Iterable, Iterator

from sqlglot import exp

from migsafe.expressions.filters import TargetColumns, Unrestricting
from migsafe.expressions.trees import folded_name, parse_expression, parse_statement
from migsafe.expressions.truth import truth_of_every_row
from migsafe.sql.operations import Expression


def unrestricted(text: str, columns: TargetColumns) -> frozenset[Unrestricting] | None:
    """Return why the filter of an UPDATE, DELETE or MERGE does not restrict its rows; None if it does, or where that is not known.

    `text` is the statement. Without any condition the set is empty.
    """
    tree = parse_statement(text)
    if not isinstance(tree, exp.Update | exp.Delete | exp.Merge):
        return None
    try:
        return _Filter(tree, columns).reasons()
    except RecursionError:
        return None


def reads_every_row(query: str, table: str, assigned: Iterable[str], columns: TargetColumns) -> bool:
    """Return whether a query reads every row of a table, or each one in which one of the `assigned` columns has no value yet."""
    tree = parse_statement(query)
    if not isinstance(tree, exp.Select):
        return False
    target = next((source for source in tree.find_all(exp.Table) if source.name.lower() == table.lower()), None)
    if target is None:
        return False
    equations = [exp.EQ(this=exp.column(name, quoted=True), expression=exp.null()) for name in assigned]
    update = exp.Update(this=target.copy(), expressions=equations, from_=exp.From(this=exp.Subquery(this=tree)))
    try:
        return _Filter(update, columns).reasons() is not None
    except RecursionError:
        return False


def inserts_all_but_nulls(text: str) -> bool:
    """Return whether an INSERT takes the rows of a query that leaves out only those in which some columns are null, or are not."""
    tree = parse_statement(text)
    query = tree.args.get("expression") if isinstance(tree, exp.Insert) else None
    if not isinstance(query, exp.Select) or query.args.get("limit") is not None or query.args.get("having") is not None:
        return False
    where = query.args.get("where")
    return where is None or _is_null_test(where.this)


def _is_null_test(tree: exp.Expr) -> bool:
    match tree:
        case exp.Paren() | exp.Not():
            return _is_null_test(tree.this)
        case exp.And() | exp.Or():
            return _is_null_test(tree.this) and _is_null_test(tree.expression)
        case exp.Is():
            return isinstance(tree.this, exp.Column) and isinstance(tree.expression, exp.Null)
    return False


def columns_equal_to_constants(where: Expression) -> frozenset[str]:
    """Return the columns that a condition compares for equality with constants or variables, in each of the rows that it accepts."""
    tree = parse_expression(where)
    return frozenset(_constant_columns(tree)) if tree is not None else frozenset()


def _constant_columns(tree: exp.Expr) -> Iterator[str]:
    match tree:
        case exp.Paren():
            yield from _constant_columns(tree.this)
        case exp.And():
            yield from _constant_columns(tree.this)
            yield from _constant_columns(tree.expression)
        case exp.EQ():
            for column, value in ((tree.this, tree.expression), (tree.expression, tree.this)):
                if isinstance(column, exp.Column) and not _columns(value) and value.find(exp.Select) is None:
                    yield folded_name(column.this)
        case exp.In() if isinstance(tree.this, exp.Column) and tree.args.get("query") is None:
            if all(not _columns(value) for value in tree.expressions):
                yield folded_name(tree.this.this)


def columns_joined_to_values(text: str) -> frozenset[str]:
    """Return the columns of the target that an UPDATE or DELETE compares for equality with columns of rows that are written in it (VALUES), in
    each of the rows that it changes."""
    tree = parse_statement(text)
    if not isinstance(tree, exp.Update | exp.Delete):
        return frozenset()
    with_clause = tree.args.get("with_")
    names = {query.alias_or_name.lower() for query in (with_clause.expressions if with_clause is not None else ()) if _is_values(query.this)}
    clause = tree.args.get("from_")
    sources = [clause.this] if clause is not None else list(tree.args.get("using") or ())
    written = {source.alias_or_name.lower() for source in sources if _is_values(source) or source.name.lower() in names}
    target = tree.this.alias_or_name.lower() if tree.this is not None else ""
    where = tree.args.get("where")
    return frozenset(_joined_columns(where.this, target, written)) if where is not None and written else frozenset()


def _is_values(tree: exp.Expr) -> bool:
    """Whether a source of rows, or a query, is a list of rows: `VALUES …`, which sqlglot reads as `SELECT * FROM (VALUES …)` in a WITH."""
    match tree:
        case exp.Values():
            return True
        case exp.Subquery():
            return _is_values(tree.this)
        case exp.Select():
            clause = tree.args.get("from_")
            return clause is not None and not tree.args.get("joins") and _is_values(clause.this)
    return False


def _joined_columns(tree: exp.Expr, target: str, written: set[str]) -> Iterator[str]:
    match tree:
        case exp.Paren():
            yield from _joined_columns(tree.this, target, written)
        case exp.And():
            yield from _joined_columns(tree.this, target, written)
            yield from _joined_columns(tree.expression, target, written)
        case exp.EQ():
            for column, value in ((tree.this, tree.expression), (tree.expression, tree.this)):
                columns = _columns(value)
                is_own = isinstance(column, exp.Column) and column.table.lower() == target
                if is_own and columns and all(each.table.lower() in written for each in columns):
                    yield folded_name(column.this)


class _Filter:
    """The filter of one statement: the names by which it calls the target, the columns that it sets, and the queries of its WITH."""

    def __init__(self, tree: exp.Update | exp.Delete | exp.Merge, columns: TargetColumns) -> None:
        self.tree = tree
        self.columns = columns
        self.target = frozenset((tree.this.alias_or_name.lower(),)) if tree.this is not None else frozenset()
        self.assigned = frozenset(_assigned_columns(tree))
        with_clause = tree.args.get("with_") or tree.args.get("with")
        self.queries = {query.alias_or_name.lower(): query.this for query in (with_clause.expressions if with_clause is not None else ())}
        self._whole: dict[tuple[int, frozenset[str]], bool] = {}

    def reasons(self) -> frozenset[Unrestricting] | None:
        if not isinstance(self.tree, exp.Merge):
            return self._reasons(*self._parts())
        for when in self.tree.args["whens"].expressions:
            if when.args.get("matched") and _changes_rows(when):
                conditions = [self.tree.args["on"], *filter(None, (when.args.get("condition"),))]
                reasons = self._reasons([self.tree.args["using"]], conditions)
                if reasons is not None:
                    return reasons
        return None

    def _reasons(self, sources: list[exp.Expr], conditions: list[exp.Expr]) -> frozenset[Unrestricting] | None:
        names = self.target | {source.alias_or_name.lower() for source in sources}
        if not all(self._is_whole(source, names) for source in sources):
            return None
        found = [self._reason(condition, names) for condition in conditions]
        return None if None in found else frozenset(reason for reason in found if reason is not None)

    def _parts(self) -> tuple[list[exp.Expr], list[exp.Expr]]:
        """Return the other sources of rows, and the conditions that all must be true."""
        where = self.tree.args.get("where")
        clause = self.tree.args.get("from_") or self.tree.args.get("from")
        using = [clause.this] if clause is not None else list(self.tree.args.get("using") or ())
        sources, conditions = _with_joins(using)
        return sources, [*conditions, *([where.this] if where is not None else [])]

    def _is_whole(self, source: exp.Expr, names: frozenset[str]) -> bool:
        """Whether a source of rows has all rows of its tables."""
        match source:
            case exp.Table() if isinstance(source.this, exp.Identifier):
                query = self.queries.get(source.name.lower()) if not source.db else None
                return query is None or self._is_whole_query(query, names)
            case exp.Subquery():
                return self._is_whole_query(source.this, names)
        return False

    def _is_whole_query(self, query: exp.Expr, names: frozenset[str]) -> bool:
        """Whether a query has all rows of its tables, except for those that a join leaves out."""
        place = id(query), names
        if place not in self._whole:
            # Queries of WITH that read each other several times would take a time that grows exponentially; one that reads itself has no end.
            self._whole[place] = False
            self._whole[place] = self._has_all_rows(query, names)
        return self._whole[place]

    def _has_all_rows(self, query: exp.Expr, names: frozenset[str]) -> bool:
        while isinstance(query, exp.Subquery | exp.Paren | exp.Array):
            if isinstance(query, exp.Array) and len(query.expressions) != 1:
                return False
            query = query.expressions[0] if isinstance(query, exp.Array) else query.this  # = ANY (ARRAY(SELECT …))
        if isinstance(query, exp.Union):
            return self._is_whole_query(query.left, names) or self._is_whole_query(query.right, names)
        clause = query.args.get("from_") or query.args.get("from")
        if (
            not isinstance(query, exp.Select)
            or clause is None
            or any(query.args.get(part) for part in ("limit", "having", "offset", "qualify"))
        ):
            return False
        if query.args.get("group") is None and any(output.find(exp.AggFunc) and not output.find(exp.Window) for output in query.expressions):
            return False
        sources, conditions = _with_joins([clause.this], query.args.get("joins") or ())
        where = query.args.get("where")
        inner = names | {source.alias_or_name.lower() for source in sources}
        return all(self._is_whole(source, inner) for source in sources) and all(
            self._reason(condition, inner) is not None for condition in (*conditions, *([where.this] if where is not None else ()))
        )

    def _reason(self, tree: exp.Expr, names: frozenset[str]) -> Unrestricting | None:
        """Return why a condition does not restrict the rows; None if it does."""
        truth = truth_of_every_row(tree, self.columns.not_null, self.columns.null)
        if truth is not None:
            return Unrestricting.TRUE if truth else None
        match tree:
            case exp.Paren():
                return self._reason(tree.this, names)
            case exp.And():
                both = [self._reason(operand, names) for operand in (tree.this, tree.expression)]
                return None if None in both else max((reason for reason in both if reason is not None), key=_ORDER.index)
            case exp.Or():
                return self._reason(tree.this, names) or self._reason(tree.expression, names)
            case exp.Is() if isinstance(tree.expression, exp.Null) and not tree.args.get("negate") and self._may_be_null(tree.this):
                return Unrestricting.UNFILLED
            case exp.NullSafeNEQ() if self._is_assigned(tree.this) or self._is_assigned(tree.expression):
                return Unrestricting.UNFILLED
            case exp.Not() if (query := _excluded(tree.this)) is not None:
                # The fewer rows the query has, the more remain.
                tables = {table.name.lower() for table in query.find_all(exp.Table)}
                return Unrestricting.OTHERS if tables and self.tree.this.name.lower() not in tables else None
            case exp.Exists():
                return Unrestricting.JOIN if self._is_whole_query(tree.this, names) else None
            case exp.In() if (query := tree.args.get("query")) is not None:
                return Unrestricting.JOIN if self._is_whole_query(query, names) else None
            case exp.EQ() if isinstance(tree.expression, exp.Any) and tree.expression.find(exp.Select) is not None:
                return Unrestricting.JOIN if self._is_whole_query(tree.expression.this, names) else None
            case exp.EQ() | exp.NullSafeEQ() if _is_join(tree, names):
                return Unrestricting.JOIN
        columns = _columns(tree)
        if (
            columns
            and tree.find(exp.Select) is None
            and all(self._is_of_target(column) and self.columns.constant(folded_name(column.this)) for column in columns)
        ):
            return Unrestricting.UNFILLED
        return None

    def _is_of_target(self, column: exp.Column) -> bool:
        return not column.table or column.table.lower() in self.target

    def _is_assigned(self, tree: exp.Expr) -> bool:
        return isinstance(tree, exp.Column) and self._is_of_target(tree) and folded_name(tree.this) in self.assigned

    def _may_be_null(self, tree: exp.Expr) -> bool:
        """Whether a tree is a column that the statement sets, and that may still be null in some rows."""
        name = folded_name(tree.this) if isinstance(tree, exp.Column) else ""
        return self._is_assigned(tree) and not self.columns.not_null(name) and not self.columns.filled(name)


_ORDER = (Unrestricting.TRUE, Unrestricting.JOIN, Unrestricting.OTHERS, Unrestricting.UNFILLED)


def _excluded(condition: exp.Expr) -> exp.Expr | None:
    """Return the query of an EXISTS or IN whose rows NOT leaves out."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    query: exp.Expr | None = None
    if isinstance(condition, exp.Exists):
        query = condition.this
    elif isinstance(condition, exp.In):
        query = condition.args.get("query")
    return query


def _with_joins(sources: list[exp.Expr], joins: "list[exp.Join] | tuple[exp.Join, ...]" = ()) -> tuple[list[exp.Expr], list[exp.Expr]]:
    """Return the sources with those that they join, and the conditions of the inner joins."""
    found, conditions = list(sources), []
    for join in (*joins, *(join for source in sources for join in source.args.get("joins") or ())):
        found.append(join.this)
        if join.args.get("on") is not None and join.side not in ("LEFT", "FULL"):
            conditions.append(join.args["on"])
    return found, conditions


def _is_join(tree: exp.Binary, names: frozenset[str]) -> bool:
    """Whether an equation compares columns of different tables, and no variable."""
    left, right = ({column.table.lower() for column in _columns(side)} for side in (tree.this, tree.expression))
    if not left or not right or not ({*left, *right} - {""} <= names) or len(names) < 2:
        return False
    return left != right or left == {""}


def _changes_rows(when: exp.When) -> bool:
    action = when.args.get("then")
    return isinstance(action, exp.Update) or (isinstance(action, exp.Var) and action.name.upper() == "DELETE")


def _columns(tree: exp.Expr) -> list[exp.Column]:
    return list(tree.find_all(exp.Column))


def _assigned_columns(tree: exp.Expr) -> Iterator[str]:
    for update in tree.find_all(exp.Update):
        for equation in update.expressions:
            if isinstance(equation, exp.EQ):
                left = equation.this
                for column in left.expressions if isinstance(left, exp.Tuple) else (left,):
                    yield folded_name(column.this if isinstance(column, exp.Column) else column)
