"""ALTER TABLE … ALTER COLUMN."""

from migsafe.sql import features
from migsafe.sql.grammar.options import foreign_options, options, sequence_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import (
    AddIdentity,
    AlterColumnType,
    DropDefault,
    DropExpression,
    DropIdentity,
    DropNotNull,
    Identity,
    Operation,
    Option,
    ResetColumnOptions,
    SetColumnOptions,
    SetCompression,
    SetDefault,
    SetExpression,
    SetIdentity,
    SetNotNull,
    SetStatistics,
    SetStorage,
    Target,
)


def alter_column(c: Parser, start: int, target: Target, name: str) -> Operation:
    """Read the rest of ALTER COLUMN after the column's name; `start` is the token ALTER."""
    word = c.words[c.i]
    if word == "type" or c.at("set", "data"):
        return _alter_type(c, start, target, name)
    if word == "drop":
        c.i += 1
        return _drop_of_column(c, start, target, name)
    if word == "add":
        c.i += 1
        c.expect("generated")
        always = _always(c)
        c.expect("as", "identity")
        sequence: tuple[Option, ...] = ()
        if c.accept("("):
            sequence, _ = sequence_options(c)
            c.expect(")")
        return AddIdentity(c.span(start), target=target, column=name, identity=Identity(always, sequence))
    if word == "reset":
        c.i += 1
        settings = options(c)
        return ResetColumnOptions(c.span(start), target=target, column=name, options=settings)
    if word == "options":
        settings = foreign_options(c)
        return SetColumnOptions(c.span(start), target=target, column=name, options=settings, foreign=True)
    if word == "restart":
        return _set_identity(c, start, target, name)
    if word != "set":
        c.fail("TYPE, SET, DROP, ADD GENERATED, RESTART or RESET")
    reader = _SET_OF_COLUMN.get(c.words[c.i + 1])
    if reader is None:
        return _set_identity(c, start, target, name)
    c.i += 2
    return reader(c, start, target, name)


def _always(c: Parser) -> bool:
    if c.accept("by", "default"):
        return False
    c.expect("always")
    return True


def _alter_type(c: Parser, start: int, target: Target, name: str) -> Operation:
    if c.accept("set"):
        c.expect("data")
    c.expect("type")
    data_type = c.type_name()
    collation = c.qualified("a collation") if c.accept("collate") else None
    using = c.expression() if c.accept("using") else None
    return AlterColumnType(c.span(start), target=target, column=name, type=data_type, collation=collation, using=using)


def _drop_of_column(c: Parser, start: int, target: Target, name: str) -> Operation:
    if c.accept("default"):
        return DropDefault(c.span(start), target=target, column=name)
    if c.accept("not", "null"):
        return DropNotNull(c.span(start), target=target, column=name)
    clause = c.expect_any("expression", "identity", "default", "not")
    if_exists = c.if_exists()
    if clause == "expression":
        return DropExpression(c.span(start), target=target, column=name, if_exists=if_exists)
    if clause == "identity":
        return DropIdentity(c.span(start), target=target, column=name, if_exists=if_exists)
    c.fail("NULL")


def _set_default(c: Parser, start: int, target: Target, name: str) -> Operation:
    value = c.expression()
    if value.sql.lower() == "system_user":
        c.uses(features.SYSTEM_USER)
    return SetDefault(c.span(start), target=target, column=name, default=value)


def _set_not_null(c: Parser, start: int, target: Target, name: str) -> Operation:
    c.expect("null")
    return SetNotNull(c.span(start), target=target, column=name)


def _set_expression(c: Parser, start: int, target: Target, name: str) -> Operation:
    c.uses(features.SET_EXPRESSION)
    c.expect("as", "(")
    value = c.expression()
    c.expect(")")
    return SetExpression(c.span(start), target=target, column=name, expression=value)


def _set_statistics(c: Parser, start: int, target: Target, name: str) -> Operation:
    value = "default" if c.accept("default") else c.number()
    if value == "default":
        c.uses(features.STATISTICS_DEFAULT)
    return SetStatistics(c.span(start), target=target, column=name, value=value)


def _set_storage(c: Parser, start: int, target: Target, name: str) -> Operation:
    storage = "default" if c.accept("default") else c.name("a storage")
    if storage == "default":
        c.uses(features.STORAGE_DEFAULT)
    return SetStorage(c.span(start), target=target, column=name, storage=storage)


def _set_compression(c: Parser, start: int, target: Target, name: str) -> Operation:
    method = "default" if c.accept("default") else c.name("a compression method")
    return SetCompression(c.span(start), target=target, column=name, method=method)


def _set_column_options(c: Parser, start: int, target: Target, name: str) -> Operation:
    c.i -= 1
    settings = options(c)
    return SetColumnOptions(c.span(start), target=target, column=name, options=settings)


_SET_OF_COLUMN = {
    "default": _set_default,
    "not": _set_not_null,
    "expression": _set_expression,
    "statistics": _set_statistics,
    "storage": _set_storage,
    "compression": _set_compression,
    "(": _set_column_options,
}


def _set_identity(c: Parser, start: int, target: Target, name: str) -> Operation:
    """Read one or more of SET GENERATED, SET with an option of the sequence, and RESTART."""
    always: bool | None = None
    all_options: list[Option] = []
    while True:
        if c.at("set", "generated"):
            c.i += 2
            always = _always(c)
        elif c.words[c.i] == "set" or c.words[c.i] == "restart":
            c.accept("set")
            sequence, _ = sequence_options(c)
            if not sequence:
                c.fail("GENERATED or a sequence option")
            all_options.extend(sequence)
        else:
            return SetIdentity(c.span(start), target=target, column=name, always=always, options=tuple(all_options))
