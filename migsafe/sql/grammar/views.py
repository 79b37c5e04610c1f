"""Views, materialized views, sequences and extensions."""

from migsafe.sql import features
from migsafe.sql.grammar.options import options_after, sequence_options, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.tables import with_data
from migsafe.sql.operations import (
    AlterObject,
    CreateExtension,
    CreateMaterializedView,
    CreateSequence,
    CreateView,
    Name,
    Operation,
    Persistence,
    Query,
    RefreshMaterializedView,
    SetSchema,
)


def create_view(c: Parser, start: int, *, or_replace: bool, temporary: bool) -> CreateView:
    """Read CREATE VIEW after the words before VIEW."""
    recursive = c.accept("recursive")
    c.expect("view")
    view = c.qualified("a view's name")
    columns = c.in_parentheses(lambda: c.name("a column")) if c.words[c.i] == "(" else ()
    settings = uses_options(c, "a view", options_after(c))
    c.expect("as")
    hidden = c.ctes
    if recursive:
        c.ctes |= {view.name}
    query = _query(c)
    c.ctes = hidden
    check = None
    if c.accept("with"):
        check = c.accept_any(("local", "cascaded")) or "cascaded"
        c.expect("check", "option")
    return CreateView(
        c.span(start),
        view=view,
        query=query,
        columns=columns,
        or_replace=or_replace,
        temporary=temporary,
        recursive=recursive,
        options=settings,
        check_option=check,
    )


def _query(c: Parser) -> Query:
    if not c.at_query():
        c.fail("a query")
    return c.whole_query()


def create_materialized_view(c: Parser, start: int, *, unlogged: bool) -> CreateMaterializedView:
    """Read CREATE MATERIALIZED VIEW after these words."""
    if_not_exists = c.if_not_exists()
    view = c.qualified("a view's name")
    columns = c.in_parentheses(lambda: c.name("a column")) if c.words[c.i] == "(" else ()
    method = c.name("an access method") if c.accept("using") else None
    settings = options_after(c)
    space = c.name("a tablespace") if c.accept("tablespace") else None
    c.expect("as")
    query = _query(c)
    data = with_data(c)
    return CreateMaterializedView(
        c.span(start),
        view=view,
        query=query,
        columns=columns,
        if_not_exists=if_not_exists,
        with_data=data,
        unlogged=unlogged,
        method=method,
        options=settings,
        tablespace=space,
    )


def refresh(c: Parser, start: int) -> list[Operation]:
    """Read REFRESH after that word."""
    c.expect("materialized", "view")
    concurrently = c.accept("concurrently")
    view = c.qualified("a materialized view")
    data = with_data(c)
    return [RefreshMaterializedView(c.span(start), view=view, concurrently=concurrently, with_data=data)]


def create_sequence(c: Parser, start: int, sequence_persistence: Persistence) -> CreateSequence:
    """Read CREATE SEQUENCE after these words."""
    if_not_exists = c.if_not_exists()
    sequence = c.qualified("a sequence's name")
    settings, owner = sequence_options(c)
    if sequence_persistence is Persistence.UNLOGGED:
        c.uses(features.UNLOGGED_SEQUENCE, start + 1)
    return CreateSequence(
        c.span(start), sequence=sequence, options=settings, owned_by=owner, persistence=sequence_persistence, if_not_exists=if_not_exists
    )


def create_extension(c: Parser, start: int) -> list[Operation]:
    """Read CREATE EXTENSION after these words."""
    if_not_exists = c.if_not_exists()
    extension = c.name("an extension")
    c.accept("with")
    schema = version = None
    cascade = False
    while True:
        if c.accept("schema"):
            schema = c.name("a schema")
        elif c.accept("version"):
            version = c.string() if c.at_string() else c.non_reserved("a version")
        elif c.accept("cascade"):
            cascade = True
        else:
            return [
                CreateExtension(
                    c.span(start), extension=extension, if_not_exists=if_not_exists, schema=schema, version=version, cascade=cascade
                )
            ]


def alter_extension(c: Parser, start: int) -> list[Operation]:
    """Read ALTER EXTENSION after these words. SET SCHEMA has the same form as for other objects."""
    name = Name(c.name("an extension"))
    if c.accept("set", "schema"):
        schema = c.name("a schema")
        return [SetSchema(c.span(start), kind="extension", name=name, schema=schema)]
    if c.accept("update"):
        version = ""
        if c.accept("to"):
            version = c.string() if c.at_string() else c.non_reserved("a version")
        return [AlterObject(c.span(start), kind="extension", name=name, action="update", detail=version)]
    action = c.expect_any("add", "drop")
    at = c.i
    c.label("a kind of object")
    c.rest()
    return [AlterObject(c.span(start), kind="extension", name=name, action=action, detail=c.text(at))]
