"""CREATE and ALTER PUBLICATION."""

from migsafe.sql.grammar.alter_object import renamed_or_moved
from migsafe.sql.grammar.options import options, options_after
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Name, Operation, Publication


def publication(c: Parser, start: int, action: str) -> list[Operation]:
    """Read CREATE or ALTER PUBLICATION after these words; `action` is `create` or `alter`."""
    name = c.name("a publication")
    if action == "alter":
        if c.at("set", "("):
            c.i += 1
            settings = options(c)
            return [Publication(c.span(start), publication=name, action="options", options=settings)]
        if renamed := renamed_or_moved(c, start, "publication", Name(name), False):
            return [renamed]
        action = c.expect_any("add", "set", "drop")
        tables, schemas, only = _published(c)
        return [Publication(c.span(start), publication=name, action=action, tables=tables, schemas=schemas, only=only)]
    tables, schemas, only, everything = (), (), (), False
    if c.accept("for"):
        everything = c.accept("all", "tables")
        if not everything:
            tables, schemas, only = _published(c)
    settings = options_after(c)
    return [
        Publication(
            c.span(start), publication=name, action=action, tables=tables, schemas=schemas, all_tables=everything, options=settings, only=only
        )
    ]


def _published(c: Parser) -> tuple[tuple[Name, ...], tuple[str, ...], tuple[Name, ...]]:
    """Read the objects of a publication: the tables, the schemas, and the tables with ONLY."""
    tables: list[Name] = []
    schemas: list[str] = []
    only: list[Name] = []
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
            is_only = c.words[c.i] == "only"
            tables.append(c.relation())
            only += tables[-1:] if is_only else ()
            if c.words[c.i] == "(":
                c.in_parentheses(lambda: c.name("a column"))
            if c.accept("where", "("):
                c.a_expr()
                c.expect(")")
        if not c.accept(","):
            return tuple(tables), tuple(schemas), tuple(only)
