"""CREATE and ALTER of the objects of which migsafe needs no more than the name: roles, databases, operators, servers…"""

from migsafe.sql.grammar.alter_table import depends_on_extension
from migsafe.sql.grammar.definitions import foreign_options, options, options_after
from migsafe.sql.grammar.kinds import cast, operator_signature, signature, transform, user_mapping
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.routines import alter_routine, argument
from migsafe.sql.grammar.settings import reset_variable, set_rest
from migsafe.sql.operations import (
    AlterObject,
    CreateExtension,
    CreateObject,
    CreateSchema,
    CreateStatistics,
    Name,
    Operation,
    Publication,
    Rename,
    SetOwner,
    SetSchema,
    Target,
    Utility,
)


def create_object(c: Parser, start: int, kind: str, *, or_replace: bool = False) -> list[Operation]:
    """CREATE of a `kind` after its words."""
    if_not_exists = c.if_not_exists()
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
            name = c.qualified_function()
            _aggregate(c)
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
            # Since 13 the grammar itself makes it the extension of that name.
            extension = c.name("a language")
            return [CreateExtension(c.span(start), extension, or_replace)]
        case "role" | "user" | "group":
            name = Name(c.role())
            c.accept("with")
            _role_options(c)
        case _:
            name = c.qualified(f"a name for the {kind}")
            _CREATE_REST.get(kind, _rest)(c)
    return [CreateObject(c.span(start), kind, name, or_replace, if_not_exists, detail=detail)]


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


def _aggregate(c: Parser) -> None:
    """The arguments and the definition, or the old form that has only a definition."""
    if c.words[c.i + 2] == "=" or (c.words[c.i + 1] == "basetype"):
        options(c)
        return
    if not c.accept("(", "*", ")"):
        _aggregate_arguments(c)
    options(c)


def _aggregate_arguments(c: Parser) -> None:
    c.expect("(")
    if not c.at("order", "by"):
        c.list_of(lambda: argument(c))
    if c.accept("order", "by"):
        c.list_of(lambda: argument(c))
    c.expect(")")


def _role_options(c: Parser) -> None:
    while not c.done:
        if c.accept("in"):
            c.expect_any("role", "group")
            c.list_of(c.role)
        elif c.accept_any(("role", "admin", "user", "sysid")):
            if c.words[c.i] == "0":
                c.number()
            else:
                c.list_of(c.role)
        elif c.accept("connection"):
            c.expect("limit")
            c.number()
        elif c.accept("valid"):
            c.expect("until")
            c.string()
        elif c.accept_any(("encrypted", "unencrypted")) or c.at("password"):
            c.expect("password")
            if not c.accept("null"):
                c.string()
        else:
            c.non_reserved("a role's option")


def _definition(c: Parser) -> None:
    options(c)


def _collation(c: Parser) -> None:
    if c.accept("from"):
        c.qualified("a collation")
    else:
        options(c)


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
    while c.words[c.i] in ("handler", "validator", "no"):
        if c.accept("no"):
            c.expect_any("handler", "validator")
        else:
            c.i += 1
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


def _event_trigger(c: Parser) -> None:
    c.expect("on")
    c.name("an event")
    if c.accept("when"):
        while True:
            c.name("a filter")
            c.expect("in")
            c.in_parentheses(c.string)
            if not c.accept("and"):
                break
    c.expect("execute")
    c.expect_any("function", "procedure")
    c.qualified_function()
    c.expect("(", ")")


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


def _subscription(c: Parser) -> None:
    c.expect("connection")
    c.string()
    c.expect("publication")
    c.list_of(c.label)
    options_after(c)


def _database(c: Parser) -> None:
    c.accept("with")
    database_options(c)


def database_options(c: Parser) -> None:
    """The options of CREATE and ALTER DATABASE: `name [=] value`."""
    while not c.done:
        if c.accept("connection"):
            c.expect("limit")
        else:
            c.non_reserved("a database's option")
        if c.words[c.i] == "=":
            c.i += 1
        if c.accept("default"):
            continue
        if c.words[c.i] in ("0", "+", "-"):
            c.number()
        elif c.at_string():
            c.string()
        else:
            c.label("a value")


_CREATE_REST = {
    "collation": _collation,
    "conversion": _conversion,
    "server": _server,
    "foreign data wrapper": _wrapper,
    "tablespace": _tablespace,
    "event trigger": _event_trigger,
    "access method": _access_method,
    "language": _language,
    "subscription": _subscription,
    "database": _database,
    "text search configuration": _definition,
    "text search dictionary": _definition,
    "text search parser": _definition,
    "text search template": _definition,
}


def create_statistics(c: Parser, start: int) -> list[Operation]:
    """CREATE STATISTICS after these words."""
    if_not_exists = c.if_not_exists()
    name = None if c.words[c.i] in ("(", "on") else c.qualified("a name for the statistics")
    kinds = c.in_parentheses(lambda: c.name("a kind of statistics")) if c.words[c.i] == "(" else ()
    c.expect("on")
    c.expressions()
    c.expect("from")
    reads = len(c.reads)
    c.from_list()
    tables = tuple(c.reads[reads:])
    return [CreateStatistics(c.span(start), name, tables, kinds, if_not_exists)]


def publication(c: Parser, start: int, action: str) -> list[Operation]:
    """CREATE or ALTER PUBLICATION after these words; `action` is `create` or `alter`."""
    name = c.name("a publication")
    if action == "alter":
        if c.at("set", "("):
            c.i += 1
            settings = options(c)
            return [Publication(c.span(start), name, "options", options=settings)]
        if found := _common(c, start, "publication", Name(name), False):
            return [found]
        action = c.expect_any("add", "set", "drop")
        tables, schemas, _ = _published(c)
        return [Publication(c.span(start), name, action, tables, schemas)]
    tables, schemas, everything = (), (), False
    if c.accept("for"):
        tables, schemas, everything = _published(c)
    settings = options_after(c)
    return [Publication(c.span(start), name, action, tables, schemas, everything, settings)]


def _published(c: Parser) -> tuple[tuple[Name, ...], tuple[str, ...], bool]:
    if c.accept("all", "tables"):
        return (), (), True
    tables: list[Name] = []
    schemas: list[str] = []
    kind = ""
    while True:
        if c.accept("tables", "in", "schema"):
            kind = "schema"
        elif c.accept("table"):
            kind = "table"
        elif not kind:
            c.fail("TABLE, TABLES IN SCHEMA or ALL TABLES")
        if kind == "schema":
            schemas.append(c.accept_any(("current_schema",)) or c.name("a schema"))
        else:
            tables.append(c.relation())
            if c.words[c.i] == "(":
                c.in_parentheses(lambda: c.name("a column"))
            if c.accept("where", "("):
                c.a_expr()
                c.expect(")")
        if not c.accept(","):
            return tuple(tables), tuple(schemas), False


def alter_object(c: Parser, start: int, kind: str) -> list[Operation]:
    """ALTER of a `kind` after its words."""
    if kind == "user mapping":
        detail = user_mapping(c)
        foreign_options(c)
        return [AlterObject(c.span(start), kind, None, "options", detail=detail)]
    if kind == "large object":
        name = Name(c.number())
        c.expect("owner", "to")
        owner = c.role()
        return [SetOwner(c.span(start), kind, name, owner)]
    if_exists = c.if_exists()
    detail = ""
    if kind in ("function", "procedure", "routine", "aggregate"):
        name, _ = signature(c, kind)
    elif kind == "operator":
        name, detail = operator_signature(c)
    elif kind in ("operator class", "operator family"):
        name = c.qualified()
        c.expect("using")
        detail = f"using {c.name('an access method')}"
    elif kind in ("role", "user", "group"):
        name = Name("all" if c.accept("all") else c.role())
    elif kind in ("rule", "trigger"):
        return [_on_table(c, start, kind, if_exists)]
    else:
        name = c.qualified(f"a {kind}")
    if found := _common(c, start, kind, name, if_exists):
        return [found]
    if kind in ("function", "procedure", "routine"):
        return alter_routine(c, start, kind, name)
    action = _alteration(c, kind)
    return [AlterObject(c.span(start), kind, name, action, if_exists, detail)]


def _on_table(c: Parser, start: int, kind: str, if_exists: bool) -> Operation:
    name = Name(c.name(f"a {kind}"))
    c.expect("on")
    table = c.qualified("a table")
    if kind == "trigger" and (c.at("depends", "on") or c.at("no", "depends")):
        return depends_on_extension(c, start, kind, Target(kind, name))
    c.expect("rename", "to")
    new_name = c.name()
    return Rename(c.span(start), kind, name, new_name, if_exists, table)


def _common(c: Parser, start: int, kind: str, name: Name, if_exists: bool) -> Operation | None:
    """RENAME TO, OWNER TO, SET SCHEMA, DEPENDS ON EXTENSION."""
    if c.accept("rename", "to"):
        new_name = c.role() if kind in ("role", "user", "group") else c.name()
        return Rename(c.span(start), kind, name, new_name, if_exists)
    if c.accept("owner", "to"):
        owner = c.role()
        return SetOwner(c.span(start), kind, name, owner, if_exists)
    if c.at("set", "schema") and kind not in ("database", "role", "user"):
        c.i += 2
        schema = c.name("a schema")
        return SetSchema(c.span(start), kind, name, schema, if_exists)
    if c.at("depends", "on") or c.at("no", "depends"):
        return depends_on_extension(c, start, kind, Target(kind, name, False, if_exists))
    return None


_ACTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "collation": (("refresh", "version"),),
    "database": (("refresh", "collation", "version"), ("set", "tablespace"), ("set",), ("reset",)),
    "domain": (),
    "event trigger": (("enable", "replica"), ("enable", "always"), ("enable",), ("disable",)),
    "foreign data wrapper": (("options",), ("handler",), ("validator",), ("no", "handler"), ("no", "validator")),
    "group": (("add", "user"), ("drop", "user")),
    "operator": (("set",),),
    "operator family": (("add",), ("drop",)),
    "server": (("options",), ("version",)),
    "statistics": (("set", "statistics"),),
    "subscription": (
        ("connection",),
        ("set", "publication"),
        ("add", "publication"),
        ("drop", "publication"),
        ("refresh", "publication"),
        ("enable",),
        ("disable",),
        ("set",),
        ("skip",),
    ),
    "tablespace": (("set",), ("reset",)),
    "text search configuration": (
        ("add", "mapping", "for"),
        ("alter", "mapping", "for"),
        ("alter", "mapping", "replace"),
        ("drop", "mapping"),
    ),
}


def _alteration(c: Parser, kind: str) -> str:
    """What the rest of an ALTER does, in its own first words."""
    if kind in ("role", "user"):
        return _alter_role(c)
    if kind in ("text search dictionary",):
        options(c)
        return "options"
    if kind == "database" and c.words[c.i] not in ("set", "reset", "refresh"):
        _database(c)
        return "options"
    for words in _ACTIONS.get(kind, ()):
        if c.at(*words):
            if words in (("set",), ("reset",)) and kind == "database":
                c.i += 1
                set_rest(c) if words[0] == "set" else reset_variable(c)
            else:
                c.rest()
            return " ".join(words)
    c.fail(f"what to change about the {kind}")


def _alter_role(c: Parser) -> str:
    if c.accept("in", "database"):
        c.name("a database")
    if c.accept("set"):
        set_rest(c)
        return "set"
    if c.accept("reset"):
        reset_variable(c)
        return "reset"
    c.accept("with")
    _role_options(c)
    return "options"


def import_foreign_schema(c: Parser, start: int) -> list[Operation]:
    """IMPORT FOREIGN SCHEMA after IMPORT."""
    c.expect("foreign", "schema")
    name = c.name("a schema")
    if c.accept("limit", "to") or c.accept("except"):
        c.in_parentheses(lambda: c.qualified("a table"))
    c.expect("from", "server")
    c.name("a server")
    c.expect("into")
    c.name("a schema")
    foreign_options(c)
    return [Utility(c.span(start), "import foreign schema", name)]


def reassign_owned(c: Parser, start: int) -> list[Operation]:
    """REASSIGN OWNED after REASSIGN."""
    c.expect("owned", "by")
    roles = c.list_of(c.role)
    c.expect("to")
    c.role()
    return [Utility(c.span(start), "reassign owned", ", ".join(roles))]


def create_schema_header(c: Parser, start: int) -> CreateSchema:
    """CREATE SCHEMA after these words, up to its elements."""
    if_not_exists = c.if_not_exists()
    schema = owner = None
    if c.accept("authorization"):
        owner = c.role()
    else:
        schema = c.name("a schema's name")
        if c.accept("authorization"):
            owner = c.role()
    return CreateSchema(c.span(start), schema, if_not_exists, owner)
