"""Lists of options: WITH (…), OPTIONS (…), the definitions of operators and types, a sequence's options."""

from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import MARK, QUOTED, STRINGS, UNICODE_QUOTED, WORD
from migsafe.sql.operations import Name, Option


def options(c: Parser) -> tuple[Option, ...]:
    """`(fillfactor = 70, toast.autovacuum_enabled, …)` (reloptions, definition, utility_option_list)."""
    c.expect("(")
    if c.accept(")"):
        return ()
    found = c.list_of(lambda: _option(c))
    c.expect(")")
    return found


def _option(c: Parser) -> Option:
    name = c.string() if c.at_string() else c.label("an option")
    while c.accept("."):
        name = f"{name}.{c.label('an option')}"
    if c.accept("="):
        return Option(name, _value(c))
    return Option(name, None if c.words[c.i] in (",", ")") else _value(c))


def _value(c: Parser) -> str:
    """A value up to the next comma or closing parenthesis, as written."""
    start = c.i
    while c.words[c.i] not in (",", ")", ";"):
        if c.done:
            c.fail('")"')
        if c.words[c.i] in ("(", "["):
            c.skip_group()
        else:
            c.i += 1
    if c.i == start:
        c.fail("a value")
    if c.i == start + 1 and c.kinds[start] in STRINGS:
        return c.string_at(start)
    return c.text(start)


def options_after(c: Parser, word: str = "with") -> tuple[Option, ...]:
    """The options after WITH, if there are any."""
    if c.words[c.i] == word and c.words[c.i + 1] == "(":
        c.i += 1
        return options(c)
    return ()


def foreign_options(c: Parser) -> tuple[Option, ...]:
    """The options of OPTIONS (name 'value', ADD name 'value', DROP name)."""
    if not c.accept("options"):
        return ()
    return c.in_parentheses(lambda: _foreign_option(c))


def _foreign_option(c: Parser) -> Option:
    action = c.accept_any(("add", "set", "drop")) if c.kinds[c.i + 1] in (WORD, QUOTED, UNICODE_QUOTED, MARK) else None
    name = c.label("an option")
    return Option(f"{action} {name}" if action else name, None if action == "drop" else c.string())


def sequence_options(c: Parser) -> tuple[tuple[Option, ...], Name | None]:
    """A sequence's options, each named in the words of the manual, and the column that owns it."""
    found: list[Option] = []
    owner: Name | None = None
    while True:
        if c.accept("as"):
            found.append(Option("as", str(c.simple_type())))
        elif c.accept("cache"):
            found.append(Option("cache", c.number()))
        elif c.accept("cycle"):
            found.append(Option("cycle"))
        elif c.accept("increment"):
            c.accept("by")
            found.append(Option("increment", c.number()))
        elif word := c.accept_any(("maxvalue", "minvalue")):
            found.append(Option(word, c.number()))
        elif c.accept("no"):
            found.append(Option("no " + c.expect_any("maxvalue", "minvalue", "cycle")))
        elif c.accept("owned"):
            c.expect("by")
            name = c.qualified()
            owner = None if name == Name("none") else name
            found.append(Option("owned by", str(name)))
        elif c.at("sequence", "name"):
            c.i += 2
            found.append(Option("sequence name", str(c.qualified())))
        elif c.accept("start"):
            c.accept("with")
            found.append(Option("start", c.number()))
        elif c.accept("restart"):
            c.accept("with")
            value = c.number() if c.words[c.i] in ("+", "-", "0", "{}") else None
            found.append(Option("restart", value))
        elif word := c.accept_any(("logged", "unlogged")):
            found.append(Option(word))
        else:
            return tuple(found), owner
