"""All forms of CREATE TABLE, indexes, views and sequences."""

from typing import Any

from pglast import ast, enums

from tests.sql.oracle.data_types import tree_type
from tests.sql.oracle.entry import Entry, Signature, dotted, entry
from tests.sql.oracle.shapes import relation, shape
from tests.sql.oracle.trees.columns import elements, index_key
from tests.sql.oracle.trees.registry import (
    expression,
    name,
    options,
    persistence,
    query,
    reader,
    sequence_option,
    strings,
)

_ON_COMMIT = {
    enums.OnCommitAction.ONCOMMIT_PRESERVE_ROWS: "preserve rows",
    enums.OnCommitAction.ONCOMMIT_DELETE_ROWS: "delete rows",
    enums.OnCommitAction.ONCOMMIT_DROP: "drop",
}
_STRATEGIES = {"PARTITION_STRATEGY_LIST": "list", "PARTITION_STRATEGY_RANGE": "range", "PARTITION_STRATEGY_HASH": "hash"}


def _table(node: Any, server: str | None = None, foreign_options: Any = None) -> Signature:
    parents = tuple(relation(parent) for parent in node.inhRelations or ())
    keys: list[Entry] = []
    if node.partspec is not None:
        strategy = _STRATEGIES[node.partspec.strategy.name]
        keys = [entry("partition by", strategy), *(index_key(key) for key in node.partspec.partParams)]
    header = entry(
        "create table",
        relation(node.relation),
        **persistence(node.relation),
        if_not_exists=node.if_not_exists,
        method=node.accessMethod,
        options=options(foreign_options if server else node.options),
        on_commit=_ON_COMMIT.get(node.oncommit),
        tablespace=node.tablespacename,
        of=None if node.ofTypename is None else tree_type(node.ofTypename),
        inherits=parents if node.partbound is None else (),
        partition_of=None if node.partbound is None else parents[0],
        server=server,
    )
    return (header, *elements(node.tableElts), *bound(node.partbound), *keys)


@reader(ast.CreateStmt)
def create_table(node: Any) -> Signature:
    """CREATE TABLE."""
    return _table(node)


@reader(ast.CreateForeignTableStmt)
def create_foreign_table(node: Any) -> Signature:
    """CREATE FOREIGN TABLE."""
    return _table(node.base, node.servername, node.options)


def bound(node: Any) -> Signature:
    """FOR VALUES … or DEFAULT."""
    if node is None:
        return ()
    if node.is_default:
        return (entry("bound", "default"),)
    match node.strategy:
        case "l":
            return (entry("bound", "in", values=[shape(value) for value in node.listdatums]),)
        case "r":
            lower, upper = ([shape(value) for value in values] for values in (node.lowerdatums, node.upperdatums))
            return (entry("bound", "range", start=lower, end=upper),)
    return (entry("bound", "hash", modulus=str(node.modulus), remainder=str(node.remainder)),)


def new_table(node: Any) -> dict[str, object]:
    """Return the details of the new table of an INTO."""
    return {
        **persistence(node.rel),
        "columns": strings(node.colNames),
        "method": node.accessMethod,
        "options": options(node.options),
        "on_commit": _ON_COMMIT.get(node.onCommit),
        "tablespace": node.tableSpaceName,
        "with_no_data": node.skipData,
    }


@reader(ast.IndexStmt)
def create_index(node: Any) -> Signature:
    """CREATE INDEX."""
    return (
        entry(
            "create index",
            node.idxname,
            table=relation(node.relation),
            only=not node.relation.inh,
            unique=node.unique,
            concurrently=node.concurrent,
            if_not_exists=node.if_not_exists,
            method=node.accessMethod if node.accessMethod != "btree" else None,
            nulls_not_distinct=node.nulls_not_distinct,
            options=options(node.options),
            tablespace=node.tableSpace,
            **expression("where", node.whereClause),
        ),
        *(index_key(key) for key in node.indexParams),
        *(index_key(key, kind="include") for key in node.indexIncludingParams or ()),
    )


@reader(ast.ViewStmt)
def create_view(node: Any) -> Signature:
    """CREATE VIEW. The grammar rewrites a recursive view with a WITH that is not in the SQL."""
    made = node.query
    with_clause: Any = getattr(made, "withClause", None)
    recursive = with_clause is not None and with_clause.recursive and with_clause.location is None
    if recursive:
        made = with_clause.ctes[0].ctequery
    details = query(made)
    if recursive:
        own = dotted((node.view.relname,))
        details["reads"] = tuple(read for read in details["reads"] if read != own)  # type: ignore[attr-defined]
    checks = enums.ViewCheckOption
    return (
        entry(
            "create view",
            relation(node.view),
            columns=strings(node.aliases),
            or_replace=node.replace,
            temporary=node.view.relpersistence == "t",
            recursive=recursive,
            options=options(node.options),
            check_option={checks.LOCAL_CHECK_OPTION: "local", checks.CASCADED_CHECK_OPTION: "cascaded"}.get(node.withCheckOption),
            **details,
        ),
    )


@reader(ast.RefreshMatViewStmt)
def refresh(node: Any) -> Signature:
    """REFRESH MATERIALIZED VIEW."""
    return (entry("refresh", relation(node.relation), concurrently=node.concurrent, with_no_data=node.skipData),)


@reader(ast.CreateSeqStmt)
def create_sequence(node: Any) -> Signature:
    """CREATE SEQUENCE."""
    return (
        entry(
            "create sequence",
            relation(node.sequence),
            **persistence(node.sequence),
            if_not_exists=node.if_not_exists,
            options=tuple(sequence_option(item) for item in node.options or ()),
            owned_by=owner_of_sequence(node.options),
        ),
    )


@reader(ast.AlterSeqStmt)
def alter_sequence(node: Any) -> Signature:
    """ALTER SEQUENCE with options."""
    return (
        entry(
            "alter sequence",
            relation(node.sequence),
            if_exists=node.missing_ok,
            options=tuple(sequence_option(item) for item in node.options or ()),
            owned_by=owner_of_sequence(node.options),
        ),
    )


def owner_of_sequence(nodes: Any) -> str | None:
    """The column of OWNED BY."""
    owners = [name(node.arg) for node in nodes or () if node.defname == "owned_by"]
    return owners[-1] if owners and owners[-1] != "none" else None


@reader(ast.CreateStatsStmt)
def create_statistics(node: Any) -> Signature:
    """CREATE STATISTICS."""
    tables = tuple(relation(item) for item in node.relations if isinstance(item, ast.RangeVar))
    return (
        entry(
            "create statistics", name(node.defnames) or None, kinds=strings(node.stat_types), tables=tables, if_not_exists=node.if_not_exists
        ),
    )
