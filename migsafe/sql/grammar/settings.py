"""SET, RESET, SHOW, DISCARD, ALTER SYSTEM, and the control of transactions."""

from migsafe.sql import features
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.lexer import END, NUMBER, STRINGS
from migsafe.sql.operations import (
    AlterSystem,
    Begin,
    Commit,
    Discard,
    Name,
    Operation,
    Release,
    ResetVariable,
    Rollback,
    RollbackTo,
    Savepoint,
    SetConstraints,
    SetTransaction,
    SetVariable,
    TwoPhase,
    Utility,
)


def set_statement(c: Parser, start: int) -> list[Operation]:
    """Read SET after that word."""
    if c.accept("constraints"):
        names: tuple[Name, ...] = () if c.accept("all") else c.list_of(lambda: c.qualified("a constraint"))
        deferred = c.expect_any("deferred", "immediate") == "deferred"
        return [SetConstraints(c.span(start), constraints=names, deferred=deferred)]
    local = False
    if c.words[c.i] in ("local", "session") and c.words[c.i + 1] not in ("=", "to", ".", "authorization"):
        local = c.words[c.i] == "local"
        c.i += 1
        if not local and c.accept("characteristics", "as", "transaction"):
            modes = transaction_modes(c)
            return [SetTransaction(c.span(start), modes=modes, session=True)]
    if c.words[c.i] == "transaction" and c.words[c.i + 1] not in ("=", "to"):
        c.i += 1
        if c.accept("snapshot"):
            c.string()
            return [SetTransaction(c.span(start), modes=("snapshot",))]
        modes = transaction_modes(c)
        return [SetTransaction(c.span(start), modes=modes)]
    variable, value = set_rest(c)
    return [SetVariable(c.span(start), variable=variable, value=value, local=local)]


def set_rest(c: Parser) -> tuple[str, str | None]:
    """Read the rest of SET [LOCAL]: the setting and the text of its value, None for DEFAULT and FROM CURRENT (set_rest_more)."""
    if c.accept("time", "zone"):
        return "timezone", _time_zone(c)
    for words, variable in _SPELT_OTHERWISE.items():
        if c.at(*words) and c.words[c.i + len(words)] not in ("=", "to", "."):
            c.i += len(words)
            return variable, _special_value(c)
    variable = c.name("a setting")
    while c.accept("."):
        variable += "." + c.name("a setting")
    c.uses(features.setting_feature(variable.lower()))
    if c.accept("from", "current"):
        return variable.lower(), None
    if not c.accept("to"):
        if c.words[c.i] != "=":
            c.fail("TO or =")
        c.i += 1
    if c.accept("default"):
        return variable.lower(), None
    return variable.lower(), ", ".join(c.list_of(lambda: setting_value(c)))


_SPELT_OTHERWISE = {
    ("session", "authorization"): "session_authorization",
    ("xml", "option"): "xmloption",
    ("role",): "role",
    ("names",): "client_encoding",
    ("schema",): "search_path",
    ("catalog",): "catalog",
}


def _special_value(c: Parser) -> str | None:
    if c.done or c.accept("default"):
        return None
    return c.string() if c.at_string() else c.non_reserved("a value")


def _time_zone(c: Parser) -> str | None:
    if c.accept_any(("local", "default")):
        return None
    if c.accept("interval"):
        if c.accept("("):
            c.number()
            c.expect(")")
        value = c.string()
        c.interval_fields()
        return value
    return setting_value(c)


def setting_value(c: Parser) -> str:
    """Read one value of a setting: a string, a number, or a word such as ON."""
    if c.kinds[c.i] in STRINGS:
        return c.string()
    if c.kinds[c.i] == NUMBER or c.words[c.i] in ("+", "-"):
        return c.number()
    if word := c.accept_any(("true", "false", "on")):
        return word
    return c.non_reserved("a value")


def transaction_modes(c: Parser) -> tuple[str, ...]:
    """Read READ ONLY, ISOLATION LEVEL … and [NOT] DEFERRABLE, with or without commas."""
    modes: list[str] = []
    while True:
        if c.accept("isolation", "level"):
            level = c.expect_any("serializable", "repeatable", "read")
            if level == "repeatable":
                c.expect("read")
                level = "repeatable read"
            elif level == "read":
                level = f"read {c.expect_any('committed', 'uncommitted')}"
            modes.append(f"isolation level {level}")
        elif c.accept("read"):
            modes.append(f"read {c.expect_any('only', 'write')}")
        elif c.accept("not", "deferrable"):
            modes.append("not deferrable")
        elif c.accept("deferrable"):
            modes.append("deferrable")
        else:
            if not modes:
                c.fail("a transaction mode")
            return tuple(modes)
        if c.accept(",") and c.done:
            c.fail("a transaction mode")


def reset_statement(c: Parser, start: int) -> list[Operation]:
    """Read RESET after that word."""
    variable = reset_variable(c)
    return [ResetVariable(c.span(start), variable=variable)]


def reset_variable(c: Parser) -> str | None:
    """Read the setting of RESET; None for ALL."""
    if c.accept("all"):
        return None
    if c.accept("time", "zone"):
        return "timezone"
    if c.accept("transaction", "isolation", "level"):
        return "transaction_isolation"
    if c.accept("session", "authorization"):
        return "session_authorization"
    variable = c.name("a setting or ALL")
    c.uses(features.setting_feature(variable.lower()))
    while c.accept("."):
        variable += "." + c.name("a setting")
    return variable.lower()


def show_statement(c: Parser, start: int) -> list[Operation]:
    """Read SHOW after that word."""
    name = reset_variable(c) or "all"
    return [Utility(c.span(start), command="show", name=name)]


def discard(c: Parser, start: int) -> list[Operation]:
    """Read DISCARD after that word."""
    target = c.expect_any("all", "plans", "sequences", "temp", "temporary")
    return [Discard(c.span(start), target="temp" if target == "temporary" else target)]


def alter_system(c: Parser, start: int) -> list[Operation]:
    """Read ALTER SYSTEM after these words."""
    if c.expect_any("set", "reset") == "set":
        variable, _ = set_rest(c)
        return [AlterSystem(c.span(start), variable=variable)]
    reset = reset_variable(c)
    return [AlterSystem(c.span(start), variable=reset, reset=True)]


def begin(c: Parser, start: int) -> list[Operation]:
    """Read BEGIN or START after that word."""
    if c.words[c.i - 1] == "start":
        c.expect("transaction")
    else:
        c.accept_any(("work", "transaction"))
    modes = () if c.done else transaction_modes(c)
    return [Begin(c.span(start), modes=modes)]


def commit(c: Parser, start: int) -> list[Operation]:
    """Read COMMIT or END after that word."""
    if c.words[c.i - 1] == "commit" and c.accept("prepared"):
        identifier = c.string()
        return [TwoPhase(c.span(start), action="commit prepared", identifier=identifier)]
    c.accept_any(("work", "transaction"))
    chain = _chain(c)
    return [Commit(c.span(start), chain=chain)]


def _chain(c: Parser) -> bool:
    if c.accept("and", "no", "chain"):
        return False
    return c.accept("and", "chain")


def rollback(c: Parser, start: int) -> list[Operation]:
    """Read ROLLBACK or ABORT after that word."""
    if c.words[c.i - 1] == "rollback":
        if c.accept("prepared"):
            identifier = c.string()
            return [TwoPhase(c.span(start), action="rollback prepared", identifier=identifier)]
        saved = c.i
        c.accept_any(("work", "transaction"))
        if c.accept("to"):
            name = _savepoint_name(c)
            return [RollbackTo(c.span(start), name=name)]
        c.i = saved
    c.accept_any(("work", "transaction"))
    chain = _chain(c)
    return [Rollback(c.span(start), chain=chain)]


def savepoint(c: Parser, start: int) -> list[Operation]:
    """Read SAVEPOINT after that word."""
    name = c.name("a savepoint's name")
    return [Savepoint(c.span(start), name=name)]


def _savepoint_name(c: Parser) -> str:
    """Read [SAVEPOINT] name. `savepoint` is itself a valid name."""
    if c.kinds[c.i + 1] != END:
        c.accept("savepoint")
    return c.name("a savepoint")


def release(c: Parser, start: int) -> list[Operation]:
    """Read RELEASE after that word."""
    name = _savepoint_name(c)
    return [Release(c.span(start), name=name)]
