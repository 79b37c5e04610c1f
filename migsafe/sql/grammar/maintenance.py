"""VACUUM, ANALYZE, LOCK, TRUNCATE, COPY, EXPLAIN, prepared statements, cursors and similar statements."""

from migsafe.sql import features
from migsafe.sql.grammar.indexes import option_is_on
from migsafe.sql.grammar.options import uses_options, utility_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import END
from migsafe.sql.operations import (
    Analyze,
    Call,
    Copy,
    Execute,
    LockTable,
    Name,
    Operation,
    Option,
    Query,
    Relation,
    Select,
    Truncate,
    Utility,
    Vacuum,
)

_LOCK_MODES = (
    ("access", "share"),
    ("row", "share"),
    ("row", "exclusive"),
    ("share", "update", "exclusive"),
    ("share", "row", "exclusive"),
    ("share",),
    ("exclusive",),
    ("access", "exclusive"),
)


def relation(c: Parser) -> Relation:
    """Read a table with ONLY or `*`."""
    only = c.words[c.i] == "only"
    return Relation(c.relation(), only=only)


def _vacuum_relation(c: Parser) -> Relation:
    only = c.words[c.i] == "only"
    name = c.relation()
    if only:
        c.uses(features.VACUUM_ONLY)
    columns = c.in_parentheses(lambda: c.name("a column")) if c.words[c.i] == "(" else ()
    return Relation(name, only=only, columns=columns)


def vacuum(c: Parser, start: int) -> list[Operation]:
    """Read VACUUM after that word."""
    settings: tuple[Option, ...] = ()
    if c.words[c.i] == "(":
        settings = uses_options(c, "VACUUM", utility_options(c))
    else:
        words = [Option(word) for word in ("full", "freeze", "verbose") if c.accept(word)]
        if c.accept_any(("analyze", "analyse")):
            words.append(Option("analyze"))
        settings = tuple(words)
    tables = () if c.done else c.list_of(lambda: _vacuum_relation(c))
    analyzing = option_is_on(settings, "analyze") or option_is_on(settings, "analyse")
    return [Vacuum(c.span(start), tables=tables, full=option_is_on(settings, "full"), analyze=analyzing, options=settings)]


def analyze(c: Parser, start: int) -> list[Operation]:
    """Read ANALYZE after that word."""
    settings: tuple[Option, ...] = ()
    if c.words[c.i] == "(":
        settings = uses_options(c, "ANALYZE", utility_options(c))
    elif c.accept("verbose"):
        settings = (Option("verbose"),)
    tables = () if c.done else c.list_of(lambda: _vacuum_relation(c))
    return [Analyze(c.span(start), tables=tables, options=settings)]


def lock(c: Parser, start: int) -> list[Operation]:
    """Read LOCK after that word."""
    c.accept("table")
    tables = c.list_of(lambda: relation(c))
    mode = "ACCESS EXCLUSIVE"
    if c.accept("in"):
        for words in _LOCK_MODES:
            if c.accept(*words, "mode"):
                mode = " ".join(words).upper()
                break
        else:
            c.fail("a lock mode")
    nowait = c.accept("nowait")
    return [LockTable(c.span(start), tables=tables, mode=mode, nowait=nowait)]


def truncate(c: Parser, start: int) -> list[Operation]:
    """Read TRUNCATE after that word."""
    c.accept("table")
    tables = c.list_of(lambda: relation(c))
    restart = c.accept("restart", "identity")
    c.accept("continue", "identity")
    cascade = c.cascade()
    return [Truncate(c.span(start), tables=tables, restart_identity=restart, cascade=cascade)]


def copy(c: Parser, start: int) -> list[Operation]:
    """Read COPY after that word. The splitter, not the grammar, finds the rows in the script."""
    table: Name | None = None
    query: Query | None = None
    columns: tuple[str, ...] = ()
    if c.accept("("):
        row_statement = c.row_statement()
        query = row_statement if isinstance(row_statement, Query) else None
        if isinstance(row_statement, Operation):
            c.nested.append(row_statement)
        c.expect(")")
    else:
        c.accept("binary")
        table = c.qualified("a table")
        columns = c.in_parentheses(lambda: c.name("a column")) if c.words[c.i] == "(" else ()
    source = table is not None and c.accept("from")
    if not source:
        c.expect("to")
    endpoint = _endpoint(c)
    _copy_options(c)
    filtered = c.accept("where")
    if filtered:
        c.a_expr()
    return [Copy(c.span(start), table=table, source=source, endpoint=endpoint, columns=columns, query=query, filtered=filtered)]


def _endpoint(c: Parser) -> str:
    if word := c.accept_any(("stdin", "stdout")):
        return word
    program = c.accept("program")
    c.string("STDIN, STDOUT, PROGRAM or a file's name")
    return "program" if program else "file"


_COPY_WORDS = frozenset("binary freeze delimiter null csv header quote escape force encoding as".split())


def _copy_options(c: Parser) -> None:
    """Read WITH (…), or the options of the older form."""
    if c.accept("using", "delimiters") or c.accept("delimiters"):
        c.string()
    c.accept("with")
    if c.words[c.i] == "(":
        settings = uses_options(c, "COPY", utility_options(c))
        if option_is_on(settings, "header") and not any(option.name == "format" and option.value != "text" for option in settings):
            c.uses(features.HEADER_OF_TEXT)
        for option in settings:
            if option.name in ("force_null", "force_not_null") and option.value == "*":
                c.uses(features.FORCE_NULL_ALL)
            elif option.name == "header" and (option.value or "").isdecimal() and option.value not in ("0", "1"):
                c.uses(features.COPY_HEADER_LINES)
        return
    while word := c.accept_any(_COPY_WORDS):
        if word == "force":
            second = c.expect_any("quote", "not", "null")
            c.accept("null")
            if c.words[c.i] == "*":
                c.i += 1
                if second != "quote":
                    c.uses(features.FORCE_NULL_ALL)
            else:
                c.list_of(lambda: c.name("a column"))
        elif c.at_string():
            c.string()


def call(c: Parser, start: int) -> list[Operation]:
    """Read CALL after that word."""
    calls = len(c.calls)
    c.a_expr()
    if len(c.calls) == calls:
        c.fail("a procedure call")
    return [Call(c.span(start), procedure=c.calls[calls], sql=c.text(start, c.i))]


def execute(c: Parser, start: int) -> list[Operation]:
    """Read EXECUTE of a prepared statement after that word."""
    name = c.name("a prepared statement")
    if c.accept("("):
        c.expressions()
        c.expect(")")
    return [Execute(c.span(start), name=name)]


def deallocate(c: Parser, start: int) -> list[Operation]:
    """Read DEALLOCATE after that word."""
    if c.kinds[c.i + 1] != END:
        c.accept("prepare")
    name = "all" if c.accept("all") else c.name("a prepared statement")
    return [Utility(c.span(start), command="deallocate", name=name)]


def declare(c: Parser, start: int) -> list[Operation]:
    """Read DECLARE … CURSOR after that word. FETCH runs the query, but DECLARE already locks its relations."""
    name = c.name("a cursor's name")
    while c.accept_any(("binary", "insensitive", "asensitive", "no", "scroll")):
        pass
    c.expect("cursor")
    if c.accept("with") or c.accept("without"):
        c.expect("hold")
    c.expect("for")
    at = c.i
    query = c.whole_query()
    return [Utility(c.span(start), command="declare", name=name), Select(c.span(at), query=query, cursor=name)]


def named(c: Parser, start: int) -> list[Operation]:
    """Read LISTEN, UNLISTEN, CLOSE, LOAD, CHECKPOINT, FETCH, MOVE or NOTIFY after the first word."""
    command = c.words[start]
    name = ""
    match command:
        case "listen":
            name = c.name("a channel")
        case "unlisten":
            name = "*" if c.accept("*") else c.name("a channel")
        case "close":
            name = "all" if c.accept("all") else c.name("a cursor")
        case "load":
            name = c.string("a file's name")
        case "notify":
            name = c.name("a channel")
            if c.accept(","):
                c.string()
        case "checkpoint":
            if c.words[c.i] == "(":
                utility_options(c)
                c.uses(features.CHECKPOINT_OPTIONS)
        case _:
            name = _fetched(c)
    return [Utility(c.span(start), command=command, name=name)]


def wait(c: Parser, start: int) -> list[Operation]:
    """Read WAIT FOR LSN after the first word."""
    c.expect("for", "lsn")
    c.uses(features.WAIT_FOR)
    name = c.string("a position in the WAL")
    if c.accept("with"):
        utility_options(c)
    return [Utility(c.span(start), command="wait", name=name)]


def _fetched(c: Parser) -> str:
    """Read the direction and the cursor of FETCH or MOVE, and return the cursor."""
    word = c.accept_any(("next", "prior", "first", "last", "absolute", "relative", "all", "forward", "backward"))
    if word in ("absolute", "relative"):
        c.number()
    elif word in ("forward", "backward"):
        if not c.accept("all") and c.words[c.i] in ("0", "+", "-"):
            c.number()
    elif word is None and c.words[c.i] in ("0", "+", "-"):
        c.number()
    c.accept_any(("from", "in"))
    return c.name("a cursor")
