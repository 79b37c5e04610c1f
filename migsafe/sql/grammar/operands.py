"""Operands of expressions (c_expr in PostgreSQL's grammar): constants, names, calls, parentheses and what begins with a key word."""

from migsafe.sql import features
from migsafe.sql.grammar.constructs import CONSTRUCTS, Constructs
from migsafe.sql.grammar.cursor import NOT_A_COLUMN_NAME, NOT_A_FUNCTION_NAME, Unexpected
from migsafe.sql.lexer import BIT_STRING, NUMBER, OPERATOR, PARAMETER, PLACEHOLDER, QUOTED, STRINGS, UNICODE_QUOTED, UNICODE_STRING, WORD
from migsafe.sql.operations.values import Name

SIMPLE_CONSTANTS = STRINGS | {NUMBER, PARAMETER, BIT_STRING}
_TYPED = frozenset(
    """int integer smallint bigint real float double decimal dec numeric boolean bit character char varchar national nchar timestamp
    time interval""".split()
)
_AFTER_TYPE = frozenset(("'", "{}", "(", "with", "without", "precision", "varying", "character", "char"))
CALLED_WITHOUT_PARENTHESES = frozenset(
    """current_date current_catalog current_role current_user session_user system_user user current_time
    current_timestamp localtime localtimestamp current_schema""".split()
)
_CONSTANTS = CALLED_WITHOUT_PARENTHESES | {"null", "true", "false", "default"}
_WITH_PRECISION = frozenset(("current_time", "current_timestamp", "localtime", "localtimestamp"))
_NOT_PREFIX = frozenset(("*", "/", "%", "^", "<", ">", "=", "<=", ">=", "<>", "!="))


class Operands(Constructs):
    """A cursor that reads operands with their prefix operators."""

    __slots__ = ()

    def operand(self, *, bounded: bool) -> None:
        """Skip an operand and its prefix operators."""
        while True:
            i = self.i
            kind, word = self.kinds[i], self.words[i]
            if kind == OPERATOR:
                if word in _NOT_PREFIX:
                    self.fail("an expression")
                self.i = i + 1
            elif word == "not" and not bounded and kind == WORD:
                self.i = i + 1
            elif word == "operator" and self.words[i + 1] == "(":
                self.qualified_operator()
            else:
                break
        if kind in SIMPLE_CONSTANTS:
            self.i = i + 1
            if kind == UNICODE_STRING:
                self.accept_escape_character()
            elif kind == PARAMETER:
                self.indirection()
        elif kind == WORD:
            operand = _OPERANDS.get(word)
            if operand is None or not operand(self, word):
                self._named()
        elif kind in (QUOTED, PLACEHOLDER, UNICODE_QUOTED):
            self._named()
        elif word == "(":
            self._parenthesised()
        else:
            self.fail("an expression")

    def _named(self) -> None:
        """Skip a column, a function call, or a constant after the name of its type."""
        i = self.i
        word, following = self.words[i], self.words[i + 1]
        if self.kinds[i] == WORD:
            if following in ("(", "'"):
                if word in NOT_A_FUNCTION_NAME:
                    self.fail("an expression")
            elif word in NOT_A_COLUMN_NAME and following != ".":
                self.fail("an expression")
        self.i = i + 1
        if following not in (".", "[", "(", "'"):
            return
        parts = [self.identifier(i)]
        while self.words[self.i] == ".":
            self.i += 1
            if self.accept("*"):
                return
            parts.append(self.label())
        following = self.words[self.i]
        if following == "(":
            self.calls.append(Name(*reversed(parts[-3:])))
            if len(parts) == 1:
                between = parts[0] == "random" and self.words[self.i + 1] != ")"
                self.uses(features.RANDOM_BETWEEN if between else features.function_feature(parts[0]), i)
            self._call()
        elif following == "'" and self.kinds[i] != PLACEHOLDER:
            self.i += 1
        else:
            self.indirection()

    def _call(self) -> None:
        """Skip the arguments of a function and the clauses after them."""
        self.expect("(")
        if not (self.accept(")") or self.accept("*", ")")):
            self.accept_any(("all", "distinct"))
            self._argument()
            while self.accept(","):
                self._argument()
            if self.accept("order", "by"):
                self.order_by()
            self.expect(")")
        if self.accept("within", "group", "(", "order", "by"):
            self.order_by()
            self.expect(")")
        if self.accept("filter", "(", "where"):
            self.a_expr()
            self.expect(")")
        if self.words[self.i] in ("ignore", "respect") and self.at(self.words[self.i], "nulls"):
            self.i += 2
            self.uses(features.NULL_TREATMENT)
        if self.words[self.i] == "over":
            self.i += 1
            self.window()
        elif self.words[self.i] == "'":
            self.i += 1  # numeric(3, 1) '2.5'

    def _argument(self) -> None:
        self.accept("variadic")
        if self.words[self.i + 1] in (":=", "=>"):
            self.type_or_function("an argument's name")
            self.i += 1
        self.a_expr()

    def _parenthesised(self) -> None:
        """Skip `(expression)`, `(a, b)` or `(query)`, with subscripts and fields."""
        if not self.parenthesised_query():
            self.i += 1
            self.expressions()
            self.expect(")")
        self.indirection()

    def _constant(self, word: str) -> bool:
        if word == "current_schema" and self.words[self.i + 1] == "(":
            return False
        self.i += 1
        if word in _WITH_PRECISION and self.accept("("):
            self.number()
            self.expect(")")
        return True

    def _typed_constant(self, word: str) -> bool:
        """Skip a constant after its type, such as `interval '1 day'`, and return whether it was there. Otherwise the word is a column."""
        if self.words[self.i + 1] not in _AFTER_TYPE:
            return False
        saved = self.i
        try:
            self.simple_type()
        except Unexpected:
            self.i = saved
            return False
        if not self.at_string():
            self.i = saved
            return False
        self.i += 1
        if word == "interval":
            self.interval_fields()
        return True

    def qualified_operator(self) -> None:
        """Skip OPERATOR(schema.+)."""
        self.expect("operator", "(")
        while self.kinds[self.i] != OPERATOR:
            self.name("an operator")
            self.expect(".")
        self.i += 1
        self.expect(")")


_OPERANDS = {
    **CONSTRUCTS,
    **dict.fromkeys(_CONSTANTS, Operands._constant),
    **dict.fromkeys(_TYPED, Operands._typed_constant),
}
