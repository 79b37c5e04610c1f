"""Reading PostgreSQL's parse tree, as libpg_query gives it in JSON: names, types, constraints, columns, and what is read."""

from collections.abc import Iterator
from typing import Any

from tests.sql.signatures.words import flags, many, type_word

Node = dict[str, Any]

_KINDS = {
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_FDW": "foreign data wrapper",
    "OBJECT_FOREIGN_SERVER": "server",
    "OBJECT_LARGEOBJECT": "large object",
    "OBJECT_OPCLASS": "operator class",
    "OBJECT_OPFAMILY": "operator family",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_DOMCONSTRAINT": "constraint",
    "OBJECT_STATISTIC_EXT": "statistics",
    "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSPARSER": "text search parser",
    "OBJECT_TSTEMPLATE": "text search template",
    "OBJECT_PARAMETER_ACL": "parameter",
}
ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
PERSISTENCE = {"p": "permanent", "t": "temporary", "u": "unlogged"}
_CONSTRAINTS = {
    "CONSTR_CHECK": "CHECK",
    "CONSTR_NOTNULL": "NOT NULL",
    "CONSTR_UNIQUE": "UNIQUE",
    "CONSTR_PRIMARY": "PRIMARY KEY",
    "CONSTR_FOREIGN": "FOREIGN KEY",
    "CONSTR_EXCLUSION": "EXCLUDE",
}


def kind_of(value: str) -> str:
    """SQL's words for an ObjectType."""
    return _KINDS.get(value) or value.removeprefix("OBJECT_").replace("_", " ").lower()


def strings(nodes: list[Node] | None) -> list[str]:
    """The texts of a list of String nodes."""
    return [node["String"].get("sval", "") for node in nodes or []]


def dotted(nodes: list[Node] | None) -> str:
    """A name from its parts."""
    return ".".join(strings(nodes))


def relation(node: Node | None) -> str:
    """A RangeVar's name."""
    node = node or {}
    node = node.get("RangeVar", node)
    return ".".join(part for part in (node.get("catalogname"), node.get("schemaname"), node.get("relname")) if part)


def role(node: Node | None) -> str:
    """A RoleSpec."""
    node = (node or {}).get("RoleSpec", node or {})
    special = {"ROLESPEC_CURRENT_USER": "current_user", "ROLESPEC_SESSION_USER": "session_user", "ROLESPEC_CURRENT_ROLE": "current_role"}
    kind = node.get("roletype", "")
    return special.get(kind) or ("public" if kind == "ROLESPEC_PUBLIC" else node.get("rolename", ""))


def type_name(node: Node | None) -> str:
    """A TypeName."""
    node = (node or {}).get("TypeName", node or {})
    parts = strings(node.get("names"))
    if not parts:
        return ""
    schema = parts[-2] if len(parts) > 1 else None
    return type_word(schema, parts[-1], len(node.get("arrayBounds", [])), node.get("setof", False))


def constraint(node: Node, column: str | None = None) -> str:
    """A Constraint; `column` is the one that a column constraint stands on."""
    node = node.get("Constraint", node)
    kind = _CONSTRAINTS[node["contype"]]
    text = [kind, node.get("conname", "")]
    own = [column] if column else strings(node.get("keys")) + strings(node.get("fk_attrs"))
    if kind in ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "NOT NULL"):
        text.append(many(own))
    if "pktable" in node:
        text += [relation(node["pktable"]), many(strings(node.get("pk_attrs")))]
        text += [ACTIONS[node.get("fk_del_action", "a")], ACTIONS[node.get("fk_upd_action", "a")]]
    if "indexname" in node:
        text.append("using " + node["indexname"])
    text.append(many(strings(node.get("including"))))
    text.append(
        flags(
            not_valid=node.get("skip_validation") and node.get("is_enforced") and not node.get("initially_valid"),
            no_inherit=node.get("is_no_inherit"),
            deferrable=node.get("deferrable"),
            deferred=node.get("initdeferred"),
            not_enforced=kind in ("CHECK", "FOREIGN KEY") and not node.get("is_enforced"),
            nulls_not_distinct=node.get("nulls_not_distinct"),
            where=node.get("where_clause"),
        )
    )
    return " ".join(text)


_ATTRIBUTES = {
    "CONSTR_ATTR_DEFERRABLE": ("deferrable", True),
    "CONSTR_ATTR_NOT_DEFERRABLE": ("deferrable", False),
    "CONSTR_ATTR_DEFERRED": ("initdeferred", True),
    "CONSTR_ATTR_IMMEDIATE": ("initdeferred", False),
    "CONSTR_ATTR_ENFORCED": ("is_enforced", True),
    "CONSTR_ATTR_NOT_ENFORCED": ("is_enforced", False),
}


def column(node: Node) -> str:
    """A ColumnDef."""
    node = node.get("ColumnDef", node)
    found: list[Node] = []
    extra: dict[str, object] = {"default": node.get("raw_default"), "collate": node.get("collClause")}
    for item in node.get("constraints", []):
        inner = dict(item["Constraint"])
        kind = inner["contype"]
        if kind in _ATTRIBUTES:
            key, value = _ATTRIBUTES[kind]
            found[-1][key] = value
        elif kind in _CONSTRAINTS:
            found.append(inner)
        else:
            extra[{"CONSTR_DEFAULT": "default", "CONSTR_IDENTITY": "identity", "CONSTR_GENERATED": "generated"}.get(kind, "")] = True
    extra.pop("", None)
    name = node.get("colname", "")
    body = "; ".join(constraint(item, name) for item in found)
    return f"{name} {type_name(node.get('typeName'))} {flags(**extra)} [{body}]"


def element(node: Node) -> str:
    """An IndexElem."""
    node = node["IndexElem"]
    nulls = {"SORTBY_NULLS_FIRST": "True", "SORTBY_NULLS_LAST": "False"}.get(node.get("nulls_ordering", ""), "*")
    descending = flags(desc=node.get("ordering") == "SORTBY_DESC")
    return f"{node.get('name') or '(expression)'} {dotted(node.get('collation'))} {dotted(node.get('opclass'))} {descending} {nulls}"


def options(nodes: list[Node] | None) -> dict[str, Any]:
    """DefElems by name; True where one has no argument."""
    return {node["DefElem"]["defname"]: node["DefElem"].get("arg", True) for node in nodes or []}


def is_on(found: dict[str, Any], name: str) -> bool:
    """Whether a boolean option is given and true."""
    if name not in found:
        return False
    value = found[name]
    if value is True:
        return True
    text = value.get("String", {}).get("sval") if "String" in value else value.get("Integer", {}).get("ival", 0)
    return text in ("true", "on", "1", 1)


def reads(node: Any, hidden: frozenset[str] = frozenset()) -> Iterator[str]:
    """The relations that a tree reads, without those that a WITH around them names."""
    if isinstance(node, list):
        for item in node:
            yield from reads(item, hidden)
    if not isinstance(node, dict):
        return
    with_clause = node.get("withClause")
    if with_clause:
        ctes = [item["CommonTableExpr"] for item in with_clause.get("ctes", [])]
        for cte in ctes:
            inner = hidden | {cte["ctename"]} if with_clause.get("recursive") else hidden
            yield from reads(cte["ctequery"], inner)
            hidden |= {cte["ctename"]}
    for key, value in node.items():
        if key == "RangeVar":
            if "schemaname" in value or value["relname"] not in hidden:
                yield relation(value)
        elif key == "relation" and "relname" in value:
            continue  # what INSERT, UPDATE, DELETE and MERGE write to
        elif key not in ("withClause", "intoClause", "into", "lockingClause"):
            yield from reads(value, hidden)


def nested_writes(node: Any, hidden: frozenset[str] = frozenset()) -> Iterator[tuple[str, Node, frozenset[str]]]:
    """The data-modifying statements in a tree's WITH clauses, innermost first: the kind, the node, the names that a WITH hides there."""
    if isinstance(node, list):
        for item in node:
            yield from nested_writes(item, hidden)
    if not isinstance(node, dict):
        return
    with_clause = node.get("withClause")
    if with_clause:
        for item in with_clause.get("ctes", []):
            cte = item["CommonTableExpr"]
            inner = hidden | {cte["ctename"]} if with_clause.get("recursive") else hidden
            kind, query = next(iter(cte["ctequery"].items()))
            yield from nested_writes(query, inner)
            if kind != "SelectStmt":
                yield kind, query, inner
            hidden |= {cte["ctename"]}
    for key, value in node.items():
        if key != "withClause":
            yield from nested_writes(value, hidden)
