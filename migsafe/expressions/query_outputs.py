"""The output columns of a query with their names and types, as CREATE TABLE AS and CREATE VIEW take them.

Names and types are resolved as PostgreSQL's analyser does (src/backend/parser/parse_relation.c, parse_target.c).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from msgspec import Struct
from sqlglot import exp

from migsafe.expressions.expression_types import LITERAL, TEXT, TypeOf, common_type, expression_type
from migsafe.expressions.queries.output_names import output_name
from migsafe.expressions.trees import folded_name, parse_query
from migsafe.schema.query_columns import FunctionTypes, QueryColumn, TableColumns
from migsafe.sql.operations import Name, Query, TypeName


class _Source(Struct, frozen=True):
    """An element of FROM: its name, and its columns, None if they are unknown."""

    name: str | None
    columns: tuple[QueryColumn, ...] | None


_SEVERAL_SPELLINGS = (exp.CurrentTimestamp, exp.Extract)
"""What sqlglot reads from spellings with several names: now() and CURRENT_TIMESTAMP, date_part() and EXTRACT."""
_UNKNOWN = _Source(None, None)
_Scopes = tuple[tuple[_Source, ...], ...]
_Ctes = dict[str, tuple[QueryColumn, ...] | None]


def query_columns(query: Query, tables: TableColumns) -> tuple[QueryColumn, ...] | None:
    """Return the output columns of a query; None if their number or their names are unknown. `tables` returns the columns of a relation."""
    columns = unnamed_query_columns(query, tables)
    return None if columns is None or any(not column.name for column in columns) else columns


def unnamed_query_columns(query: Query, tables: TableColumns) -> tuple[QueryColumn, ...] | None:
    """Return the output columns of a query, without a name where it is unknown; None if their number is unknown."""
    tree = parse_query(query)
    if tree is None:
        return None
    try:
        columns = _Resolver(tables).query(tree, (), {})
    except RecursionError:
        return None
    if columns is None:
        return None
    return tuple(QueryColumn(column.name, TEXT if column.type == LITERAL else column.type, column.collation) for column in columns)


Found = TypeVar("Found")
_Visit = Callable[[exp.Expr, TypeOf], None]
"""What is done with an output column of a SELECT. The second argument returns the types of its expressions."""


def find_in_outputs(
    query: Query,
    tables: TableColumns,
    kinds: tuple[type[exp.Expr], ...],
    read: Callable[[Any, TypeOf], Found | None],
    functions: FunctionTypes | None = None,
) -> tuple[Found, ...]:
    """Returns, each once, what `read` finds in the nodes of some kinds in the output columns of a query that are no `*`, in its conditions, and
    in those of the queries in its FROM. `read` gets a node and a function that returns the types of expressions. The outputs of an UPDATE are
    the values that it sets."""
    tree = parse_query(query)
    if tree is None:
        return ()
    if isinstance(tree, exp.Update | exp.Delete):
        tree = _as_select(tree.copy())
    elif isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Query) and not tree.args.get("with_"):
        tree = tree.expression
    found: dict[Found, None] = {}

    def visit(output: exp.Expr, type_of: TypeOf) -> None:
        select = output.find_ancestor(exp.Select)
        for node in output.find_all(*kinds):
            result = read(node, type_of) if node.find_ancestor(exp.Select) is select else None
            if result is not None:
                found[result] = None

    with suppress(RecursionError):
        _Resolver(tables, visit, functions).query(tree, (), {})
    return tuple(found)


def value_types(tree: exp.Update | exp.Insert, tables: TableColumns) -> tuple[TypeName | None, ...]:
    """Return the types of the values that an UPDATE sets, or of the outputs of the query of an INSERT; `LITERAL` for constants."""
    query = _as_select(tree.copy()) if isinstance(tree, exp.Update) else tree.expression
    try:
        columns = _Resolver(tables).query(query, (), {})
    except RecursionError:
        return ()
    return tuple(column.type for column in columns or ())


def _as_select(tree: exp.Update | exp.Delete) -> exp.Select:
    """Return a query over the rows that a statement changes, whose outputs are the values that it sets."""
    values = [assignment.expression for assignment in tree.expressions if isinstance(assignment, exp.EQ)]
    others = [tree.args["from_"].this] if tree.args.get("from_") else tree.args.get("using") or ()
    joins = [exp.Join(this=other) for other in others]
    return exp.Select(
        with_=tree.args.get("with_"), expressions=values, from_=exp.From(this=tree.this), joins=joins, where=tree.args.get("where")
    )


class _Resolver:
    """Resolves one query."""

    def __init__(self, tables: TableColumns, visit: _Visit | None = None, functions: FunctionTypes | None = None) -> None:
        self._tables = tables
        self._visit = visit
        self._functions = functions

    def query(self, node: exp.Expr, scopes: _Scopes, ctes: _Ctes) -> tuple[QueryColumn, ...] | None:
        """Return the output columns of a query; without a name where it is unknown."""
        ctes = self._with(node, scopes, ctes)
        match node:
            case exp.Select():
                return self._select(node, scopes, ctes)
            case exp.SetOperation():
                return _united(self.query(node.this, scopes, ctes), self.query(node.expression, scopes, ctes))
            case exp.Subquery() if isinstance(node.this, exp.Query):
                return self.query(node.this, scopes, ctes)
            case exp.Values() if node.expressions:
                rows = [[self._type(item, scopes, ctes) for item in row.expressions] for row in node.expressions]
                if any(len(row) != len(rows[0]) for row in rows):
                    return None
                types = (common_type(column) for column in zip(*rows, strict=True))
                return tuple(QueryColumn(f"column{number}", type_, None) for number, type_ in enumerate(types, 1))
        return None

    def _with(self, node: exp.Expr, scopes: _Scopes, ctes: _Ctes) -> _Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        inner = dict(ctes)
        for cte in clause.expressions:
            name, names = _alias(cte)
            if name is None:
                continue
            # The types of a recursive query are those of its first part, in which its own name does not occur.
            inner[name] = None
            inner[name] = _renamed(self.query(cte.this, scopes, inner), names)
        return inner

    def _select(self, node: exp.Select, scopes: _Scopes, ctes: _Ctes) -> tuple[QueryColumn, ...] | None:
        sources = tuple(self._sources(node, scopes, ctes))
        merges = any(join.args.get("using") or join.args.get("method") for join in node.args.get("joins") or ())
        outputs: list[QueryColumn] = []
        for item in node.expressions:
            starred = _star(item)
            if starred is None:
                name = folded_name(item.args["alias"]) if isinstance(item, exp.Alias) else _own_name(item)
                inner = (sources, *scopes)
                if self._visit is not None:
                    self._visit(item, lambda expression, within=inner: self._type(expression, within, ctes))  # type: ignore[misc]
                outputs.append(QueryColumn(name or "", self._type(item, inner, ctes), self._collation(item, inner)))
                continue
            expanded = [source for source in sources if starred in ("", source.name)]
            if not expanded or (merges and not starred) or any(source.columns is None for source in expanded):
                return None
            outputs += [column for source in expanded for column in source.columns or ()]
        if self._visit is not None:
            clauses = [node.args.get("where"), node.args.get("having")]
            joined = [join.args.get("on") for join in node.args.get("joins") or ()]
            for element in self._elements(node):
                if isinstance(element, exp.Unnest):
                    self._visit(element, lambda expression: self._type(expression, (sources, *scopes), ctes))
            for condition in (*(clause.this for clause in clauses if clause is not None), *(each for each in joined if each is not None)):
                self._visit(condition, lambda expression: self._type(expression, (sources, *scopes), ctes))
        return tuple(outputs) or None

    def _sources(self, node: exp.Expr, scopes: _Scopes, ctes: _Ctes) -> Iterator[_Source]:
        """Yield the elements of FROM, and those joined to them."""
        for element in self._elements(node):
            yield self._source(element, scopes, ctes)
            # `a JOIN b ON …, c`: the join belongs to the element.
            if not isinstance(element, exp.Query):
                for join in element.args.get("joins") or ():
                    yield self._source(join.this, scopes, ctes)

    def _elements(self, node: exp.Expr) -> list[exp.Expr]:
        first = node.args.get("from_")
        joined = [join.this for join in node.args.get("joins") or ()]
        return [*([first.this] if first is not None else ()), *joined, *(node.args.get("laterals") or ())]

    def _source(self, element: exp.Expr, scopes: _Scopes, ctes: _Ctes) -> _Source:
        name, names = _alias(element)
        match element:
            case exp.Table(this=exp.Identifier()):
                own_name = folded_name(element.this)
                schema = folded_name(element.args["db"]) if element.args.get("db") else None
                is_cte = schema is None and own_name in ctes
                columns = ctes[own_name] if is_cte else self._tables(Name(own_name, schema))
                return _Source(name or own_name, _renamed(columns, names))
            case exp.Subquery(this=exp.Query()) | exp.Values():
                return _Source(name, _renamed(self.query(element, scopes, ctes), names))
            case exp.Lateral(this=exp.Subquery() as subquery):
                return _Source(name, _renamed(self.query(subquery, scopes, ctes), names))
        return _Source(name, None) if name is not None else _UNKNOWN

    def _type(self, node: exp.Expr, scopes: _Scopes, ctes: _Ctes) -> TypeName | None:
        def column_type(column: exp.Expr) -> TypeName | None:
            found = _column(column, scopes)
            return found.type if found is not None else None

        def query_type(query: exp.Expr) -> TypeName | None:
            columns = self.query(query, scopes, ctes)
            return columns[0].type if columns is not None else None

        def call_type(call: exp.Expr) -> TypeName | None:
            name = called_name(call)
            return self._functions(name) if self._functions is not None and name is not None else None

        return expression_type(node, column_type, query_type, call_type)

    def _collation(self, item: exp.Expr, scopes: _Scopes) -> Name | None:
        found = _column(item.this if isinstance(item, exp.Alias) else item, scopes)
        return found.collation if found is not None else None


def called_name(node: exp.Expr) -> Name | None:
    """Return the name of the function that an expression calls, if sqlglot does not know it as PostgreSQL's own."""
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier) and isinstance(node.expression, exp.Anonymous):
        return Name(node.expression.name.lower(), folded_name(node.this))
    return Name(node.name.lower()) if isinstance(node, exp.Anonymous) else None


def _column(node: exp.Expr, scopes: _Scopes) -> QueryColumn | None:
    """Return the column to which a reference refers."""
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return None
    name, qualifier = folded_name(node.this), node.args.get("table")
    for sources in scopes:
        visible = [source for source in sources if qualifier is None or source.name == folded_name(qualifier)]
        found = [column for source in visible for column in source.columns or () if column.name == name]
        if found:
            # Of columns that USING merges, the result has the common type.
            return found[0] if all(column == found[0] for column in found) else None
        if (visible and qualifier is not None) or any(source.columns is None for source in visible):
            return None
    return None


def _united(left: tuple[QueryColumn, ...] | None, right: tuple[QueryColumn, ...] | None) -> tuple[QueryColumn, ...] | None:
    """Return the columns of UNION, INTERSECT and EXCEPT: the names of the left side, the common types."""
    if left is None:
        return None
    if right is None or len(left) != len(right):
        return tuple(QueryColumn(column.name, None, None) for column in left)
    pairs = zip(left, right, strict=True)
    return tuple(
        QueryColumn(first.name, common_type((first.type, second.type)), first.collation if first.collation == second.collation else None)
        for first, second in pairs
    )


def _own_name(item: exp.Expr) -> str | None:
    """Return the name of an output column without an alias."""
    inner = item.this if isinstance(item, exp.Cast) else item
    return None if isinstance(inner, _SEVERAL_SPELLINGS) else output_name(item)


def _star(item: exp.Expr) -> str | None:
    """Return the alias before `.*`, empty for `*` alone; None for another output."""
    if isinstance(item, exp.Star):
        return ""
    return folded_name(item.args["table"]) if isinstance(item, exp.Column) and isinstance(item.this, exp.Star) else None


def _alias(node: exp.Expr) -> tuple[str | None, list[str]]:
    """Return the alias of an element of FROM or of a WITH query, and its column names."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return None, []
    columns = [column.this if isinstance(column, exp.ColumnDef) else column for column in alias.args.get("columns") or ()]
    return folded_name(alias.this) if alias.this is not None else None, [folded_name(column) for column in columns]


def _renamed(columns: tuple[QueryColumn, ...] | None, names: Sequence[str]) -> tuple[QueryColumn, ...] | None:
    """Return columns of which the first have other names."""
    if columns is None or len(names) > len(columns):
        return None
    renamed = tuple(QueryColumn(name, column.type, column.collation) for name, column in zip(names, columns, strict=False))
    return (*renamed, *columns[len(renamed) :])
