"""Types and domains."""

from migsafe.sql.grammar.columns import Qualifiers
from migsafe.sql.grammar.constraints import table_constraint
from migsafe.sql.grammar.options import options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import (
    AddEnumValue,
    AlterCompositeType,
    AlterDomain,
    AlterObject,
    Column,
    CreateCompositeType,
    CreateDomain,
    CreateEnum,
    CreateObject,
    Name,
    Operation,
    Rename,
    RenameColumn,
    RenameConstraint,
    RenameEnumValue,
    SetOwner,
    SetSchema,
    Target,
)


def create_type(c: Parser, start: int) -> list[Operation]:
    """Read CREATE TYPE after these words."""
    name = c.qualified_type()
    if c.accept("as", "enum"):
        c.expect("(")
        values = () if c.words[c.i] == ")" else c.list_of(lambda: c.string("an enum value"))
        c.expect(")")
        return [CreateEnum(c.span(start), type=name, values=values)]
    if c.accept("as", "range"):
        options(c)
        return [CreateObject(c.span(start), kind="type", name=name, detail="range")]
    if c.accept("as"):
        c.expect("(")
        attributes = () if c.words[c.i] == ")" else c.list_of(lambda: _attribute(c))
        c.expect(")")
        return [CreateCompositeType(c.span(start), type=name, attributes=attributes)]
    if c.words[c.i] == "(":
        options(c)
        return [CreateObject(c.span(start), kind="type", name=name, detail="base")]
    return [CreateObject(c.span(start), kind="type", name=name, detail="shell")]


def _attribute(c: Parser) -> Column:
    start = c.i
    name = c.name("an attribute's name")
    data_type = c.type_name()
    collation = c.qualified("a collation") if c.accept("collate") else None
    return Column(name=name, type=data_type, span=c.span(start), collation=collation)


def create_domain(c: Parser, start: int) -> list[Operation]:
    """Read CREATE DOMAIN after these words."""
    name = c.qualified_type()
    c.accept("as")
    data_type = c.type_name()
    qualifiers = Qualifiers(None)
    while qualifiers.read(c):
        pass
    return [
        CreateDomain(
            c.span(start),
            domain=name,
            type=data_type,
            collation=qualifiers.collation,
            default=qualifiers.default,
            not_null=qualifiers.not_null,
            constraints=tuple(qualifiers.constraints),
        )
    ]


def alter_domain(c: Parser, start: int) -> list[Operation]:
    """Read ALTER DOMAIN after these words."""
    name = c.qualified_type()
    if c.accept("rename", "constraint"):
        old = c.name("a constraint")
        c.expect("to")
        new_name = c.name()
        return [RenameConstraint(c.span(start), target=Target(kind="domain", name=name), constraint=old, new_name=new_name)]
    if common := _renamed(c, start, "domain", name):
        return [common]
    if c.accept("set"):
        if c.accept("default"):
            value = c.expression()
            return [AlterDomain(c.span(start), domain=name, action="set default", default=value)]
        c.expect("not", "null")
        return [AlterDomain(c.span(start), domain=name, action="set not null")]
    if c.accept("add"):
        constraint = table_constraint(c, of_domain=True)
        return [AlterDomain(c.span(start), domain=name, action="add constraint", constraint=constraint)]
    if c.accept("validate", "constraint"):
        old = c.name("a constraint")
        return [AlterDomain(c.span(start), domain=name, action="validate constraint", constraint_name=old)]
    c.expect("drop")
    if c.accept("default"):
        return [AlterDomain(c.span(start), domain=name, action="drop default")]
    if c.accept("not", "null"):
        return [AlterDomain(c.span(start), domain=name, action="drop not null")]
    c.expect("constraint")
    if_exists = c.if_exists()
    old = c.name("a constraint")
    cascade = c.cascade()
    return [AlterDomain(c.span(start), domain=name, action="drop constraint", constraint_name=old, if_exists=if_exists, cascade=cascade)]


def _renamed(c: Parser, start: int, kind: str, name: Name) -> Operation | None:
    """Read RENAME TO, OWNER TO or SET SCHEMA; None where none of them is next."""
    if c.accept("rename", "to"):
        new_name = c.name()
        return Rename(c.span(start), kind=kind, name=name, new_name=new_name)
    if c.accept("owner", "to"):
        owner = c.role()
        return SetOwner(c.span(start), kind=kind, name=name, owner=owner)
    if c.accept("set", "schema"):
        schema = c.name("a schema")
        return SetSchema(c.span(start), kind=kind, name=name, schema=schema)
    return None


def alter_type(c: Parser, start: int) -> list[Operation]:
    """Read ALTER TYPE after these words."""
    name = c.qualified_type()
    if common := _renamed(c, start, "type", name):
        return [common]
    if c.accept("rename", "value"):
        value = c.string("an enum value")
        c.expect("to")
        new_value = c.string("an enum value")
        return [RenameEnumValue(c.span(start), type=name, value=value, new_name=new_value)]
    if c.accept("rename", "attribute"):
        old = c.name("an attribute")
        c.expect("to")
        new_name = c.name()
        cascade = c.cascade()
        return [RenameColumn(c.span(start), target=Target(kind="type", name=name), column=old, new_name=new_name, cascade=cascade)]
    if c.accept("add", "value"):
        if_not_exists = c.if_not_exists()
        value = c.string("an enum value")
        side = c.accept_any(("before", "after"))
        neighbour = c.string("an enum value") if side else None
        before, after = (neighbour, None) if side == "before" else (None, neighbour)
        return [AddEnumValue(c.span(start), type=name, value=value, if_not_exists=if_not_exists, before=before, after=after)]
    if c.at("drop", "value"):
        c.i += 1
        c.fail("ATTRIBUTE")
    if c.accept("set"):
        at = c.i
        options(c)
        return [AlterObject(c.span(start), kind="type", name=name, action="set", detail=c.text(at))]
    return list(c.list_of(lambda: _alter_attribute(c, name)))


def _alter_attribute(c: Parser, name: Name) -> Operation:
    start = c.i
    action = c.expect_any("add", "drop", "alter")
    c.expect("attribute")
    if action == "drop":
        if_exists = c.if_exists()
        attribute = c.name("an attribute")
        cascade = c.cascade()
        return AlterCompositeType(
            c.span(start), type=name, action=action, attribute=attribute, data_type=None, if_exists=if_exists, cascade=cascade
        )
    attribute = c.name("an attribute")
    if action == "alter":
        if c.accept("set"):
            c.expect("data")
        c.expect("type")
    data_type = c.type_name()
    if c.accept("collate"):
        c.qualified("a collation")
    cascade = c.cascade()
    return AlterCompositeType(
        c.span(start), type=name, action=action, attribute=attribute, data_type=data_type, if_exists=False, cascade=cascade
    )
