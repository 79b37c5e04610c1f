"""Signatures of PostgreSQL's own parse trees."""

from collections.abc import Callable
from typing import Any

from tests.sql.signatures.alter import alter_table
from tests.sql.signatures.nodes import (
    PERSISTENCE,
    Node,
    column,
    constraint,
    dotted,
    element,
    is_on,
    kind_of,
    nested_writes,
    options,
    reads,
    relation,
    role,
    strings,
    type_name,
)
from tests.sql.signatures.words import Line, Signature, flags, many, several


def signature_of_tree(statement: Node) -> Signature:
    """The signature of one statement (the `stmt` of a RawStmt). Raises KeyError for a kind of statement that is not known here."""
    kind, node = next(iter(statement.items()))
    return STATEMENTS[kind](node)


def _name_from(node: Any) -> str:
    """The name of an object that COMMENT, RENAME or DROP names."""
    if "List" in node:
        return dotted(node["List"]["items"])
    if "String" in node:
        return str(node["String"]["sval"])
    if "TypeName" in node:
        return type_name(node)
    if "ObjectWithArgs" in node:
        return dotted(node["ObjectWithArgs"]["objname"])
    return str(node.get("Integer", {}).get("ival", "") or node.get("Float", {}).get("fval", ""))


def _cascade(node: Node) -> bool:
    return bool(node.get("behavior") == "DROP_CASCADE")


def _rows(kind: str, node: Node, hidden: frozenset[str] = frozenset()) -> Line:
    seen = several(reads(node, hidden))
    table = relation(node.get("relation"))
    if kind == "InsertStmt":
        query = node.get("selectStmt", {}).get("SelectStmt")
        source = "default" if query is None else "values" if "valuesLists" in query and "withClause" not in query else "query"
        conflict = {"ONCONFLICT_NOTHING": "nothing", "ONCONFLICT_UPDATE": "update"}.get(node.get("onConflictClause", {}).get("action"), "")
        return ("insert", table, source, many(item["ResTarget"]["name"] for item in node.get("cols", [])), conflict, seen)
    only = not node["relation"].get("inh")
    if kind == "MergeStmt":
        words = {"CMD_INSERT": "insert", "CMD_UPDATE": "update", "CMD_DELETE": "delete", "CMD_NOTHING": "do nothing"}
        actions = many(words[item["MergeWhenClause"]["commandType"]] for item in node["mergeWhenClauses"])
        return ("merge", table, actions, flags(only=only), seen)
    return (kind.removesuffix("Stmt").lower(), table, flags(where=node.get("whereClause"), only=only), seen)


def _row_statement(kind: str) -> Callable[[Node], Signature]:
    return lambda node: [_rows(kind, node), *(_rows(*inner) for inner in nested_writes(node))]


def _select(node: Node) -> Signature:
    nested = [_rows(*inner) for inner in nested_writes(node)]
    into = node.get("intoClause") or _leftmost(node).get("intoClause")
    seen = several(reads(node))
    if into:
        kept = PERSISTENCE[into["rel"]["relpersistence"]]
        return [("create table as", relation(into["rel"]), kept, "", seen), *nested]
    locks = _locks(node)
    return [("select", seen, locks), *nested]


def _leftmost(node: Node) -> Node:
    while "larg" in node:
        node = node["larg"]
    return node


def _locks(node: Any) -> str:
    """The row locks anywhere in a query, its sub-queries included."""
    found: list[str] = []
    any_lock = False

    def walk(part: Any) -> None:
        nonlocal any_lock
        if isinstance(part, list):
            for item in part:
                walk(item)
        elif isinstance(part, dict):
            for key, value in part.items():
                if key == "LockingClause":
                    any_lock = True
                    found.extend(relation(item) for item in value.get("lockedRels", []))
                else:
                    walk(value)

    walk(node)
    return "for " + several(found) if any_lock else ""


def _create_table(node: Node) -> Signature:
    node, server = (node["base"], True) if "base" in node else (node, False)
    elements = [next(iter(item.items())) for item in node.get("tableElts", [])]
    inherits = node.get("inhRelations", [])
    partition = node.get("partbound")
    strategy = {"l": "in", "r": "range", "h": "hash"}
    bound = "" if not partition else "default" if partition.get("is_default") else strategy[partition["strategy"]]
    of_type = node.get("ofTypename")
    return [
        (
            "create table",
            relation(node["relation"]),
            flags(if_not_exists=node.get("if_not_exists"), partition_by=node.get("partspec"), foreign=server),
            PERSISTENCE[node["relation"]["relpersistence"]],
            many(column(inner) for kind, inner in elements if kind == "ColumnDef"),
            many(constraint(inner) for kind, inner in elements if kind == "Constraint"),
            many(relation(inner["relation"]) for kind, inner in elements if kind == "TableLikeClause"),
            "" if partition else many(relation(item) for item in inherits),
            relation(inherits[0]) if partition else "",
            bound,
            dotted(of_type["names"]) if of_type else "",
        )
    ]


def _create_table_as(node: Node) -> Signature:
    into = node["into"]
    query = node["query"]
    seen = f"execute {query['ExecuteStmt']['name']}" if "ExecuteStmt" in query else several(reads(query))
    table, kept = relation(into["rel"]), PERSISTENCE[into["rel"]["relpersistence"]]
    set_flags = {"if_not_exists": node.get("if_not_exists"), "no_data": into.get("skipData")}
    if node["objtype"] == "OBJECT_MATVIEW":
        return [("create materialized view", table, flags(**set_flags, unlogged=kept == "unlogged"), seen)]
    return [("create table as", table, kept, flags(**set_flags), seen)]


def _view(node: Node) -> Signature:
    check = node.get("withCheckOption", "NO_CHECK_OPTION") != "NO_CHECK_OPTION"
    temporary = node["view"]["relpersistence"] == "t"
    set_flags = flags(or_replace=node.get("replace"), temporary=temporary, check=check)
    name = relation(node["view"])
    seen = reads(node["query"])
    columns = many(strings(node.get("aliases")))
    return [("create view", name, columns, set_flags, several(seen))]


def _index(node: Node) -> Signature:
    set_flags = flags(
        unique=node.get("unique"),
        concurrently=node.get("concurrent"),
        if_not_exists=node.get("if_not_exists"),
        only=not node["relation"].get("inh"),
        where=node.get("whereClause"),
        nulls_not_distinct=node.get("nulls_not_distinct"),
    )
    keys, include = (many(element(item) for item in node.get(part, [])) for part in ("indexParams", "indexIncludingParams"))
    method = node.get("accessMethod", "btree")
    name, space = node.get("idxname", ""), node.get("tableSpace", "")
    return [("create index", name, relation(node["relation"]), set_flags, method, keys, include, space)]


def _drop(node: Node) -> Signature:
    kind = kind_of(node["removeType"])
    set_flags = flags(if_exists=node.get("missing_ok"), cascade=_cascade(node), concurrently=node.get("concurrent"))
    if kind in ("policy", "rule", "trigger"):
        parts = strings(node["objects"][0]["List"]["items"])
        return [("drop", kind, parts[-1], ".".join(parts[:-1]), set_flags)]
    if kind in ("cast", "transform"):
        items = node["objects"][0]["List"]["items"]
        if kind == "cast":
            return [("drop", kind, f"({type_name(items[0])} as {type_name(items[1])})", "", set_flags)]
        return [("drop", kind, f"for {type_name(items[0])} language {items[1]['String']['sval']}", "", set_flags)]
    if kind in ("operator class", "operator family"):
        return [("drop", kind, ".".join(strings(node["objects"][0]["List"]["items"])[1:]), "", set_flags)]
    return [("drop", kind, many(_name_from(item) for item in node["objects"]), "", set_flags)]


def _rename(node: Node) -> Signature:
    kind = kind_of(node["renameType"])
    on = kind_of(node["relationType"]) if "relationType" in node else ""
    new_name = node.get("newname", "")
    missing = flags(if_exists=node.get("missing_ok"))
    table = relation(node.get("relation"))
    if kind in ("column", "attribute"):
        only = flags(only=on != "type" and kind == "column" and on in ("table", "foreign table") and not node["relation"].get("inh"))
        about = "type" if kind == "attribute" else on
        both = " ".join(sorted(part for part in (only, missing) if part))
        return [("alter", about, table, both, "rename column", node["subname"], new_name + flags(cascade=_cascade(node)))]
    if node["renameType"] == "OBJECT_TABCONSTRAINT":
        only = flags(only=not node["relation"].get("inh"))
        both = " ".join(sorted(part for part in (missing, only) if part))
        return [("alter", "table", table, both, "rename constraint", node["subname"], new_name)]
    if node["renameType"] == "OBJECT_DOMCONSTRAINT":
        return [("alter", "domain", _name_from(node["object"]), "", "rename constraint", node["subname"], new_name)]
    if kind in ("policy", "rule", "trigger"):
        return [("rename", kind, node["subname"], table, new_name, missing)]
    if "relation" in node:
        return [("rename", kind, table, "", new_name, missing)]
    if kind in ("operator class", "operator family"):
        return [("rename", kind, ".".join(strings(node["object"]["List"]["items"])[1:]), "", new_name, missing)]
    about = _name_from(node["object"]) if "object" in node else node["subname"]
    return [("rename", kind, about, "", new_name, missing)]


def _set_schema(node: Node) -> Signature:
    kind = kind_of(node["objectType"])
    about = relation(node["relation"]) if "relation" in node else _name_from(node["object"])
    if kind in ("operator class", "operator family"):
        about = ".".join(strings(node["object"]["List"]["items"])[1:])
    return [("set schema", kind, about, node["newschema"], flags(if_exists=node.get("missing_ok")))]


def _owner(node: Node) -> Signature:
    kind = kind_of(node["objectType"])
    about = _name_from(node["object"])
    if kind in ("operator class", "operator family"):
        about = about.split(".", 1)[1]
    return [("owner", kind, about, role(node["newowner"]))]


def _comment(label: str) -> Callable[[Node], Signature]:
    def read(node: Node) -> Signature:
        kind = kind_of(node["objtype"])
        missing = "null" if "comment" not in node and "label" not in node else ""
        about = node["object"]
        if kind == "cast":
            items = about["List"]["items"]
            return [(label, kind, f"({type_name(items[0])} as {type_name(items[1])})", "", missing)]
        if kind == "transform":
            items = about["List"]["items"]
            return [(label, kind, f"for {type_name(items[0])} language {items[1]['String']['sval']}", "", missing)]
        if node["objtype"] == "OBJECT_DOMCONSTRAINT":
            items = about["List"]["items"]
            return [(label, kind, items[1]["String"]["sval"], type_name(items[0]), missing)]
        if kind in ("operator class", "operator family"):
            return [(label, kind, ".".join(strings(about["List"]["items"])[1:]), "", missing)]
        if kind in ("column", "constraint", "trigger", "rule", "policy"):
            parts = strings(about["List"]["items"])
            return [(label, kind, parts[-1], ".".join(parts[:-1]), missing)]
        return [(label, kind, _name_from(about), "", missing)]

    return read


_IN_SCHEMA = {"table": "tables", "sequence": "sequences", "function": "functions", "procedure": "procedures", "routine": "routines"}


def _grant(node: Node) -> Signature:
    kind = kind_of(node["objtype"])
    kind = {"server": "foreign server"}.get(kind, kind)
    if node["targtype"] == "ACL_TARGET_ALL_IN_SCHEMA":
        kind = f"all {_IN_SCHEMA[kind]} in schema"
    objects = [relation(item) if "RangeVar" in item else _name_from(item) for item in node["objects"]]
    privileges = [item["AccessPriv"].get("priv_name", "") for item in node.get("privileges", [])]
    privileges = [word for word in privileges if word]
    grantees = many(role(item) for item in node["grantees"])
    return [("grant", kind, many(privileges), many(objects), grantees, flags(revoke=not node.get("is_grant"), cascade=_cascade(node)))]


def _grant_role(node: Node) -> Signature:
    roles = several(item["AccessPriv"]["priv_name"] for item in node["granted_roles"])
    grantees = many(role(item) for item in node["grantee_roles"])
    return [("grant", "role", "", roles, grantees, flags(revoke=not node.get("is_grant"), cascade=_cascade(node)))]


def _default_privileges(node: Node) -> Signature:
    action = node["action"]
    found = options(node.get("options"))
    schemas = strings(found["schemas"]["List"]["items"]) if "schemas" in found else []
    kind = kind_of(action["objtype"]) + "s"
    privileges = many(item["AccessPriv"]["priv_name"] for item in action.get("privileges", []))
    grantees = many(role(item) for item in action["grantees"])
    return [("default privileges", kind, privileges, grantees, many(schemas), flags(revoke=not action.get("is_grant")))]


def _sequence(node: Node) -> Signature:
    owner = options(node.get("options")).get("owned_by")
    owned = dotted(owner["List"]["items"]) if owner else ""
    owned = "" if owned == "none" else owned
    if "for_identity" in node or "sequence" not in node:
        return []
    name = relation(node["sequence"])
    kept = PERSISTENCE[node["sequence"]["relpersistence"]]
    return [("create sequence", name, kept, flags(if_not_exists=node.get("if_not_exists")), owned)]


def _alter_sequence(node: Node) -> Signature:
    owner = options(node.get("options")).get("owned_by")
    owned = dotted(owner["List"]["items"]) if owner else ""
    name = relation(node["sequence"])
    return [("alter sequence", name, flags(if_exists=node.get("missing_ok")), "" if owned == "none" else owned)]


def _alter_enum(node: Node) -> Signature:
    name = dotted(node["typeName"])
    if "oldVal" in node:
        return [("rename value", name, node["oldVal"], node["newVal"])]
    neighbour = node.get("newValNeighbor", "")
    before, after = ("", neighbour) if node.get("newValIsAfter") else (neighbour, "")
    return [("add value", name, node["newVal"], before, after, flags(if_not_exists=node.get("skipIfNewValExists")))]


def _composite(node: Node) -> Signature:
    columns = [item["ColumnDef"] for item in node.get("coldeflist", [])]
    attributes = many(f"{item['colname']} {type_name(item['typeName'])}" for item in columns)
    return [("create composite", relation(node["typevar"]), attributes)]


def _domain(node: Node) -> Signature:
    found: list[Node] = []
    for item in node.get("constraints", []):
        inner = item["Constraint"]
        if inner["contype"] in ("CONSTR_CHECK", "CONSTR_NOTNULL"):
            found.append(inner)
    return [("create domain", dotted(node["domainname"]), type_name(node["typeName"]), many(constraint(item) for item in found))]


def _alter_domain(node: Node) -> Signature:
    subtype = node["subtype"][-1] if len(node["subtype"]) == 1 else node["subtype"]
    actions = {
        "T": "drop default" if "def" not in node else "set default",
        "N": "drop not null",
        "O": "set not null",
        "C": "add constraint",
        "X": "drop constraint",
        "V": "validate constraint",
        "AD_AlterDefault": "set default" if "def" in node else "drop default",
        "AD_DropNotNull": "drop not null",
        "AD_SetNotNull": "set not null",
        "AD_AddConstraint": "add constraint",
        "AD_DropConstraint": "drop constraint",
        "AD_ValidateConstraint": "validate constraint",
    }
    action = actions[subtype]
    about = constraint(node["def"]) if action == "add constraint" else node.get("name", "")
    return [("alter domain", dotted(node["typeName"]), action, about, flags(if_exists=node.get("missing_ok"), cascade=_cascade(node)))]


_MODES = {
    "FUNC_PARAM_IN": "in",
    "FUNC_PARAM_OUT": "out",
    "FUNC_PARAM_INOUT": "inout",
    "FUNC_PARAM_VARIADIC": "variadic",
    "FUNC_PARAM_TABLE": "table",
    "FUNC_PARAM_DEFAULT": "in",
}


def _function(node: Node) -> Signature:
    parts = [item["FunctionParameter"] for item in node.get("parameters", [])]
    arguments = many(
        f"{_MODES[item['mode']]} {item.get('name', '')} {type_name(item['argType'])} {flags(default=item.get('defexpr'))}" for item in parts
    )
    found = options(node.get("options"))
    is_table = any(item["mode"] == "FUNC_PARAM_TABLE" for item in parts)
    language = found["language"]["String"]["sval"].lower() if "language" in found else "sql" if "sql_body" in node else ""
    volatility = found["volatility"]["String"]["sval"] if "volatility" in found else ""
    kind = "procedure" if node.get("is_procedure") else "function"
    returns = "table" if is_table else type_name(node.get("returnType"))
    rest = (language, volatility, flags(or_replace=node.get("replace")))
    return [("create", kind, dotted(node["funcname"]), arguments, returns, *rest)]


def _trigger(node: Node) -> Signature:
    bits = node.get("events", 0)
    events = several(word for bit, word in ((4, "insert"), (8, "delete"), (16, "update"), (32, "truncate")) if bits & bit)
    timing = {2: "before", 64: "instead of"}.get(node.get("timing", 0), "after")
    set_flags = flags(
        or_replace=node.get("replace"),
        constraint=node.get("isconstraint"),
        row=node.get("row"),
        when=node.get("whenClause"),
        deferrable=node.get("deferrable"),
    )
    columns = many(strings(node.get("columns")))
    return [("create trigger", node["trigname"], relation(node["relation"]), timing, events, dotted(node["funcname"]), columns, set_flags)]


def _policy(node: Node) -> Signature:
    set_flags = flags(permissive=node.get("permissive"), using=node.get("qual"), check=node.get("with_check"))
    roles = many(role(item) for item in node.get("roles", []))
    return [("create policy", node["policy_name"], relation(node["table"]), node["cmd_name"], roles, set_flags)]


def _rule(node: Node) -> Signature:
    event = {"CMD_SELECT": "select", "CMD_INSERT": "insert", "CMD_UPDATE": "update", "CMD_DELETE": "delete"}[node["event"]]
    return [
        ("create rule", node["rulename"], relation(node["relation"]), event, flags(or_replace=node.get("replace"), instead=node.get("instead")))
    ]


def _schema(node: Node) -> Signature:
    name = node.get("schemaname", "")
    owner = role(node["authrole"]) if "authrole" in node else ""
    found: Signature = [("create schema", name, owner, flags(if_not_exists=node.get("if_not_exists")))]
    for item in node.get("schemaElts", []):
        for key, inner in item.items():
            for part in ("relation", "view", "sequence"):
                if part in inner and key != "GrantStmt" and "schemaname" not in inner[part]:
                    inner[part]["schemaname"] = name or owner
        found += signature_of_tree(item)
    return found


def _define(node: Node) -> Signature:
    kind = kind_of(node["kind"])
    set_flags = flags(or_replace=node.get("replace"), if_not_exists=node.get("if_not_exists"))
    return [("create", kind, dotted(node["defnames"]), set_flags)]


def _statistics(node: Node) -> Signature:
    tables = several(reads(node["relations"]))
    return [("create statistics", dotted(node.get("defnames")), tables, flags(if_not_exists=node.get("if_not_exists")))]


def _publication(node: Node) -> Signature:
    objects = [item["PublicationObjSpec"] for item in node.get("pubobjects", [])]
    tables = many(relation(item["pubtable"]["relation"]) for item in objects if "pubtable" in item)
    schemas = many(item.get("name", "current_schema") for item in objects if "pubtable" not in item)
    words = {"AP_AddObjects": "add", "AP_SetObjects": "set", "AP_DropObjects": "drop"}
    action = words[node["action"]] if "action" in node else "create"
    if "options" in node and "action" in node and not objects:
        action = "options"
    return [("publication", node["pubname"], action, tables, schemas, flags(all=node.get("for_all_tables")))]


def _transaction(node: Node) -> Signature:
    kind = node["kind"].removeprefix("TRANS_STMT_")
    chain = flags(chain=node.get("chain"))
    match kind:
        case "BEGIN" | "START":
            return [("begin",)]
        case "COMMIT" | "ROLLBACK":
            return [(kind.lower(), chain)]
        case "SAVEPOINT" | "RELEASE":
            return [(kind.capitalize(), node["savepoint_name"])]
        case "ROLLBACK_TO":
            return [("RollbackTo", node["savepoint_name"])]
        case "PREPARE":
            return [("prepare transaction", node["gid"])]
    return [(kind.replace("_", " ").lower(), node["gid"])]


def _set(node: Node) -> Signature:
    kind = node["kind"].removeprefix("VAR_")
    name = node.get("name", "all").lower()
    if kind in ("RESET", "RESET_ALL"):
        return [("reset", name)]
    if kind == "SET_MULTI":
        return [("settransaction",)]
    default = kind in ("SET_DEFAULT", "SET_CURRENT")
    return [("set", name, flags(local=node.get("is_local"), default=default))]


def _relations(nodes: list[Node]) -> str:
    return many(relation(item) + ("" if item["RangeVar"].get("inh") else " only") for item in nodes)


def _vacuum(node: Node) -> Signature:
    tables = many(relation(item["VacuumRelation"]["relation"]) for item in node.get("rels", []))
    found = options(node.get("options"))
    if not node.get("is_vacuumcmd"):
        return [("analyze", tables)]
    return [("vacuum", tables, flags(full=is_on(found, "full"), analyze=is_on(found, "analyze") or is_on(found, "analyse")))]


_LOCKS = (
    "",
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)


def _reindex(node: Node) -> Signature:
    found = options(node.get("params"))
    kind = node["kind"].removeprefix("REINDEX_OBJECT_").lower()
    name = relation(node["relation"]) if "relation" in node else node.get("name", "")
    return [("reindex", kind, name, flags(concurrently=is_on(found, "concurrently")))]


def _copy(node: Node) -> Signature:
    direction = "from" if node.get("is_from") else "to"
    nested: Signature = []
    if "query" in node:
        kind, inner = next(iter(node["query"].items()))
        nested = [_rows(*item) for item in nested_writes(inner)]
        if kind != "SelectStmt":
            nested.append(_rows(kind, inner))
    columns = many(strings(node.get("attlist")))
    return [("copy", relation(node.get("relation")), direction, columns, flags(where=node.get("whereClause"))), *nested]


def _explain(node: Node) -> Signature:
    analyze = is_on(options(node.get("options")), "analyze")
    return [("explain", flags(analyze=analyze)), *(signature_of_tree(node["query"]) if analyze else [])]


def _prepare(node: Node) -> Signature:
    return [("prepare", node["name"], str(len(signature_of_tree(node["query"]))))]


def _do(node: Node) -> Signature:
    language = options(node["args"]).get("language")
    return [("do", language["String"]["sval"].lower() if language else "plpgsql")]


def _declare(node: Node) -> Signature:
    return [("declare", node["portalname"]), *signature_of_tree(node["query"])]


def _owned(command: str) -> Callable[[Node], Signature]:
    def read(node: Node) -> Signature:
        suffix = " cascade" if _cascade(node) else ""
        return [(command + suffix, ", ".join(role(item) for item in node["roles"]))]

    return read


def _created(kind: str, key: str) -> Callable[[Node], Signature]:
    return lambda node: [("create", kind, node.get(key, ""), flags(or_replace=node.get("replace"), if_not_exists=node.get("if_not_exists")))]


def _altered(kind: str, key: str) -> Callable[[Node], Signature]:
    def read(node: Node) -> Signature:
        value = node.get(key, "")
        return [("alter", kind, dotted(value) if isinstance(value, list) else value if isinstance(value, str) else _name_from_any(value))]

    return read


def _name_from_any(value: Node) -> str:
    return role(value) if "roletype" in value or "RoleSpec" in value else dotted(value.get("objname"))


def _utility(command: str, key: str = "") -> Callable[[Node], Signature]:
    return lambda node: [(command, node.get(key, "") if key else "")]


def _mapping(command: str) -> Callable[[Node], Signature]:
    def read(node: Node) -> Signature:
        about = f"for {role(node['user'])} server {node['servername']}"
        if command == "drop":
            return [("drop", "user mapping", about, "", flags(if_exists=node.get("missing_ok")))]
        if command == "alter":
            return [("alter", "user mapping", about)]
        return [("create", "user mapping", about, flags(if_not_exists=node.get("if_not_exists")))]

    return read


def _cast(node: Node) -> Signature:
    return [("create", "cast", f"({type_name(node['sourcetype'])} as {type_name(node['targettype'])})", "")]


def _transform(node: Node) -> Signature:
    return [("create", "transform", f"for {type_name(node['type_name'])} language {node['lang']}", flags(or_replace=node.get("replace")))]


def _dropped(kind: str, key: str) -> Callable[[Node], Signature]:
    return lambda node: [("drop", kind, node[key], "", flags(if_exists=node.get("missing_ok"), cascade=_cascade(node)))]


STATEMENTS: dict[str, Callable[[Node], Signature]] = {
    "SelectStmt": _select,
    **{kind: _row_statement(kind) for kind in ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")},
    "CreateStmt": _create_table,
    "CreateForeignTableStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "ViewStmt": _view,
    "IndexStmt": _index,
    "AlterTableStmt": alter_table,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _set_schema,
    "AlterOwnerStmt": _owner,
    "AlterObjectDependsStmt": lambda node: [
        ("alter", kind_of(node["objectType"]), relation(node["relation"]) if "relation" in node and "object" not in node else _depends(node))
    ],
    "CommentStmt": _comment("comment"),
    "SecLabelStmt": _comment("label"),
    "GrantStmt": _grant,
    "GrantRoleStmt": _grant_role,
    "AlterDefaultPrivilegesStmt": _default_privileges,
    "CreateSeqStmt": _sequence,
    "AlterSeqStmt": _alter_sequence,
    "CreateEnumStmt": lambda node: [("create enum", dotted(node["typeName"]), many(strings(node.get("vals"))))],
    "AlterEnumStmt": _alter_enum,
    "CompositeTypeStmt": _composite,
    "CreateRangeStmt": lambda node: [("create", "type", dotted(node["typeName"]), "")],
    "DefineStmt": _define,
    "CreateDomainStmt": _domain,
    "AlterDomainStmt": _alter_domain,
    "CreateFunctionStmt": _function,
    "AlterFunctionStmt": lambda node: [("alter", kind_of(node["objtype"]), dotted(node["func"]["objname"]))],
    "CreateTrigStmt": _trigger,
    "RuleStmt": _rule,
    "CreatePolicyStmt": _policy,
    "AlterPolicyStmt": lambda node: [("alter policy", node["policy_name"], relation(node["table"]))],
    "CreateSchemaStmt": _schema,
    "CreateExtensionStmt": lambda node: [("create extension", node["extname"], flags(if_not_exists=node.get("if_not_exists")))],
    "AlterExtensionStmt": _altered("extension", "extname"),
    "AlterExtensionContentsStmt": _altered("extension", "extname"),
    "CreatePublicationStmt": _publication,
    "AlterPublicationStmt": _publication,
    "CreateStatsStmt": _statistics,
    "AlterStatsStmt": _altered("statistics", "defnames"),
    "CreateRoleStmt": _created("role", "role"),
    "AlterRoleStmt": _altered("role", "role"),
    "AlterRoleSetStmt": lambda node: [("alter", "role", role(node["role"]) if "role" in node else "all")],
    "DropRoleStmt": lambda node: [("drop", "role", many(role(item) for item in node["roles"]), "", flags(if_exists=node.get("missing_ok")))],
    "CreatedbStmt": _created("database", "dbname"),
    "AlterDatabaseStmt": _altered("database", "dbname"),
    "AlterDatabaseSetStmt": _altered("database", "dbname"),
    "AlterDatabaseRefreshCollStmt": _altered("database", "dbname"),
    "DropdbStmt": _dropped("database", "dbname"),
    "CreateEventTrigStmt": _created("event trigger", "trigname"),
    "AlterEventTrigStmt": _altered("event trigger", "trigname"),
    "CreateFdwStmt": _created("foreign data wrapper", "fdwname"),
    "AlterFdwStmt": _altered("foreign data wrapper", "fdwname"),
    "CreateForeignServerStmt": _created("server", "servername"),
    "AlterForeignServerStmt": _altered("server", "servername"),
    "CreateUserMappingStmt": _mapping("create"),
    "AlterUserMappingStmt": _mapping("alter"),
    "DropUserMappingStmt": _mapping("drop"),
    "ImportForeignSchemaStmt": _utility("import foreign schema", "remote_schema"),
    "CreateOpClassStmt": lambda node: [("create", "operator class", dotted(node["opclassname"]), "")],
    "CreateOpFamilyStmt": lambda node: [("create", "operator family", dotted(node["opfamilyname"]), "")],
    "AlterOpFamilyStmt": _altered("operator family", "opfamilyname"),
    "AlterOperatorStmt": _altered("operator", "opername"),
    "CreateCastStmt": _cast,
    "CreateConversionStmt": lambda node: [("create", "conversion", dotted(node["conversion_name"]), "")],
    "CreateTransformStmt": _transform,
    "CreatePLangStmt": _created("language", "plname"),
    "CreateAmStmt": _created("access method", "amname"),
    "CreateTableSpaceStmt": _created("tablespace", "tablespacename"),
    "DropTableSpaceStmt": _dropped("tablespace", "tablespacename"),
    "AlterTableSpaceOptionsStmt": _altered("tablespace", "tablespacename"),
    "AlterTableMoveAllStmt": lambda node: [("move all", kind_of(node["objtype"]), node["orig_tablespacename"], node["new_tablespacename"])],
    "CreateSubscriptionStmt": _created("subscription", "subname"),
    "AlterSubscriptionStmt": _altered("subscription", "subname"),
    "DropSubscriptionStmt": _dropped("subscription", "subname"),
    "AlterTSDictionaryStmt": _altered("text search dictionary", "dictname"),
    "AlterTSConfigurationStmt": _altered("text search configuration", "cfgname"),
    "AlterCollationStmt": _altered("collation", "collname"),
    "AlterTypeStmt": _altered("type", "typeName"),
    "AlterSystemStmt": lambda node: [("alter system", node["setstmt"].get("name", "all"), flags(reset="RESET" in node["setstmt"]["kind"]))],
    "ReassignOwnedStmt": _owned("reassign owned"),
    "DropOwnedStmt": _owned("drop owned"),
    "TransactionStmt": _transaction,
    "VariableSetStmt": _set,
    "VariableShowStmt": _utility("show", "name"),
    "ConstraintsSetStmt": lambda node: [
        ("set constraints", many(relation(item) for item in node.get("constraints", [])), flags(deferred=node.get("deferred")))
    ],
    "DiscardStmt": lambda node: [("discard", node["target"].removeprefix("DISCARD_").lower())],
    "VacuumStmt": _vacuum,
    "ClusterStmt": lambda node: [("cluster", relation(node.get("relation")), node.get("indexname", ""))],
    "ReindexStmt": _reindex,
    "RefreshMatViewStmt": lambda node: [
        ("refresh", relation(node["relation"]), flags(concurrently=node.get("concurrent"), no_data=node.get("skipData")))
    ],
    "TruncateStmt": lambda node: [("truncate", _relations(node["relations"]), flags(restart=node.get("restart_seqs"), cascade=_cascade(node)))],
    "LockStmt": lambda node: [("lock", _relations(node["relations"]), _LOCKS[node["mode"]], flags(nowait=node.get("nowait")))],
    "CopyStmt": _copy,
    "ExplainStmt": _explain,
    "PrepareStmt": _prepare,
    "ExecuteStmt": _utility("execute", "name"),
    "DeallocateStmt": lambda node: [("deallocate", node.get("name", "all"))],
    "DeclareCursorStmt": _declare,
    "FetchStmt": lambda node: [("move" if node.get("ismove") else "fetch", node["portalname"])],
    "ClosePortalStmt": lambda node: [("close", node.get("portalname", "all"))],
    "ListenStmt": _utility("listen", "conditionname"),
    "NotifyStmt": _utility("notify", "conditionname"),
    "UnlistenStmt": lambda node: [("unlisten", node.get("conditionname", "*"))],
    "CheckPointStmt": _utility("checkpoint"),
    "LoadStmt": _utility("load", "filename"),
    "DoStmt": _do,
    "CallStmt": lambda node: [("call", dotted(node["funccall"]["funcname"]))],
}


def _depends(node: Node) -> str:
    about = _name_from(node["object"])
    return about
