"""Queries read from sqlglot's trees into shapes."""

from collections.abc import Iterable, Iterator

from sqlglot import exp

from migsafe.expressions.queries.changes import defaults, is_default, merged_row, nulls, target_column, without_row_versions
from migsafe.expressions.queries.collecting import NotUnderstoodError
from migsafe.expressions.queries.from_clauses import SourceReader, alias_of
from migsafe.expressions.queries.groupings import aggregates_in, read_grouping
from migsafe.expressions.queries.operands import PASSING, Operands, query_of, ref_of
from migsafe.expressions.queries.output_names import output_name
from migsafe.expressions.queries.shapes import (
    Condition,
    Conflict,
    Cte,
    Formula,
    MergedRow,
    Operand,
    OrderKey,
    Output,
    Parameter,
    Ref,
    Shape,
    Source,
    Value,
)
from migsafe.expressions.trees import folded_name


class Reader(SourceReader):
    """Reads one query; queries within it have readers of their own."""

    def read_inner(self, node: exp.Expr) -> Shape:
        """Returns the shape of a query in this one."""
        return read_query(node, spells=self.spells)

    def new(self) -> "Reader":
        """Returns a reader of another query."""
        return Reader(spells=self.spells)

    def shape(self, sources: list[Source]) -> Shape:
        """Returns the query `SELECT * FROM …`."""
        return self._shape("select", (), False, sources=tuple(sources), outputs=(Output(None, star=True),))

    # Queries

    def read(self, node: exp.Expr) -> Shape:
        """Returns the shape of a query."""
        ctes, recursive = self._ctes(node)
        match node:
            case exp.Select():
                return self._select(node, ctes, recursive)
            case exp.SetOperation():
                return self._set(node, ctes, recursive)
            case exp.Subquery() if isinstance(node.this, exp.Query) and not ctes:
                inner = self.read_inner(node.this)
                return self._ordered(node, inner) if node.args.get("order") or node.args.get("limit") else inner
            case exp.Values():
                self.collect(node.expressions)
                first = node.expressions[0].expressions if node.expressions else []
                outputs = tuple(Output(f"column{number}", self._value(value)) for number, value in enumerate(first, start=1))
                return self._shape("values", ctes, recursive, outputs=outputs, width=len(first))
            case exp.Insert():
                return self._insert(node, ctes, recursive)
            case exp.Update():
                return self._update(node, ctes, recursive)
            case exp.Delete():
                return self._delete(node, ctes, recursive)
            case exp.Merge():
                return self._merge(node, ctes, recursive)
        raise NotUnderstoodError(f"{type(node).__name__.upper()} statements are not understood")

    def _value(self, node: exp.Expr) -> Operand | None:
        """Returns a parameter, which may be cast, or an expression that may have its value; None for another expression."""
        plain = node.this if isinstance(node, exp.Cast) else node
        operand = self.operands.operand(node) if isinstance(plain, (exp.Parameter, *PASSING)) else None
        return operand if isinstance(operand, Parameter) or (isinstance(operand, Formula) and operand.passed) else None

    def _shape(self, kind: str, ctes: tuple[Cte, ...], recursive: bool, **fields: object) -> Shape:
        return Shape(
            kind=kind,
            ctes=ctes,
            recursive=recursive,
            refs=tuple(dict.fromkeys(self.refs)),
            calls=tuple(dict.fromkeys(self.calls)),
            types=tuple(dict.fromkeys(self.types)),
            queries=tuple(self.queries),
            **fields,  # type: ignore[arg-type]  # the fields of Shape
        )

    def _ctes(self, node: exp.Expr) -> tuple[tuple[Cte, ...], bool]:
        clause = node.args.get("with_")
        if clause is None:
            return (), False
        ctes = []
        for cte in clause.expressions:
            name, columns = alias_of(cte)
            ctes.append(Cte(name=str(name), columns=columns, query=self.read_inner(cte.this), materialized=cte.args.get("materialized")))
        return tuple(ctes), bool(clause.args.get("recursive"))

    def _select(self, node: exp.Select, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        sources: list[Source] = []
        first = node.args.get("from_")
        if first is not None:
            self.add_source(first.this, sources)
        self.joins(node, sources)
        for lateral in node.args.get("laterals") or ():
            self.add_source(lateral, sources)
        self.collect(node.expressions)
        for key in ("where", "having", "windows", "qualify"):
            self.collect(node.args.get(key))
        for key in ("limit", "offset"):
            self.collect(node.args.get(key))
        group_refs = self._group(node.args.get("group"))
        distinct = node.args.get("distinct")
        output_refs = self._by_output(_elements(distinct.args.get("on")) if distinct is not None else ())
        output_refs += self._order_refs(node)
        where = node.args.get("where")
        aggregates = any(expression.find(exp.AggFunc) is not None for expression in node.expressions)
        return self._shape(
            "select",
            ctes,
            recursive,
            sources=tuple(sources),
            outputs=tuple(self.output(item) for item in node.expressions),
            output_refs=output_refs,
            group_refs=group_refs,
            where=self.operands.condition(where.this) if where is not None else None,
            order=self._order(node),
            limited=node.args.get("limit") is not None,
            grouped=node.args.get("group") is not None or aggregates,
            has_group=node.args.get("group") is not None,
            grouping=read_grouping(node),
            aggregate_in="WHERE" if aggregates_in(where) else "",
            distinct=distinct is not None,
            distinct_on=distinct is not None and distinct.args.get("on") is not None,
            locking=bool(node.args.get("locks")),
        )

    def _set(self, node: exp.SetOperation, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        branches = (self.read_inner(query_of(node.this)), self.read_inner(query_of(node.expression)))
        self.collect(node.args.get("limit"))
        self.collect(node.args.get("offset"))
        output_refs = self._order_refs(node)
        return self._shape(
            "set",
            ctes,
            recursive,
            operator=type(node).__name__.upper(),
            branches=branches,
            outputs=branches[0].outputs,
            output_refs=output_refs,
            limited=node.args.get("limit") is not None,
            distinct=bool(node.args.get("distinct")),
        )

    def _ordered(self, node: exp.Expr, inner: Shape) -> Shape:
        """Returns a query in parentheses with ORDER BY or LIMIT after them."""
        self.collect(node.args.get("limit"))
        source = Source(kind="query", alias="", query=inner)
        return self._shape(
            "select",
            (),
            False,
            sources=(source,),
            outputs=(Output(None, star=True),),
            output_refs=self._order_refs(node),
            limited=node.args.get("limit") is not None,
        )

    # INSERT, UPDATE, DELETE, MERGE

    def _insert(self, node: exp.Insert, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        target, listed = node.this, None
        if isinstance(target, exp.Schema):
            listed = tuple(target_column(column) for column in target.expressions)
            target = target.this
        sources: list[Source] = []
        self._add_target(target, sources)
        body = node.args.get("expression")
        shape: Shape | None = None
        default_positions: tuple[int, ...] = ()
        null_positions: tuple[int, ...] = ()
        if body is not None:
            default_positions, null_positions = defaults(body), nulls(query_of(body))
            shape = self.read_inner(query_of(body))
        elif not node.args.get("default"):
            raise NotUnderstoodError("an INSERT without VALUES and SELECT is not understood")
        conflict, assigned, excluded = self._conflict(node.args.get("conflict"))
        outputs = self._returning(node)
        return self._shape(
            "insert",
            ctes,
            recursive,
            sources=tuple(sources),
            outputs=outputs,
            excluded_refs=excluded,
            target_columns=listed,
            body=shape,
            defaults=default_positions,
            nulls=null_positions,
            conflict=conflict,
            assigned=assigned,
        )

    def _conflict(self, node: exp.Expr | None) -> tuple[Conflict | None, tuple[tuple[str, Operand], ...], tuple[Ref, ...]]:
        if node is None:
            return None, (), ()
        keys = [key.this if isinstance(key, exp.Ordered) else key for key in node.args.get("conflict_keys") or ()]
        predicate = node.args.get("index_predicate")
        inner = Reader()  # the keys are those of an index
        inner.collect(keys)
        inner.collect(predicate)
        constraint = node.args.get("constraint")
        conflict = Conflict(
            keys=tuple(inner.operands.operand(key) for key in keys),
            where=inner.operands.condition(predicate.this) if predicate is not None else None,
            constraint=folded_name(constraint) if constraint is not None else None,
            refs=tuple(dict.fromkeys(inner.refs)),
        )
        action = self.new()
        action.queries, action.numbers = self.queries, self.numbers
        action.operands = Operands(self.numbers, spells=self.spells)
        assigned = action.assignments(node.expressions)
        action.collect(node.args.get("where"))
        self.calls += [*inner.calls, *action.calls]
        self.types += [*inner.types, *action.types]
        return conflict, assigned, tuple(dict.fromkeys(action.refs))

    def _update(self, node: exp.Update, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        sources: list[Source] = []
        self._add_target(node.this, sources)
        first = node.args.get("from_")
        if first is not None:
            self.add_source(first.this, sources)
        assigned = self.assignments(node.expressions)
        return self._changing("update", node, ctes, recursive, sources, assigned)

    def _delete(self, node: exp.Delete, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        sources: list[Source] = []
        self._add_target(node.this, sources)
        for using in node.args.get("using") or ():
            self.add_source(using, sources)
        return self._changing("delete", node, ctes, recursive, sources, ())

    def _changing(
        self,
        kind: str,
        node: exp.Expr,
        ctes: tuple[Cte, ...],
        recursive: bool,
        sources: list[Source],
        assigned: tuple[tuple[str, Operand], ...],
    ) -> Shape:
        where = node.args.get("where")
        self.collect(where)
        outputs = self._returning(node)
        condition = self.operands.condition(where.this) if where is not None else None
        in_values = kind == "update" and any(aggregates_in(item) for item in node.expressions)
        misplaced = "UPDATE" if in_values else "WHERE" if aggregates_in(where) else ""
        return self._shape(
            kind, ctes, recursive, sources=tuple(sources), outputs=outputs, where=condition, assigned=assigned, aggregate_in=misplaced
        )

    def _merge(self, node: exp.Merge, ctes: tuple[Cte, ...], recursive: bool) -> Shape:
        sources: list[Source] = []
        self._add_target(node.this, sources)
        self.add_source(node.args["using"], sources)
        self.collect(node.args.get("on"))
        assigned: tuple[tuple[str, Operand], ...] = ()
        listed: list[str] = []
        merged: list[MergedRow] = []
        for when in node.args["whens"].expressions:
            self.collect(when.args.get("condition"))
            then = when.args.get("then")
            if isinstance(then, exp.Update):
                assigned += self.assignments(then.expressions)
            elif isinstance(then, exp.Insert):
                if isinstance(then.this, exp.Tuple):
                    listed += [folded_name(column.this) for column in then.this.expressions if isinstance(column, exp.Column)]
                self.collect(then.args.get("expression"))
                merged += filter(None, (merged_row(then),))
        assigned += tuple((column, Ref(column)) for column in listed if column not in dict(assigned))
        outputs = self._returning(node)
        condition = self.operands.condition(node.args.get("on"))
        return self._shape(
            "merge", ctes, recursive, sources=tuple(sources), outputs=outputs, where=condition, assigned=assigned, merged=tuple(merged)
        )

    def assignments(self, items: Iterable[exp.Expr]) -> tuple[tuple[str, Operand], ...]:
        """Returns the columns of SET with their values."""
        assigned: list[tuple[str, Operand]] = []
        for item in items:
            if not isinstance(item, exp.EQ):
                raise NotUnderstoodError("an assignment in SET is not understood")
            targets = item.this.expressions if isinstance(item.this, exp.Tuple) else [item.this]
            values = item.expression.expressions if isinstance(item.expression, exp.Tuple) else [item.expression]
            self.collect([value for value in values if not is_default(value)])
            for number, target in enumerate(targets):
                value = values[number] if len(values) == len(targets) else exp.Null()
                operand = Value("default") if is_default(value) else self.operands.operand(value)
                assigned.append((target_column(target), operand))
        return tuple(assigned)

    def _add_target(self, node: exp.Expr, sources: list[Source]) -> None:
        if not isinstance(node, exp.Table):
            raise NotUnderstoodError("the table of the statement is not understood")
        self.add_source(node, sources)

    def _returning(self, node: exp.Expr) -> tuple[Output, ...]:
        returning = node.args.get("returning")
        if returning is None:
            return ()
        items = [without_row_versions(item, node) for item in returning.expressions]
        self.collect(items)
        return tuple(self.output(item) for item in items)

    # SELECT lists, GROUP BY, ORDER BY

    def output(self, item: exp.Expr) -> Output:
        """Returns an item of a SELECT list."""
        match item:
            case exp.Star():
                return Output(None, star=True)
            case exp.Column(this=exp.Star()):
                return Output(None, star=True, table=folded_name(item.args["table"]))
            case exp.Dot(expression=exp.Star()):
                whole = item.this.this if isinstance(item.this, exp.Paren) else item.this
                is_alias = isinstance(whole, exp.Column) and not whole.table and isinstance(whole.this, exp.Identifier)
                return Output(None, star=True, table=folded_name(whole.this) if is_alias else "")
            case exp.Alias():
                return Output(folded_name(item.args["alias"]), self.operands.operand(item.this))
        return Output(output_name(item), self.operands.operand(item))

    def _group(self, group: exp.Expr | None) -> tuple[Ref, ...]:
        if group is None:
            return ()
        refs = self._by_output(item for grouped in group.expressions for item in _grouped_items(grouped))
        for key in ("grouping_sets", "cube", "rollup"):
            self.collect(group.args.get(key))
        return refs

    def _order_refs(self, node: exp.Expr) -> tuple[Ref, ...]:
        order = node.args.get("order")
        return () if order is None else self._by_output(_unordered(item) for item in order.expressions)

    def _by_output(self, items: Iterable[exp.Expr]) -> tuple[Ref, ...]:
        """Collects the columns of some items, and returns those that stand alone: they may be output columns."""
        refs: list[Ref] = []
        for parenthesised in items:
            item = parenthesised.unnest()
            if isinstance(item, exp.Column) and not item.table and isinstance(item.this, exp.Identifier):
                refs.append(ref_of(item))
            else:
                self.collect(item)
        return tuple(refs)

    def _order(self, node: exp.Expr) -> tuple[OrderKey, ...]:
        order = node.args.get("order")
        keys = []
        for item in order.expressions if order is not None else ():
            descending = bool(item.args.get("desc")) if isinstance(item, exp.Ordered) else False
            nulls = item.args.get("nulls_first") if isinstance(item, exp.Ordered) else None
            # sqlglot fills in PostgreSQL's default: NULLs come first in descending order.
            keys.append(OrderKey(self.operands.operand(_unordered(item)), descending, None if nulls is None else bool(nulls)))
        return tuple(keys)


def read_query(node: exp.Expr, *, spells: bool = True) -> Shape:
    """Returns the shape of a query, with the text of formulas if it `spells`. Raises NotUnderstoodError."""
    return Reader(spells=spells).read(node)


def read_condition(node: exp.Expr) -> Condition:
    """Returns a condition that contains no query: the predicate of an index."""
    return Operands({}).condition(node)


def _unordered(item: exp.Expr) -> exp.Expr:
    return item.this if isinstance(item, exp.Ordered) else item


def _elements(node: exp.Expr | None) -> list[exp.Expr]:
    return [] if node is None else list(node.expressions) if isinstance(node, exp.Tuple) else [node]


def _grouped_items(item: exp.Expr) -> Iterator[exp.Expr]:
    """Yields the items in a grouping set, or in a list in parentheses, which is one, too."""
    if isinstance(item, exp.Tuple | exp.Rollup | exp.Cube | exp.GroupingSets):
        for inner in item.expressions:
            yield from _grouped_items(inner)
    else:
        yield item
