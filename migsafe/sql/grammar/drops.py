"""DROP."""

from migsafe.sql.grammar.kinds import (
    ON_TABLE,
    ROUTINES,
    cast,
    object_kind,
    operator_signature,
    signature,
    transform,
    user_mapping,
)
from migsafe.sql.grammar.options import utility_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Drop, Name, Operation, Utility


def drop(c: Parser, start: int) -> list[Operation]:
    """Read DROP after that word."""
    if c.accept("owned", "by"):
        roles = c.list_of(c.role)
        cascade = c.cascade()
        return [Utility(c.span(start), command="drop owned" + (" cascade" if cascade else ""), name=", ".join(roles))]
    kind = object_kind(c)
    if kind in ("column", "constraint", "large object", "parameter"):
        c.i = start + 1
        c.fail("a kind of object that DROP supports")
    concurrently = kind == "index" and c.accept("concurrently")
    if_exists = c.if_exists()
    names: tuple[Name, ...] = ()
    table: Name | None = None
    arguments: tuple[str | None, ...] = ()
    detail = ""
    if kind in ON_TABLE:
        names = (Name(c.name(f"a {kind}")),)
        c.expect("on")
        table = c.qualified("a table")
    elif kind in ROUTINES:
        signatures = c.list_of(lambda: signature(c, kind))
        names, arguments = tuple(name for name, _ in signatures), tuple(types for _, types in signatures)
    elif kind == "operator":
        operators = c.list_of(lambda: operator_signature(c))
        names, arguments = tuple(name for name, _ in operators), tuple(types for _, types in operators)
    elif kind in ("operator class", "operator family"):
        names = (c.qualified(),)
        c.expect("using")
        detail = f"using {c.name('an access method')}"
    elif kind in ("cast", "transform", "user mapping"):
        detail = {"cast": cast, "transform": transform, "user mapping": user_mapping}[kind](c)
    elif kind in ("role", "user", "group"):
        names = tuple(Name(role) for role in c.list_of(c.role))
    elif kind in ("type", "domain"):
        names = c.list_of(lambda: _type(c))
    else:
        names = c.list_of(lambda: c.qualified(f"a {kind}"))
    cascade = c.cascade()
    if kind == "database" and (c.accept("with") or c.words[c.i] == "("):
        utility_options(c)
    return [
        Drop(
            c.span(start),
            kind=kind,
            names=names,
            if_exists=if_exists,
            cascade=cascade,
            concurrently=concurrently,
            table=table,
            arguments=arguments,
            detail=detail,
        )
    ]


def _type(c: Parser) -> Name:
    data_type = c.type_name()
    return Name(data_type.name, data_type.schema)
