"""GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, COMMENT and SECURITY LABEL."""

from migsafe.sql import features
from migsafe.sql.grammar.kinds import object_kind, object_name, signature
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.operations import AlterDefaultPrivileges, Comment, Grant, Name, Operation

_ALL_IN_SCHEMA = {"tables": "table", "sequences": "sequence", "functions": "function", "procedures": "procedure", "routines": "routine"}
_DEFAULTS = ("tables", "functions", "routines", "sequences", "types", "schemas", "large")


def grant(c: Parser, start: int) -> list[Operation]:
    """Read GRANT or REVOKE after that word, of privileges or of membership in roles."""
    revoke = c.words[start] == "revoke"
    option = revoke and _option_for(c)
    privileges, columns = _privileges(c)
    if c.words[c.i] != "on":
        return [_membership(c, start, privileges, revoke=revoke, option=option)]
    c.i += 1
    kind, objects = _objects(c)
    if kind == "parameter":
        c.uses(features.PARAMETER_PRIVILEGES)
    c.expect("from" if revoke else "to")
    grantees = c.list_of(lambda: _grantee(c))
    if not revoke and c.accept("with"):
        c.expect("grant", "option")
        option = True
    if c.accept("granted", "by"):
        c.role()
    cascade = c.cascade()
    return [
        Grant(
            c.span(start),
            kind=kind,
            privileges=privileges,
            objects=objects,
            grantees=grantees,
            revoke=revoke,
            grant_option=option,
            cascade=cascade,
            columns=columns,
        )
    ]


def _option_for(c: Parser) -> bool:
    if any(c.accept(word, "option", "for") for word in ("inherit", "set")):
        c.uses(features.REVOKE_MEMBERSHIP_OPTIONS)
        return True
    return any(c.accept(word, "option", "for") for word in ("grant", "admin"))


def _membership(c: Parser, start: int, roles: tuple[str, ...], *, revoke: bool, option: bool) -> Grant:
    for role in roles:
        c.uses(features.role_feature(role))
    c.expect("from" if revoke else "to")
    members = c.list_of(c.role)
    if not revoke and c.accept("with"):
        option = True
        at = c.i
        c.list_of(lambda: (c.label("an option"), c.accept_any(("option", "true", "false")) or c.non_reserved("OPTION, TRUE or FALSE")))
        if c.words[at : c.i] != ["admin", "option"]:
            c.uses(features.MEMBERSHIP_OPTIONS, at)
    if c.accept("granted", "by"):
        c.role()
    cascade = c.cascade()
    return Grant(
        c.span(start),
        kind="role",
        privileges=(),
        objects=tuple(Name(role) for role in roles),
        grantees=members,
        revoke=revoke,
        grant_option=option,
        cascade=cascade,
    )


def _privileges(c: Parser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the privileges, or the roles of a membership, and return also the columns to which privileges are limited."""
    columns: list[str] = []
    if c.accept("all"):
        c.accept("privileges")
        if c.words[c.i] == "(":
            columns.extend(c.in_parentheses(lambda: c.name("a column")))
        return (), tuple(columns)
    privileges: list[str] = []
    while True:
        if c.accept("alter", "system"):
            privileges.append("alter system")
        else:
            privileges.append(c.accept_any(("select", "references", "create")) or c.role())
            if privileges[-1] == "maintain":
                c.uses(features.MAINTAIN)
        if c.words[c.i] == "(":
            columns.extend(c.in_parentheses(lambda: c.name("a column")))
        if not c.accept(","):
            return tuple(privileges), tuple(columns)


def _objects(c: Parser) -> tuple[str, tuple[Name, ...]]:
    """Read the objects of the privileges: their kind and their names."""
    if c.accept("all"):
        word = c.expect_any(*_ALL_IN_SCHEMA)
        c.expect("in", "schema")
        return f"all {word} in schema", c.list_of(lambda: Name(c.name("a schema")))
    for words, kind in _KINDS:
        if c.at(*words) and c.words[c.i + len(words)] not in (",", "to", "from", "."):
            c.i += len(words)
            if kind == "property graph":
                c.uses(features.PROPERTY_GRAPH)
            if kind in ("function", "procedure", "routine"):
                return kind, tuple(name for name, _ in c.list_of(lambda: signature(c, "function")))
            if kind == "large object":
                return kind, c.list_of(lambda: Name(c.number()))
            return kind, c.list_of(c.qualified)
    return "table", c.list_of(lambda: c.qualified("a table"))


_KINDS = tuple(
    (tuple(kind.split()), kind)
    for kind in (
        "table",
        "sequence",
        "foreign data wrapper",
        "foreign server",
        "function",
        "procedure",
        "routine",
        "database",
        "domain",
        "language",
        "large object",
        "parameter",
        "property graph",
        "schema",
        "tablespace",
        "type",
    )
)


def _grantee(c: Parser) -> str:
    c.accept("group")
    return c.role()


def alter_default_privileges(c: Parser, start: int) -> list[Operation]:
    """Read ALTER DEFAULT PRIVILEGES after these words."""
    schemas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    while True:
        if c.accept("in", "schema"):
            schemas += c.list_of(lambda: c.name("a schema"))
        elif c.accept("for"):
            c.expect_any("role", "user")
            roles += c.list_of(c.role)
        else:
            break
    revoke = c.expect_any("grant", "revoke") == "revoke"
    if revoke:
        c.accept("grant", "option", "for")
    privileges, _ = _privileges(c)
    c.expect("on")
    kind = c.expect_any(*_DEFAULTS)
    if kind == "large":
        c.expect("objects")
        kind = "large objects"
        c.uses(features.DEFAULT_LARGE_OBJECT_PRIVILEGES)
    c.expect("from" if revoke else "to")
    grantees = c.list_of(lambda: _grantee(c))
    if not revoke and c.accept("with"):
        c.expect("grant", "option")
    c.cascade()
    return [
        AlterDefaultPrivileges(c.span(start), kind=kind, privileges=privileges, grantees=grantees, schemas=schemas, roles=roles, revoke=revoke)
    ]


def comment(c: Parser, start: int) -> list[Operation]:
    """Read COMMENT after that word."""
    c.expect("on")
    kind = object_kind(c)
    named = object_name(c, kind)
    c.expect("is")
    text = None if c.accept("null") else c.string()
    has_arguments = named.arguments is not None
    return [Comment(c.span(start), kind=kind, name=named.name, text=text, table=named.table, detail=named.detail, has_arguments=has_arguments)]


def security_label(c: Parser, start: int) -> list[Operation]:
    """Read SECURITY LABEL after SECURITY."""
    c.expect("label")
    provider = None
    if c.accept("for"):
        provider = c.string() if c.at_string() else c.non_reserved("a provider")
    c.expect("on")
    kind = object_kind(c)
    named = object_name(c, kind)
    c.expect("is")
    text = None if c.accept("null") else c.string()
    return [
        Comment(
            c.span(start), kind=kind, name=named.name, text=text, table=named.table, security_label=True, provider=provider, detail=named.detail
        )
    ]
