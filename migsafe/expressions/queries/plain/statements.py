"""Usual queries, read into shapes: `plain_shape` returns what `parsing.query_shape` returns, or None."""

from msgspec.structs import replace

from migsafe.expressions.queries.plain.expressions import Names
from migsafe.expressions.queries.plain.outputs import has_aggregate, passed_value
from migsafe.expressions.queries.plain.selects import SelectParser
from migsafe.expressions.queries.plain.terms import Term, constant_of, is_null, operand_of
from migsafe.expressions.queries.plain.tokens import NotPlainError
from migsafe.expressions.queries.shapes import Conflict, Cte, Operand, Output, Ref, Shape, Source

_BY_FIRST_WORD = {"select": "query", "with": "query", "insert": "insert", "update": "update", "delete": "delete"}


def plain_shape(text: str) -> Shape | None:
    """Returns the shape of a query without the text of its formulas; None if the query is not of a usual form."""
    parser = _Parser(text)
    try:
        method = _BY_FIRST_WORD.get(parser.tokens[0][1])
        shape: Shape | None = getattr(parser, method)() if method is not None else None
        parser.accept(";")
        return shape if parser.is_at_end else None
    except (NotPlainError, IndexError, RecursionError):
        return None


class _Parser(SelectParser):
    """Reads one text."""

    def query(self) -> Shape:
        """Returns the query that comes next: SELECT, UNION, or either after WITH, which may also belong to an INSERT."""
        ctes = self._ctes()
        match self.tokens[self.at][1] if ctes else "select":
            case "insert":
                return self.insert(ctes)
            case "update":
                return self.update(ctes)
            case "delete":
                return self.delete(ctes)
        shape = self.select(ctes)
        if not self.is_next("union"):
            return shape
        shape = replace(shape, ctes=())
        while self.accept("union"):
            is_all = self.accept("all")
            branches = shape, self.separately(lambda: self.select(()))
            if any(branch.order or branch.limited for branch in branches):
                raise NotPlainError  # sqlglot gives ORDER BY and LIMIT of the last branch to the whole
            shape = Shape(kind="set", operator="UNION", branches=branches, outputs=shape.outputs, distinct=not is_all)
        return replace(shape, ctes=ctes)

    def _ctes(self) -> tuple[Cte, ...]:
        if not self.accept("with"):
            return ()
        ctes: list[Cte] = []
        while not ctes or self.accept(","):
            name = self.name()
            columns = self.names_in_parentheses() if self.is_next("(") else ()
            self.expect("as")
            self.expect("(")
            if not self.is_next("select") and not self.is_next("with"):
                raise NotPlainError
            ctes.append(Cte(name=name, columns=columns, query=self.nested()))
            self.expect(")")
        return tuple(ctes)

    # INSERT, UPDATE, DELETE

    def insert(self, ctes: tuple[Cte, ...] = ()) -> Shape:
        """Returns the INSERT that comes next."""
        self.expect("insert")
        self.expect("into")
        name, schema = self.qualified()
        target = Source(kind="table", name=name, schema=schema)
        listed = self.names_in_parentheses() if self.is_next("(") else None
        if self.accept("values"):
            body, nulls = self._values()
        elif self.is_next("select"):
            body = self.nested()
            is_plain = body.kind == "select" and not any(output.star for output in body.outputs)
            nulls = tuple(at for at, output in enumerate(body.outputs) if is_plain and is_null(output.operand))
        else:
            raise NotPlainError
        conflict, assigned, excluded = self._conflict() if self.accept("on", "conflict") else (None, (), ())
        return self.shape(
            "insert",
            ctes=ctes,
            sources=(target,),
            target_columns=listed,
            body=body,
            nulls=nulls,
            conflict=conflict,
            assigned=assigned,
            excluded_refs=excluded,
        )

    def _values(self) -> tuple[Shape, tuple[int, ...]]:
        """Returns the rows, and the positions where one of them says NULL."""
        outer, self.names = self.names, Names()
        rows: list[list[Term]] = []
        while not rows or self.accept(","):
            self.expect("(")
            rows.append(self.expressions())
            self.expect(")")
        if self.queries or any(len(row) != len(rows[0]) for row in rows):
            raise NotPlainError
        outputs = tuple(Output(f"column{number}", passed_value(term)) for number, term in enumerate(rows[0], 1))
        shape = self.shape("values", outputs=outputs, width=len(rows[0]))
        self.names = outer
        return shape, tuple(sorted({at for row in rows for at, term in enumerate(row) if is_null(constant_of(term))}))

    def _conflict(self) -> tuple[Conflict, tuple[tuple[str, Operand], ...], tuple[Ref, ...]]:
        """Returns the rest of ON CONFLICT, the columns that it sets, and the columns that their values mention."""
        refs = tuple(Ref(key) for key in (self.names_in_parentheses() if self.is_next("(") else ()))
        conflict = Conflict(keys=refs, refs=tuple(dict.fromkeys(refs)))
        if self.accept("do", "nothing"):
            return conflict, (), ()
        if not refs or not self.accept("do", "update", "set"):
            raise NotPlainError
        assigned = self._assignments()
        excluded, self.names.refs = self.names.refs, []
        return conflict, assigned, tuple(dict.fromkeys(excluded))

    def _assignments(self) -> tuple[tuple[str, Operand], ...]:
        """Returns the columns of SET with their values."""
        assigned: list[tuple[str, Operand]] = []
        while not assigned or self.accept(","):
            column = self.name()
            self.expect("=")
            term = self.value()
            if has_aggregate(term):
                raise NotPlainError
            assigned.append((column, operand_of(term)))
        return tuple(assigned)

    def update(self, ctes: tuple[Cte, ...] = ()) -> Shape:
        """Returns the UPDATE that comes next."""
        self.expect("update")
        name, schema = self.qualified()
        sources = [Source(kind="table", name=name, schema=schema, alias=self.alias())]
        self.expect("set")
        assigned = self._assignments()
        joins = Names()
        if self.accept("from"):
            if self.queries:
                raise NotPlainError
            sources += self.sources(joins)
        return self.shape("update", joins, ctes=ctes, sources=tuple(sources), assigned=assigned, where=self.where())

    def delete(self, ctes: tuple[Cte, ...] = ()) -> Shape:
        """Returns the DELETE that comes next."""
        self.expect("delete")
        self.expect("from")
        name, schema = self.qualified()
        target = Source(kind="table", name=name, schema=schema, alias=self.alias())
        joins = Names()
        others = self.sources(joins) if self.accept("using") else ()
        return self.shape("delete", joins, ctes=ctes, sources=(target, *others), where=self.where())
