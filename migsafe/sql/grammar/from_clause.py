"""The relations that a query reads: FROM (table_ref in PostgreSQL's grammar), and windows."""

from migsafe.sql import features
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.expressions import Expressions
from migsafe.sql.grammar.operands import CALLED_WITHOUT_PARENTHESES
from migsafe.sql.lexer import Tokens
from migsafe.sql.operations.values import Name

_JOINS = frozenset(("join", "inner", "left", "right", "full", "cross", "natural"))


class FromClause(Expressions):
    """A cursor that reads also FROM and OVER. `aliases` are those of relations, `only` the positions in `reads` of relations with ONLY."""

    __slots__ = ("aliases", "only")

    aliases: dict[str, Name]
    only: list[int]

    def __init__(self, tokens: Tokens, start: int = 0) -> None:
        super().__init__(tokens, start)
        self.aliases = {}
        self.only = []

    def accept_operator(self) -> bool:
        """Skip an operator, with or without a schema, and return whether there was one."""
        if self.at("operator", "("):
            self.qualified_operator()
            return True
        if self.words[self.i] and self.words[self.i][0] in "~!@#^&|`?+-*/%<>=":
            self.i += 1
            return True
        return False

    def from_list(self) -> None:
        """Read the relations of FROM or USING."""
        self.table_reference()
        while self.accept(","):
            self.table_reference()

    def table_reference(self) -> None:
        """Read a relation, a subquery or a function, with its joins."""
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
        self.table_reference()
        if self.accept("using"):
            self.in_parentheses(self.name)
            if self.accept("as"):
                self.name()
        else:
            self.expect("on")
            self.a_expr()

    def _table_primary(self) -> None:
        self.accept("lateral")
        start = self.i
        word = self.words[self.i]
        if word == "(":
            if not self.parenthesised_query():
                self.i += 1
                self.table_reference()
                self.expect(")")
                self._alias()
            elif not self._alias():
                self.uses(features.SUBQUERY_WITHOUT_ALIAS, start)
        elif word in ("xmltable", "json_table") and self.words[self.i + 1] == "(":
            if word == "json_table":
                self.uses(features.JSON_TABLE, self.i)
            self.i += 1
            self.loose_table()
            self._alias()
        elif word == "graph_table" and self.words[self.i + 1] == "(":
            # The pattern has a syntax of its own; the graph is not a table.
            self.uses(features.PROPERTY_GRAPH, self.i)
            self.i += 1
            self.skip_group()
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
            name = self.read_relation()
            alias = self._alias()
            if alias:
                self.aliases[alias] = name
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

    def read_relation(self) -> Name:
        """Read a relation and add it to `reads` (relation_expr), with `*` or ONLY."""
        only = self.words[self.i] == "only"
        name = self.relation()
        if name.schema is not None or name.name not in self.ctes:
            if only:
                self.only.append(len(self.reads))
            self.reads.append(name)
        return name

    def relation(self) -> Name:
        """Read the name of a table with ONLY or `*` (relation_expr); `at_only` tests for ONLY before."""
        if self.accept("only"):
            if self.accept("("):
                name = self.qualified("a table")
                self.expect(")")
                return name
            return self.qualified("a table")
        name = self.qualified("a table")
        self.accept("*")
        return name

    def _alias(self) -> str:
        """Read an alias with its columns, if there is one."""
        alias = ""
        if self.accept("as"):
            if self.words[self.i] == "(":
                self._column_definitions()
                return alias
            alias = self.name("an alias")
        elif self.at_name():
            if self.words[self.i] in ("set", "tablesample") or self.at("with", "ordinality"):
                return alias
            alias = self.identifier(self.i)
            self.i += 1
        else:
            return alias
        if self.words[self.i] == "(":
            self._column_definitions()
        return alias

    def _column_definitions(self) -> None:
        """Read `(a, b)` or `(a int, b text)`."""
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
        """Read the parentheses of XMLTABLE and JSON_TABLE: expressions, COLUMNS with types, nested lists."""
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

    def window(self) -> None:
        """Read the rest of OVER."""
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
