"""Usual expressions, read into terms. Everything that is not usual raises NotPlainError."""

from migsafe.expressions.queries.plain.terms import Term
from migsafe.expressions.queries.plain.tokens import NotPlainError, Tokens, names_of_sqlglot
from migsafe.expressions.queries.shapes import OF_SEQUENCES, Call, Ref, Shape, Value
from migsafe.sql.keywords import RESERVED
from migsafe.sql.lexer import NUMBER, OPERATOR, PARAMETER, PUNCTUATION, QUOTED, STRING, WORD

AGGREGATES = frozenset(("count", "sum", "max", "min", "avg"))
_ANY = 1_000
_KNOWN = {
    **dict.fromkeys((*AGGREGATES, "lower", "upper", "length", "char_length", "md5", "trim"), (1, 1)),
    **dict.fromkeys(("coalesce", "greatest", "least"), (1, _ANY)),
    **dict.fromkeys(("now", "gen_random_uuid"), (0, 0)),
    **dict.fromkeys(("substr", "substring"), (2, 3)),
    "nullif": (2, 2),
    "replace": (3, 3),
    "round": (1, 2),
}
"""Functions that sqlglot has a class for, with the numbers of their arguments."""
NAMED = frozenset(_KNOWN) - {"now", "gen_random_uuid", "length", "char_length", "trim", "substr", "substring"} | {"extract"}
"""Those of them whose name is that of an output column for sqlglot, too."""
_NOW = frozenset(("current_timestamp", "current_date"))
_UNITS = frozenset(("year", "month", "day", "hour", "minute", "second", "to"))
_OWN_NAMES = "text uuid json jsonb smallint integer bigint boolean date real numeric regclass interval"
_TYPES = {
    **{name: name for name in _OWN_NAMES.split()},
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "bool": "boolean",
    "varchar": "character varying",
    "float": "double precision",
    "double": "double precision",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}
"""Types of one word, as shapes spell them."""
_AFTER_TYPES = frozenset(("(", "[", ".", "with", "without", "array", "precision"))
"""What may be a part of a type after its first word."""
_COMPARED = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_STRENGTHS = {"||": 0, "+": 1, "-": 1, "*": 2, "/": 2}
_ARROWS = frozenset(("->", "->>", "#>", "#>>"))
_DEEPEST = 60


class Names:
    """What expressions name, in their order."""

    def __init__(self) -> None:
        self.refs: list[Ref] = []
        self.calls: list[Call] = []
        self.types: list[str] = []


class ExpressionParser(Tokens):
    """Reads the expressions of a text. `names` are those of the current clause, `queries` the queries in the expressions so far."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.names = Names()
        self.queries: list[Shape] = []
        self.aggregates = 0
        """The number of aggregate functions so far, also in queries within others."""
        self._depth = 0

    def nested(self) -> Shape:
        """Returns the shape of the query that begins here."""
        raise NotImplementedError

    # Expressions, from the weakest operator to the strongest

    def expression(self) -> Term:
        """Returns the expression that comes next."""
        self._deepen()
        term = self._conjunction()
        while self.accept("or"):
            term = Term("or", None, (term, self._conjunction()))
        self._depth -= 1
        return term

    def _deepen(self) -> None:
        """Notes that another expression or NOT is within the current one, and raises NotPlainError for too many."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotPlainError

    def _conjunction(self) -> Term:
        term = self.equation()
        while self.accept("and"):
            term = Term("and", None, (term, self.equation()))
        return term

    def equation(self) -> Term:
        """Returns a comparison, or an operand of one."""
        if self.accept("not"):
            self._deepen()
            negated = Term("not", None, (self.equation(),))
            self._depth -= 1
            return negated
        left = self.value()
        kind, sign = self.tokens[self.at]
        if kind == OPERATOR and sign in _COMPARED:
            self.at += 1
            term = Term("compare", _COMPARED[sign], (left, self.value()))
            if self.tokens[self.at][0] == OPERATOR:
                raise NotPlainError
            return term
        return left

    def value(self) -> Term:
        """Returns an operand of a comparison: a test such as IN and IS NULL binds stronger."""
        left = self._concatenation()
        word = self.tokens[self.at][1]
        if word == "is":
            return self._truth_test(left)
        negated = self.is_next("not") and self.tokens[self.at + 1][1] in ("in", "like", "ilike", "between")
        self.at += negated
        word = self.tokens[self.at][1]
        if word in ("like", "ilike", "~", "~*"):
            self.at += 1
            return Term("like", word, (left, self._concatenation()), negated=negated)
        if word not in ("in", "between"):
            return left
        self.at += 1
        term = self._between(left) if word == "between" else self._membership(left)
        return Term("not", None, (term,)) if negated else term

    def _between(self, left: Term) -> Term:
        low = self._concatenation()
        self.expect("and")
        return Term("between", None, (left, low, self._concatenation()))

    def _truth_test(self, left: Term) -> Term:
        self.at += 1
        negated = self.accept("not")
        if self.accept("distinct", "from"):
            return Term("binary", "is distinct", (left, self._concatenation()))
        word = self.tokens[self.at][1]
        if self.tokens[self.at][0] != WORD or word not in ("null", "true", "false"):
            raise NotPlainError
        self.at += 1
        if word == "null":
            return Term("is", word, (left,), negated=negated)
        test = Term("is", word, (left,))
        return Term("not", None, (test,)) if negated else test

    def _membership(self, left: Term) -> Term:
        self.expect("(")
        is_query = self.is_next("select")
        elements = [self._query("query")] if is_query else self.expressions()
        self.expect(")")
        return Term("in", is_query, (left, *elements))

    def _query(self, kind: str) -> Term:
        number = len(self.queries)
        self.queries.append(self.nested())
        return Term(kind, number)

    def expressions(self) -> list[Term]:
        """Returns the expressions that come next, with commas between them."""
        terms = [self.expression()]
        while self.accept(","):
            terms.append(self.expression())
        return terms

    def _concatenation(self, weakest: int = 0) -> Term:
        """Returns an operand of a comparison: operands of arithmetic operators and ||, which are not weaker than `weakest`."""
        term = self._operand()
        while True:
            kind, sign = self.tokens[self.at]
            strength = _STRENGTHS.get(sign, -1) if kind == OPERATOR else -1
            if strength < weakest:
                return term
            self.at += 1
            right = self._concatenation(strength + 1)
            if term.kind == "arrow" or right.kind == "arrow":
                raise NotPlainError  # sqlglot gives -> another precedence
            term = Term("binary", sign, (term, right))

    def _operand(self) -> Term:
        term = self._primary()
        while True:
            kind, word = self.tokens[self.at]
            if word == "::" and kind == PUNCTUATION:
                self.at += 1
                term = Term("cast", self._type(), (term,))
            elif kind == OPERATOR and word in _ARROWS and self.tokens[self.at + 1][0] == STRING and term.kind in ("column", "arrow"):
                self.at += 2
                if self.is_next("::"):
                    raise NotPlainError  # the cast of the key
                term = Term("arrow", word, (term,))
            else:
                return term

    def _type(self) -> str:
        kind, word = self.tokens[self.at]
        self.at += 2 if word == "double" and self.tokens[self.at + 1][1] == "precision" else 1
        if kind != WORD or self.tokens[self.at][1] in _AFTER_TYPES or (word not in _TYPES and (word in RESERVED or word in names_of_sqlglot())):
            raise NotPlainError
        self.names.types.append(_TYPES.get(word, word))
        return self.names.types[-1]

    def _primary(self) -> Term:
        kind, word = self.tokens[self.at]
        match kind:
            case _ if kind == STRING:
                self.at += 1
                return Term("constant", Value(_string(word), True))
            case _ if kind == NUMBER:
                self.at += 1
                if not word.replace(".", "", 1).isdigit() or not (word[0].isdigit() and word[-1].isdigit()):
                    raise NotPlainError
                return Term("constant", Value(word))
            case _ if kind == PARAMETER:
                self.at += 1
                return Term("parameter", int(word[1:]))
            case _ if kind == OPERATOR and word == "-" and self.tokens[self.at + 1][0] == NUMBER:
                self.at += 1
                number = self._primary()
                if self.is_next("::"):
                    raise NotPlainError  # the minus is of the cast
                assert isinstance(number.data, Value)
                return Term("constant", Value(f"-{number.data.text}"))
            case _ if kind == PUNCTUATION and word == "(":
                return self._parenthesis()
            case _ if kind == WORD:
                return self._word(word)
            case _ if kind == QUOTED:
                return self._column()
        raise NotPlainError

    def _parenthesis(self) -> Term:
        self.at += 1
        term = self._query("query") if self.is_next("select") else Term("paren", None, (self.expression(),))
        self.expect(")")
        if self.is_next("."):
            raise NotPlainError
        return term

    def _word(self, word: str) -> Term:
        following = self.tokens[self.at + 1][1]
        if word in ("true", "false", "null"):
            self.at += 1
            return Term("constant", Value(word))
        if word == "case":
            return self._case()
        if word == "exists" and following == "(":
            self.at += 2
            term = self._query("exists")
            self.expect(")")
            return term
        if word in _NOW and following != "(":
            self.at += 1
            return Term("known", "now")
        if word == "interval" and self.tokens[self.at + 1][0] == STRING and self.tokens[self.at + 2][1] not in _UNITS:
            self.at += 2
            return Term("interval")
        if following == "(":
            return self._cast() if word == "cast" else self._call(word)
        return self._column()

    def _column(self) -> Term:
        first = self.name()
        if self.is_next(".") and self.tokens[self.at + 2][1] == "(":
            return self._call_in_schema(first)
        ref = Ref(self.label(), first) if self.accept(".") else Ref(first)
        if self.tokens[self.at][1] in (".", "[", "(") or self.tokens[self.at][0] == STRING:
            raise NotPlainError
        self.names.refs.append(ref)
        return Term("column", ref)

    def _call_in_schema(self, schema: str) -> Term:
        self.at += 1
        kind, name = self.tokens[self.at]
        if kind != WORD or name in _KNOWN:
            raise NotPlainError
        number = len(self.names.calls)
        call = self._call(name)
        self.names.calls[number] = Call(name, schema, len(call.children))
        return Term("dotted", None, (call,))

    def _cast(self) -> Term:
        self.at += 2
        inner = self.expression()
        self.expect("as")
        term = Term("cast", self._type(), (inner,))
        self.expect(")")
        return term

    def _call(self, name: str) -> Term:
        self.at += 2
        bounds = _KNOWN.get(name)
        self.aggregates += name in AGGREGATES
        queries = len(self.queries)
        if name == "count" and self.accept("*", ")"):
            return Term("known", name)
        if name == "extract" and self._accept_unit():
            term = Term("known", name, (self.expression(),))
            self.expect(")")
            return term
        if bounds is None and (name in names_of_sqlglot() or name in RESERVED):
            raise NotPlainError
        if name in OF_SEQUENCES:
            raise NotPlainError
        number = len(self.names.calls)
        is_distinct = name in AGGREGATES and self.accept("distinct")
        arguments = [] if self.is_next(")") else [self._argument()]
        while self.accept(","):
            arguments.append(self._argument())
        self.expect(")")
        if bounds is None:
            self.names.calls.insert(number, Call(name, None, len(arguments)))
            return Term("call", name, tuple(arguments))
        if not bounds[0] <= len(arguments) <= bounds[1] or (name in AGGREGATES and len(self.queries) > queries):
            raise NotPlainError
        return Term("known", name, (Term("distinct", None, tuple(arguments)),) if is_distinct else tuple(arguments))

    def _accept_unit(self) -> bool:
        # EXTRACT(epoch FROM …)
        is_unit = self.tokens[self.at][0] == WORD and self.tokens[self.at + 1][1] == "from"
        self.at += 2 * is_unit
        return is_unit

    def _argument(self) -> Term:
        if self.tokens[self.at + 1][1] in ("->", "=>", ":="):
            raise NotPlainError  # sqlglot takes it for a lambda, or it is a named argument
        return self.expression()

    def _case(self) -> Term:
        self.at += 1
        subject = [] if self.is_next("when") else [self.expression()]
        branches: list[Term] = []
        while self.accept("when"):
            condition = self.expression()
            self.expect("then")
            branches.append(Term("if", None, (condition, self.expression())))
        default = [self.expression()] if self.accept("else") else []
        self.expect("end")
        if not branches:
            raise NotPlainError
        return Term("case", bool(default), (*subject, *branches, *default))


def _string(token: str) -> str:
    """Returns the text of a string constant."""
    inner = token[1:-1].replace("''", "\0")
    if "'" in inner or "\\" in inner:
        raise NotPlainError
    return inner.replace("\0", "'")


def read_expression(text: str) -> tuple[Term, Names] | None:
    """Returns an expression that contains no query, and what it names; None if it is not of a usual form."""
    parser = ExpressionParser(text)
    try:
        term = parser.expression()
    except (NotPlainError, NotImplementedError, IndexError):
        return None
    return (term, parser.names) if parser.is_at_end else None
