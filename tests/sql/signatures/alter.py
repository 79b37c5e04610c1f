"""Signatures of ALTER TABLE's parse tree."""

from tests.sql.signatures.nodes import Node, column, constraint, kind_of, relation, role, type_name
from tests.sql.signatures.words import Line, Signature, flags, many

_PLAIN = {
    "AT_DropNotNull": "DropNotNull",
    "AT_SetNotNull": "SetNotNull",
    "AT_SetExpression": "SetExpression",
    "AT_SetStatistics": "SetStatistics",
    "AT_SetStorage": "SetStorage",
    "AT_SetCompression": "SetCompression",
    "AT_SetOptions": "SetColumnOptions",
    "AT_ResetOptions": "ResetColumnOptions",
    "AT_AddIdentity": "AddIdentity",
    "AT_SetIdentity": "SetIdentity",
    "AT_DropOids": "SetWithoutOids",
}
_FIRING = {
    "AT_EnableTrig": ("enable", "trigger"),
    "AT_EnableAlwaysTrig": ("enable always", "trigger"),
    "AT_EnableReplicaTrig": ("enable replica", "trigger"),
    "AT_DisableTrig": ("disable", "trigger"),
    "AT_EnableRule": ("enable", "rule"),
    "AT_EnableAlwaysRule": ("enable always", "rule"),
    "AT_EnableReplicaRule": ("enable replica", "rule"),
    "AT_DisableRule": ("disable", "rule"),
}
_FIXED = {
    "AT_EnableTrigAll": ("enable trigger", "all", ""),
    "AT_DisableTrigAll": ("disable trigger", "all", ""),
    "AT_EnableTrigUser": ("enable trigger", "user", ""),
    "AT_DisableTrigUser": ("disable trigger", "user", ""),
    "AT_EnableRowSecurity": ("enable row security", "", ""),
    "AT_DisableRowSecurity": ("disable row security", "", ""),
    "AT_ForceRowSecurity": ("force row security", "", ""),
    "AT_NoForceRowSecurity": ("no force row security", "", ""),
    "AT_DropCluster": ("cluster on", "", ""),
    "AT_SetLogged": ("set logged", "", ""),
    "AT_SetUnLogged": ("set unlogged", "", ""),
    "AT_DropOf": ("of", "", ""),
}


def alter_table(node: Node) -> Signature:
    """The subcommands of an AlterTableStmt; of ALTER TYPE, when it is about a composite type's attributes."""
    kind = kind_of(node["objtype"])
    name = relation(node["relation"])
    commands = [item["AlterTableCmd"] for item in node["cmds"]]
    if kind == "type":
        return [_attribute(name, command) for command in commands]
    only = kind in ("table", "foreign table") and not node["relation"].get("inh")
    target = ("alter", kind, name, flags(only=only, if_exists=node.get("missing_ok")))
    return [
        ("owner", kind, name, role(command["newowner"])) if command["subtype"] == "AT_ChangeOwner" else (*target, *_command(command))
        for command in commands
    ]


def _attribute(name: str, command: Node) -> Line:
    action = {"AT_AddColumn": "add", "AT_DropColumn": "drop", "AT_AlterColumnType": "alter"}[command["subtype"]]
    about = command.get("def", {}).get("ColumnDef", {})
    cascade = command.get("behavior") == "DROP_CASCADE"
    set_flags = flags(if_exists=command.get("missing_ok"), cascade=cascade)
    return ("alter composite", name, action, command.get("name") or about["colname"], type_name(about.get("typeName")), set_flags)


def _command(command: Node) -> Line:
    subtype, name = command["subtype"], command.get("name", "")
    definition = command.get("def", {})
    missing, cascade = command.get("missing_ok"), command.get("behavior") == "DROP_CASCADE"
    if subtype in _PLAIN:
        return (_PLAIN[subtype], name or str(command.get("num", "")), "")
    if subtype in _FIRING:
        firing, what = _FIRING[subtype]
        return (f"{firing} {what}", name, "")
    if subtype in _FIXED:
        return _FIXED[subtype]
    match subtype:
        case "AT_AddColumn":
            return ("add column", column(definition), flags(if_not_exists=missing))
        case "AT_DropColumn":
            return ("drop column", name, flags(if_exists=missing, cascade=cascade))
        case "AT_AlterColumnType":
            about = definition["ColumnDef"]
            extra = flags(using=about.get("raw_default"), collate=about.get("collClause"))
            return ("type", name, f"{type_name(about['typeName'])} {extra}")
        case "AT_ColumnDefault":
            return ("SetDefault" if definition else "DropDefault", name, "")
        case "AT_AddConstraint":
            return ("add constraint", constraint(definition), "")
        case "AT_AlterConstraint":
            return ("alter constraint", definition["ATAlterConstraint"]["conname"], "")
        case "AT_ValidateConstraint":
            return ("validate constraint", name, "")
        case "AT_DropConstraint":
            return ("drop constraint", name, flags(if_exists=missing, cascade=cascade))
        case "AT_DropExpression" | "AT_DropIdentity":
            return (subtype.removeprefix("AT_"), name, flags(if_exists=missing))
        case "AT_SetRelOptions":
            return ("set", many(_reloptions(definition)), "")
        case "AT_ResetRelOptions":
            return ("reset", many(_reloptions(definition)), "")
        case "AT_GenericOptions":
            return ("options", many(_generic(definition)), "")
        case "AT_AlterColumnGenericOptions":
            return ("column options", name, "")
        case "AT_AddInherit":
            return ("Inherit", relation(definition), "")
        case "AT_DropInherit":
            return ("NoInherit", relation(definition), "")
        case "AT_AddOf":
            return ("of", type_name(definition), "")
        case "AT_ClusterOn":
            return ("cluster on", name, "")
        case "AT_SetTableSpace":
            return ("set tablespace", name, "")
        case "AT_SetAccessMethod":
            return ("set access method", name, "")
        case "AT_ReplicaIdentity":
            about = definition["ReplicaIdentityStmt"]
            word = {"d": "default", "f": "full", "n": "nothing", "i": "index"}[about["identity_type"]]
            return ("replica identity", word, about.get("name", ""))
        case "AT_AttachPartition":
            about = definition["PartitionCmd"]
            return ("attach partition", relation(about["name"]), _bound(about.get("bound")))
        case "AT_DetachPartition" | "AT_DetachPartitionFinalize":
            about = definition["PartitionCmd"]
            extra = flags(concurrently=about.get("concurrent"), finalize=subtype.endswith("Finalize"))
            return ("detach partition", relation(about["name"]), extra)
    raise KeyError(subtype)


def _bound(node: Node | None) -> str:
    if not node:
        return ""
    return "default" if node.get("is_default") else {"l": "in", "r": "range", "h": "hash"}[node["strategy"]]


def _reloptions(definition: Node) -> list[str]:
    found = []
    for item in definition["List"]["items"]:
        element = item["DefElem"]
        space = element.get("defnamespace")
        found.append(f"{space}.{element['defname']}" if space else element["defname"])
    return found


def _generic(definition: Node) -> list[str]:
    words = {"DEFELEM_ADD": "add ", "DEFELEM_SET": "set ", "DEFELEM_DROP": "drop "}
    return [words.get(item["DefElem"].get("defaction", ""), "") + item["DefElem"]["defname"] for item in definition["List"]["items"]]
