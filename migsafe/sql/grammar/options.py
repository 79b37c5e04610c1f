"""Lists of options: WITH (…), OPTIONS (…), the definitions of operators and types, a sequence's options."""

from migsafe.sql.features import option_feature
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.keywords import RESERVED
from migsafe.sql.lexer import OPERATOR, PLACEHOLDER, QUOTED, STRINGS, UNICODE_QUOTED, WORD
from migsafe.sql.operations import Name, Option


def options(c: Parser) -> tuple[Option, ...]:
    """Read `(fillfactor = 70, toast.autovacuum_enabled, …)` (reloptions, definition)."""
    return c.in_parentheses(lambda: _option(c))


def utility_options(c: Parser) -> tuple[Option, ...]:
    """Read `(VERBOSE, PARALLEL 2, FORCE_QUOTE (a, b))` (utility_option_list, copy_generic_opt_list)."""
    return c.in_parentheses(lambda: _utility_option(c))


def uses_options(c: Parser, kind: str, settings: tuple[Option, ...]) -> tuple[Option, ...]:
    """Note the options, just read, of a `kind` of statement or object that releases after 14 added, and return the options."""
    for option in settings:
        c.uses(option_feature(kind, option.name, option.value))
    return settings


def _option(c: Parser) -> Option:
    name = c.string() if c.at_string() else c.label("an option")
    while c.accept("."):
        name = f"{name}.{c.label('an option')}"
    return Option(name, _value(c) if c.accept("=") else None)


def _utility_option(c: Parser) -> Option:
    name = c.label("an option")
    return Option(name, None if c.words[c.i] in (",", ")") else _value(c))


def _value(c: Parser) -> str:
    """Read a value (def_arg): a string, a number, an operator, a word, a type, or a list of COPY."""
    start = c.i
    if c.kinds[start] in STRINGS:
        return c.string()
    if c.words[start] == "(":
        c.skip_group()
    elif c.kinds[start] == WORD and (c.words[start] in RESERVED or c.words[start] == "none"):
        c.i += 1
    elif c.words[start] == "0" or (c.words[start] in ("+", "-") and c.words[start + 1] not in (",", ")")):
        c.number()
    elif c.kinds[start] == OPERATOR or c.at("operator", "("):
        c.accept_operator()
    else:
        c.type_name()
    return c.text(start)


def options_after(c: Parser, word: str = "with") -> tuple[Option, ...]:
    """Read the options after WITH, if there are any."""
    if c.words[c.i] == word and c.words[c.i + 1] == "(":
        c.i += 1
        return options(c)
    return ()


def foreign_options(c: Parser) -> tuple[Option, ...]:
    """Read the options of OPTIONS (name 'value', ADD name 'value', DROP name)."""
    if not c.accept("options"):
        return ()
    return c.in_parentheses(lambda: _foreign_option(c))


def _foreign_option(c: Parser) -> Option:
    action = c.accept_any(("add", "set", "drop")) if c.kinds[c.i + 1] in (WORD, QUOTED, UNICODE_QUOTED, PLACEHOLDER) else None
    name = c.label("an option")
    return Option(f"{action} {name}" if action else name, None if action == "drop" else c.string())


def sequence_options(c: Parser) -> tuple[tuple[Option, ...], Name | None]:
    """Read the options of a sequence, with the names that the manual gives them, and the column that owns it."""
    settings: list[Option] = []
    owner: Name | None = None
    while True:
        if c.accept("as"):
            settings.append(Option("as", str(c.simple_type())))
        elif c.accept("cache"):
            settings.append(Option("cache", c.number()))
        elif c.accept("cycle"):
            settings.append(Option("cycle"))
        elif c.accept("increment"):
            c.accept("by")
            settings.append(Option("increment", c.number()))
        elif word := c.accept_any(("maxvalue", "minvalue")):
            settings.append(Option(word, c.number()))
        elif c.accept("no"):
            settings.append(Option("no " + c.expect_any("maxvalue", "minvalue", "cycle")))
        elif c.accept("owned"):
            c.expect("by")
            name = c.qualified()
            owner = None if name == Name("none") else name
            settings.append(Option("owned by", str(name)))
        elif c.at("sequence", "name"):
            c.i += 2
            settings.append(Option("sequence name", str(c.qualified())))
        elif c.accept("start"):
            c.accept("with")
            settings.append(Option("start", c.number()))
        elif c.accept("restart"):
            c.accept("with")
            value = c.number() if c.words[c.i] in ("+", "-", "0", "{}") else None
            settings.append(Option("restart", value))
        elif word := c.accept_any(("logged", "unlogged")):
            settings.append(Option(word))
        else:
            return tuple(settings), owner
