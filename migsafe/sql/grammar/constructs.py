"""Constructs with key words of their own, such as CASE, CAST, EXISTS, ARRAY and EXTRACT (func_expr_common_subexpr and parts of c_expr in
PostgreSQL's grammar)."""

from migsafe.sql import features
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.types import Types
from migsafe.sql.lexer import PLACEHOLDER, WORD, Tokens

QUERY_WORDS = frozenset(("select", "with", "values", "table"))


class Constructs(Types):
    """A cursor that reads the constructs of expressions that begin with a key word. Its subclasses read the expressions inside them.

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

    def a_expr(self) -> None:
        """Skip an expression."""
        raise NotImplementedError

    def b_expr(self) -> None:
        """Skip an expression without AND, OR, NOT, IN, LIKE and so on."""
        raise NotImplementedError

    def expressions(self) -> None:
        """Skip one or more expressions, separated by commas."""
        self.a_expr()
        while self.words[self.i] == ",":
            self.i += 1
            self.a_expr()

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


CONSTRUCTS = {
    **dict.fromkeys(("coalesce", "greatest", "least", "nullif", "grouping", "merge_action"), Constructs._keyword_call),
    **dict.fromkeys(
        """xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlparse xmlpi xmlroot xmlserialize json json_object json_array json_objectagg
        json_arrayagg json_scalar json_serialize json_exists json_query json_value extract overlay substring trim treat
        normalize""".split(),
        Constructs._loose_call,
    ),
    "case": Constructs._case,
    "cast": Constructs._cast,
    "exists": Constructs._exists,
    "array": Constructs._array,
    "row": Constructs._row,
    "position": Constructs._position,
    "collation": Constructs._collation_for,
}
