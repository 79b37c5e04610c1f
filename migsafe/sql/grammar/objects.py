"""CREATE of the objects of which migsafe needs only the name: roles, databases, operators, servers…"""

from migsafe.sql import features
from migsafe.sql.grammar.kinds import cast, signature, transform, user_mapping
from migsafe.sql.grammar.options import foreign_options, options, options_after, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.roles_and_databases import database_settings, role_options
from migsafe.sql.grammar.routines import argument
from migsafe.sql.operations import (
    CreateExtension,
    CreateObject,
    CreateSchema,
    CreateStatistics,
    Name,
    Operation,
    Option,
    Utility,
)

_MAY_EXIST = frozenset(("server", "user mapping", "collation", "extension", "statistics", "foreign table"))
"""The kinds of objects that are created here and whose CREATE may say IF NOT EXISTS."""


def create_object(c: Parser, start: int, kind: str, *, or_replace: bool = False) -> list[Operation]:
    """Read CREATE of a `kind` of object, after the words of that kind."""
    if_not_exists = kind in _MAY_EXIST and c.if_not_exists()
    name: Name | None = None
    detail = ""
    match kind:
        case "cast":
            detail = cast(c)
            _cast_method(c)
        case "transform":
            detail = transform(c)
            c.expect("(")
            c.list_of(lambda: _transform_function(c))
            c.expect(")")
        case "user mapping":
            detail = user_mapping(c)
            foreign_options(c)
        case "operator":
            name = _operator_name(c)
            options(c)
        case "aggregate":
            name, definition = c.qualified_function(), _aggregate(c)
            return [CreateObject(c.span(start), kind=kind, name=name, or_replace=or_replace, options=definition)]
        case "operator class":
            name = c.qualified("a name")
            c.accept("default")
            c.expect("for", "type")
            c.type_name()
            c.expect("using")
            detail = f"using {c.name('an access method')}"
            if c.accept("family"):
                c.qualified("an operator family")
            c.expect("as")
            _rest(c)
        case "operator family":
            name = c.qualified("a name")
            c.expect("using")
            detail = f"using {c.name('an access method')}"
        case "language" if c.words[c.i + 1] == "":
            # Since PostgreSQL 13 the grammar turns it into CREATE EXTENSION.
            extension = c.name("a language")
            return [CreateExtension(c.span(start), extension=extension, if_not_exists=or_replace)]
        case "role" | "user" | "group":
            name = Name(c.role())
            c.accept("with")
            role_options(c)
        case "subscription" | "collation":
            name, settings = c.qualified(f"a name for the {kind}"), (_subscription if kind == "subscription" else _collation)(c)
            return [CreateObject(c.span(start), kind=kind, name=name, if_not_exists=if_not_exists, options=settings)]
        case "event trigger":
            name, function = c.qualified("a name for the event trigger"), _event_trigger(c)
            return [CreateObject(c.span(start), kind=kind, name=name, function=function)]
        case _:
            name = c.qualified(f"a name for the {kind}")
            _CREATE_REST.get(kind, _rest)(c)
    return [CreateObject(c.span(start), kind=kind, name=name, or_replace=or_replace, if_not_exists=if_not_exists, detail=detail)]


def _transform_function(c: Parser) -> Name:
    c.expect_any("from", "to")
    c.expect("sql", "with", "function")
    return signature(c, "function")[0]


def _rest(c: Parser) -> None:
    c.rest()


def _cast_method(c: Parser) -> None:
    if c.accept("with", "function"):
        signature(c, "function")
    elif not (c.accept("without", "function") or c.accept("with", "inout")):
        c.fail("WITH FUNCTION, WITHOUT FUNCTION or WITH INOUT")
    if c.accept("as"):
        c.expect_any("assignment", "implicit")


def _operator_name(c: Parser) -> Name:
    schema = None
    while c.words[c.i + 1] == ".":
        schema = c.name("an operator")
        c.i += 1
    word = c.words[c.i]
    if not c.accept_operator():
        c.fail("an operator")
    return Name(word, schema)


def _aggregate(c: Parser) -> tuple[Option, ...]:
    """Read the arguments and the definition, or the old form that has only a definition. Return the definition."""
    if c.words[c.i + 2] == "=" or (c.words[c.i + 1] == "basetype"):
        return options(c)
    if not c.accept("(", "*", ")"):
        _aggregate_arguments(c)
    return options(c)


def _aggregate_arguments(c: Parser) -> None:
    c.expect("(")
    if not c.at("order", "by"):
        c.list_of(lambda: argument(c))
    if c.accept("order", "by"):
        c.list_of(lambda: argument(c))
    c.expect(")")


def _definition(c: Parser) -> None:
    options(c)


def _collation(c: Parser) -> tuple[Option, ...]:
    if c.accept("from"):
        c.qualified("a collation")
        return ()
    return uses_options(c, "CREATE COLLATION", options(c))


def _server(c: Parser) -> None:
    if c.accept("type"):
        c.string()
    if c.accept("version"):
        if not c.accept("null"):
            c.string()
    c.expect("foreign", "data", "wrapper")
    c.name("a foreign data wrapper")
    foreign_options(c)


def _wrapper(c: Parser) -> None:
    while c.words[c.i] in ("handler", "validator", "connection", "no"):
        without = c.accept("no")
        if c.expect_any("handler", "validator", "connection") == "connection":
            c.uses(features.WRAPPER_CONNECTION)
        if not without:
            c.qualified_function()
    foreign_options(c)


def _tablespace(c: Parser) -> None:
    if c.accept("owner"):
        c.role()
    c.expect("location")
    c.string()
    options_after(c)


def _conversion(c: Parser) -> None:
    c.expect("for")
    c.string()
    c.expect("to")
    c.string()
    c.expect("from")
    c.qualified_function()


def _event_trigger(c: Parser) -> Name:
    c.expect("on")
    if c.name("an event") == "login":
        c.uses(features.LOGIN_EVENT_TRIGGER)
    if c.accept("when"):
        while True:
            c.name("a filter")
            c.expect("in")
            c.in_parentheses(c.string)
            if not c.accept("and"):
                break
    c.expect("execute")
    c.expect_any("function", "procedure")
    function = c.qualified_function()
    c.expect("(", ")")
    return function


def _access_method(c: Parser) -> None:
    c.expect("type")
    c.expect_any("index", "table")
    c.expect("handler")
    c.qualified_function()


def _language(c: Parser) -> None:
    if c.accept("handler"):
        c.qualified_function()
        if c.accept("inline"):
            c.qualified_function()
        if c.accept("no"):
            c.expect("validator")
        elif c.accept("validator"):
            c.qualified_function()


def _subscription(c: Parser) -> tuple[Option, ...]:
    if c.accept("server"):
        c.uses(features.SUBSCRIPTION_SERVER)
        c.name("a server")
    else:
        c.expect("connection")
        c.string()
    c.expect("publication")
    c.list_of(c.label)
    return uses_options(c, "a subscription", options_after(c))


_CREATE_REST = {
    "conversion": _conversion,
    "server": _server,
    "foreign data wrapper": _wrapper,
    "tablespace": _tablespace,
    "access method": _access_method,
    "language": _language,
    "database": database_settings,
    "text search configuration": _definition,
    "text search dictionary": _definition,
    "text search parser": _definition,
    "text search template": _definition,
}


def create_statistics(c: Parser, start: int) -> list[Operation]:
    """Read CREATE STATISTICS after these words."""
    if_not_exists = c.if_not_exists()
    name = None if c.words[c.i] in ("(", "on") else c.qualified("a name for the statistics")
    if name is None:
        c.uses(features.STATISTICS_WITHOUT_NAME)
    kinds = c.in_parentheses(lambda: c.name("a kind of statistics")) if c.words[c.i] == "(" else ()
    c.expect("on")
    first = c.i
    c.expressions()
    keys = c.text(first, c.i)
    c.expect("from")
    reads = len(c.reads)
    c.from_list()
    tables = tuple(c.reads[reads:])
    return [CreateStatistics(c.span(start), name=name, tables=tables, kinds=kinds, keys=keys, if_not_exists=if_not_exists)]


def import_foreign_schema(c: Parser, start: int) -> list[Operation]:
    """Read IMPORT FOREIGN SCHEMA after IMPORT."""
    c.expect("foreign", "schema")
    name = c.name("a schema")
    if c.accept("limit", "to") or c.accept("except"):
        c.in_parentheses(lambda: c.qualified("a table"))
    c.expect("from", "server")
    c.name("a server")
    c.expect("into")
    c.name("a schema")
    foreign_options(c)
    return [Utility(c.span(start), command="import foreign schema", name=name)]


def reassign_owned(c: Parser, start: int) -> list[Operation]:
    """Read REASSIGN OWNED after REASSIGN."""
    c.expect("owned", "by")
    roles = c.list_of(c.role)
    c.expect("to")
    c.role()
    return [Utility(c.span(start), command="reassign owned", name=", ".join(roles))]


def create_schema_header(c: Parser, start: int) -> CreateSchema:
    """Read CREATE SCHEMA after these words, up to its elements."""
    if_not_exists = c.if_not_exists()
    schema = owner = None
    if c.accept("authorization"):
        owner = c.role()
    else:
        schema = c.name("a schema's name")
        if c.accept("authorization"):
            owner = c.role()
    return CreateSchema(c.span(start), schema=schema, if_not_exists=if_not_exists, owner=owner)
