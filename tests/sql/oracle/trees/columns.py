"""Columns, constraints and index keys of parse trees."""

from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import tree_type
from tests.sql.oracle.entry import Entry, Signature, UnmappedError, entry
from tests.sql.oracle.shapes import relation
from tests.sql.oracle.trees.registry import expression, name, options, sequence_option, strings

_KINDS = enums.ConstrType
_CONSTRAINTS = {
    _KINDS.CONSTR_CHECK: "CHECK",
    _KINDS.CONSTR_NOTNULL: "NOT NULL",
    _KINDS.CONSTR_UNIQUE: "UNIQUE",
    _KINDS.CONSTR_PRIMARY: "PRIMARY KEY",
    _KINDS.CONSTR_FOREIGN: "FOREIGN KEY",
    _KINDS.CONSTR_EXCLUSION: "EXCLUDE",
}
_ACTIONS = {"a": None, "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_MATCHES = {"s": None, "f": "full", "p": "partial"}


def column(node: Any) -> Signature:
    """A column's definition, then its constraints."""
    details: dict[str, object] = {"storage": node.storage_name, "compression": node.compression, "options": options(node.fdwoptions)}
    if node.collClause is not None:
        details["collate"] = name(node.collClause.collname)
    constraints = _qualifiers(node.constraints, node.colname, details)
    return (entry("column", node.colname, type=tree_type(node.typeName), **details), *constraints)


def domain_qualifiers(nodes: Any, details: dict[str, object]) -> Signature:
    """Return the clauses after the type of a domain. Its default goes into `details`."""
    return _qualifiers(nodes, None, details)


def _qualifiers(nodes: Any, column_name: str | None, details: dict[str, object]) -> Signature:
    constraints: list[Any] = []
    for node in nodes or ():
        match node.contype:
            case _KINDS.CONSTR_NULL:
                pass
            case _KINDS.CONSTR_DEFAULT:
                details |= expression("default", node.raw_expr)
            case _KINDS.CONSTR_IDENTITY:
                details["identity"] = identity(node)
            case _KINDS.CONSTR_GENERATED:
                details |= expression("generated", node.raw_expr)
                details["stored"] = {"s": "stored", "v": "virtual"}.get(node.generated_kind)
            case _KINDS.CONSTR_ATTR_DEFERRABLE:
                constraints[-1].deferrable = True
            case _KINDS.CONSTR_ATTR_DEFERRED:
                constraints[-1].deferrable = constraints[-1].initdeferred = True
            case _KINDS.CONSTR_ATTR_NOT_ENFORCED:
                constraints[-1].is_enforced = False
            case _KINDS.CONSTR_ATTR_NOT_DEFERRABLE | _KINDS.CONSTR_ATTR_IMMEDIATE | _KINDS.CONSTR_ATTR_ENFORCED:
                pass
            case _:
                constraints.append(node)
    return tuple(line for node in constraints for line in constraint(node, column_name))


def identity(node: Any) -> str:
    """GENERATED … AS IDENTITY, with the sequence's options."""
    return " ".join(("always" if node.generated_when == "a" else "by default", *(sequence_option(item) for item in node.options or ())))


def constraint(node: Any, column_name: str | None = None, *, of_domain: bool = False) -> Signature:
    """A constraint, then the keys of an EXCLUDE. `column_name`: of a column constraint. The NOT NULL of a domain
    names `value`, which is not a column."""
    kind = _CONSTRAINTS.get(node.contype)
    if kind is None:
        raise UnmappedError(str(node.contype))
    # The grammar sets it only for these kinds. It has no meaning for the others.
    enforced = node.is_enforced or kind not in ("CHECK", "FOREIGN KEY")
    columns = strings(node.fk_attrs if kind == "FOREIGN KEY" else node.keys)
    keys: list[Entry] = []
    if kind == "EXCLUDE":
        pairs = [(pair[0], ".".join(strings(pair[1]))) for pair in node.exclusions]
        columns = tuple(key.name for key, _ in pairs if key.name is not None)
        keys = [index_key(key, operator) for key, operator in pairs]
    if column_name is not None and kind != "EXCLUDE":
        columns = (column_name,)
    if of_domain:
        columns = ()
    return (
        entry(
            "constraint",
            node.conname,
            kind=kind,
            columns=columns,
            index=node.indexname,
            include=strings(node.including),
            method=node.access_method if node.access_method != "btree" else None,
            options=options(node.options),
            tablespace=node.indexspace,
            nulls_not_distinct=node.nulls_not_distinct,
            not_valid=node.skip_validation and enforced,
            no_inherit=node.is_no_inherit,
            deferrable=node.deferrable,
            initially_deferred=node.initdeferred,
            not_enforced=not enforced,
            period=node.without_overlaps or node.fk_with_period or node.pk_with_period,
            **(_reference(node) if kind == "FOREIGN KEY" else {}),
            **expression("check", node.raw_expr),
            **expression("where", node.where_clause),
        ),
        *keys,
    )


def _reference(node: Any) -> dict[str, object]:
    delete = _ACTIONS[node.fk_del_action]
    if node.fk_del_set_cols:
        delete = f"{delete} ({', '.join(strings(node.fk_del_set_cols))})"
    return {
        "references": relation(node.pktable),
        "referenced": strings(node.pk_attrs),
        "match": _MATCHES[node.fk_matchtype],
        "on_delete": delete,
        "on_update": _ACTIONS[node.fk_upd_action],
    }


_NULLS: dict[object, str] = {enums.SortByNulls.SORTBY_NULLS_FIRST: "first", enums.SortByNulls.SORTBY_NULLS_LAST: "last"}


def index_key(node: Any, operator: str | None = None, kind: str = "key") -> Entry:
    """A key of an index, of an EXCLUDE constraint or of PARTITION BY."""
    order, nulls = getattr(node, "ordering", None), getattr(node, "nulls_ordering", None)
    return entry(
        kind,
        node.name,
        collate=name(node.collation),
        opclass=name(node.opclass),
        opclass_options=options(getattr(node, "opclassopts", None)),
        descending=order == enums.SortByDir.SORTBY_DESC,
        nulls=_NULLS.get(nulls),
        operator=operator,
        **expression("expression", node.expr),
    )


def elements(nodes: Any) -> Signature:
    """The columns, then the constraints, then the LIKE clauses of a table."""
    found: dict[type, list[Entry]] = {ast.ColumnDef: [], ast.Constraint: [], ast.TableLikeClause: []}
    for node in nodes or ():
        match node:
            case ast.ColumnDef():
                found[ast.ColumnDef] += column(node)
            case ast.Constraint():
                found[ast.Constraint] += constraint(node)
            case ast.TableLikeClause():
                found[ast.TableLikeClause].append(entry("like", relation(node.relation), including=like_options(node.options or 0)))
            case _:
                raise UnmappedError(type(node).__name__)
    return tuple(line for lines in found.values() for line in lines)


LIKE_OPTIONS = "comments compression constraints defaults generated identity indexes statistics storage".split()


def like_options(bits: int) -> tuple[str, ...]:
    """Return the options of LIKE."""
    return tuple(word for position, word in enumerate(LIKE_OPTIONS) if bits & (1 << position))
