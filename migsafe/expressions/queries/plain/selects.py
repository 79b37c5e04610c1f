"""SELECT, read into a shape."""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from migsafe.expressions.queries.plain.expressions import ExpressionParser, Names
from migsafe.expressions.queries.plain.outputs import Item, has_aggregate, output_name, read_grouping
from migsafe.expressions.queries.plain.terms import Term, condition_of, operand_of
from migsafe.expressions.queries.plain.tokens import NotPlainError
from migsafe.expressions.queries.shapes import Condition, Cte, OrderKey, Output, Ref, Shape, Source
from migsafe.sql.lexer import NUMBER, QUOTED, WORD

_JOINS = (
    (("join",), "inner"),
    (("inner", "join"), "inner"),
    (("cross", "join"), "cross"),
    (("left", "join"), "left"),
    (("left", "outer", "join"), "left"),
    (("right", "join"), "right"),
    (("right", "outer", "join"), "right"),
)
_NO_ALIAS = frozenset(
    """on using join inner cross left right full natural where set group order limit union select values from returning having window
    offset fetch for intersect except tablesample lateral default""".split()
)


class SelectParser(ExpressionParser):
    """Reads a SELECT. A query in it is read with the same tokens, and with names and queries of its own."""

    def query(self) -> Shape:
        """Returns the shape of the query that begins here."""
        raise NotImplementedError

    def nested(self) -> Shape:
        """Returns the shape of a query in an expression or in FROM, which begins here."""
        return self.separately(self.query)

    def separately(self, read: Callable[[], Shape]) -> Shape:
        """Returns the query that a function reads, with names and queries of its own."""
        outer, self.names, queries, self.queries = self.names, Names(), self.queries, []
        shape = read()
        self.names, self.queries = outer, queries
        return shape

    def shape(self, kind: str, before: Names | None = None, **fields: object) -> Shape:
        """Returns a shape with the names that were read. `before` are those of the joins."""
        calls, types = self.names.calls, self.names.types
        if before is not None:
            calls, types = before.calls + calls, before.types + types
        return Shape(
            kind=kind,
            refs=tuple(dict.fromkeys(self.names.refs)),
            calls=tuple(dict.fromkeys(calls)),
            types=tuple(dict.fromkeys(types)),
            queries=tuple(self.queries),
            **fields,  # type: ignore[arg-type]  # the fields of Shape
        )

    def select(self, ctes: tuple[Cte, ...]) -> Shape:
        """Returns the SELECT that comes next, without UNION."""
        self.expect("select")
        distinct = self.accept("distinct")
        on = self._keys_in_parentheses() if distinct and self.accept("on") else None
        aggregates = self.aggregates
        items = [self._item()]
        while self.accept(","):
            items.append(self._item())
        is_aggregate = self.aggregates > aggregates
        joins = Names()
        sources = self.sources(joins) if self.accept("from") else ()
        where = self.where()
        group = self._keys() if self.accept("group", "by") else None
        grouping = read_grouping(items, group)
        group_refs = self._by_output(group or ())
        order = self._order() if self.accept("order", "by") else ()
        limited = self._limit()
        output_refs = self._by_output((*(on or ()), *(term for term, _ in order)))
        if grouping is not None and order:
            raise NotPlainError
        return self.shape(
            "select",
            joins,
            ctes=ctes,
            sources=sources,
            outputs=tuple(item.output for item in items),
            output_refs=output_refs,
            group_refs=group_refs,
            where=where,
            order=tuple(OrderKey(operand_of(term), descending, descending) for term, descending in order),
            limited=limited,
            grouped=group is not None or is_aggregate,
            has_group=group is not None,
            grouping=grouping,
            distinct=distinct,
            distinct_on=on is not None,
        )

    def where(self) -> Condition | None:
        """Returns the condition that comes next; None if there is none."""
        if not self.accept("where"):
            return None
        term = self.expression()
        if has_aggregate(term):
            raise NotPlainError
        return condition_of(term)

    def _limit(self) -> bool:
        if not self.accept("limit"):
            return False
        if self.tokens[self.at][0] != NUMBER:
            raise NotPlainError
        self.at += 1
        return True

    def _keys(self) -> list[Term]:
        keys = [self._key()]
        while self.accept(","):
            keys.append(self._key())
        return keys

    def _keys_in_parentheses(self) -> list[Term]:
        self.expect("(")
        keys = self._keys()
        self.expect(")")
        return keys

    def _key(self) -> Term:
        """Returns a key of GROUP BY or ORDER BY: a column, or the number of an output column. Its reference is not among the names, because an
        output column may be meant."""
        if self.tokens[self.at][0] == NUMBER:
            return self._primary()
        before, self.names = self.names, Names()
        term = self._column()
        self.names = before
        return term

    def _order(self) -> list[tuple[Term, bool]]:
        keys: list[tuple[Term, bool]] = []
        while not keys or self.accept(","):
            term = self._key()
            descending = self.accept("desc")
            if not descending:
                self.accept("asc")
            keys.append((term, descending))
        return keys

    def _by_output(self, keys: Iterable[Term]) -> tuple[Ref, ...]:
        """Returns the columns that may be output columns, and collects the others."""
        refs: list[Ref] = []
        for column in (term.data for term in keys if isinstance(term.data, Ref)):
            (refs if column.table is None else self.names.refs).append(column)
        return tuple(refs)

    def _item(self) -> Item:
        if self.accept("*"):
            return Item(None, Output(None, star=True))
        if self.tokens[self.at + 1][1] == "." and self.tokens[self.at + 2][1] == "*":
            table = self.name()
            self.at += 2
            self.names.refs.append(Ref("*", table))
            return Item(None, Output(None, star=True, table=table))
        term = self.expression()
        if self.accept("as"):
            name = self.label()
        elif self.tokens[self.at][0] in (WORD, QUOTED) and self.tokens[self.at][1] not in _NO_ALIAS:
            name = self.name()
        else:
            return Item(term, Output(output_name(term, self.queries), operand_of(term)))
        return Item(term, Output(name, operand_of(term)))

    # FROM

    def sources(self, joins: Names) -> tuple[Source, ...]:
        """Returns the elements of FROM, and adds what the conditions of their joins name."""
        sources = [self._source()]
        while True:
            if self.accept(","):
                sources.append(self._source())
                continue
            join = next((style for words, style in _JOINS if self.accept(*words)), None)
            if join is None:
                return tuple(sources)
            sources.append(self._joined(join, joins))

    def _joined(self, join: str, joins: Names) -> Source:
        source = replace(self._source(), join=join)
        if join == "cross":
            if self.is_next("on"):
                raise NotPlainError  # of ON CONFLICT, which sqlglot cannot read there
            return source
        if self.accept("using"):
            return replace(source, using=self.names_in_parentheses())
        self.expect("on")
        before, self.names, number = self.names, Names(), len(self.queries)
        term = self.expression()
        if len(self.queries) > number or has_aggregate(term):
            raise NotPlainError
        joins.calls += self.names.calls
        joins.types += self.names.types
        source = replace(source, on=condition_of(term), refs=tuple(self.names.refs))
        self.names = before
        return source

    def _source(self) -> Source:
        if self.accept("("):
            if not self.is_next("select") and not self.is_next("with"):
                raise NotPlainError
            query = self.nested()
            self.expect(")")
            return Source(kind="query", query=query, alias=self.alias())
        name, schema = self.qualified()
        if self.is_next("("):
            raise NotPlainError
        return Source(kind="table", name=name, schema=schema, alias=self.alias())

    def qualified(self) -> tuple[str, str | None]:
        """Returns the name of a relation, and its schema."""
        first = self.name()
        return (self.name(), first) if self.accept(".") else (first, None)

    def alias(self) -> str | None:
        """Returns the alias that comes next; None if there is none."""
        alias = self.name() if self.accept("as") else None
        kind, word = self.tokens[self.at]
        if alias is None and kind in (WORD, QUOTED) and word not in _NO_ALIAS:
            alias = self.name()
        if self.is_next("("):
            raise NotPlainError
        return alias
