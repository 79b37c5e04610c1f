"""Expressions (a_expr and b_expr in PostgreSQL's grammar): where they end, and which functions they call.

This needs no operator precedence, so an expression is read as a sequence of operands and operators. `migsafe.expressions` builds its tree
where one is needed.
"""

from migsafe.sql import features
from migsafe.sql.grammar.operands import SIMPLE_CONSTANTS, Operands
from migsafe.sql.lexer import OPERATOR, PLACEHOLDER, WORD
from migsafe.sql.operations.values import Expression

_SUBQUERY_TESTS = frozenset(("any", "some", "all"))


class Expressions(Operands):
    """A cursor that reads expressions. Its subclasses read the queries inside them."""

    __slots__ = ()

    def expression(self, *, bounded: bool = False) -> Expression:
        """Read an expression (a_expr), or with `bounded` one without AND, OR, NOT, IN, LIKE and so on outside parentheses (b_expr)."""
        start, calls, reads = self.i, len(self.calls), len(self.reads)
        if bounded:
            self.b_expr()
        else:
            self.a_expr()
        span = self.span(start)
        return Expression(
            sql=self.tokens.text[span.start : span.end], span=span, calls=tuple(self.calls[calls:]), reads=tuple(self.reads[reads:])
        )

    def a_expr(self) -> None:
        """Skip an expression."""
        while True:
            self.operand(bounded=False)
            if not self._operators():
                return

    def b_expr(self) -> None:
        """Skip an expression without AND, OR, NOT, IN, LIKE and so on."""
        while True:
            self.operand(bounded=True)
            while self.words[self.i] == "::":
                self.i += 1
                self.type_name()
            if self.kinds[self.i] == OPERATOR:
                self.i += 1
            elif self.at("operator", "("):
                self.qualified_operator()
            elif not (self.accept("is", "distinct", "from") or self.accept("is", "not", "distinct", "from")):
                if not self.accept("is", "document"):
                    self.accept("is", "not", "document")
                return

    def _operators(self) -> bool:
        """Skip the operators after an operand, and return whether another operand must follow."""
        while True:
            i = self.i
            if self.kinds[i] == OPERATOR:
                self.i = i + 1
                if not self._subquery_test():
                    return True
            elif self.kinds[i] == WORD:
                infix = _INFIX.get(self.words[i])
                if infix is None:
                    return False
                if infix(self):
                    return True
                if self.i == i:
                    return False
            elif self.words[i] == "::":
                self.i = i + 1
                self.type_name()
            else:
                return False

    def _subquery_test(self) -> bool:
        """Skip ANY, SOME or ALL with its array or query, after an operator or LIKE, and return whether it was there."""
        if self.words[self.i] in _SUBQUERY_TESTS and self.words[self.i + 1] == "(":
            self.i += 1
            self._list_or_query()
            return True
        return False

    def _list_or_query(self) -> None:
        """Skip `(query)` or `(expression, …)`."""
        if not self.parenthesised_query():
            self.expect("(")
            self.expressions()
            self.expect(")")

    # Operators that are words. They return whether another operand must follow.

    def _and(self) -> bool:
        self.i += 1
        return True

    def _is(self) -> bool:
        self.i += 1
        self.accept("not")
        if self.accept("distinct", "from"):
            return True
        word = self.expect_any("null", "true", "false", "unknown", "distinct", "document", "normalized", "json", "nfc", "nfd", "nfkc", "nfkd")
        if word == "json":
            self.uses(features.IS_JSON)
            self.accept_any(("value", "array", "object", "scalar"))
            if self.accept("with", "unique") or self.accept("without", "unique"):
                self.accept("keys")
        elif word[:2] == "nf":
            self.expect("normalized")
        elif word == "distinct":
            self.fail("FROM")
        return False

    def _null_test(self) -> bool:
        self.i += 1
        return False

    def _not(self) -> bool:
        infix = _NEGATED.get(self.words[self.i + 1])
        if infix is None:
            return False
        self.i += 1
        return infix(self)

    def _like(self) -> bool:
        self.i += 1
        return not self._subquery_test()

    def _similar(self) -> bool:
        return self.accept("similar", "to")

    def _escape(self) -> bool:
        following = self.i + 1
        if self.kinds[following] in SIMPLE_CONSTANTS or self.words[following] in ("{}", "(", "null"):
            self.i = following
            return True
        return False

    def _between(self) -> bool:
        self.i += 1
        self.accept_any(("symmetric", "asymmetric"))
        self.b_expr()
        self.expect("and")
        return True

    def _in(self) -> bool:
        self.i += 1
        if self.kinds[self.i] == PLACEHOLDER:
            self.i += 1
            return False
        self._list_or_query()
        return False

    def _at(self) -> bool:
        if self.accept("at", "time", "zone"):
            return True
        if self.accept("at", "local"):
            self.uses(features.AT_LOCAL)
        return False

    def _collate(self) -> bool:
        self.i += 1
        self.qualified("a collation")
        return False

    def _operator(self) -> bool:
        if self.words[self.i + 1] != "(":
            return False
        self.qualified_operator()
        return not self._subquery_test()


_INFIX = {
    "and": Expressions._and,
    "or": Expressions._and,
    "overlaps": Expressions._and,
    "is": Expressions._is,
    "isnull": Expressions._null_test,
    "notnull": Expressions._null_test,
    "not": Expressions._not,
    "like": Expressions._like,
    "ilike": Expressions._like,
    "similar": Expressions._similar,
    "escape": Expressions._escape,
    "between": Expressions._between,
    "in": Expressions._in,
    "at": Expressions._at,
    "collate": Expressions._collate,
    "operator": Expressions._operator,
}
_NEGATED = {word: _INFIX[word] for word in ("like", "ilike", "similar", "between", "in")}
