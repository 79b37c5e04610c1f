"""Expressions (a_expr, b_expr and c_expr in PostgreSQL's grammar): where they end, and which functions they call.

This needs no operator precedence, so an expression is read as a sequence of operands and operators. `migsafe.expressions` builds its tree
where one is needed.
"""

from migsafe.sql import features
from migsafe.sql.grammar.cursor import NOT_A_COLUMN_NAME, NOT_A_FUNCTION_NAME, Unexpected
from migsafe.sql.grammar.types import Types
from migsafe.sql.lexer import (
    BIT_STRING,
    NUMBER,
    OPERATOR,
    PARAMETER,
    PLACEHOLDER,
    QUOTED,
    STRINGS,
    UNICODE_QUOTED,
    UNICODE_STRING,
    WORD,
    Tokens,
)
from migsafe.sql.operations.values import Expression, Name

QUERY_WORDS = frozenset(("select", "with", "values", "table"))
_SIMPLE = STRINGS | {NUMBER, PARAMETER, BIT_STRING}
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
_SUBQUERY_TESTS = frozenset(("any", "some", "all"))


class Expressions(Types):
    """A cursor that reads expressions. Its subclasses read the queries inside them.

    `row` is a sequence of opening parentheses that has already been read: the index of its first token, and the index after it.
    """

    __slots__ = ("row",)

    def __init__(self, tokens: Tokens, start: int = 0) -> None:
        super().__init__(tokens, start)
        self.row = (0, 0)

    def query(self) -> None:
        """Skip a query."""
        raise NotImplementedError

    def order_by(self) -> None:
        """Skip the keys of an ORDER BY."""
        raise NotImplementedError

    def window(self) -> None:
        """Skip the rest of OVER."""
        raise NotImplementedError

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

    def expressions(self) -> None:
        """Skip one or more expressions, separated by commas."""
        self.a_expr()
        while self.words[self.i] == ",":
            self.i += 1
            self.a_expr()

    def a_expr(self) -> None:
        """Skip an expression."""
        while True:
            self._operand(bounded=False)
            if not self._operators():
                return

    def b_expr(self) -> None:
        """Skip an expression without AND, OR, NOT, IN, LIKE and so on."""
        while True:
            self._operand(bounded=True)
            while self.words[self.i] == "::":
                self.i += 1
                self.type_name()
            if self.kinds[self.i] == OPERATOR:
                self.i += 1
            elif self.at("operator", "("):
                self._qualified_operator()
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

    def after_parentheses(self) -> int:
        """Return the index of the next token that is not an opening parenthesis. It is searched only once for a sequence of them."""
        first, after = self.row
        if not first <= self.i < after:
            after = self.i
            while self.words[after] == "(":
                after += 1
            self.row = self.i, after
        return after

    def parenthesised_query(self) -> bool:
        """Skip `(query)`, perhaps in more parentheses, and return whether it was there. Otherwise the cursor does not move."""
        j = self.after_parentheses()
        if j == self.i or self.words[j] not in QUERY_WORDS:
            return False
        saved = self.i, len(self.calls), len(self.reads), len(self.features)
        try:
            self.i += 1
            self.query()
            self.expect(")")
            return True
        except Unexpected as unexpected:
            # After a single parenthesis only a query is possible. ((SELECT 1) + 1) is an expression.
            if j == saved[0] + 1 and self.words[j] != "values":
                raise
            deepest = unexpected
        self.i = saved[0]
        del self.calls[saved[1] :], self.reads[saved[2] :], self.features[saved[3] :]
        if self.words[j] == "values" and j == self.i + 1 and self.words[j + 1] == "(":
            raise deepest
        return False

    # Operands

    def _operand(self, *, bounded: bool) -> None:
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
                self._qualified_operator()
            else:
                break
        if kind in _SIMPLE:
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

    def indirection(self) -> None:
        """Skip subscripts and fields."""
        while True:
            word = self.words[self.i]
            if word == "[":
                self.i += 1
                self._subscript()
                self.expect("]")
            elif word == ".":
                self.i += 1
                if self.accept("*"):
                    return
                self.label()
            else:
                return

    def _subscript(self) -> None:
        if not self.accept(":"):
            self.a_expr()
            if self.kinds[self.i] == PLACEHOLDER and self.raw(self.i)[0] == ":":
                self.i += 1
                return
            if not self.accept(":"):
                return
        if self.words[self.i] != "]":
            self.a_expr()

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

    def _case(self, word: str) -> bool:
        self.i += 1
        if self.words[self.i] != "when":
            self.a_expr()
        self.expect("when")
        while True:
            self.a_expr()
            self.expect("then")
            self.a_expr()
            if not self.accept("when"):
                break
        if self.accept("else"):
            self.a_expr()
        self.expect("end")
        return True

    def _cast(self, word: str) -> bool:
        self.i += 1
        self.expect("(")
        self.a_expr()
        self.expect("as")
        self.type_name()
        self.expect(")")
        return True

    def _exists(self, word: str) -> bool:
        if self.words[self.i + 1] != "(":
            return False
        self.i += 1
        if not self.parenthesised_query():
            self.i += 1
            self.fail("a query")
        return True

    def _array(self, word: str) -> bool:
        self.i += 1
        if self.words[self.i] == "[":
            self._array_elements()
            self.indirection()
        elif not self.parenthesised_query():
            self.fail('"[" or a query in parentheses')
        return True

    def _array_elements(self) -> None:
        self.expect("[")
        if self.accept("]"):
            return
        while True:
            if self.words[self.i] == "[":
                self._array_elements()
            else:
                self.a_expr()
            if not self.accept(","):
                break
        self.expect("]")

    def _row(self, word: str) -> bool:
        if not self._keyword_call(word):
            return False
        self.indirection()
        return True

    def _keyword_call(self, word: str) -> bool:
        """Skip ROW, COALESCE and other key words that have the form of a function call."""
        if self.words[self.i + 1] != "(":
            return False
        if word == "merge_action":
            self.uses(features.MERGE_ACTION, self.i)
        self.i += 2
        if not self.accept(")"):
            self.expressions()
            self.expect(")")
        return True

    def _loose_call(self, word: str) -> bool:
        """Skip EXTRACT(… FROM …), XMLELEMENT(NAME …), JSON functions and so on, which have key words between their arguments."""
        following = self.words[self.i + 1]
        if following == "'" and word == "json":
            self.i += 2
            return True
        if following != "(":
            return False
        start = self.i
        self.i += 1
        self.loose_arguments()
        if word == "xmlserialize" and "indent" in self.words[self.i - 3 : self.i]:
            self.uses(features.XML_INDENT, self.i - 2)
        if word == "json_object" and self._constructs(start):
            self.uses(features.JSON_OBJECT_KEYS, start)
        self.uses(features.JSON_FUNCTIONS.get(word), start)
        if self.accept("filter", "(", "where"):
            self.a_expr()
            self.expect(")")
        if self.accept("over"):
            self.window()
        return True

    def _constructs(self, start: int) -> bool:
        """Whether the JSON_OBJECT at token `start`, just read, has the form of SQL/JSON. The function of that name takes arrays of text."""
        return self.words[start + 2] == ")" or any(self.words[i] in (":", "value", "returning", "absent") for i in range(start + 2, self.i))

    def loose_arguments(self) -> None:
        """Skip parentheses with expressions and key words between them, and collect what the expressions call and read."""
        self.expect("(")
        if self.words[self.i] in QUERY_WORDS:
            self.query()
        while not self.accept(")"):
            saved = self.i, len(self.calls), len(self.reads), len(self.features)
            if self.accept("as"):
                try:
                    self.type_name()
                except Unexpected:
                    self.i = saved[0] + 1
                    self.label()
                continue
            try:
                self.a_expr()
            except Unexpected:
                if self.kinds[saved[0]] != WORD and self.words[saved[0]] not in (",", ":", "=", "*"):
                    raise
                self.i = saved[0] + 1
                del self.calls[saved[1] :], self.reads[saved[2] :], self.features[saved[3] :]

    def _position(self, word: str) -> bool:
        if self.words[self.i + 1] != "(":
            return False
        self.i += 2
        self.b_expr()
        self.expect("in")
        self.b_expr()
        self.expect(")")
        return True

    def _collation_for(self, word: str) -> bool:
        if self.words[self.i + 1] != "for":
            return False
        self.i += 2
        self.expect("(")
        self.a_expr()
        self.expect(")")
        return True

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
        if self.kinds[following] in _SIMPLE or self.words[following] in ("{}", "(", "null"):
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
        self._qualified_operator()
        return not self._subquery_test()

    def _qualified_operator(self) -> None:
        """Skip OPERATOR(schema.+)."""
        self.expect("operator", "(")
        while self.kinds[self.i] != OPERATOR:
            self.name("an operator")
            self.expect(".")
        self.i += 1
        self.expect(")")


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
_OPERANDS = {
    **dict.fromkeys(_CONSTANTS, Expressions._constant),
    **dict.fromkeys(_TYPED, Expressions._typed_constant),
    **dict.fromkeys(("coalesce", "greatest", "least", "nullif", "grouping", "merge_action"), Expressions._keyword_call),
    **dict.fromkeys(
        """xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlparse xmlpi xmlroot xmlserialize json json_object json_array json_objectagg
        json_arrayagg json_scalar json_serialize json_exists json_query json_value extract overlay substring trim treat
        normalize""".split(),
        Expressions._loose_call,
    ),
    "case": Expressions._case,
    "cast": Expressions._cast,
    "exists": Expressions._exists,
    "array": Expressions._array,
    "row": Expressions._row,
    "position": Expressions._position,
    "collation": Expressions._collation_for,
}
