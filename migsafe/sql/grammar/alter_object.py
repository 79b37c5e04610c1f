"""ALTER of the objects of which migsafe needs only the name: roles, databases, operators, servers…"""

from msgspec.structs import replace

from migsafe.sql import features
from migsafe.sql.grammar.alter_table import depends_on_extension
from migsafe.sql.grammar.kinds import operator_signature, signature, user_mapping
from migsafe.sql.grammar.options import foreign_options, options, options_after, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.roles_and_databases import database_settings, role_options
from migsafe.sql.grammar.routines import alter_routine
from migsafe.sql.grammar.settings import reset_variable, set_rest
from migsafe.sql.operations import AlterObject, Name, Operation, Option, Rename, SetOwner, SetSchema, Target


def alter_object(c: Parser, start: int, kind: str) -> list[Operation]:
    """Read ALTER of a `kind` of object, after the words of that kind."""
    if kind == "user mapping":
        detail, settings = user_mapping(c), foreign_options(c)
        return [AlterObject(c.span(start), kind=kind, name=None, action="options", detail=detail, options=settings)]
    if kind == "large object":
        name = Name(c.number())
        c.expect("owner", "to")
        owner = c.role()
        return [SetOwner(c.span(start), kind=kind, name=name, owner=owner)]
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
    if renamed := renamed_or_moved(c, start, kind, name, if_exists):
        return [renamed]
    if kind in ("function", "procedure", "routine"):
        return alter_routine(c, start, kind, name)
    if kind in ("role", "user", "database") and (setting := _stored_setting(c, kind)):
        return [AlterObject(c.span(start), kind=kind, name=name, action=setting[0], if_exists=if_exists, detail=detail, setting=setting[1:])]
    action, settings = _alteration(c, kind)
    return [AlterObject(c.span(start), kind=kind, name=name, action=action, if_exists=if_exists, detail=detail, options=settings)]


def _stored_setting(c: Parser, kind: str) -> tuple[str, str | None, str | None] | None:
    """Read SET or RESET of a role or a database: the word, the setting (None for ALL), and its value (None for the default); None if something
    else follows."""
    if c.at("set", "tablespace"):
        return None
    if kind != "database" and c.accept("in", "database"):
        c.name("a database")
    if c.accept("set"):
        return ("set", *set_rest(c))
    return ("reset", reset_variable(c), None) if c.accept("reset") else None


def _on_table(c: Parser, start: int, kind: str, if_exists: bool) -> Operation:
    name = Name(c.name(f"a {kind}"))
    c.expect("on")
    table = c.qualified("a table")
    if kind == "trigger" and (c.at("depends", "on") or c.at("no", "depends")):
        return replace(depends_on_extension(c, start, kind, Target(kind=kind, name=name)), table=table)
    c.expect("rename", "to")
    new_name = c.name()
    return Rename(c.span(start), kind=kind, name=name, new_name=new_name, if_exists=if_exists, table=table)


def renamed_or_moved(c: Parser, start: int, kind: str, name: Name, if_exists: bool) -> Operation | None:
    """Read RENAME TO, OWNER TO, SET SCHEMA or DEPENDS ON EXTENSION; None where none of them is next."""
    if c.accept("rename", "to"):
        new_name = c.role() if kind in ("role", "user", "group") else c.name()
        return Rename(c.span(start), kind=kind, name=name, new_name=new_name, if_exists=if_exists)
    if c.accept("owner", "to"):
        owner = c.role()
        return SetOwner(c.span(start), kind=kind, name=name, owner=owner, if_exists=if_exists)
    if c.at("set", "schema") and kind not in ("database", "role", "user"):
        c.i += 2
        schema = c.name("a schema")
        return SetSchema(c.span(start), kind=kind, name=name, schema=schema, if_exists=if_exists)
    if c.at("depends", "on") or c.at("no", "depends"):
        return depends_on_extension(c, start, kind, Target(kind=kind, name=name, only=False, if_exists=if_exists))
    return None


_ACTIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "collation": (("refresh", "version"),),
    "database": (("refresh", "collation", "version"), ("set", "tablespace")),
    "domain": (),
    "event trigger": (("enable", "replica"), ("enable", "always"), ("enable",), ("disable",)),
    "foreign data wrapper": (
        *(("options",), ("handler",), ("validator",), ("no", "handler"), ("no", "validator")),
        *(("connection",), ("no", "connection")),
    ),
    "group": (("add", "user"), ("drop", "user")),
    "operator": (("set",),),
    "operator family": (("add",), ("drop",)),
    "property graph": (("add",), ("alter",), ("drop",)),
    "server": (("options",), ("version",)),
    "statistics": (("set", "statistics"),),
    "subscription": (
        ("connection",),
        ("server",),
        ("set", "publication"),
        ("add", "publication"),
        ("drop", "publication"),
        ("refresh", "publication"),
        ("refresh", "sequences"),
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


_FEATURES = {
    ("database", ("refresh", "collation", "version")): features.REFRESH_COLLATION_VERSION,
    ("foreign data wrapper", ("connection",)): features.WRAPPER_CONNECTION,
    ("foreign data wrapper", ("no", "connection")): features.WRAPPER_CONNECTION,
    ("subscription", ("server",)): features.ALTER_SUBSCRIPTION_SERVER,
    ("subscription", ("skip",)): features.SUBSCRIPTION_SKIP,
    ("subscription", ("refresh", "sequences")): features.REFRESH_SEQUENCES,
}
_OPERATOR_ATTRIBUTES = frozenset(("commutator", "negator", "hashes", "merges"))


def _alteration(c: Parser, kind: str) -> tuple[str, tuple[Option, ...]]:
    """Read the rest of an ALTER, and return its first words and its options."""
    if kind in ("role", "user"):
        return _alter_role(c), ()
    if kind in ("text search dictionary",):
        options(c)
        return "options", ()
    if kind == "database" and c.words[c.i] not in ("set", "reset", "refresh"):
        database_settings(c)
        return "options", ()
    for words in _ACTIONS.get(kind, ()):
        if c.at(*words):
            return " ".join(words), _rest(c, kind, words)
    c.fail(f"an action of ALTER {kind.upper()}")


def _rest(c: Parser, kind: str, words: tuple[str, ...]) -> tuple[Option, ...]:
    c.uses(_FEATURES.get((kind, words)))
    if words == ("options",):
        return foreign_options(c)
    elif kind == "subscription" and words[-1] == "publication":
        c.i += 2
        if words[0] != "refresh":
            c.list_of(c.label)
        return options_after(c)
    elif kind == "subscription" and words == ("set",):
        c.i += 1
        return uses_options(c, "a subscription", options(c))
    else:
        at = c.i
        c.rest()
        if kind == "operator" and any(word in _OPERATOR_ATTRIBUTES for word in c.words[at : c.i]):
            c.uses(features.OPERATOR_ATTRIBUTES)
    return ()


def _alter_role(c: Parser) -> str:
    c.accept("with")
    role_options(c)
    return "options"
