"""CREATE and ALTER PUBLICATION."""

from msgspec.structs import replace

from migsafe.sql import features
from migsafe.sql.grammar.alter_object import renamed_or_moved
from migsafe.sql.grammar.options import options, options_after, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Name, Operation, Publication, PublishedTable


def publication(c: Parser, start: int, action: str) -> list[Operation]:
    """Read CREATE or ALTER PUBLICATION after these words; `action` is `create` or `alter`."""
    name = c.name("a publication")
    if action == "alter":
        if c.at("set", "("):
            c.i += 1
            settings = uses_options(c, "a publication", options(c))
            return [Publication(c.span(start), publication=name, action="options", options=settings)]
        if renamed := renamed_or_moved(c, start, "publication", Name(name), False):
            return [renamed]
        action = c.expect_any("add", "set", "drop")
        if action == "set" and c.words[c.i] == "all":
            everything, excluded = _everything(c)
            return [Publication(c.span(start), publication=name, action=action, all_tables=everything)]
        published = _published(c)
        return [replace(published, span=c.span(start), publication=name, action=action)]
    everything, excluded, published = False, tuple[Name, ...](), Publication(c.span(start), publication=name, action=action)
    if c.accept("for"):
        everything, excluded = _everything(c)
        if not everything and c.words[c.i - 1] != "sequences":
            published = _published(c)
    settings = uses_options(c, "a publication", options_after(c))
    return [replace(published, span=c.span(start), publication=name, action=action, all_tables=everything, excluded=excluded, options=settings)]


def _everything(c: Parser) -> tuple[bool, tuple[Name, ...]]:
    """Read ALL TABLES [EXCEPT (TABLE …)] and ALL SEQUENCES, and return whether all tables are published, and the excluded ones."""
    tables, excluded = False, tuple[Name, ...]()
    while c.at("all", "tables") or c.at("all", "sequences"):
        c.i += 2
        if c.words[c.i - 1] == "sequences":
            c.uses(features.PUBLICATION_SEQUENCES)
        else:
            tables = True
            if c.accept("except"):
                c.uses(features.PUBLICATION_EXCEPT)
                excluded = tuple(name for _, name in c.in_parentheses(lambda: (c.accept("table"), c.relation())))
        if not (c.at(",", "all") and c.accept(",")):
            break
    return tables, excluded


def _published(c: Parser) -> Publication:
    """Read the objects of a publication, and return an operation that has only these."""
    start = c.i
    tables: list[Name] = []
    schemas: list[str] = []
    only: list[Name] = []
    limited: list[PublishedTable] = []
    kind = ""
    while True:
        if c.accept("tables", "in", "schema"):
            c.uses(features.PUBLICATION_SCHEMAS)
            kind = "schema"
        elif c.accept("table"):
            kind = "table"
        elif not kind:
            c.fail("TABLE, TABLES IN SCHEMA or ALL TABLES")
        if kind == "schema":
            schemas.append(c.accept_any(("current_schema",)) or c.name("a schema"))
        else:
            is_only = c.words[c.i] == "only"
            tables.append(c.relation())
            only += tables[-1:] if is_only else ()
            limits = _limits(c, tables[-1])
            limited += [limits] if limits.columns or limits.filter is not None else []
        if not c.accept(","):
            return Publication(
                c.span(start),
                publication="",
                action="",
                tables=tuple(tables),
                schemas=tuple(schemas),
                only=tuple(only),
                limited=tuple(limited),
            )


def _limits(c: Parser, table: Name) -> PublishedTable:
    """Read the column list and the row filter of a table."""
    columns: tuple[str, ...] = ()
    row_filter = None
    if c.words[c.i] == "(":
        columns = tuple(c.in_parentheses(lambda: c.name("a column")))
        c.uses(features.PUBLICATION_COLUMNS)
    if c.accept("where", "("):
        c.uses(features.PUBLICATION_FILTER)
        row_filter = c.expression()
        c.expect(")")
    return PublishedTable(table, columns, row_filter)
