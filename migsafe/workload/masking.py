"""The values of a query, replaced by parameters."""

from migsafe.sql import lexer
from migsafe.workload.tokens import Kind, Token

_TYPES = frozenset(
    """interval date time timetz timestamp timestamptz uuid json jsonb bytea inet cidr macaddr point box circle line lseg path polygon money
    numeric xml regclass regtype regproc oid text varchar bpchar name tsquery tsvector boolean bool bigint int integer smallint real float
    float4 float8 int2 int4 int8 daterange tsrange tstzrange int4range int8range numrange""".split()
)
"""Built-in types that may stand before a string: `date '2025-01-01'`."""

_WITH_MODIFIERS = frozenset(
    """varchar char character varying bpchar numeric decimal dec bit timestamp timestamptz time timetz interval float vector halfvec
    sparsevec CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP""".split()
)
"""Types and functions whose name may be followed by numbers in parentheses that are not values: `numeric(10, 2)`."""

_FIELDS = frozenset(
    """century day decade dow doy epoch hour isodow isoyear julian microseconds millennium milliseconds minute month quarter second timezone
    timezone_hour timezone_minute week year""".split()
)
"""What EXTRACT takes from a time (manual, 9.9.1)."""

_ENDS_COLUMN_NUMBERS = ("LIMIT", "OFFSET", "FETCH", "HAVING", "WINDOW", "FOR", "UNION", "EXCEPT", "INTERSECT", "rows", "range", "groups")
_LONGEST_INTEGER, _LONGEST_BIGINT = 9, 18


def mask_values(tokens: list[Token], *, constants: bool = False) -> list[Token]:
    """Returns the tokens of a query with a parameter in place of each literal.

    Numbers that name columns (`ORDER BY 1`) or belong to a type (`varchar(10)`) stay, as do TRUE, FALSE and NULL outside of the new values of
    UPDATE; with `constants`, these are masked like other literals, as pg_stat_statements does. `date '2025-01-01'` becomes `$1::date`, because
    a parameter must not follow the name of a type.
    """
    return _Masking(tokens, constants=constants).run()


class _Masking:
    """The state of masking: the tokens, those of the result, and where numbers name columns."""

    def __init__(self, tokens: list[Token], *, constants: bool) -> None:
        self.tokens = tokens
        self.constants = constants
        self.result: list[Token] = []
        self.depth = 0
        self.column_numbers: list[int] = []
        """The depths of the lists of ORDER BY and GROUP BY that are open."""
        self.new_values: list[int] = []
        """The depths of the lists of SET that are open."""

    def run(self) -> list[Token]:
        """Returns the result."""
        for index, token in enumerate(self.tokens):
            self._follow(index, token)
            if token.kind in Kind.LITERALS:
                self._mask(index, token)
            elif token.kind == lexer.PARAMETER:
                self._put_value(token)
            elif token.is_word("TRUE", "FALSE", "NULL") and (self._is_new_value(index) or (self.constants and not self._is_tested(index))):
                self.result.append(Token(lexer.PARAMETER, ""))
            else:
                self.result.append(token)
        return self.result

    def _at(self, index: int) -> Token:
        return self.tokens[index] if 0 <= index < len(self.tokens) else Token(lexer.END, "")

    def _follow(self, index: int, token: Token) -> None:
        """Keeps the depth of parentheses, and the lists that are open."""
        if token.text in ("(", "["):
            self.depth += 1
        elif token.text in (")", "]"):
            self.depth -= 1
            for opened in (self.column_numbers, self.new_values):
                while opened and opened[-1] > self.depth:
                    opened.pop()
        elif token.is_word("BY") and self._at(index - 1).is_word("ORDER", "GROUP"):
            self.column_numbers.append(self.depth)
        elif token.is_word("SET"):
            self.new_values.append(self.depth)
        elif token.kind == lexer.WORD:
            if self.column_numbers[-1:] == [self.depth] and token.is_word(*_ENDS_COLUMN_NUMBERS):
                self.column_numbers.pop()
            if self.new_values[-1:] == [self.depth] and token.is_word("WHERE", "FROM", "RETURNING"):
                self.new_values.pop()

    def _is_new_value(self, index: int) -> bool:
        """Whether a token is all of what UPDATE writes to a column."""
        after = self._at(index + 1)
        return (
            self.new_values[-1:] == [self.depth]
            and self._at(index - 1).text == "="
            and (after.text in (",", ")", ";", "") or after.is_word("WHERE", "FROM", "RETURNING"))
        )

    def _is_tested(self, index: int) -> bool:
        """Whether a constant belongs to IS NULL, IS NOT TRUE and the like."""
        before = self._at(index - 1)
        return before.is_word("IS") or (before.is_word("NOT") and self._at(index - 2).is_word("IS"))

    def _mask(self, index: int, token: Token) -> None:
        if token.kind == lexer.NUMBER and (self._is_column_number(index) or self._is_modifier(index)):
            self.result.append(token)
            return
        if self._at(index - 1).text == "(" and self._at(index - 2).is_word("EXTRACT"):
            field = token.text.strip("'").lower()
            self.result.append(Token(lexer.WORD, field if field in _FIELDS else "epoch"))
            return
        self._put_value(Token(lexer.PARAMETER, "", None, _numeric_type(token)))

    def _put_value(self, value: Token) -> None:
        """Adds a parameter. A sign before it becomes part of the value, the name of a type before it a cast."""
        result = self.result
        if value.origin is not None and len(result) > 1 and result[-1].text == "(" and result[-2].is_word("EXTRACT"):
            result.append(Token(lexer.WORD, "epoch"))  # pg_stat_statements replaces the field, too
            return
        if value.guess and len(result) > 1 and result[-1].text in ("-", "+") and _ends_no_expression(result[-2]):
            result.pop()
        prefix = _length_of_type(result) if not value.guess else 0
        name = result[len(result) - prefix :] if prefix else []
        del result[len(result) - prefix :]
        result.append(value)
        if name:
            result += (Token(lexer.PUNCTUATION, "::"), *name)

    def _is_column_number(self, index: int) -> bool:
        if self.column_numbers[-1:] != [self.depth] or not self._at(index).text.isdecimal():
            return False
        before, after = self._at(index - 1), self._at(index + 1)
        return (before.text == "," or before.is_word("BY")) and after.kind not in (lexer.OPERATOR, lexer.STRING) and after.text != "::"

    def _is_modifier(self, index: int) -> bool:
        """Whether a number is in the parentheses after the name of a type."""
        at = index - 1
        while self._at(at).text == "," or self._at(at).kind in (lexer.NUMBER, lexer.WORD):
            at -= 1
        if self._at(at).text != "(":
            return False
        name = self._at(at - 1)
        if name.kind == lexer.WORD and name.text in _WITH_MODIFIERS:
            return True
        while self._at(at - 2).text == ".":
            at -= 2
        return name.kind in (lexer.WORD, lexer.QUOTED) and self._at(at - 2).text == "::"


def _numeric_type(token: Token) -> str | None:
    """Returns the type that PostgreSQL gives to a number; None for other literals, whose type depends on where they stand."""
    if token.kind != lexer.NUMBER:
        return None
    digits = token.text.replace("_", "")
    if not digits.isdecimal() or len(digits) > _LONGEST_BIGINT:
        return "numeric"
    return "integer" if len(digits) <= _LONGEST_INTEGER else "bigint"


def _ends_no_expression(token: Token) -> bool:
    """Whether a sign after a token is not an operator with two operands."""
    return token.kind == lexer.OPERATOR or token.text in ("(", ",", "[", "=>", ":=") or (token.kind == lexer.WORD and token.text.isupper())


def _length_of_type(tokens: list[Token]) -> int:
    """Returns the number of tokens at the end that are the name of a type before a constant of it; 0 without one."""
    if not tokens or tokens[-1].kind != lexer.WORD:
        return 0
    length = 1
    if tokens[-1].text == "zone":
        if len(tokens) < 4 or tokens[-4].text not in ("time", "timestamp") or tokens[-2].text != "time":
            return 0
        length = 4  # timestamp with time zone
    elif tokens[-1].text not in _TYPES:
        return 0
    before = tokens[-length - 1].text if len(tokens) > length else ""
    return length if before not in (".", "::") and not (len(tokens) > length and tokens[-length - 1].is_word("AS")) else 0
