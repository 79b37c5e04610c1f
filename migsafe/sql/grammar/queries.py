"""Queries and the statements that change rows (SelectStmt, InsertStmt, UpdateStmt, DeleteStmt, MergeStmt in PostgreSQL's grammar)."""

from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.expressions import CALLED_WITHOUT_PARENTHESES, QUERY_WORDS, Expressions
from migsafe.sql.keywords import NEEDS_AS
from migsafe.sql.lexer import MARK, QUOTED, UNICODE_QUOTED, WORD, Tokens
from migsafe.sql.operations.tables import Persistence
from migsafe.sql.operations.values import Name, Operation, Query

_JOINS = frozenset(("join", "inner", "left", "right", "full", "cross", "natural"))
SET_OPERATIONS = ("union", "intersect", "except")


class Queries(Expressions):
    """A cursor that reads everything that statements share: names, types, expressions and queries.

    What a query does besides reading is gathered on the way: `into`, the new table of a SELECT … INTO; `row_locks`, the relations of FOR
    UPDATE and its kin; `filtered`, whether the SELECT read last at the outermost level had a WHERE; `nested`, the operations of
    data-modifying statements in WITH.
    """

    __slots__ = ("filtered", "into", "nested", "row_locks")

    into: tuple[Name, Persistence] | None
    row_locks: list[Name] | None
    filtered: bool
    nested: list[Operation]

    def __init__(self, tokens: Tokens, start: int = 0) -> None:
        super().__init__(tokens, start)
        self.into = None
        self.row_locks = None
        self.filtered = False
        self.nested = []

    def whole_query(self) -> Query:
        """A query with all that is known of it."""
        start, reads, calls = self.i, len(self.reads), len(self.calls)
        hidden, locks = self.ctes, self.row_locks
        self.row_locks = None
        if self.words[self.i] == "with":
            self.with_clause()
        found = self._query_from(start, reads, calls)
        self.ctes, self.row_locks = hidden, locks
        return found

    def _query_from(self, start: int, reads: int, calls: int) -> Query:
        self._body()
        span = self.span(start)
        locks = None if self.row_locks is None else tuple(self.row_locks)
        return Query(self.tokens.text[span.start : span.end], span, tuple(self.reads[reads:]), tuple(self.calls[calls:]), locks, self.filtered)

    def at_query(self) -> bool:
        """Whether a query comes next."""
        return self.words[self.after_parentheses()] in QUERY_WORDS

    def query(self) -> None:
        """A query with its WITH, set operations, ORDER BY, LIMIT and row locks (select_no_parens), or one in parentheses."""
        hidden = self.ctes
        if self.words[self.i] == "with":
            self.with_clause()
        self._body()
        self.ctes = hidden

    def _body(self) -> None:
        """A query without its WITH."""
        self._operand_of_set()
        self._after_operand()

    def _after_operand(self) -> None:
        """The set operations after the first operand, and what ends a query."""
        while self.accept_any(SET_OPERATIONS):
            self.accept_any(("all", "distinct"))
            self._operand_of_set()
        self._tail()

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
            self._rows()
        elif word == "table":
            self.i += 1
            self._relation()
        else:
            self.fail("a query")

    def _rows(self) -> None:
        """The rows of VALUES."""
        words = self.words
        while True:
            self.expect("(")
            self.expressions()
            self.expect(")")
            if words[self.i] != ",":
                return
            self.i += 1

    def with_clause(self) -> None:
        """WITH: its names hide relations from here on. The caller puts `ctes` back."""
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
        """The names of all queries of a WITH RECURSIVE, each of which may read any other."""
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
        """Step over a query or a statement that changes rows, whose operation joins `nested`."""
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
        if self.accept("from"):
            self.from_list()
        filtered = self.accept("where")
        if filtered:
            self.a_expr()
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
        """The output columns of a SELECT or RETURNING."""
        while True:
            if self.words[self.i] == "*":
                self.i += 1
            else:
                self.a_expr()
                if self.accept("as"):
                    self.label()
                elif self.kinds[self.i] in (QUOTED, MARK, UNICODE_QUOTED) or (
                    self.kinds[self.i] == WORD and self.words[self.i] not in NEEDS_AS
                ):
                    self.i += 1
            if self.words[self.i] != ",":
                return
            self.i += 1

    def _group_by(self) -> None:
        self.accept_any(("all", "distinct"))
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
        """The keys of an ORDER BY."""
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

    def accept_operator(self) -> bool:
        """An operator, qualified or not."""
        if self.at("operator", "("):
            self._qualified_operator()
            return True
        if self.words[self.i] and self.words[self.i][0] in "~!@#^&|`?+-*/%<>=":
            self.i += 1
            return True
        return False

    def _tail(self) -> None:
        """ORDER BY, LIMIT, OFFSET, FETCH and row locks, in the orders that PostgreSQL allows."""
        if self.accept("order", "by"):
            self.order_by()
        while True:
            word = self.words[self.i]
            if word == "limit":
                self.i += 1
                if not self.accept("all"):
                    self.a_expr()
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
            elif word == "for" and self.words[self.i + 1] in ("update", "share", "no", "key", "read"):
                self._row_lock()
            else:
                return

    def _row_lock(self) -> None:
        self.i += 1
        if self.accept("read", "only"):
            return
        if not (self.accept("no", "key", "update") or self.accept("key", "share")):
            self.expect_any("update", "share")
        if self.row_locks is None:
            self.row_locks = []
        if self.accept("of"):
            self.row_locks.extend(self.list_of(self.qualified))
        if not self.accept("nowait") and self.accept("skip"):
            self.expect("locked")

    # FROM

    def from_list(self) -> None:
        """The relations of FROM or USING."""
        self._table_reference()
        while self.accept(","):
            self._table_reference()

    def _table_reference(self) -> None:
        self._table_primary()
        while self.words[self.i] in _JOINS:
            self._join()

    def _join(self) -> None:
        qualified = True
        if self.accept("cross"):
            qualified = False
        elif self.accept("natural"):
            qualified = False
            if self.accept_any(("left", "right", "full")):
                self.accept("outer")
            else:
                self.accept("inner")
        elif self.accept_any(("left", "right", "full")):
            self.accept("outer")
        else:
            self.accept("inner")
        self.expect("join")
        if not qualified:
            self._table_primary()
            return
        self._table_reference()
        if self.accept("using"):
            self.in_parentheses(self.name)
            if self.accept("as"):
                self.name()
        else:
            self.expect("on")
            self.a_expr()

    def _table_primary(self) -> None:
        self.accept("lateral")
        word = self.words[self.i]
        if word == "(":
            if not self.parenthesised_query():
                self.i += 1
                self._table_reference()
                self.expect(")")
            self._alias()
        elif word in ("xmltable", "json_table") and self.words[self.i + 1] == "(":
            self.i += 1
            self.loose_table()
            self._alias()
        elif word == "rows" and self.at("rows", "from", "("):
            self.i += 3
            while True:
                self.a_expr()
                if self.accept("as"):
                    self._column_definitions()
                if not self.accept(","):
                    break
            self.expect(")")
            self._ordinality()
        elif self._at_function():
            self.a_expr()
            self._ordinality()
        else:
            self._relation()
            self._alias()
            if self.accept("tablesample"):
                self.qualified("a sampling method")
                self.expect("(")
                self.expressions()
                self.expect(")")
                if self.accept("repeatable"):
                    self.expect("(")
                    self.a_expr()
                    self.expect(")")

    def _at_function(self) -> bool:
        j = self.i
        if self.words[j] in ("only", "table"):
            return False
        while self.words[j + 1] == ".":
            j += 2
        return (
            self.words[j + 1] == "("
            or (self.words[j] == "collation" and self.words[j + 1] == "for")
            or self.words[j] in CALLED_WITHOUT_PARENTHESES
        )

    def _ordinality(self) -> None:
        self.accept("with", "ordinality")
        self._alias()

    def _relation(self) -> Name:
        """A relation that is read (relation_expr); `name` `*` and ONLY as PostgreSQL allows them."""
        name = self.relation()
        if name.schema is not None or name.name not in self.ctes:
            self.reads.append(name)
        return name

    def relation(self) -> Name:
        """A table's name with ONLY or `*` (relation_expr); `at_only` tells beforehand."""
        if self.accept("only"):
            if self.accept("("):
                name = self.qualified("a table")
                self.expect(")")
                return name
            return self.qualified("a table")
        name = self.qualified("a table")
        self.accept("*")
        return name

    def _alias(self) -> None:
        if self.accept("as"):
            if self.words[self.i] == "(":
                self._column_definitions()
                return
            self.name("an alias")
        elif self.at_name():
            if self.words[self.i] in ("set", "tablesample") or self.at("with", "ordinality"):
                return
            self.i += 1
        else:
            return
        if self.words[self.i] == "(":
            self._column_definitions()

    def _column_definitions(self) -> None:
        """`(a, b)` or `(a int, b text)`."""
        self.expect("(")
        while True:
            self.name()
            if self.words[self.i] not in (",", ")"):
                self.type_name()
                if self.accept("collate"):
                    self.qualified("a collation")
            if not self.accept(","):
                break
        self.expect(")")

    def loose_table(self) -> None:
        """The parentheses of XMLTABLE and JSON_TABLE: expressions, COLUMNS with types, nested lists."""
        self.expect("(")
        while not self.accept(")"):
            if self.words[self.i] == "(":
                self.loose_table()
                continue
            if self.at("columns", "("):
                self.i += 1
                continue
            saved = self.i
            try:
                self.a_expr()
            except Unexpected:
                if not self.words[saved]:
                    raise
                self.i = saved + 1

    # Windows

    def window(self) -> None:
        """What follows OVER."""
        if self.words[self.i] == "(":
            self._window_definition()
        else:
            self.name("a window")

    def _window_definition(self) -> None:
        self.expect("(")
        if self.at_name() and self.words[self.i] not in ("partition", "range", "rows", "groups"):
            self.i += 1
        if self.accept("partition", "by"):
            self.expressions()
        if self.accept("order", "by"):
            self.order_by()
        if self.accept_any(("range", "rows", "groups")):
            if self.accept("between"):
                self._frame_bound()
                self.expect("and")
            self._frame_bound()
            if self.accept("exclude") and not (self.accept("current", "row") or self.accept("no", "others")):
                self.expect_any("group", "ties")
        self.expect(")")

    def _frame_bound(self) -> None:
        if self.accept("current", "row"):
            return
        if self.words[self.i] == "unbounded" and self.words[self.i + 1] in ("preceding", "following"):
            self.i += 1
        else:
            self.a_expr()
        self.expect_any("preceding", "following")
