"""ALTER TABLE and ALTER of other relations."""

from collections.abc import Callable
from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import role, tree_type
from tests.sql.oracle.entry import Signature, dotted, entry
from tests.sql.oracle.shapes import relation
from tests.sql.oracle.trees.columns import column, constraint, identity
from tests.sql.oracle.trees.registry import (
    cascade,
    expression,
    kind_of,
    name,
    options,
    plain,
    reader,
    roles,
    sequence_option,
)
from tests.sql.oracle.trees.tables import bound

_COMMANDS = enums.AlterTableType
Details = dict[str, object]


@reader(ast.AlterTableStmt)
def alter_table(node: Any) -> Signature:
    """ALTER TABLE, INDEX, SEQUENCE, VIEW, MATERIALIZED VIEW, FOREIGN TABLE, or the attributes of a type."""
    kind = kind_of(node.objtype)
    if kind == "type":
        return tuple(_attribute(relation(node.relation), command) for command in node.cmds)
    found: list[tuple[str, ...]] = []
    for command in node.cmds:
        if command.subtype == _COMMANDS.AT_ChangeOwner:
            owner = role(command.newowner)
            found.append(entry("set owner", relation(node.relation), kind=kind, owner=owner, if_exists=node.missing_ok))
            continue
        found.append(entry(f"alter {kind}", relation(node.relation), only=not node.relation.inh, if_exists=node.missing_ok))
        found.extend(subcommand(command))
    return tuple(found)


def _attribute(type_name: str, command: Any) -> tuple[str, ...]:
    match command.subtype:
        case _COMMANDS.AT_AddColumn:
            action, attribute = "add", command.def_.colname
        case _COMMANDS.AT_DropColumn:
            action, attribute = "drop", command.name
        case _:
            assert command.subtype == _COMMANDS.AT_AlterColumnType, command.subtype
            action, attribute = "alter", command.name
    data_type = tree_type(command.def_.typeName) if command.def_ is not None else None
    return entry(
        f"{action} attribute", type_name, attribute=attribute, type=data_type, if_exists=command.missing_ok, cascade=cascade(command.behavior)
    )


def subcommand(command: Any) -> Signature:
    """One subcommand."""
    read = _SUBCOMMANDS.get(command.subtype)
    if read is not None:
        return read(command)
    words, key = _SIMPLE[command.subtype]
    return (entry(words, **{key: command.name} if key else {}),)


def _column_of(command: Any) -> str:
    return command.name if command.name is not None else str(command.num)


def _add_column(command: Any) -> Signature:
    return (entry("add column", if_not_exists=command.missing_ok), *column(command.def_))


def _drop_column(command: Any) -> Signature:
    return (entry("drop column", command.name, if_exists=command.missing_ok, cascade=cascade(command.behavior)),)


def _alter_type(command: Any) -> Signature:
    details: Details = {"type": tree_type(command.def_.typeName), **expression("using", command.def_.raw_default)}
    if command.def_.collClause is not None:
        details["collate"] = name(command.def_.collClause.collname)
    return (entry("alter type", command.name, **details),)


def _default(command: Any) -> Signature:
    if command.def_ is None:
        return (entry("drop default", command.name),)
    return (entry("set default", command.name, **expression("default", command.def_)),)


def _set_expression(command: Any) -> Signature:
    return (entry("set expression", command.name, **expression("expression", command.def_)),)


def _drop_expression(command: Any) -> Signature:
    return (entry("drop expression", command.name, if_exists=command.missing_ok),)


def _add_identity(command: Any) -> Signature:
    return (entry("add identity", command.name, identity=identity(command.def_)),)


def _set_identity(command: Any) -> Signature:
    generated = [chr(item.arg.ival) for item in command.def_ if item.defname == "generated"]
    kept = tuple(sequence_option(item) for item in command.def_ if item.defname != "generated")
    always = {"a": "always", "d": "by default"}.get(generated[-1]) if generated else None
    return (entry("set identity", command.name, generated=always, options=kept),)


def _drop_identity(command: Any) -> Signature:
    return (entry("drop identity", command.name, if_exists=command.missing_ok),)


def _set_statistics(command: Any) -> Signature:
    return (entry("set statistics", _column_of(command), value=plain(command.def_) or "default"),)


def _of_column(words: str) -> Callable[[Any], Signature]:
    return lambda command: (entry(words, command.name, value=plain(command.def_) or "default"),)


def _column_options(words: str) -> Callable[[Any], Signature]:
    return lambda command: (entry(words, command.name, options=options(command.def_)),)


def _options(words: str) -> Callable[[Any], Signature]:
    return lambda command: (entry(words, options=options(command.def_)),)


def _add_constraint(command: Any) -> Signature:
    return (entry("add constraint"), *constraint(command.def_))


def _alter_constraint(command: Any) -> Signature:
    changed = command.def_
    details: Details = {"deferrability": None, "enforced": None, "inherit": None}
    if changed.alterDeferrability:
        details["deferrability"] = f"{bool(changed.deferrable)} {bool(changed.initdeferred)}"
    if changed.alterEnforceability:
        details["enforced"] = str(bool(changed.is_enforced))
    if changed.alterInheritability:
        details["inherit"] = str(not changed.noinherit)
    return (entry("alter constraint", changed.conname, **details),)


def _drop_constraint(command: Any) -> Signature:
    return (entry("drop constraint", command.name, if_exists=command.missing_ok, cascade=cascade(command.behavior)),)


def _inherit(words: str) -> Callable[[Any], Signature]:
    return lambda command: (entry(words, relation(command.def_)),)


def _of(command: Any) -> Signature:
    return (entry("of", tree_type(command.def_)),)


def _replica_identity(command: Any) -> Signature:
    identity_type = {"d": "default", "f": "full", "n": "nothing", "i": "index"}[command.def_.identity_type]
    return (entry("replica identity", identity_type, index=command.def_.name),)


def _attach(command: Any) -> Signature:
    return (entry("attach partition", relation(command.def_.name)), *bound(command.def_.bound))


def _detach(command: Any) -> Signature:
    finalize = command.subtype == _COMMANDS.AT_DetachPartitionFinalize
    return (entry("detach partition", relation(command.def_.name), concurrently=command.def_.concurrent, finalize=finalize),)


_SUBCOMMANDS: dict[enums.AlterTableType, Callable[[Any], Signature]] = {
    _COMMANDS.AT_AddColumn: _add_column,
    _COMMANDS.AT_DropColumn: _drop_column,
    _COMMANDS.AT_AlterColumnType: _alter_type,
    _COMMANDS.AT_ColumnDefault: _default,
    _COMMANDS.AT_SetExpression: _set_expression,
    _COMMANDS.AT_DropExpression: _drop_expression,
    _COMMANDS.AT_AddIdentity: _add_identity,
    _COMMANDS.AT_SetIdentity: _set_identity,
    _COMMANDS.AT_DropIdentity: _drop_identity,
    _COMMANDS.AT_SetStatistics: _set_statistics,
    _COMMANDS.AT_SetStorage: _of_column("set storage"),
    _COMMANDS.AT_SetCompression: _of_column("set compression"),
    _COMMANDS.AT_SetOptions: _column_options("set column options"),
    _COMMANDS.AT_ResetOptions: _column_options("reset column options"),
    _COMMANDS.AT_AlterColumnGenericOptions: _column_options("foreign column options"),
    _COMMANDS.AT_AddConstraint: _add_constraint,
    _COMMANDS.AT_AlterConstraint: _alter_constraint,
    _COMMANDS.AT_DropConstraint: _drop_constraint,
    _COMMANDS.AT_SetRelOptions: _options("set options"),
    _COMMANDS.AT_ResetRelOptions: _options("reset options"),
    _COMMANDS.AT_GenericOptions: _options("foreign options"),
    _COMMANDS.AT_AddInherit: _inherit("inherit"),
    _COMMANDS.AT_DropInherit: _inherit("no inherit"),
    _COMMANDS.AT_AddOf: _of,
    _COMMANDS.AT_ReplicaIdentity: _replica_identity,
    _COMMANDS.AT_AttachPartition: _attach,
    _COMMANDS.AT_DetachPartition: _detach,
    _COMMANDS.AT_DetachPartitionFinalize: _detach,
}
_SIMPLE = {
    _COMMANDS.AT_SetNotNull: ("set not null", "column"),
    _COMMANDS.AT_DropNotNull: ("drop not null", "column"),
    _COMMANDS.AT_ValidateConstraint: ("validate constraint", "constraint"),
    _COMMANDS.AT_ClusterOn: ("cluster on", "index"),
    _COMMANDS.AT_DropCluster: ("cluster on", ""),
    _COMMANDS.AT_SetLogged: ("set logged", ""),
    _COMMANDS.AT_SetUnLogged: ("set unlogged", ""),
    _COMMANDS.AT_DropOids: ("set without oids", ""),
    _COMMANDS.AT_SetAccessMethod: ("set access method", "method"),
    _COMMANDS.AT_SetTableSpace: ("set tablespace", "tablespace"),
    _COMMANDS.AT_DropOf: ("of", ""),
    _COMMANDS.AT_EnableTrig: ("trigger enable", "name"),
    _COMMANDS.AT_EnableAlwaysTrig: ("trigger enable always", "name"),
    _COMMANDS.AT_EnableReplicaTrig: ("trigger enable replica", "name"),
    _COMMANDS.AT_DisableTrig: ("trigger disable", "name"),
    _COMMANDS.AT_EnableTrigAll: ("trigger enable all", ""),
    _COMMANDS.AT_DisableTrigAll: ("trigger disable all", ""),
    _COMMANDS.AT_EnableTrigUser: ("trigger enable user", ""),
    _COMMANDS.AT_DisableTrigUser: ("trigger disable user", ""),
    _COMMANDS.AT_EnableRule: ("rule enable", "name"),
    _COMMANDS.AT_EnableAlwaysRule: ("rule enable always", "name"),
    _COMMANDS.AT_EnableReplicaRule: ("rule enable replica", "name"),
    _COMMANDS.AT_DisableRule: ("rule disable", "name"),
    _COMMANDS.AT_EnableRowSecurity: ("row security enable", ""),
    _COMMANDS.AT_DisableRowSecurity: ("row security disable", ""),
    _COMMANDS.AT_ForceRowSecurity: ("row security force", ""),
    _COMMANDS.AT_NoForceRowSecurity: ("row security no force", ""),
}
# PostgreSQL creates these itself while it runs other commands. They have no SQL.
INTERNAL_COMMANDS = {
    _COMMANDS.AT_AddColumnToView,
    _COMMANDS.AT_CookedColumnDefault,
    _COMMANDS.AT_AddIndex,
    _COMMANDS.AT_ReAddIndex,
    _COMMANDS.AT_ReAddConstraint,
    _COMMANDS.AT_ReAddDomainConstraint,
    _COMMANDS.AT_AddIndexConstraint,
    _COMMANDS.AT_ReAddComment,
    _COMMANDS.AT_ReplaceRelOptions,
    _COMMANDS.AT_ReAddStatistics,
}
KNOWN_COMMANDS = frozenset(_SUBCOMMANDS) | frozenset(_SIMPLE)


@reader(ast.AlterTableMoveAllStmt)
def move_all(node: Any) -> Signature:
    """ALTER … ALL IN TABLESPACE."""
    return (
        entry(
            "move all in tablespace",
            node.orig_tablespacename,
            kind=kind_of(node.objtype),
            destination=node.new_tablespacename,
            owners=roles(node.roles),
            nowait=node.nowait,
        ),
    )


@reader(ast.RenameStmt)
def rename(node: Any) -> Signature:
    """RENAME."""
    kinds = enums.ObjectType
    new_name, if_exists = node.newname, node.missing_ok
    match node.renameType:
        case kinds.OBJECT_COLUMN | kinds.OBJECT_ATTRIBUTE:
            target = kind_of(node.relationType) if node.renameType == kinds.OBJECT_COLUMN else "type"
            header = _target(target, node) if target != "type" else (entry("alter type", relation(node.relation)),)
            return (*header, entry("rename column", node.subname, new_name=new_name, cascade=cascade(node.behavior)))
        case kinds.OBJECT_TABCONSTRAINT:
            return (*_target("table", node), entry("rename constraint", node.subname, new_name=new_name))
        case kinds.OBJECT_DOMCONSTRAINT:
            return (entry("alter domain", name(node.object)), entry("rename constraint", node.subname, new_name=new_name))
    kind = kind_of(node.renameType)
    details: Details = {"kind": kind, "new_name": new_name, "if_exists": if_exists}
    if node.relation is not None and node.subname is not None:
        return (entry("rename", dotted((node.subname,)), table=relation(node.relation), **details),)
    return (entry("rename", _renamed(node), **details),)


def _target(kind: str, node: Any) -> Signature:
    return (entry(f"alter {kind}", relation(node.relation), only=not node.relation.inh, if_exists=node.missing_ok),)


def _renamed(node: Any) -> str | None:
    if node.relation is not None:
        return relation(node.relation)
    if node.object is None:
        return dotted((node.subname,))
    match node.object:
        case ast.ObjectWithArgs():
            return name(node.object.objname)
        case ast.String():
            return dotted((node.object.sval,))
    parts = node.object
    using = node.renameType in (enums.ObjectType.OBJECT_OPCLASS, enums.ObjectType.OBJECT_OPFAMILY)
    return name(parts[1:] if using else parts)
