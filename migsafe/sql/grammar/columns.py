"""The definitions of columns, and their constraints, in CREATE TABLE, ALTER TABLE, CREATE DOMAIN and similar statements."""

from migsafe.sql import features
from migsafe.sql.grammar.constraints import Attributes, nulls_not_distinct, reference, with_span
from migsafe.sql.grammar.options import foreign_options, options_after, sequence_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import (
    Column,
    Constraint,
    ConstraintKind,
    Expression,
    Generated,
    Identity,
    Name,
    Option,
)


def column(c: Parser, *, typed: bool = True) -> Column:
    """Read the definition of a column. Without `typed` it has no type: the table gets it from another object (`name [WITH OPTIONS] …`)."""
    start = c.i
    name = c.name("a column's name")
    data_type = None
    if typed:
        data_type = c.type_name()
    elif c.accept("with"):
        c.expect("options")
    storage = compression = None
    settings: tuple[Option, ...] = ()
    if typed:
        if c.accept("storage"):
            c.uses(features.COLUMN_STORAGE)
            storage = c.name("a storage") if not c.accept("default") else "default"
        if c.accept("compression"):
            compression = c.name("a compression method") if not c.accept("default") else "default"
        settings = foreign_options(c)
    qualifiers = Qualifiers(name)
    while qualifiers.read(c):
        pass
    return Column(
        name=name,
        type=data_type,
        span=c.span(start),
        not_null=qualifiers.not_null,
        null=qualifiers.null,
        default=qualifiers.default,
        repeats_default=qualifiers.repeats_default,
        identity=qualifiers.identity,
        generated=qualifiers.generated,
        collation=qualifiers.collation,
        constraints=tuple(qualifiers.constraints),
        storage=storage,
        compression=compression,
        options=settings,
    )


class Qualifiers:
    """The clauses after the type of a column or a domain, in any order (ColQualList)."""

    __slots__ = ("collation", "column", "constraints", "default", "generated", "identity", "not_null", "null", "repeats_default")

    def __init__(self, column: str | None) -> None:
        self.column = column
        self.not_null = False
        self.null = False
        self.repeats_default = False
        self.default: Expression | None = None
        self.identity: Identity | None = None
        self.generated: Generated | None = None
        self.collation: Name | None = None
        self.constraints: list[Constraint] = []

    def read(self, c: Parser) -> bool:
        """Read the next qualifier, and return whether there was one."""
        word = c.words[c.i]
        if word == "collate":
            c.i += 1
            self.collation = c.qualified("a collation")
            return True
        if word not in _STARTS:
            return False
        start = c.i
        name = c.name("a constraint's name") if c.accept("constraint") else None
        word = c.words[c.i]
        c.i += 1
        match word:
            case "default":
                self.repeats_default = self.default is not None
                self.default = c.expression(bounded=True)
                if self.default.sql.lower() == "system_user":
                    c.uses(features.SYSTEM_USER)
            case "null":
                self.null = True
            case "generated":
                self._generated(c)
            case "not" | "check" | "unique" | "primary" | "references":
                self._constraint(c, start, word, name)
            case "deferrable" | "initially" | "enforced" if not name and self.constraints:
                c.i -= 1
                self._attributes(c)
            case _:
                c.i -= 1
                c.fail("a constraint")
        return True

    def _generated(self, c: Parser) -> None:
        if c.accept("by", "default"):
            always = False
        else:
            c.expect("always")
            always = True
        c.expect("as")
        if c.accept("identity"):
            sequence: tuple[Option, ...] = ()
            if c.accept("("):
                sequence, _ = sequence_options(c)
                c.expect(")")
            self.identity = Identity(always, sequence)
            return
        c.expect("(")
        value = c.expression()
        c.expect(")")
        if not c.at("stored"):
            c.uses(features.VIRTUAL_COLUMN, at=c.i if c.at("virtual") else None)
        stored = {"stored": True, "virtual": False, None: None}[c.accept_any(("stored", "virtual"))]
        self.generated = Generated(value, stored)

    def _constraint(self, c: Parser, start: int, word: str, name: str | None) -> None:
        columns = (self.column,) if self.column is not None else ()
        if word == "not":
            if c.words[c.i] != "null":
                c.i -= 1
                self._attributes(c)
                return
            c.i += 1
            no_inherit = c.accept("no", "inherit")
            if no_inherit:
                c.uses(features.NOT_NULL_NO_INHERIT)
            self.not_null = True
            constraint = Constraint(kind=ConstraintKind.NOT_NULL, span=c.span(start), name=name, columns=columns, no_inherit=no_inherit)
        elif word == "check":
            c.expect("(")
            condition = c.expression()
            c.expect(")")
            constraint = Constraint(
                kind=ConstraintKind.CHECK, span=c.span(start), name=name, columns=columns, check=condition, no_inherit=c.accept("no", "inherit")
            )
        elif word == "references":
            constraint = Constraint(kind=ConstraintKind.FOREIGN_KEY, span=c.span(start), name=name, columns=columns, references=reference(c))
        else:
            if word == "primary":
                c.expect("key")
            kind = ConstraintKind.PRIMARY_KEY if word == "primary" else ConstraintKind.UNIQUE
            distinct = kind is ConstraintKind.UNIQUE and nulls_not_distinct(c)
            settings = options_after(c)
            constraint = Constraint(
                kind=kind,
                span=c.span(start),
                name=name,
                columns=columns,
                nulls_not_distinct=distinct,
                options=settings,
                tablespace=c.name() if c.accept("using", "index", "tablespace") else None,
            )
        self.constraints.append(with_span(constraint, c.span(start)))

    def _attributes(self, c: Parser) -> None:
        """Read DEFERRABLE, INITIALLY and ENFORCED, which belong to the constraint before them."""
        if not self.constraints:
            c.fail("NULL")
        before = self.constraints[-1]
        attributes = Attributes()
        if not attributes.read(c):
            c.fail("NULL, DEFERRABLE or ENFORCED")
        self.constraints[-1] = attributes.applied_to(before)


_STARTS = frozenset("constraint default null generated not check unique primary references deferrable initially enforced collate".split())
