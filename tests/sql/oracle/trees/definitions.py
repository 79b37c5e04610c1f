"""CREATE of objects that are not relations, and ALTER of types, domains and publications."""

from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import role, tree_type
from tests.sql.oracle.entry import Signature, dotted, entry
from tests.sql.oracle.shapes import relation, shape
from tests.sql.oracle.trees.columns import constraint, domain_qualifiers
from tests.sql.oracle.trees.objects import user_mapping
from tests.sql.oracle.trees.registry import (
    cascade,
    cast,
    expression,
    kind_of,
    name,
    options,
    plain,
    reader,
    roles,
    statement,
    strings,
    transform,
)


def created(kind: str, own: str | None, node: Any, **details: object) -> Signature:
    """CREATE of an object of which only the name is compared."""
    return (
        entry(
            "create",
            own,
            kind=kind,
            or_replace=getattr(node, "replace", False),
            if_not_exists=getattr(node, "if_not_exists", False),
            **details,
        ),
    )


@reader(ast.DefineStmt)
def define(node: Any) -> Signature:
    """CREATE AGGREGATE, OPERATOR, TYPE (base or shell), TEXT SEARCH …, COLLATION."""
    kind = kind_of(node.kind)
    form = ("base" if node.definition is not None else "shell") if kind == "type" else None
    return created(kind, name(node.defnames), node, form=form)


@reader(ast.CreateRangeStmt)
def create_range(node: Any) -> Signature:
    """CREATE TYPE … AS RANGE."""
    return created("type", name(node.typeName), node, form="range")


@reader(ast.CreateAmStmt)
def _access_method(node: Any) -> Signature:
    return created("access method", dotted((node.amname,)), node)


@reader(ast.CreateCastStmt)
def _cast(node: Any) -> Signature:
    return created("cast", None, node, of=cast(node.sourcetype, node.targettype))


@reader(ast.CreateTransformStmt)
def _transform(node: Any) -> Signature:
    return created("transform", None, node, of=transform(node.type_name, node.lang))


@reader(ast.CreateConversionStmt)
def _conversion(node: Any) -> Signature:
    return created("conversion", name(node.conversion_name), node)


@reader(ast.CreateEventTrigStmt)
def _event_trigger(node: Any) -> Signature:
    return created("event trigger", dotted((node.trigname,)), node)


@reader(ast.CreateFdwStmt)
def _wrapper(node: Any) -> Signature:
    return created("foreign data wrapper", dotted((node.fdwname,)), node)


@reader(ast.CreateForeignServerStmt)
def _server(node: Any) -> Signature:
    return created("server", dotted((node.servername,)), node)


@reader(ast.CreateUserMappingStmt)
def _user_mapping(node: Any) -> Signature:
    return created("user mapping", None, node, of=user_mapping(node))


@reader(ast.CreateOpClassStmt)
def _operator_class(node: Any) -> Signature:
    return created("operator class", name(node.opclassname), node, using=node.amname)


@reader(ast.CreateOpFamilyStmt)
def _operator_family(node: Any) -> Signature:
    return created("operator family", name(node.opfamilyname), node, using=node.amname)


@reader(ast.CreatePLangStmt)
def _language(node: Any) -> Signature:
    return created("language", dotted((node.plname,)), node)


@reader(ast.CreateRoleStmt)
def _role(node: Any) -> Signature:
    kind = {"ROLESTMT_ROLE": "role", "ROLESTMT_USER": "user", "ROLESTMT_GROUP": "group"}[node.stmt_type.name]
    return created(kind, dotted((node.role,)), node)


@reader(ast.CreatedbStmt)
def _database(node: Any) -> Signature:
    return created("database", dotted((node.dbname,)), node)


@reader(ast.CreateTableSpaceStmt)
def _tablespace(node: Any) -> Signature:
    return created("tablespace", dotted((node.tablespacename,)), node)


@reader(ast.CreateSubscriptionStmt)
def _subscription(node: Any) -> Signature:
    return created("subscription", dotted((node.subname,)), node)


@reader(ast.CreateSchemaStmt)
def create_schema(node: Any) -> Signature:
    """CREATE SCHEMA. Its elements are compared without their schema, which PostgreSQL's tree does not have."""
    header = entry("create schema", node.schemaname, if_not_exists=node.if_not_exists, owner=role(node.authrole))
    schema = node.schemaname or role(node.authrole)
    found = [header]
    for element in node.schemaElts or ():
        own = getattr(element, "relation", None) or getattr(element, "view", None) or getattr(element, "sequence", None)
        if own is not None and own.schemaname is None:
            own.schemaname = schema
        found.extend(statement(element))
    return tuple(found)


@reader(ast.CreateExtensionStmt)
def create_extension(node: Any) -> Signature:
    """CREATE EXTENSION."""
    given = {item.defname: plain(item.arg) for item in node.options or ()}
    return (
        entry(
            "create extension",
            node.extname,
            if_not_exists=node.if_not_exists,
            schema=given.get("schema"),
            version=given.get("new_version"),
            cascade="cascade" in given,
        ),
    )


@reader(ast.CreateEnumStmt)
def create_enum(node: Any) -> Signature:
    """CREATE TYPE … AS ENUM."""
    return (entry("create enum", name(node.typeName), values=[repr(value) for value in strings(node.vals)]),)


@reader(ast.AlterEnumStmt)
def alter_enum(node: Any) -> Signature:
    """ADD VALUE and RENAME VALUE."""
    own = name(node.typeName)
    if node.oldVal is not None:
        return (entry("rename enum value", own, value=repr(node.oldVal), new_name=repr(node.newVal)),)
    neighbour = None if node.newValNeighbor is None else f"{'after' if node.newValIsAfter else 'before'} {node.newValNeighbor!r}"
    return (entry("add enum value", own, value=repr(node.newVal), if_not_exists=node.skipIfNewValExists, place=neighbour),)


@reader(ast.CompositeTypeStmt)
def create_composite_type(node: Any) -> Signature:
    """CREATE TYPE … AS (…)."""
    attributes = (
        entry("attribute", item.colname, type=tree_type(item.typeName), collate=name(item.collClause.collname) if item.collClause else None)
        for item in node.coldeflist or ()
    )
    return (entry("create composite type", relation(node.typevar)), *attributes)


@reader(ast.CreateDomainStmt)
def create_domain(node: Any) -> Signature:
    """CREATE DOMAIN."""
    details: dict[str, object] = {"collate": name(node.collClause.collname) if node.collClause else None}
    constraints = domain_qualifiers(node.constraints, details)
    return (entry("create domain", name(node.domainname), type=tree_type(node.typeName), **details), *constraints)


_DOMAIN_ACTIONS = {"N": "drop not null", "O": "set not null", "C": "add constraint", "X": "drop constraint", "V": "validate constraint"}


@reader(ast.AlterDomainStmt)
def alter_domain(node: Any) -> Signature:
    """ALTER DOMAIN."""
    added: Signature = ()
    details: dict[str, object] = {}
    action = _DOMAIN_ACTIONS.get(node.subtype) or ("drop default" if node.def_ is None else "set default")
    if action == "set default":
        details = expression("default", node.def_)
    elif action == "add constraint":
        added = constraint(node.def_, of_domain=True)
    return (
        entry(
            "alter domain",
            name(node.typeName),
            action=action,
            constraint=node.name,
            if_exists=node.missing_ok,
            cascade=cascade(node.behavior),
            **details,
        ),
        *added,
    )


_MODES = {"i": "in", "o": "out", "b": "inout", "v": "variadic", "t": "table", "d": "in"}


@reader(ast.CreateFunctionStmt)
def create_function(node: Any) -> Signature:
    """CREATE FUNCTION and PROCEDURE, then its arguments."""
    arguments = []
    returns = tree_type(node.returnType)
    for item in node.parameters or ():
        mode = _MODES[item.mode.value if isinstance(item.mode.value, str) else chr(item.mode.value)]
        if mode == "table":
            returns = "setof record"
        arguments.append(entry("argument", item.name, type=tree_type(item.argType), mode=mode, **expression("default", item.defexpr)))
    given = {item.defname: item.arg for item in node.options or ()}
    language = given.get("language")
    kept = tuple(_function_option(item) for item in node.options or () if item.defname not in ("language", "volatility", "as"))
    return (
        entry(
            "create procedure" if node.is_procedure else "create function",
            name(node.funcname),
            returns=returns,
            or_replace=node.replace,
            language="sql" if language is None and node.sql_body else str(plain(language)).lower() if language else None,
            volatility=plain(given.get("volatility")),
            body="as" in given or node.sql_body is not None,
            options=sorted(kept),
        ),
        *arguments,
    )


_FUNCTION_WORDS = {
    ("strict", "true"): "strict",
    ("strict", "false"): "called on null input",
    ("security", "true"): "security definer",
    ("security", "false"): "security invoker",
    ("leakproof", "true"): "leakproof",
    ("leakproof", "false"): "not leakproof",
}


def _function_option(node: Any) -> str:
    match node.defname:
        case "set":
            return f"set {shape(node.arg)}"
        case "transform":
            return f"transform {[shape(item) for item in node.arg]}"
        case "window":
            return "window"
        case "support":
            return f"support {name(node.arg)}"
    value = str(plain(node.arg))
    return _FUNCTION_WORDS.get((node.defname, value), f"{node.defname} {value}")


_EVENTS = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
_TIMINGS = {0: "after", 2: "before", 64: "instead of"}


@reader(ast.CreateTrigStmt)
def create_trigger(node: Any) -> Signature:
    """CREATE TRIGGER."""
    return (
        entry(
            "create trigger",
            node.trigname,
            table=relation(node.relation),
            timing=_TIMINGS[node.timing],
            events=sorted(word for bit, word in _EVENTS.items() if node.events & bit),
            function=name(node.funcname),
            or_replace=node.replace,
            constraint=node.isconstraint,
            row=node.row,
            columns=strings(node.columns),
            references=None if node.constrrel is None else relation(node.constrrel),
            deferrable=node.deferrable,
            initially_deferred=node.initdeferred,
            **expression("when", node.whenClause),
        ),
    )


_COMMANDS = {"CMD_SELECT": "select", "CMD_INSERT": "insert", "CMD_UPDATE": "update", "CMD_DELETE": "delete"}


@reader(ast.RuleStmt)
def create_rule(node: Any) -> Signature:
    """CREATE RULE."""
    return (
        entry(
            "create rule",
            node.rulename,
            table=relation(node.relation),
            event=_COMMANDS[node.event.name],
            or_replace=node.replace,
            instead=node.instead,
        ),
    )


@reader(ast.CreatePolicyStmt)
def create_policy(node: Any) -> Signature:
    """CREATE POLICY."""
    return (
        entry(
            "create policy",
            node.policy_name,
            table=relation(node.table),
            permissive=node.permissive,
            command=node.cmd_name,
            roles=roles(node.roles),
            **expression("using", node.qual),
            **expression("check", node.with_check),
        ),
    )


@reader(ast.AlterPolicyStmt)
def alter_policy(node: Any) -> Signature:
    """ALTER POLICY."""
    return (
        entry(
            "alter policy",
            node.policy_name,
            table=relation(node.table),
            roles=roles(node.roles),
            **expression("using", node.qual),
            **expression("check", node.with_check),
        ),
    )


@reader(ast.CreatePublicationStmt)
def create_publication(node: Any) -> Signature:
    """CREATE PUBLICATION."""
    return (entry("publication", node.pubname, action="create", options=options(node.options), **_published(node)),)


@reader(ast.AlterPublicationStmt)
def alter_publication(node: Any) -> Signature:
    """ALTER PUBLICATION."""
    action = "options"
    if not node.options:
        action = {"AP_AddObjects": "add", "AP_DropObjects": "drop", "AP_SetObjects": "set"}[node.action.name]
    return (entry("publication", node.pubname, action=action, options=options(node.options), **_published(node)),)


def _published(node: Any) -> dict[str, object]:
    kinds = enums.PublicationObjSpecType
    tables, schemas = [], []
    for item in node.pubobjects or ():
        if item.pubobjtype == kinds.PUBLICATIONOBJ_TABLE:
            tables.append(relation(item.pubtable.relation))
        else:
            schemas.append("current_schema" if item.pubobjtype == kinds.PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA else item.name)
    return {"tables": tables, "schemas": schemas, "all_tables": node.for_all_tables}
