"""DROP, ALTER, OWNER, SET SCHEMA, COMMENT and GRANT, for objects of any kind."""

from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import role
from tests.sql.oracle.entry import Signature, dotted, entry
from tests.sql.oracle.shapes import relation, shape
from tests.sql.oracle.trees.registry import cascade, kind_of, name, object_details, options, plain, reader, roles, strings

_KINDS = enums.ObjectType
_WITH_ARGUMENTS = (_KINDS.OBJECT_FUNCTION, _KINDS.OBJECT_PROCEDURE, _KINDS.OBJECT_ROUTINE, _KINDS.OBJECT_AGGREGATE, _KINDS.OBJECT_OPERATOR)


@reader(ast.DropStmt)
def drop(node: Any) -> Signature:
    """DROP."""
    found = [object_details(node.removeType, item) for item in node.objects]
    details = found[0][1]
    if node.removeType in _WITH_ARGUMENTS:
        details["arguments"] = [arguments(item) for item in node.objects]
    return (
        entry(
            "drop",
            kind=kind_of(node.removeType),
            names=[own for own, _ in found if own is not None],
            if_exists=node.missing_ok,
            cascade=cascade(node.behavior),
            concurrently=node.concurrent,
            **details,
        ),
    )


def arguments(node: Any) -> str | None:
    """Return the argument types of an ObjectWithArgs; None where the statement has none."""
    return None if node.args_unspecified else shape(node.objargs)


def _drop(kind: str, own: str | None, node: Any, **details: object) -> Signature:
    return (entry("drop", kind=kind, names=[own] if own is not None else [], if_exists=getattr(node, "missing_ok", False), **details),)


@reader(ast.DropRoleStmt)
def drop_role(node: Any) -> Signature:
    """DROP ROLE, USER, GROUP."""
    return (entry("drop", kind="role", names=[dotted((own,)) for own in roles(node.roles)], if_exists=node.missing_ok),)


@reader(ast.DropdbStmt)
def drop_database(node: Any) -> Signature:
    """DROP DATABASE."""
    return _drop("database", dotted((node.dbname,)), node)


@reader(ast.DropTableSpaceStmt)
def drop_tablespace(node: Any) -> Signature:
    """DROP TABLESPACE."""
    return _drop("tablespace", dotted((node.tablespacename,)), node)


@reader(ast.DropSubscriptionStmt)
def drop_subscription(node: Any) -> Signature:
    """DROP SUBSCRIPTION."""
    return _drop("subscription", dotted((node.subname,)), node, cascade=cascade(node.behavior))


@reader(ast.DropUserMappingStmt)
def drop_user_mapping(node: Any) -> Signature:
    """DROP USER MAPPING."""
    return _drop("user mapping", None, node, of=user_mapping(node))


def user_mapping(node: Any) -> str:
    """Return the role and the server of a user mapping."""
    return f"for {role(node.user)} server {node.servername}"


@reader(ast.DropOwnedStmt)
def drop_owned(node: Any) -> Signature:
    """DROP OWNED."""
    command = "drop owned cascade" if cascade(node.behavior) else "drop owned"
    return (entry("utility", command, name=", ".join(str(own) for own in roles(node.roles))),)


@reader(ast.ReassignOwnedStmt)
def reassign_owned(node: Any) -> Signature:
    """REASSIGN OWNED."""
    return (entry("utility", "reassign owned", name=", ".join(str(own) for own in roles(node.roles))),)


def _object(kind: Any, node: Any) -> str | None:
    if node.relation is not None:
        return relation(node.relation)
    return object_details(kind, node.object)[0]


@reader(ast.AlterOwnerStmt)
def set_owner(node: Any) -> Signature:
    """OWNER TO."""
    return (entry("set owner", _object(node.objectType, node), kind=kind_of(node.objectType), owner=role(node.newowner)),)


@reader(ast.AlterObjectSchemaStmt)
def set_schema(node: Any) -> Signature:
    """SET SCHEMA."""
    return (
        entry(
            "set schema",
            _object(node.objectType, node),
            kind=kind_of(node.objectType),
            schema=node.newschema,
            if_exists=node.missing_ok,
        ),
    )


@reader(ast.AlterObjectDependsStmt)
def depends(node: Any) -> Signature:
    """[NO] DEPENDS ON EXTENSION."""
    action = "no depends on extension" if node.remove else "depends on extension"
    if node.objectType == _KINDS.OBJECT_TRIGGER:
        own: str | None = dotted((node.object[-1].sval,))
    else:
        own = _object(node.objectType, node)
    return (entry("alter", own, kind=kind_of(node.objectType), action=action, detail=node.extname.sval),)


@reader(ast.CommentStmt, ast.SecLabelStmt)
def comment(node: Any) -> Signature:
    """COMMENT and SECURITY LABEL."""
    own, details = object_details(node.objtype, node.object)
    label = isinstance(node, ast.SecLabelStmt)
    if label:
        details["provider"] = node.provider
    text = node.label if label else node.comment
    return (
        entry("security label" if label else "comment", own, kind=kind_of(node.objtype), text=None if text is None else repr(text), **details),
    )


_PLURALS = {"table": "tables", "sequence": "sequences", "function": "functions", "procedure": "procedures", "routine": "routines"}
_DEFAULTS = {**_PLURALS, "type": "types", "schema": "schemas", "large object": "large objects"}


def _privileges(node: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = node.privileges or ()
    columns = tuple(name for item in found for name in strings(item.cols))
    return tuple(item.priv_name for item in found if item.priv_name is not None), columns


@reader(ast.GrantStmt)
def grant(node: Any) -> Signature:
    """GRANT and REVOKE of privileges."""
    kind = kind_of(node.objtype)
    objects: tuple[str | None, ...]
    if node.targtype == enums.GrantTargetType.ACL_TARGET_ALL_IN_SCHEMA:
        kind, objects = f"all {_PLURALS[kind]} in schema", tuple(dotted((item.sval,)) for item in node.objects)
    elif kind == "parameter":
        objects = strings(node.objects)
    else:
        objects = tuple(object_details(node.objtype, item)[0] for item in node.objects)
    privileges, columns = _privileges(node)
    return (
        entry(
            "grant" if node.is_grant else "revoke",
            kind=kind,
            privileges=privileges,
            objects=objects,
            grantees=roles(node.grantees),
            grant_option=node.grant_option,
            cascade=cascade(node.behavior),
            columns=columns,
        ),
    )


@reader(ast.GrantRoleStmt)
def grant_role(node: Any) -> Signature:
    """GRANT and REVOKE of membership."""
    return (
        entry(
            "grant" if node.is_grant else "revoke",
            kind="role",
            objects=[dotted((item.priv_name,)) for item in node.granted_roles],
            grantees=roles(node.grantee_roles),
            grant_option=bool(node.opt),
            cascade=cascade(node.behavior),
        ),
    )


@reader(ast.AlterDefaultPrivilegesStmt)
def alter_default_privileges(node: Any) -> Signature:
    """ALTER DEFAULT PRIVILEGES."""
    given = {item.defname: item.arg for item in node.options or ()}
    privileges, _ = _privileges(node.action)
    return (
        entry(
            "alter default privileges",
            kind=_DEFAULTS[kind_of(node.action.objtype)],
            privileges=privileges,
            grantees=roles(node.action.grantees),
            schemas=strings(given.get("schemas")),
            roles=roles(given.get("roles")),
            revoke=not node.action.is_grant,
        ),
    )


def altered(kind: str, own: str | None, action: str, **details: object) -> Signature:
    """ALTER of which only the first words are compared."""
    return (entry("alter", own, kind=kind, action=action, **details),)


@reader(ast.AlterCollationStmt)
def _collation(node: Any) -> Signature:
    return altered("collation", name(node.collname), "refresh version")


@reader(ast.AlterDatabaseStmt)
def _database(node: Any) -> Signature:
    return altered("database", dotted((node.dbname,)), "options")


@reader(ast.AlterDatabaseRefreshCollStmt)
def _database_collation(node: Any) -> Signature:
    return altered("database", dotted((node.dbname,)), "refresh collation version")


_RESETS = (enums.VariableSetKind.VAR_RESET, enums.VariableSetKind.VAR_RESET_ALL)


def _set_or_reset(node: Any) -> str:
    return "reset" if node.setstmt.kind in _RESETS else "set"


@reader(ast.AlterDatabaseSetStmt)
def _database_setting(node: Any) -> Signature:
    return altered("database", dotted((node.dbname,)), _set_or_reset(node))


@reader(ast.AlterRoleSetStmt)
def _role_setting(node: Any) -> Signature:
    return altered("role", dotted((role(node.role) or "all",)), _set_or_reset(node))


@reader(ast.AlterRoleStmt)
def _role(node: Any) -> Signature:
    action = "options"
    if [item.defname for item in node.options or ()] == ["rolemembers"]:
        action = "add user" if node.action > 0 else "drop user"
    return altered("role", dotted((role(node.role),)), action)


@reader(ast.AlterEventTrigStmt)
def _event_trigger(node: Any) -> Signature:
    words = {"O": "enable", "D": "disable", "R": "enable replica", "A": "enable always"}
    return altered("event trigger", dotted((node.trigname,)), words[node.tgenabled])


@reader(ast.AlterExtensionStmt)
def _extension(node: Any) -> Signature:
    return altered("extension", dotted((node.extname,)), "update", detail=plain(node.options[0].arg) if node.options else None)


@reader(ast.AlterExtensionContentsStmt)
def _extension_contents(node: Any) -> Signature:
    own, details = object_details(node.objtype, node.object)
    member = entry("member", own, kind=kind_of(node.objtype), **details)
    return (*altered("extension", dotted((node.extname,)), "add" if node.action > 0 else "drop"), member)


@reader(ast.AlterFdwStmt)
def _wrapper(node: Any) -> Signature:
    action = "options"
    if node.func_options:
        first = node.func_options[0]
        action = first.defname if first.arg is not None else f"no {first.defname}"
    return altered("foreign data wrapper", dotted((node.fdwname,)), action)


@reader(ast.AlterForeignServerStmt)
def _server(node: Any) -> Signature:
    return altered("server", dotted((node.servername,)), "version" if node.has_version else "options")


@reader(ast.AlterFunctionStmt)
def _function(node: Any) -> Signature:
    return altered(kind_of(node.objtype), name(node.func.objname), "options", detail=shape(node.actions))


@reader(ast.AlterOpFamilyStmt)
def _operator_family(node: Any) -> Signature:
    return altered("operator family", name(node.opfamilyname), "drop" if node.isDrop else "add", using=node.amname)


@reader(ast.AlterOperatorStmt)
def _operator(node: Any) -> Signature:
    return altered("operator", name(node.opername.objname), "set", arguments=arguments(node.opername))


@reader(ast.AlterStatsStmt)
def _statistics(node: Any) -> Signature:
    return altered("statistics", name(node.defnames), "set statistics", if_exists=node.missing_ok)


_SUBSCRIPTION = {
    "OPTIONS": "set",
    "CONNECTION": "connection",
    "SET_PUBLICATION": "set publication",
    "ADD_PUBLICATION": "add publication",
    "DROP_PUBLICATION": "drop publication",
    "REFRESH": "refresh publication",
    "SKIP": "skip",
    "ENABLED": "",
}


@reader(ast.AlterSubscriptionStmt)
def _subscription(node: Any) -> Signature:
    word = node.kind.name.removeprefix("ALTER_SUBSCRIPTION_")
    action = _SUBSCRIPTION.get(word) or ("enable" if plain(node.options[0].arg) == "true" else "disable")
    return altered("subscription", dotted((node.subname,)), action)


_MAPPINGS = {
    "ALTER_TSCONFIG_ADD_MAPPING": "add mapping for",
    "ALTER_TSCONFIG_ALTER_MAPPING_FOR_TOKEN": "alter mapping for",
    "ALTER_TSCONFIG_REPLACE_DICT": "alter mapping replace",
    "ALTER_TSCONFIG_REPLACE_DICT_FOR_TOKEN": "alter mapping for",
    "ALTER_TSCONFIG_DROP_MAPPING": "drop mapping",
}


@reader(ast.AlterTSConfigurationStmt)
def _text_search_configuration(node: Any) -> Signature:
    return altered("text search configuration", name(node.cfgname), _MAPPINGS[node.kind.name])


@reader(ast.AlterTSDictionaryStmt)
def _text_search_dictionary(node: Any) -> Signature:
    return altered("text search dictionary", name(node.dictname), "options")


@reader(ast.AlterTableSpaceOptionsStmt)
def _tablespace(node: Any) -> Signature:
    return altered("tablespace", dotted((node.tablespacename,)), "reset" if node.isReset else "set")


@reader(ast.AlterTypeStmt)
def _type(node: Any) -> Signature:
    return altered("type", name(node.typeName), "set", options=options(node.options))


@reader(ast.AlterUserMappingStmt)
def _user_mapping(node: Any) -> Signature:
    return altered("user mapping", None, "options", of=user_mapping(node))
