"""The readers of the statements of PostgreSQL's grammar, and functions that they share."""

from collections.abc import Callable, Iterable
from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import role, tree_type, type_as_name
from tests.sql.oracle.entry import Signature, UnmappedError, dotted
from tests.sql.oracle.shapes import NOTHING, Hidden, calls, filtered, reads, relation, row_locks, shape

Reader = Callable[[Any], Signature]
READERS: dict[type, Reader] = {}
KINDS = {
    enums.ObjectType[f"OBJECT_{name}"]: words
    for name, words in {
        **{
            name: name.lower().replace("_", " ")
            for name in """ACCESS_METHOD AGGREGATE CAST COLUMN COLLATION CONVERSION DATABASE DOMAIN EVENT_TRIGGER EXTENSION FOREIGN_TABLE
            FUNCTION INDEX LANGUAGE OPERATOR POLICY PROCEDURE PUBLICATION ROLE ROUTINE RULE SCHEMA SEQUENCE SUBSCRIPTION TABLE TABLESPACE
            TRANSFORM TRIGGER TYPE USER_MAPPING VIEW""".split()
        },
        "DOMCONSTRAINT": "constraint",
        "TABCONSTRAINT": "constraint",
        "FDW": "foreign data wrapper",
        "FOREIGN_SERVER": "server",
        "LARGEOBJECT": "large object",
        "MATVIEW": "materialized view",
        "OPCLASS": "operator class",
        "OPFAMILY": "operator family",
        "PARAMETER_ACL": "parameter",
        "STATISTIC_EXT": "statistics",
        "TSCONFIGURATION": "text search configuration",
        "TSDICTIONARY": "text search dictionary",
        "TSPARSER": "text search parser",
        "TSTEMPLATE": "text search template",
    }.items()
}
"""The SQL words of the kinds of object."""


def reader(*kinds: type) -> Callable[[Reader], Reader]:
    """Return a decorator that registers the reader of these statement classes."""

    def register(function: Reader) -> Reader:
        for kind in kinds:
            assert kind not in READERS, kind
            READERS[kind] = function
        return function

    return register


def statement(node: Any) -> Signature:
    """The signature of a statement."""
    found = READERS.get(type(node))
    if found is None:
        raise UnmappedError(type(node).__name__)
    return found(node)


def kind_of(kind: enums.ObjectType) -> str:
    """SQL's words for a kind of object."""
    if kind not in KINDS:
        raise UnmappedError(str(kind))
    return KINDS[kind]


def name(parts: Iterable[Any] | None) -> str | None:
    """A name that is a list of strings."""
    return None if parts is None else dotted(part.sval for part in parts)


def strings(values: Iterable[Any] | None) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(value.sval for value in values or ())


def roles(nodes: Iterable[Any] | None) -> tuple[str | None, ...]:
    """The roles of a list."""
    return tuple(role(node) for node in nodes or ())


def expression(label: str, node: Any, hidden: Hidden = NOTHING) -> dict[str, object]:
    """The details of an expression under a label."""
    if node is None:
        return {}
    return {label: shape(node), f"{label}: calls": calls(node), f"{label}: reads": reads(node, hidden=hidden)}


def query(node: Any) -> dict[str, object]:
    """The details of a query."""
    return {
        "query": shape(node),
        "calls": calls(node),
        "reads": reads(node),
        "locks_rows": row_locks(node),
        "filtered": filtered(node) if isinstance(node, ast.SelectStmt) else False,
    }


def persistence(node: Any) -> dict[str, object]:
    """Whether a relation is temporary or unlogged."""
    return {"temporary": node.relpersistence == "t", "unlogged": node.relpersistence == "u"}


def cascade(behavior: enums.DropBehavior) -> bool:
    """Whether the statement has CASCADE."""
    return behavior == enums.DropBehavior.DROP_CASCADE


def option(node: Any) -> str:
    """An option as `namespace.name value`."""
    action = {1: "set ", 2: "add ", 3: "drop "}.get(int(node.defaction), "")
    value = plain(node.arg)
    value = value if value is None else value.lower()
    label = dotted_label(node.defnamespace, node.defname)
    return f"{action}{label}" if value is None else f"{action}{label} {value}"


def dotted_label(namespace: str | None, label: str) -> str:
    """An option's name after its namespace."""
    return f"{namespace}.{label}" if namespace else label


def options(nodes: Iterable[Any] | None) -> tuple[str, ...]:
    """The options of a list."""
    return tuple(option(node) for node in nodes or ())


def plain(node: Any) -> str | None:
    """The value of an option or a setting as text; None where there is none."""
    match node:
        case None:
            return None
        case ast.String():
            return str(node.sval)
        case ast.Integer():
            return str(node.ival)
        case ast.Float():
            return str(node.fval)
        case ast.Boolean():
            return "true" if node.boolval else "false"
        case ast.A_Const():
            return "null" if node.isnull else plain(node.val)
        case ast.TypeCast():
            return plain(node.arg)
        case ast.TypeName():
            return tree_type(node)
        case tuple():
            return ".".join(str(plain(item)) for item in node)
    raise UnmappedError(type(node).__name__)


def sequence_option(node: Any) -> str:
    """One of a sequence's options, in the manual's words."""
    value = plain(node.arg)
    match node.defname:
        case "cycle":
            return "cycle" if value == "true" else "no cycle"
        case "maxvalue" | "minvalue" if value is None:
            return f"no {node.defname}"
        case "owned_by" | "sequence_name":
            return f"{node.defname.replace('_', ' ')} {name(node.arg)}"
    return node.defname if value is None else f"{node.defname} {value}"


def cast(source: Any, target: Any) -> str:
    """Return what identifies a cast."""
    return f"{tree_type(source)} as {tree_type(target)}"


def transform(data_type: Any, language: str) -> str:
    """Return what identifies a transform."""
    return f"for {tree_type(data_type)} language {language}"


def object_details(kind: enums.ObjectType, node: Any) -> tuple[str | None, dict[str, object]]:
    """Return the name of an object in DROP, COMMENT and similar statements, and its other details."""
    kinds = enums.ObjectType
    match kind:
        case kinds.OBJECT_CAST:
            return None, {"of": cast(*node)}
        case kinds.OBJECT_TRANSFORM:
            return None, {"of": transform(node[0], node[1].sval)}
        case kinds.OBJECT_OPCLASS | kinds.OBJECT_OPFAMILY:
            return name(node[1:]), {"using": node[0].sval}
        case kinds.OBJECT_RULE | kinds.OBJECT_TRIGGER | kinds.OBJECT_POLICY | kinds.OBJECT_TABCONSTRAINT | kinds.OBJECT_COLUMN:
            return dotted((node[-1].sval,)), {"table": name(node[:-1])}
        case kinds.OBJECT_DOMCONSTRAINT:
            return dotted((node[1].sval,)), {"table": type_as_name(node[0]), "domain": True}
        case kinds.OBJECT_TYPE | kinds.OBJECT_DOMAIN if isinstance(node, ast.TypeName):
            return type_as_name(node), {}
        case kinds.OBJECT_LARGEOBJECT:
            return plain(node), {}
    match node:
        case ast.ObjectWithArgs():
            return name(node.objname), {}
        case ast.RangeVar():
            return relation(node), {}
        case ast.String():
            return dotted((node.sval,)), {}
        case tuple():
            return name(node), {}
    raise UnmappedError(f"{kind} {type(node).__name__}")
