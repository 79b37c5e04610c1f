"""CREATE and ALTER PUBLICATION."""

from migsafe.sql import features
from migsafe.sql.grammar.alter_object import renamed_or_moved
from migsafe.sql.grammar.options import options, options_after, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Name, Operation, Publication


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
            everything = _everything(c)
            return [Publication(c.span(start), publication=name, action=action, all_tables=everything)]
        tables, schemas, only = _published(c)
        return [Publication(c.span(start), publication=name, action=action, tables=tables, schemas=schemas, only=only)]
    tables, schemas, only, everything = (), (), (), False
    if c.accept("for"):
        everything = _everything(c)
        if not everything and c.words[c.i - 1] != "sequences":
            tables, schemas, only = _published(c)
    settings = uses_options(c, "a publication", options_after(c))
    return [
        Publication(
            c.span(start), publication=name, action=action, tables=tables, schemas=schemas, all_tables=everything, options=settings, only=only
        )
    ]


def _everything(c: Parser) -> bool:
    """Read ALL TABLES [EXCEPT (TABLE …)] and ALL SEQUENCES, and return whether all tables are published."""
    tables = False
    while c.at("all", "tables") or c.at("all", "sequences"):
        c.i += 2
        if c.words[c.i - 1] == "sequences":
            c.uses(features.PUBLICATION_SEQUENCES)
        else:
            tables = True
            if c.accept("except"):
                c.uses(features.PUBLICATION_EXCEPT)
                c.in_parentheses(lambda: (c.accept("table"), c.relation()))
        if not (c.at(",", "all") and c.accept(",")):
            break
    return tables


def _published(c: Parser) -> tuple[tuple[Name, ...], tuple[str, ...], tuple[Name, ...]]:
    """Read the objects of a publication: the tables, the schemas, and the tables with ONLY."""
    tables: list[Name] = []
    schemas: list[str] = []
    only: list[Name] = []
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
            if c.words[c.i] == "(":
                c.in_parentheses(lambda: c.name("a column"))
                c.uses(features.PUBLICATION_COLUMNS)
            if c.accept("where", "("):
                c.uses(features.PUBLICATION_FILTER)
                c.a_expr()
                c.expect(")")
        if not c.accept(","):
            return tuple(tables), tuple(schemas), tuple(only)
