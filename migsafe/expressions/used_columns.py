"""The columns that a query uses: names are resolved as PostgreSQL's analyser does (src/backend/parser/parse_relation.c, parse_clause.c).

A use is what `recordDependencyOnExpr` (src/backend/catalog/dependency.c) records for a view: a column, but not a whole row.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct
from sqlglot import exp

from migsafe.expressions.trees import folded_name, parse_statement
from migsafe.schema.column_uses import ColumnUses
from migsafe.schema.objects import ReadRelation

Use = tuple[int, int]


class UnresolvedError(Exception):
    """The query has a form that is not known here."""


class Source(Struct, frozen=True):
    """An element of FROM: `columns` has its columns with what a reference to each uses, and is `complete` if it has no others. `name` is the
    relation or function without an alias, `schema` that of a relation without an alias."""

    name: str | None
    columns: tuple[tuple[str | None, frozenset[Use]], ...] = ()
    complete: bool = True
    schema: str | None = None

    def uses(self, column: str) -> frozenset[Use] | None:
        """Returns what a reference to a column uses; None without such a column."""
        return next((uses for name, uses in self.columns if name == column), None)


Scopes = tuple[list[Source], ...]
"""The elements of FROM that are visible: those of the innermost query first."""
Ctes = dict[str, Source]


@lru_cache(1024)
def column_uses(sql: str, relations: tuple[ReadRelation, ...]) -> ColumnUses | None:
    """Returns the columns that a query uses; None if sqlglot cannot read it, or if it has a form that is not known here."""
    tree = parse_statement(sql)
    if tree is None:
        return None
    resolver = _Resolver(relations)
    try:
        resolver.query(tree, (), {})
    except (UnresolvedError, RecursionError):
        return None
    return ColumnUses(frozenset(resolver.certain), frozenset(resolver.possible - resolver.certain))


class _Resolver:
    """Collects the uses of one query."""

    def __init__(self, relations: tuple[ReadRelation, ...]) -> None:
        self.relations = {(relation.name.schema, relation.name.name): relation for relation in relations}
        self.certain: set[Use] = set()
        self.possible: set[Use] = set()

    # Queries

    def query(self, node: exp.Expr, scopes: Scopes, ctes: Ctes) -> Source:
        """Resolves a query, and returns its output columns. They use nothing: what they consist of is collected here."""
        ctes = self._with(node, scopes, ctes)
        match node:
            case exp.Select():
                return self._select(node, scopes, ctes)
            case exp.SetOperation():
                left = self.query(node.this, scopes, ctes)
                self.query(node.expression, scopes, ctes)
                return left
            case exp.Subquery() if isinstance(node.this, exp.Query):
                return self.query(node.this, scopes, ctes)
            case exp.Values():
                self._values(node, scopes, ctes)
                width = len(node.expressions[0].expressions) if node.expressions else 0
                return Source(None, tuple((f"column{number}", frozenset()) for number in range(1, width + 1)))
        raise UnresolvedError(type(node).__name__)

    def _with(self, node: exp.Expr, scopes: Scopes, ctes: Ctes) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        inner = dict(ctes)
        for cte in clause.expressions:
            name, columns = _alias(cte)
            if clause.args.get("recursive"):
                # Until the query is resolved, its own name has the columns of the alias.
                inner[str(name)] = Source(None, tuple((column, frozenset()) for column in columns), complete=bool(columns))
            inner[str(name)] = _renamed(self.query(cte.this, scopes, inner), None, columns)
        return inner

    def _select(self, node: exp.Select, scopes: Scopes, ctes: Ctes) -> Source:
        sources: list[Source] = []
        inner = (sources, *scopes)
        first = node.args.get("from_")
        if first is not None:
            self._add_source(first.this, sources, scopes, ctes)
        self._joins(node, sources, scopes, ctes)
        outputs = list(self._outputs(node.expressions, inner, ctes))
        has_star = any(_is_star(item) for item in node.expressions)
        complete = all(name is not None for name, _ in outputs) and (not has_star or all(source.complete for source in sources))
        names = {name for name, _ in outputs if name is not None}
        names |= {name.lower() for item in node.expressions if isinstance(item, exp.Func) for name in item.sql_names()}
        for key in ("where", "having", "windows", "limit", "offset", "qualify", "laterals"):
            self.walk(node.args.get(key), inner, ctes)
        self._group(node.args.get("group"), sources, names, inner, ctes)
        self._order(node.args.get("order"), names, inner, ctes)
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            self._by_output(_elements(distinct.args["on"]), names, inner, ctes)
        return Source(None, tuple((name, frozenset()) for name, _ in outputs), complete)

    def _group(self, group: exp.Expr | None, sources: list[Source], names: set[str], scopes: Scopes, ctes: Ctes) -> None:
        """GROUP BY: a bare name is a column of FROM, else an output column."""
        if group is None:
            return
        own = {name for source in sources for name, _ in source.columns}
        self._by_output(group.expressions, {name for name in names if name not in own}, scopes, ctes)
        for key in ("grouping_sets", "cube", "rollup"):
            self.walk(group.args.get(key), scopes, ctes)

    def _order(self, order: exp.Expr | None, names: set[str], scopes: Scopes, ctes: Ctes) -> None:
        """ORDER BY: a bare name is an output column, else a column of FROM."""
        if order is not None:
            self._by_output([item.this if isinstance(item, exp.Ordered) else item for item in order.expressions], names, scopes, ctes)

    def _by_output(self, items: Iterable[exp.Expr], names: set[str], scopes: Scopes, ctes: Ctes) -> None:
        for item in items:
            if not (isinstance(item, exp.Column) and not item.table and folded_name(item.this) in names):
                self.walk(item, scopes, ctes)

    def _values(self, node: exp.Values, scopes: Scopes, ctes: Ctes) -> None:
        for row in node.expressions:
            list(self._outputs(row.expressions, scopes, ctes))

    def _outputs(self, items: Iterable[exp.Expr], scopes: Scopes, ctes: Ctes) -> Iterator[tuple[str | None, frozenset[Use]]]:
        """Resolves a SELECT list, and returns its columns' names, with None for one that is not known."""
        for item in items:
            if _is_star(item):
                for column, uses in self._starred(item, scopes):
                    self.certain |= uses
                    yield column, uses
            else:
                self.walk(item, scopes, ctes)
                yield _output_name(item), frozenset()

    def _starred(self, star: exp.Expr, scopes: Scopes) -> Iterator[tuple[str | None, frozenset[Use]]]:
        """Returns the columns of `*`, `alias.*` or `(alias).*`."""
        if isinstance(star, exp.Star):
            for source in scopes[0]:
                yield from source.columns
            return
        column = star if isinstance(star, exp.Column) else None
        name = folded_name(column.args["table"]) if column is not None else _whole_row(star)
        starred = _source(scopes, name, None) if name is not None else None
        if starred is None:
            if column is not None:
                raise UnresolvedError(f"{name}.*")
            self.walk(star.this, scopes, {})
            return
        yield from starred.columns

    # FROM

    def _add_source(self, node: exp.Expr, sources: list[Source], scopes: Scopes, ctes: Ctes) -> None:
        """Adds an element of FROM, with the joins that are nested in it."""
        name, columns = _alias(node)
        visible = (sources, *scopes)
        match node:
            case exp.Table() if node.args.get("rows_from"):
                for function in node.args["rows_from"]:
                    self.walk(function.this, visible, ctes)
                sources.append(_of_function(name, columns))
            case exp.Table(this=exp.Identifier()):
                sources.append(self._table(node, name, columns, ctes))
                self.walk(node.args.get("sample"), visible, ctes)
                self._joins(node, sources, scopes, ctes)
            case exp.Subquery(this=exp.Table()):
                nested: list[Source] = []
                self._add_source(node.this, nested, scopes, ctes)
                self._joins(node, nested, scopes, ctes)
                if name is None:
                    sources.extend(nested)
                else:
                    combined = tuple(column for source in nested for column in source.columns)
                    sources.append(_renamed(Source(name, combined, all(source.complete for source in nested)), name, columns))
            case exp.Subquery() | exp.Values():
                # Only LATERAL lets it see the elements before it.
                sources.append(_renamed(self.query(node, scopes, ctes), name, columns))
                if isinstance(node, exp.Subquery):
                    self._joins(node, sources, scopes, ctes)
            case exp.Lateral(this=exp.Subquery()):
                sources.append(_renamed(self.query(node.this, visible, ctes), name, columns))
            case exp.Lateral() | exp.Unnest() | exp.Table():
                self._function(node, name, columns, sources, visible, ctes)
            case _:
                raise UnresolvedError(type(node).__name__)

    def _function(self, node: exp.Expr, name: str | None, columns: list[str], sources: list[Source], visible: Scopes, ctes: Ctes) -> None:
        called = node.expressions if isinstance(node, exp.Unnest) else [node.this]
        self.walk(called, visible, ctes)
        if isinstance(node.args.get("offset"), exp.Identifier):
            columns = [*columns, folded_name(node.args["offset"])]
        function = node.this if isinstance(node.this, exp.Expr) else node
        own_name = function.name if isinstance(function, exp.Anonymous) else function.sql_name() if isinstance(function, exp.Func) else None
        sources.append(_of_function(name or (own_name.lower() if own_name else None), columns))
        if isinstance(node, exp.Table):
            self._joins(node, sources, visible[1:], ctes)

    def _table(self, node: exp.Table, name: str | None, columns: list[str], ctes: Ctes) -> Source:
        own_name = folded_name(node.this)
        schema = folded_name(node.args["db"]) if node.args.get("db") else None
        if schema is None and own_name in ctes:
            return _renamed(ctes[own_name], name or own_name, columns)
        relation = self.relations.get((schema, own_name))
        if relation is None:
            return Source(name or own_name, tuple((column, frozenset()) for column in columns), complete=False)
        known = tuple((column, frozenset({(relation.oid, number)})) for number, column in relation.columns)
        if columns and not relation.complete:
            raise UnresolvedError("an alias renames columns of a relation that is not completely known")
        return _renamed(Source(name or own_name, known, relation.complete, schema if name is None else None), name or own_name, columns)

    def _joins(self, node: exp.Expr, sources: list[Source], scopes: Scopes, ctes: Ctes) -> None:
        for join in node.args.get("joins") or ():
            before = len(sources)
            self._add_source(join.this, sources, scopes, ctes)
            left, right = sources[:before], sources[before:]
            # What is joined may have joins of its own: `a JOIN b JOIN c ON … ON …`.
            if join.args.get("using"):
                for column in join.args["using"]:
                    for side in (left, right):
                        self.certain |= _uses_of(side, folded_name(column)) or frozenset()
            elif str(join.args.get("method") or "").upper() == "NATURAL":
                for column in {name for source in right for name, _ in source.columns if name is not None}:
                    sides = [_uses_of(side, column) for side in (left, right)]
                    if all(uses is not None for uses in sides):
                        self.certain.update(*(uses for uses in sides if uses is not None))
                if not all(source.complete for source in sources):
                    self.possible |= {use for source in sources for _, uses in source.columns for use in uses}
            self.walk(join.args.get("on"), (sources, *scopes), ctes)

    # Expressions

    def walk(self, node: object, scopes: Scopes, ctes: Ctes) -> None:
        """Resolves the columns in an expression, or in a list of expressions."""
        if isinstance(node, list):
            for item in node:
                self.walk(item, scopes, ctes)
        match node:
            case exp.Column(this=exp.Star()):
                return  # a whole row
            case exp.Column():
                self._column(node, scopes)
            case exp.Subquery() if not isinstance(node.this, exp.Query):
                self.walk(node.this, scopes, ctes)
            case exp.Query():
                self.query(node, scopes, ctes)
            case exp.Dot():
                self._field(node, scopes, ctes)
            case exp.Anonymous() if node.name.lower() == "row":
                list(self._outputs(node.expressions, scopes, ctes))
            case exp.Tuple():
                list(self._outputs(node.expressions, scopes, ctes))
            case exp.DataType() | exp.Star():
                return
            case exp.Expr():
                for key, child in node.args.items():
                    if key != "_type" and isinstance(child, exp.Expr | list):
                        self.walk(child, scopes, ctes)

    def _field(self, node: exp.Dot, scopes: Scopes, ctes: Ctes) -> None:
        """`(alias).column` is a column, `(composite).field` uses the column of the composite type."""
        name = _whole_row(node)
        source = _source(scopes, name, None) if name is not None and not _has_column(scopes, name) else None
        uses = source.uses(folded_name(node.expression)) if source is not None and isinstance(node.expression, exp.Identifier) else None
        if uses is not None:
            self.certain |= uses
        elif source is None:
            self.walk(node.this, scopes, ctes)
            if isinstance(node.expression, exp.Func):
                self.walk(node.expression, scopes, ctes)  # schema.function(…)

    def _column(self, column: exp.Column, scopes: Scopes) -> None:
        name = folded_name(column.this)
        if column.args.get("table") is not None:
            schema = folded_name(column.args["db"]) if column.args.get("db") else None
            source = _source(scopes, folded_name(column.args["table"]), schema)
            # Without such a column, it is a function that is called with the whole row.
            self.certain |= (source.uses(name) if source is not None else None) or frozenset()
            return
        certain = True
        for sources in scopes:
            found = [uses for source in sources if (uses := source.uses(name)) is not None]
            if found:
                # A column that USING merges is in two elements, of which the join uses both.
                used = frozenset().union(*found)
                if certain and len(found) == 1:
                    self.certain |= used
                else:
                    self.possible |= used
                return
            certain = certain and all(source.complete for source in sources)


def _alias(node: exp.Expr) -> tuple[str | None, list[str]]:
    """Returns the alias of an element of FROM or of a WITH query, and its column names."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return None, []
    columns = [column.this if isinstance(column, exp.ColumnDef) else column for column in alias.args.get("columns") or ()]
    return folded_name(alias.this) if alias.this is not None else None, [folded_name(column) for column in columns]


def _renamed(source: Source, name: str | None, columns: Sequence[str]) -> Source:
    """Returns an element of FROM under its alias, whose first columns have other names."""
    known = source.columns
    if len(columns) > len(known):
        if source.complete:
            raise UnresolvedError("an alias has more columns than its relation")
        known = (*known, *((None, frozenset[Use]()) for _ in range(len(columns) - len(known))))
    renamed = tuple((column, uses) for column, (_, uses) in zip(columns, known, strict=False))
    return Source(name, (*renamed, *known[len(renamed) :]), source.complete, source.schema)


def _of_function(name: str | None, columns: Sequence[str]) -> Source:
    """Returns a function in FROM. The columns of its result are unknown; a scalar function has one column with the name of the alias."""
    return Source(name, tuple((column, frozenset[Use]()) for column in columns), complete=False)


def _source(scopes: Scopes, name: str, schema: str | None) -> Source | None:
    for sources in scopes:
        for source in sources:
            if source.name == name and (schema is None or source.schema == schema):
                return source
    return None


def _uses_of(sources: list[Source], column: str) -> frozenset[Use] | None:
    """Returns what a reference to a column of some elements of FROM uses; None if none of them is known to have it."""
    return next((uses for source in sources if (uses := source.uses(column)) is not None), None)


def _has_column(scopes: Scopes, name: str) -> bool:
    return any(source.uses(name) is not None for sources in scopes for source in sources)


def _is_star(item: exp.Expr) -> bool:
    """Whether an item of a list is expanded to columns."""
    match item:
        case exp.Star() | exp.Column(this=exp.Star()) | exp.Dot(expression=exp.Star()):
            return True
    return False


def _whole_row(node: exp.Expr) -> str | None:
    """Returns the alias of `(alias).…`; None if something else is in the parentheses."""
    inner = node.this.this if isinstance(node, exp.Dot) and isinstance(node.this, exp.Paren) else None
    return folded_name(inner.this) if isinstance(inner, exp.Column) and not inner.table and isinstance(inner.this, exp.Identifier) else None


def _elements(node: exp.Expr) -> list[exp.Expr]:
    return node.expressions if isinstance(node, exp.Tuple) else [node]


def _output_name(item: exp.Expr) -> str | None:
    """Returns the name of an output column, if it is written or that of a column; None for other expressions."""
    match item:
        case exp.Alias():
            return folded_name(item.args["alias"])
        case exp.Column():
            return folded_name(item.this)
        case exp.Dot() if isinstance(item.expression, exp.Identifier):
            return folded_name(item.expression)
        case exp.Cast():
            return _output_name(item.this)
        case exp.Bracket():
            return _output_name(item.this)
        case exp.Anonymous():
            return str(item.name).lower()
        case exp.Func() if len(item.sql_names()) == 1:
            return str(item.sql_name()).lower()
    return None
