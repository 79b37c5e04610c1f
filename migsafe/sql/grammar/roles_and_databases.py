"""The options of roles and databases, which CREATE and ALTER share."""

from migsafe.sql import features
from migsafe.sql.grammar.parser import Parser


def role_options(c: Parser) -> None:
    """Skip the options of a role, in any order."""
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


def database_settings(c: Parser) -> None:
    """Skip [WITH] and the options of a database."""
    c.accept("with")
    _database_options(c)


def _database_options(c: Parser) -> None:
    """Read the options of CREATE and ALTER DATABASE: `name [=] value`."""
    while not c.done:
        if c.accept("connection"):
            c.expect("limit")
        else:
            c.uses(features.option_feature("CREATE DATABASE", c.non_reserved("a database's option"), None))
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
