"""Constraints, and the keys of indexes and exclusion constraints."""

from typing import Self

from msgspec.structs import replace

from migsafe.sql import features
from migsafe.sql.grammar.cursor import Unexpected
from migsafe.sql.grammar.options import options, options_after
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import Constraint, ConstraintKind, IndexElement, Name, Option, Reference
from migsafe.text import Span

_CONSTRAINT_WORDS = frozenset(("constraint", "check", "not", "unique", "primary", "exclude", "foreign"))


_ACTIONS = ("no", "restrict", "cascade", "set")


_NO_SPAN = Span(0, 0)


_ATTRIBUTES = frozenset(("not", "deferrable", "initially", "no", "enforced"))


class Attributes:
    """The attributes after a constraint (ConstraintAttributeSpec)."""

    __slots__ = ("deferrable", "deferred", "enforced", "inherit", "not_valid")

    def __init__(self) -> None:
        self.deferrable: bool | None = None
        self.deferred: bool | None = None
        self.enforced: bool | None = None
        self.not_valid = False
        self.inherit: bool | None = None

    def read(self, c: Parser) -> bool:
        """Read the next attribute, and return whether there was one."""
        if c.words[c.i] not in _ATTRIBUTES:
            return False
        if c.accept("not", "deferrable"):
            self.deferrable = False
        elif c.accept("deferrable"):
            self.deferrable = True
        elif c.accept("initially"):
            self.deferred = c.expect_any("immediate", "deferred") == "deferred"
            if self.deferred and self.deferrable is None:
                self.deferrable = True
        elif c.accept("not", "valid"):
            self.not_valid = True
        elif c.accept("no", "inherit"):
            self.inherit = False
        elif c.accept("not", "enforced"):
            c.uses(features.NOT_ENFORCED)
            self.enforced = False
        elif c.accept("enforced"):
            c.uses(features.NOT_ENFORCED)
            self.enforced = True
        else:
            return False
        return True

    def read_all(self, c: Parser) -> Self:
        """Read all attributes."""
        while self.read(c):
            pass
        return self

    def applied_to(self, constraint: Constraint) -> Constraint:
        """Return the constraint with these attributes."""
        changes: dict[str, object] = {}
        if self.deferrable is not None:
            changes["deferrable"] = self.deferrable
        if self.deferred is not None:
            changes["initially_deferred"] = self.deferred
        if self.enforced is not None:
            changes["enforced"] = self.enforced
        if self.not_valid:
            changes["not_valid"] = True
        if self.inherit is False:
            changes["no_inherit"] = True
        return replace(constraint, **changes) if changes else constraint


def with_span(constraint: Constraint, span: Span) -> Constraint:
    """Return the constraint with another span."""
    return replace(constraint, span=span) if constraint.span != span else constraint


def at_constraint(c: Parser) -> bool:
    """Whether a table constraint is next, and not a column."""
    word = c.words[c.i]
    return word in _CONSTRAINT_WORDS and (word != "exclude" or c.words[c.i + 1] in ("using", "("))


def table_constraint(c: Parser, *, of_domain: bool = False) -> Constraint:
    """Read a constraint of a table, or the CHECK or NOT NULL of a domain."""
    start = c.i
    name = c.name("a constraint's name") if c.accept("constraint") else None
    word = c.words[c.i]
    reader = _TABLE_CONSTRAINTS.get(word)
    if reader is None:
        c.fail("a constraint")
    c.i += 1
    constraint = reader(c, name)
    if constraint.kind is ConstraintKind.NOT_NULL and not constraint.columns and not of_domain:
        c.fail("a column")
    constraint = Attributes().read_all(c).applied_to(constraint)
    return with_span(constraint, c.span(start))


def _check(c: Parser, name: str | None) -> Constraint:
    c.expect("(")
    condition = c.expression()
    c.expect(")")
    return Constraint(kind=ConstraintKind.CHECK, span=_NO_SPAN, name=name, check=condition)


def _not_null(c: Parser, name: str | None) -> Constraint:
    c.expect("null")
    has_column = c.at_name() and c.words[c.i] not in ("deferrable", "no", "enforced", "initially")
    # A table's constraint names its column; only a domain's does not.
    c.uses(features.NOT_NULL_CONSTRAINT if has_column else features.NOT_NULL_OF_DOMAIN)
    columns = (c.name("a column"),) if has_column else ()
    return Constraint(kind=ConstraintKind.NOT_NULL, span=_NO_SPAN, name=name, columns=columns)


def _unique(c: Parser, name: str | None) -> Constraint:
    return _unique_or_primary(c, name, ConstraintKind.UNIQUE)


def _primary_key(c: Parser, name: str | None) -> Constraint:
    c.expect("key")
    return _unique_or_primary(c, name, ConstraintKind.PRIMARY_KEY)


def _unique_or_primary(c: Parser, name: str | None, kind: ConstraintKind) -> Constraint:
    if c.at("using", "index") and c.words[c.i + 2] != "tablespace":
        c.i += 2
        return Constraint(kind=kind, span=_NO_SPAN, name=name, index=Name(c.name("an index")))
    distinct = kind is ConstraintKind.UNIQUE and nulls_not_distinct(c)
    c.expect("(")
    columns = c.list_of(lambda: c.name("a column"))
    period = c.accept("without", "overlaps")
    if period:
        c.uses(features.WITHOUT_OVERLAPS)
    c.expect(")")
    include = c.in_parentheses(lambda: c.name("a column")) if c.accept("include") else ()
    settings = options_after(c)
    space = c.name() if c.accept("using", "index", "tablespace") else None
    return Constraint(
        kind=kind,
        span=_NO_SPAN,
        name=name,
        columns=columns,
        include=include,
        options=settings,
        tablespace=space,
        nulls_not_distinct=distinct,
        period=period,
    )


def _exclude(c: Parser, name: str | None) -> Constraint:
    method = c.name("an access method") if c.accept("using") else None
    elements = c.in_parentheses(lambda: _exclusion(c))
    include = c.in_parentheses(lambda: c.name("a column")) if c.accept("include") else ()
    settings = options_after(c)
    space = c.name() if c.accept("using", "index", "tablespace") else None
    where = None
    if c.accept("where"):
        c.expect("(")
        where = c.expression()
        c.expect(")")
    return Constraint(
        kind=ConstraintKind.EXCLUDE,
        span=_NO_SPAN,
        name=name,
        columns=tuple(element.column for element in elements if element.column is not None),
        method=method,
        elements=elements,
        include=include,
        options=settings,
        tablespace=space,
        where=where,
    )


def _exclusion(c: Parser) -> IndexElement:
    element = index_element(c)
    c.expect("with")
    start = c.i
    if not c.accept_operator():
        c.fail("an operator")
    return replace(element, operator=c.text(start))


def _foreign_key(c: Parser, name: str | None) -> Constraint:
    c.expect("key")
    c.expect("(")
    columns, period = _key_columns(c)
    c.expect(")")
    c.expect("references")
    return Constraint(kind=ConstraintKind.FOREIGN_KEY, span=_NO_SPAN, name=name, columns=columns, references=reference(c), period=period)


def _key_columns(c: Parser) -> tuple[tuple[str, ...], bool]:
    columns = [c.name("a column")]
    while c.accept(","):
        if c.accept("period"):
            if c.words[c.i] in (")", ","):
                columns.append("period")
                continue
            c.uses(features.PERIOD)
            return (*columns, c.name("a column")), True
        columns.append(c.name("a column"))
    return tuple(columns), False


_TABLE_CONSTRAINTS = {
    "check": _check,
    "not": _not_null,
    "unique": _unique,
    "primary": _primary_key,
    "exclude": _exclude,
    "foreign": _foreign_key,
}


def reference(c: Parser) -> Reference:
    """Read the rest of REFERENCES."""
    table = c.qualified("a table")
    columns: tuple[str, ...] = ()
    if c.accept("("):
        columns, _ = _key_columns(c)
        c.expect(")")
    match = "simple"
    if c.accept("match"):
        match = c.expect_any("full", "partial", "simple")
    actions = {"delete": "no action", "update": "no action"}
    while c.words[c.i] == "on" and c.words[c.i + 1] in actions:
        event = c.words[c.i + 1]
        c.i += 2
        actions[event] = _action(c)
    return Reference(table=table, columns=columns, match=match, on_delete=actions["delete"], on_update=actions["update"])


def _action(c: Parser) -> str:
    word = c.expect_any(*_ACTIONS)
    if word == "no":
        c.expect("action")
        return "no action"
    if word != "set":
        return word
    value = c.expect_any("null", "default")
    if c.words[c.i] == "(":
        c.uses(features.SET_NULL_COLUMNS)
        return f"set {value} ({', '.join(c.in_parentheses(lambda: c.name('a column')))})"
    return f"set {value}"


def nulls_not_distinct(c: Parser) -> bool:
    """Read NULLS [NOT] DISTINCT, and return whether it has NOT."""
    if c.accept("nulls", "not", "distinct"):
        c.uses(features.NULLS_NOT_DISTINCT)
        return True
    if c.accept("nulls", "distinct"):
        c.uses(features.NULLS_NOT_DISTINCT)
    return False


def index_element(c: Parser) -> IndexElement:
    """Read a key of an index, an exclusion constraint or PARTITION BY: a column, a function call, or an expression in parentheses."""
    column_name = expression = None
    if c.words[c.i] == "(":
        c.i += 1
        expression = c.expression()
        c.expect(")")
    elif c.at_name() and c.words[c.i + 1] not in ("(", "."):
        column_name = c.name()
    else:
        start = c.i
        expression = c.expression(bounded=True)
        if c.words[c.i - 1] != ")" and c.words[start] not in ("current_user", "session_user", "user", "current_date"):
            raise Unexpected(start, "a column, a function's call or an expression in parentheses")
    collation = c.qualified("a collation") if c.accept("collate") else None
    opclass: Name | None = None
    settings: tuple[Option, ...] = ()
    if c.at_name() and not c.at("nulls", "first") and not c.at("nulls", "last"):
        opclass = c.qualified("an operator class")
        if c.words[c.i] == "(":
            settings = options(c)
    direction = c.accept_any(("asc", "desc"))
    nulls = None
    if c.accept("nulls"):
        nulls = c.expect_any("first", "last") == "first"
    return IndexElement(
        column=column_name,
        expression=expression,
        collation=collation,
        opclass=opclass,
        opclass_options=settings,
        ascending=direction == "asc",
        descending=direction == "desc",
        nulls_first=nulls,
    )
