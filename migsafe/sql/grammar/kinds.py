"""The kinds of object that DROP, ALTER, COMMENT, SECURITY LABEL and GRANT name, and the form of the names of each kind."""

from migsafe.sql import features
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.routines import argument
from migsafe.sql.operations import Name

# Longer kinds come first, because the first kind whose words all match is used.
KINDS: tuple[tuple[str, ...], ...] = (
    ("access", "method"),
    ("event", "trigger"),
    ("foreign", "data", "wrapper"),
    ("foreign", "table"),
    ("large", "object"),
    ("materialized", "view"),
    ("operator", "class"),
    ("operator", "family"),
    ("procedural", "language"),
    ("property", "graph"),
    ("text", "search", "configuration"),
    ("text", "search", "dictionary"),
    ("text", "search", "parser"),
    ("text", "search", "template"),
    ("user", "mapping"),
    *(
        (word,)
        for word in """aggregate cast collation column constraint conversion database domain extension function group index language
        operator parameter policy procedure publication role routine rule schema sequence server statistics subscription table
        tablespace transform trigger type user view""".split()
    ),
)
_BY_FIRST_WORD: dict[str, list[tuple[str, ...]]] = {}
for _kind in KINDS:
    _BY_FIRST_WORD.setdefault(_kind[0], []).append(_kind)

ROUTINES = frozenset(("function", "procedure", "routine", "aggregate"))
ON_TABLE = frozenset(("policy", "rule", "trigger"))


def object_kind(c: Parser) -> str:
    """Read the words of a kind of object and return them in lower case; PROCEDURAL LANGUAGE becomes `language`."""
    for words in _BY_FIRST_WORD.get(c.words[c.i], ()):
        if c.accept(*words):
            if words[0] == "property":
                c.uses(features.PROPERTY_GRAPH)
            return "language" if words[0] == "procedural" else " ".join(words)
    c.fail("a kind of object")


def signature(c: Parser, kind: str) -> tuple[Name, str | None]:
    """Read the name of a routine and the text of its argument types, or None (function_with_argtypes, aggregate_with_argtypes)."""
    name = c.qualified_function()
    if c.words[c.i] != "(":
        if kind == "aggregate":
            c.fail('"("')
        return name, None
    start = c.i
    c.i += 1
    if not (c.accept(")") or c.accept("*", ")")):
        if kind == "aggregate" and c.accept("order", "by"):
            c.list_of(lambda: argument(c))
        else:
            c.list_of(lambda: argument(c))
            if kind == "aggregate" and c.accept("order", "by"):
                c.list_of(lambda: argument(c))
        c.expect(")")
    return name, c.text(start)[1:-1].strip()


def operator_signature(c: Parser) -> tuple[Name, str]:
    """Read an operator with the types of its operands (operator_with_argtypes)."""
    schema = None
    while c.words[c.i + 1] == ".":
        schema = c.name()
        c.i += 1
    name = c.words[c.i]
    if not c.accept_operator():
        c.fail("an operator")
    start = c.i
    c.expect("(")
    c.list_of(c.type_or_none)
    c.expect(")")
    return Name(name, schema), c.text(start)[1:-1].strip()


def cast(c: Parser) -> str:
    """Read (source AS target), and return its text in lower case."""
    c.expect("(")
    source = c.type_name()
    c.expect("as")
    target = c.type_name()
    c.expect(")")
    return f"({source} as {target})"


def transform(c: Parser) -> str:
    """Read FOR type LANGUAGE name."""
    c.expect("for")
    data_type = c.type_name()
    c.expect("language")
    return f"for {data_type} language {c.name('a language')}"


def user_mapping(c: Parser) -> str:
    """Read FOR role SERVER name."""
    c.expect("for")
    role = "current_user" if c.accept("user") else c.role()
    c.expect("server")
    return f"for {role} server {c.name('a server')}"


class ObjectName:
    """The name of one object in a statement: `detail` for an object without a name, `table` for an object of a table."""

    __slots__ = ("arguments", "detail", "name", "table")

    def __init__(self, name: Name | None, table: Name | None = None, detail: str = "", arguments: str | None = None) -> None:
        self.name = name
        self.table = table
        self.detail = detail
        self.arguments = arguments


def object_name(c: Parser, kind: str) -> ObjectName:
    """Read one object of a kind, as COMMENT and ALTER EXTENSION name it."""
    if kind in ROUTINES:
        name, types = signature(c, kind)
        return ObjectName(name, arguments=types)
    match kind:
        case "operator":
            name, types = operator_signature(c)
            return ObjectName(name, arguments=types)
        case "operator class" | "operator family":
            name = c.qualified()
            c.expect("using")
            return ObjectName(name, detail=f"using {c.name('an access method')}")
        case "cast":
            return ObjectName(None, detail=cast(c))
        case "transform":
            return ObjectName(None, detail=transform(c))
        case "large object":
            return ObjectName(Name(c.number()))
        case "type" | "domain":
            return ObjectName(_type_as_name(c))
        case "column":
            return _column(c)
        case "constraint" | "trigger" | "rule" | "policy":
            own = c.name(f"a {kind}")
            c.expect("on")
            detail = "domain" if kind == "constraint" and c.accept("domain") else ""
            return ObjectName(Name(own), c.qualified("a table"), detail)
    return ObjectName(c.qualified(f"a {kind}"))


def _column(c: Parser) -> ObjectName:
    start = c.i
    parts = [c.name("a table")]
    while c.accept("."):
        parts.append(c.label())
    if len(parts) == 1:
        raise Unexpected(start, "table.column")
    return ObjectName(Name(parts[-1]), Name(*reversed(parts[-4:-1])))


def _type_as_name(c: Parser) -> Name:
    data_type = c.type_name()
    return Name(data_type.name, data_type.schema)
