"""CREATE INDEX, REINDEX and CLUSTER."""

from migsafe.sql import features
from migsafe.sql.grammar.constraints import index_element, nulls_not_distinct
from migsafe.sql.grammar.options import options_after, utility_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Cluster, CreateIndex, Operation, Option, Reindex, Repack


def create_index(c: Parser, start: int, *, unique: bool) -> CreateIndex:
    """Read CREATE INDEX after the word INDEX."""
    concurrently = c.accept("concurrently")
    if_not_exists = c.if_not_exists()
    name = None if c.words[c.i] == "on" and not if_not_exists else c.name("an index's name or ON")
    c.expect("on")
    only = c.words[c.i] == "only"
    table = c.relation()
    method = c.name("an access method") if c.accept("using") else None
    elements = c.in_parentheses(lambda: index_element(c))
    include = c.in_parentheses(lambda: index_element(c)) if c.accept("include") else ()
    distinct = nulls_not_distinct(c)
    settings = options_after(c)
    space = c.name("a tablespace") if c.accept("tablespace") else None
    where = c.expression() if c.accept("where") else None
    return CreateIndex(
        c.span(start),
        name=name,
        table=table,
        elements=elements,
        unique=unique,
        concurrently=concurrently,
        if_not_exists=if_not_exists,
        only=only,
        method=method,
        include=include,
        nulls_not_distinct=distinct,
        options=settings,
        tablespace=space,
        where=where,
    )


def reindex(c: Parser, start: int) -> list[Operation]:
    """Read REINDEX after that word."""
    settings = utility_options(c) if c.words[c.i] == "(" else ()
    kind = c.expect_any("index", "table", "schema", "database", "system")
    concurrently = c.accept("concurrently") or option_is_on(settings, "concurrently")
    optional = kind in ("database", "system")
    if optional and c.done:
        c.uses(features.REINDEX_WITHOUT_NAME)
    name = None if optional and c.done else c.qualified(f"a {kind}")
    return [Reindex(c.span(start), kind=kind, name=name, concurrently=concurrently, options=settings)]


def cluster(c: Parser, start: int) -> list[Operation]:
    """Read CLUSTER after that word, also its older form `CLUSTER index ON table`."""
    settings: tuple[Option, ...] = ()
    if c.words[c.i] == "(":
        settings = utility_options(c)
    elif c.accept("verbose"):
        settings = (Option("verbose"),)
    table = index = None
    if not c.done:
        table = c.qualified("a table")
        if c.accept("using"):
            index = c.name("an index")
        elif c.accept("on"):
            index = table.name
            table = c.qualified("a table")
    return [Cluster(c.span(start), table=table, index=index, options=settings)]


def repack(c: Parser, start: int) -> list[Operation]:
    """Read REPACK after that word."""
    c.uses(features.REPACK)
    settings: tuple[Option, ...] = utility_options(c) if c.words[c.i] == "(" else ()
    table = index = None
    if not c.done and not c.at("using", "index"):
        table = c.qualified("a table")
        if c.words[c.i] == "(":
            c.in_parentheses(lambda: c.name("a column"))
    by_index = c.accept("using", "index")
    if by_index and table is not None and not c.done:
        index = c.name("an index")
    concurrently, analyze = option_is_on(settings, "concurrently"), option_is_on(settings, "analyze") or option_is_on(settings, "analyse")
    return [Repack(c.span(start), table=table, by_index=by_index, index=index, concurrently=concurrently, analyze=analyze, options=settings)]


def option_is_on(settings: tuple[Option, ...], name: str) -> bool:
    """Whether a boolean option of a utility statement is set to true (manual, REINDEX, VACUUM: TRUE, ON, 1, or no value)."""
    for option in settings:
        if option.name == name:
            return option.value is None or option.value.lower() in ("true", "on", "1")
    return False
