"""Queries and the statements that change rows (SelectStmt, InsertStmt, UpdateStmt, DeleteStmt, MergeStmt in PostgreSQL's grammar)."""

from migsafe.sql.grammar.constructs import QUERY_WORDS
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.from_clause import FromClause
from migsafe.sql.keywords import NEEDS_AS
from migsafe.sql.lexer import PLACEHOLDER, QUOTED, UNICODE_QUOTED, WORD, Tokens
from migsafe.sql.operations.tables import Persistence
from migsafe.sql.operations.values import Name, Operation, Query

SET_OPERATIONS = ("union", "intersect", "except")
_OPERATOR_LABELS = frozenset("and between collate ilike in is like or".split())
_AFTER_LABEL = frozenset(("", ",", "from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", *SET_OPERATIONS))


class Queries(FromClause):
    """A cursor that reads everything that statements share: names, types, expressions and queries.

    It collects facts about the query: `into`, the new table of SELECT … INTO; `row_locks`, the relations of FOR UPDATE, FOR SHARE and so on;
    `filtered`, whether the last SELECT at the outermost level had a WHERE; `narrowed`, the positions in `reads` of relations inside a WHERE
    or LIMIT; `nested`, the operations of data-modifying statements in WITH.
    """

    __slots__ = ("filtered", "into", "narrowed", "nested", "row_locks")

    into: tuple[Name, Persistence] | None
    row_locks: list[Name] | None
    filtered: bool
    narrowed: set[int]
    nested: list[Operation]

    def __init__(self, tokens: Tokens, start: int = 0) -> None:
        super().__init__(tokens, start)
        self.into = None
        self.row_locks = None
        self.filtered = False
        self.narrowed = set()
        self.nested = []

    def whole_query(self) -> Query:
        """Read a query and return it with all collected facts."""
        start, reads, calls = self.i, len(self.reads), len(self.calls)
        hidden, locks = self.ctes, self.row_locks
        self.row_locks = None
        if self.words[self.i] == "with":
            self.with_clause()
        query = self._query_from(start, reads, calls)
        self.ctes, self.row_locks = hidden, locks
        return query

    def _query_from(self, start: int, reads: int, calls: int) -> Query:
        self._body(reads)
        span = self.span(start)
        return Query(
            sql=self.tokens.text[span.start : span.end],
            span=span,
            reads=tuple(self.reads[reads:]),
            calls=tuple(self.calls[calls:]),
            row_locks=None if self.row_locks is None else tuple(self.row_locks),
            filtered=self.filtered,
            only=self._only_since(reads) if self.only else (),
            whole=self.whole_since(reads),
        )

    def whole_since(self, reads: int) -> tuple[Name, ...]:
        """Return the relations in `reads` from a position on that are read without a filter."""
        return tuple(name for position, name in enumerate(self.reads[reads:], reads) if position not in self.narrowed)

    def _only_since(self, reads: int) -> tuple[Name, ...]:
        """Return the relations in `reads` from a position on that are always read with ONLY."""
        whole = {name for position, name in enumerate(self.reads[reads:], reads) if position not in self.only}
        return tuple(dict.fromkeys(name for name in self.reads[reads:] if name not in whole))

    def at_query(self) -> bool:
        """Whether a query is next."""
        return self.words[self.after_parentheses()] in QUERY_WORDS

    def query(self) -> None:
        """Read a query with its WITH, set operations, ORDER BY, LIMIT and row locks (select_no_parens), or a query in parentheses."""
        hidden, reads = self.ctes, len(self.reads)
        if self.words[self.i] == "with":
            self.with_clause()
        self._body(reads)
        self.ctes = hidden

    def _body(self, reads: int) -> None:
        """Read a query without its WITH; `reads` is the position of its first relation in the list of that name."""
        own, aliases = len(self.reads), self.aliases
        self.aliases = {}
        try:
            self._operand_of_set()
            limited = self._after_operand()
        finally:
            self.aliases = aliases
        if limited:
            self.narrowed.update(range(reads, len(self.reads)))
        elif self.filtered:
            self.narrow_with(reads, own)

    def narrow_with(self, first: int, end: int) -> None:
        """Mark the relations of WITH queries, between two positions in `reads`, as filtered.

        PostgreSQL inlines such a query where it is read, and applies the filter of that place.
        """
        self.narrowed.update(range(first, end))

    def _after_operand(self) -> bool:
        """Read the set operations after the first operand and the end of a query, and return whether that has a limit."""
        while self.accept_any(SET_OPERATIONS):
            self.accept_any(("all", "distinct"))
            self._operand_of_set()
        return self._tail()

    def _operand_of_set(self) -> None:
        word = self.words[self.i]
        if word == "(":
            self.i += 1
            self.query()
            self.expect(")")
        elif word == "select":
            self._select()
        elif word == "values":
            self.i += 1
            self.rows()
        elif word == "table":
            self.i += 1
            self.read_relation()
        else:
            self.fail("a query")

    def rows(self) -> set[int]:
        """Read the rows of VALUES, and return the positions at which some row has another value than DEFAULT."""
        words = self.words
        given: set[int] = set()
        while True:
            self.expect("(")
            position = 0
            while True:
                if words[self.i] != "default":
                    given.add(position)
                self.a_expr()
                if words[self.i] != ",":
                    break
                self.i += 1
                position += 1
            self.expect(")")
            if words[self.i] != ",":
                return given
            self.i += 1

    def with_clause(self) -> None:
        """Read WITH. Its names hide relations from now on; the caller restores `ctes`."""
        self.expect("with")
        if self.accept("recursive"):
            self.ctes |= self._with_names()
        while True:
            name = self.name("a name for the WITH query")
            if self.words[self.i] == "(":
                self.in_parentheses(self.name)
            self.expect("as")
            if self.accept("not"):
                self.expect("materialized")
            else:
                self.accept("materialized")
            self.expect("(")
            self.preparable()
            self.expect(")")
            self.ctes |= {name}
            self._search_and_cycle()
            if not self.accept(","):
                return

    def _with_names(self) -> frozenset[str]:
        """Return the names of all queries of a WITH RECURSIVE. Each of them may read the others."""
        names: set[str] = set()
        saved = self.i
        while self.at_name():
            at = self.i
            self.i += 1
            if self.words[self.i] == "(":
                self.skip_group()
            if self.words[self.i] == "as":
                names.add(self.identifier(at))
            while not self.done and self.words[self.i] not in (",", "select", "insert", "update", "delete", "merge", "values", "table"):
                if self.words[self.i] == "(":
                    self.skip_group()
                else:
                    self.i += 1
            self.i += self.words[self.i] == ","
        self.i = saved
        return frozenset(names)

    def _search_and_cycle(self) -> None:
        if self.accept("search"):
            self.expect_any("depth", "breadth")
            self.expect("first", "by")
            self.list_of(self.name)
            self.expect("set")
            self.name()
        if self.accept("cycle"):
            self.list_of(self.name)
            self.expect("set")
            self.name()
            if self.accept("to"):
                self.a_expr()
                self.expect("default")
                self.a_expr()
            self.expect("using")
            self.name()

    def preparable(self) -> None:
        """Skip a query or a statement that changes rows, and add its operation to `nested`."""
        raise NotImplementedError

    def _select(self) -> None:
        self.expect("select")
        distinct = self.accept("distinct")
        if distinct and self.accept("on"):
            self.expect("(")
            self.expressions()
            self.expect(")")
        elif not distinct:
            self.accept("all")
        if distinct or self._at_target():
            self.targets()
        if self.accept("into"):
            self._into()
        reads = len(self.reads)
        if self.accept("from"):
            self.from_list()
        filtered = self.accept("where")
        if filtered:
            self.a_expr()
            self.narrowed.update(range(reads, len(self.reads)))
        if self.accept("group", "by"):
            self._group_by()
        if self.accept("having"):
            self.a_expr()
        if self.accept("window"):
            while True:
                self.name("a window's name")
                self.expect("as")
                self._window_definition()
                if not self.accept(","):
                    break
        self.filtered = filtered

    def _at_target(self) -> bool:
        word = self.words[self.i]
        return word not in ("from", "where", "into", "group", "having", "window", "order", "limit", "offset", "fetch", "for", ")", "") and (
            word not in SET_OPERATIONS
        )

    def _into(self) -> None:
        word = self.accept_any(("temporary", "temp", "local", "global", "unlogged"))
        if word in ("local", "global"):
            self.expect_any("temporary", "temp")
        self.accept("table")
        persistence = Persistence.PERMANENT
        if word:
            persistence = Persistence.UNLOGGED if word == "unlogged" else Persistence.TEMPORARY
        self.into = self.qualified("a table"), persistence

    def targets(self) -> None:
        """Read the output columns of SELECT or RETURNING."""
        while True:
            if self.words[self.i] == "*":
                self.i += 1
            else:
                self._target_expression()
                if self.accept("as"):
                    self.label()
                elif self.kinds[self.i] in (QUOTED, PLACEHOLDER, UNICODE_QUOTED) or (
                    self.kinds[self.i] == WORD and self.words[self.i] not in NEEDS_AS
                ):
                    self.i += 1
            if self.words[self.i] != ",":
                return
            self.i += 1

    def _target_expression(self) -> None:
        """Read an output column. A word such as AND or IS is its label if no operand follows: PostgreSQL accepts `SELECT a IS`."""
        start = self.i
        try:
            self.a_expr()
        except Unexpected as unexpected:
            i = unexpected.index
            before = self.words[start:i]
            is_outside = before.count("(") + before.count("[") == before.count(")") + before.count("]")
            if i - 1 == start or self.words[i - 1] not in _OPERATOR_LABELS or self.words[i] not in _AFTER_LABEL or not is_outside:
                raise
            self.i = i

    def _group_by(self) -> None:
        if not self.accept("all"):
            self.accept("distinct")
        while True:
            if self.accept("grouping", "sets", "("):
                self._group_by()
                self.expect(")")
            elif self.at("rollup", "(") or self.at("cube", "("):
                self.i += 2
                self.expressions()
                self.expect(")")
            elif not self.accept("(", ")"):
                self.a_expr()
            if not self.accept(","):
                return

    def order_by(self) -> None:
        """Read the keys of ORDER BY."""
        while True:
            self.a_expr()
            if self.accept("using"):
                if not self.accept_operator():
                    self.fail("an operator")
            else:
                self.accept_any(("asc", "desc"))
            if self.accept("nulls"):
                self.expect_any("first", "last")
            if not self.accept(","):
                return

    def _tail(self) -> bool:
        """Read ORDER BY, LIMIT, OFFSET, FETCH and row locks in any valid order, and return whether there is a limit."""
        limited = False
        if self.accept("order", "by"):
            self.order_by()
        while True:
            word = self.words[self.i]
            if word == "limit":
                self.i += 1
                if not self.accept("all"):
                    self.a_expr()
                    limited = True
                if self.words[self.i] == ",":
                    self.fail("OFFSET")
            elif word == "offset":
                self.i += 1
                self.a_expr()
                self.accept_any(("row", "rows"))
            elif word == "fetch":
                self.i += 1
                self.expect_any("first", "next")
                if self.words[self.i] not in ("row", "rows"):
                    self.a_expr()
                self.expect_any("row", "rows")
                if not self.accept("with", "ties"):
                    self.expect("only")
                limited = True
            elif word == "for" and self.words[self.i + 1] in ("update", "share", "no", "key", "read"):
                self._row_lock()
            else:
                return limited

    def _row_lock(self) -> None:
        self.i += 1
        if self.accept("read", "only"):
            return
        if not (self.accept("no", "key", "update") or self.accept("key", "share")):
            self.expect_any("update", "share")
        if self.row_locks is None:
            self.row_locks = []
        if self.accept("of"):
            self.row_locks.extend(self.aliases.get(name.name, name) if name.schema is None else name for name in self.list_of(self.qualified))
        if not self.accept("nowait") and self.accept("skip"):
            self.expect("locked")
