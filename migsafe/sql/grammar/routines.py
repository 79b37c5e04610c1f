"""Functions, procedures, triggers, rules and policies."""

from migsafe.sql.grammar.constraints import Attributes
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.settings import set_rest
from migsafe.sql.operations import (
    AlterObject,
    AlterPolicy,
    Argument,
    CreateFunction,
    CreatePolicy,
    CreateRule,
    CreateTrigger,
    Expression,
    Name,
    Operation,
    Option,
    Rename,
    TypeName,
)
from migsafe.text import Span

_MODES = frozenset(("in", "out", "inout", "variadic"))


def arguments(c: Parser) -> tuple[Argument, ...]:
    """Read the arguments of a function definition with their parentheses."""
    c.expect("(")
    if c.accept(")"):
        return ()
    definitions = c.list_of(lambda: argument(c))
    c.expect(")")
    return definitions


def argument(c: Parser) -> Argument:
    """Read [mode] [name] type [DEFAULT expression], with mode and name in either order."""
    mode = _mode(c)
    saved, features = c.i, len(c.features)
    name: str | None = None
    # A word is a name only where a type follows it. `double precision` and `timestamp with time zone` are types.
    try:
        name = c.type_or_function("an argument's name")
        if mode is None:
            mode = _mode(c)
        data_type = c.type_name()
    except Unexpected as unexpected:
        deepest = unexpected
        c.i, name = saved, None
        del c.features[features:]
        try:
            data_type = c.type_name()
        except Unexpected:
            raise deepest from None
    else:
        if c.words[c.i] not in (",", ")", "default", "=", "") and c.words[c.i] != "order":
            c.i, name = saved, None
            del c.features[features:]
            data_type = c.type_name()
    default = c.expression() if c.accept("default") or c.accept("=") else None
    return Argument(type=data_type, name=name, mode=mode or "in", default=default)


def _mode(c: Parser) -> str | None:
    if c.words[c.i] in _MODES and c.words[c.i + 1] not in (",", ")", "."):
        word = c.accept_any(_MODES)
        return "inout" if word == "in" and c.accept("out") else word
    return None


def create_function(c: Parser, start: int, kind: str, *, or_replace: bool) -> CreateFunction:
    """Read CREATE FUNCTION or PROCEDURE after that word."""
    name = c.qualified_function()
    definitions = list(arguments(c))
    returns: TypeName | None = None
    if c.accept("returns"):
        if c.accept("table"):
            definitions += c.in_parentheses(lambda: _table_column(c))
            returns = TypeName(name="record", setof=True)
        else:
            returns = c.type_name()
    reader = _RoutineOptions(c)
    reader.read()
    return CreateFunction(
        c.span(start),
        kind=kind,
        function=name,
        arguments=tuple(definitions),
        returns=returns,
        or_replace=or_replace,
        language=reader.language,
        volatility=reader.volatility,
        body=reader.body,
        options=tuple(reader.options),
        code=reader.code,
        is_standard=reader.is_standard,
    )


def _table_column(c: Parser) -> Argument:
    name = c.type_or_function("a column")
    return Argument(type=c.type_name(), name=name, mode="table")


class _RoutineOptions:
    """The options after the signature of a routine, in any order (createfunc_opt_item), and its SQL-standard body."""

    def __init__(self, c: Parser) -> None:
        self.c = c
        self.language: str | None = None
        self.volatility: str | None = None
        self.body: Span | None = None
        self.code: str | None = None
        self.is_standard = False
        self.options: list[Option] = []

    def read(self) -> None:
        """Read all options."""
        while self._one():
            pass
        self._sql_body()

    def _one(self) -> bool:
        c = self.c
        if c.accept("as"):
            start = c.i
            self.code = c.string("the function's body")
            if c.accept(","):
                c.string("the name in the object file")
                self.code = None
            self.body = c.span(start)
        elif c.accept("language"):
            self.language = c.string().lower() if c.at_string() else c.non_reserved("a language")
        elif c.accept("transform"):
            types = c.list_of(lambda: _transformed(c))
            self.options.append(Option("transform", ", ".join(f"for type {data_type}" for data_type in types)))
        elif c.accept("window"):
            self.options.append(Option("window"))
        elif word := c.accept_any(("immutable", "stable", "volatile")):
            self.volatility = word
        elif c.accept("set"):
            self.options.append(Option("set", _setting(c)))
        else:
            option = routine_option(c)
            if option is None:
                return False
            self.options.append(option)
        return True

    def _sql_body(self) -> None:
        c = self.c
        start = c.i
        if c.accept("return"):
            c.a_expr()
            self.code = f"SELECT {c.text(start + 1)}"
        elif c.accept("begin", "atomic"):
            inside = c.i
            while not c.accept("end"):
                if not c.accept(";"):
                    _atomic_statement(c)
                    c.expect(";")
            end = c.tokens.starts[c.i - 1]
            self.code = c.tokens.text[c.tokens.starts[inside] : end]
        if c.i > start:
            self.is_standard = True
            self.body = c.span(start)
            self.language = self.language or "sql"


def _atomic_statement(c: Parser) -> None:
    """Read a statement of an SQL-standard body. It runs when the function is called."""
    nested = len(c.nested)
    if c.accept("return"):
        c.a_expr()
    elif c.at_query() or c.words[c.i] in ("insert", "update", "delete", "merge"):
        c.preparable()
    else:  # PostgreSQL's grammar accepts any statement here and rejects it later
        while not c.done and c.words[c.i] != ";":
            c.i += 1
    del c.nested[nested:]


def _transformed(c: Parser) -> TypeName:
    c.expect("for", "type")
    return c.type_name()


def routine_option(c: Parser) -> Option | None:
    """Read an option that CREATE and ALTER FUNCTION share (common_func_opt_item); None where none is next."""
    for words in (
        ("called", "on", "null", "input"),
        ("returns", "null", "on", "null", "input"),
        ("strict",),
        ("not", "leakproof"),
        ("leakproof",),
    ):
        if c.accept(*words):
            return Option(" ".join(words))
    if c.at("external", "security") or c.at("security"):
        c.accept("external")
        c.i += 1
        return Option("security", c.expect_any("definer", "invoker"))
    if word := c.accept_any(("cost", "rows")):
        return Option(word, c.number())
    if c.accept("support"):
        return Option("support", str(c.qualified_function()))
    if c.accept("parallel"):
        return Option("parallel", c.name("UNSAFE, RESTRICTED or SAFE"))
    if word := c.accept_any(("immutable", "stable", "volatile")):
        return Option(word)
    if c.accept("reset"):
        return Option("reset", "all" if c.accept("all") else str(c.rest_of_name(c.name("a setting"))))
    return None


def _setting(c: Parser) -> str:
    """Read SET name TO value, and return its text."""
    start = c.i
    set_rest(c)
    return c.text(start)


def alter_routine(c: Parser, start: int, kind: str, name: Name) -> list[Operation]:
    """Read the options of ALTER FUNCTION, PROCEDURE or ROUTINE after the signature."""
    at = c.i
    while True:
        if c.accept("set"):
            set_rest(c)
        elif routine_option(c) is None:
            break
    if c.i == at:
        c.fail("an option of the routine")
    c.accept("restrict")
    return [AlterObject(c.span(start), kind=kind, name=name, action="options", detail=c.text(at))]


def create_trigger(c: Parser, start: int, *, or_replace: bool, constraint: bool) -> CreateTrigger:
    """Read CREATE [CONSTRAINT] TRIGGER after the word TRIGGER."""
    name = c.name("a trigger's name")
    if c.accept("instead"):
        c.expect("of")
        timing = "instead of"
    else:
        timing = c.expect_any("before", "after")
    events: list[str] = []
    columns: list[str] = []
    while True:
        event = c.expect_any("insert", "update", "delete", "truncate")
        events.append(event)
        if event == "update" and c.accept("of"):
            columns.extend(c.list_of(lambda: c.name("a column")))
        if not c.accept("or"):
            break
    c.expect("on")
    table = c.qualified("a table")
    references = c.qualified("a table") if c.accept("from") else None
    attributes = Attributes().read_all(c)
    transition_tables: list[str] = []
    if c.accept("referencing"):
        while word := c.accept_any(("old", "new")):
            transition_tables.append(word)
            c.expect_any("table", "row")
            c.accept("as")
            c.name()
    row = False
    if c.accept("for"):
        c.accept("each")
        row = c.expect_any("row", "statement") == "row"
    when = None
    if c.accept("when"):
        c.expect("(")
        when = c.expression()
        c.expect(")")
    c.expect("execute")
    c.expect_any("function", "procedure")
    function = c.qualified_function()
    c.skip_group() if c.words[c.i] == "(" else c.fail('"("')
    return CreateTrigger(
        c.span(start),
        trigger=name,
        table=table,
        timing=timing,
        events=tuple(events),
        function=function,
        or_replace=or_replace,
        constraint=constraint,
        row=row,
        columns=tuple(columns),
        references=references,
        deferrable=attributes.deferrable,
        initially_deferred=attributes.deferred,
        when=when,
        transition_tables=tuple(transition_tables),
    )


def create_rule(c: Parser, start: int, *, or_replace: bool) -> CreateRule:
    """Read CREATE RULE after that word."""
    name = c.name("a rule's name")
    c.expect("as", "on")
    event = c.expect_any("select", "insert", "update", "delete")
    c.expect("to")
    table = c.qualified("a table")
    reads, nested, body = len(c.reads), len(c.nested), c.i
    if c.accept("where"):
        c.a_expr()
    c.expect("do")
    instead = c.accept("instead")
    if not instead:
        c.accept("also")
    if not c.accept("nothing"):
        _rule_actions(c)
    # An action runs only when the rule fires. CREATE RULE itself does not change or read its relations.
    actions, read = tuple(c.nested[nested:]), tuple(c.reads[reads:])
    del c.reads[reads:], c.nested[nested:]
    return CreateRule(
        c.span(start),
        rule=name,
        table=table,
        event=event,
        or_replace=or_replace,
        instead=instead,
        actions=actions,
        reads=read,
        body=c.text(body),
    )


def _rule_actions(c: Parser) -> None:
    """Read one action, or several actions in parentheses."""
    saved, reads, nested = c.i, len(c.reads), len(c.nested)
    if c.accept("("):
        try:
            while not c.accept(")"):
                if not c.accept(";"):
                    _rule_action(c)
            return
        except Unexpected:
            if c.words[saved + 1] != "(":
                raise
            c.i = saved
            del c.reads[reads:], c.nested[nested:]
    _rule_action(c)


def _rule_action(c: Parser) -> None:
    if c.accept("notify"):
        c.name("a channel")
        if c.accept(","):
            c.string()
    else:
        c.preparable()


def create_policy(c: Parser, start: int) -> CreatePolicy:
    """Read CREATE POLICY after that word."""
    name = c.name("a policy's name")
    c.expect("on")
    table = c.qualified("a table")
    permissive = True
    if c.accept("as"):
        permissive = c.expect_any("permissive", "restrictive") == "permissive"
    command = c.expect_any("all", "select", "insert", "update", "delete") if c.accept("for") else "all"
    roles, using, check = _policy(c)
    return CreatePolicy(c.span(start), policy=name, table=table, permissive=permissive, command=command, roles=roles, using=using, check=check)


def alter_policy(c: Parser, start: int) -> list[Operation]:
    """Read ALTER POLICY after that word."""
    if_exists = c.if_exists()
    name = c.name("a policy")
    c.expect("on")
    table = c.qualified("a table")
    if c.accept("rename", "to"):
        new_name = c.name()
        return [Rename(c.span(start), kind="policy", name=Name(name), new_name=new_name, if_exists=if_exists, table=table)]
    roles, using, check = _policy(c)
    return [AlterPolicy(c.span(start), policy=name, table=table, roles=roles, using=using, check=check)]


def _policy(c: Parser) -> tuple[tuple[str, ...], Expression | None, Expression | None]:
    roles = c.list_of(c.role) if c.accept("to") else ()
    using = check = None
    if c.accept("using", "("):
        using = c.expression()
        c.expect(")")
    if c.accept("with", "check", "("):
        check = c.expression()
        c.expect(")")
    return roles, using, check
