"""Statements that change or read rows, run code, control transactions and settings, or maintain tables."""

from typing import Any

from pglast import ast, enums

from tests.sql.oracle.entry import Entry, Signature, dotted, entry, gathered
from tests.sql.oracle.shapes import NOTHING, Hidden, calls, changes, into, own_queries, reads, relation, walk
from tests.sql.oracle.trees.registry import expression, name, options, plain, query, reader, statement, strings
from tests.sql.oracle.trees.tables import new_table


def with_changes(first: Entry, node: Any) -> Signature:
    """A statement's entry, then those of the changes in its WITH queries."""
    return (first, *gathered(nested_changes(node)))


def nested_changes(node: Any) -> list[Signature]:
    """The entries of the changes in WITH queries."""
    return [(_ROW_ENTRIES[type(change)](change, hidden),) for change, hidden in changes(node)]


def _filter(node: Any, hidden: Hidden) -> dict[str, object]:
    if isinstance(node.whereClause, ast.CurrentOfExpr):
        return {"current_of": node.whereClause.cursor_name}
    return expression("where", node.whereClause, hidden | own_queries(node))


def _touched(node: Any, hidden: Hidden) -> dict[str, object]:
    return {"reads": reads(node, hidden=hidden), "calls": calls(node)}


def _insert(node: Any, hidden: Hidden = NOTHING) -> Entry:
    rows = node.selectStmt
    source = "default" if rows is None else "values" if rows.valuesLists else "query"
    conflict = node.onConflictClause
    action = None
    if conflict is not None:
        action = "nothing" if conflict.action == enums.OnConflictAction.ONCONFLICT_NOTHING else "update"
    columns = tuple(item.name for item in node.cols or ())
    return entry("insert", relation(node.relation), source=source, columns=columns, on_conflict=action, **_touched(node, hidden))


def _update(node: Any, hidden: Hidden = NOTHING) -> Entry:
    columns = tuple(item.name for item in node.targetList)
    only = not node.relation.inh
    return entry("update", relation(node.relation), columns=columns, only=only, **_touched(node, hidden), **_filter(node, hidden))


def _delete(node: Any, hidden: Hidden = NOTHING) -> Entry:
    return entry("delete", relation(node.relation), only=not node.relation.inh, **_touched(node, hidden), **_filter(node, hidden))


_MERGE_ACTIONS = {"CMD_INSERT": "insert", "CMD_UPDATE": "update", "CMD_DELETE": "delete", "CMD_NOTHING": "do nothing"}


def _merge(node: Any, hidden: Hidden = NOTHING) -> Entry:
    actions = tuple(_MERGE_ACTIONS[item.commandType.name] for item in node.mergeWhenClauses)
    return entry("merge", relation(node.relation), actions=actions, only=not node.relation.inh, **_touched(node, hidden))


_ROW_ENTRIES = {ast.InsertStmt: _insert, ast.UpdateStmt: _update, ast.DeleteStmt: _delete, ast.MergeStmt: _merge}


@reader(ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
def change_rows(node: Any) -> Signature:
    """INSERT, UPDATE, DELETE, MERGE."""
    return with_changes(_ROW_ENTRIES[type(node)](node), node)


@reader(ast.SelectStmt)
def select(node: Any) -> Signature:
    """SELECT, VALUES, TABLE; with INTO, a new table. A call of set_config with constants is a SET too."""
    made = into(node)
    if made is not None:
        return with_changes(entry("create table as", relation(made.rel), **new_table(made), **query(node)), node)
    first = entry("select", **query(node))
    return (first, *gathered([*nested_changes(node), *_set_configs(node)]))


def _set_configs(node: Any) -> list[Signature]:
    found: list[Signature] = []
    for item in walk(node):
        arguments = getattr(item, "args", None) or ()
        if not isinstance(item, ast.FuncCall) or name(item.funcname) not in ("set_config", "pg_catalog.set_config"):
            continue
        if len(arguments) == 3 and all(isinstance(argument, ast.A_Const) for argument in arguments):
            variable, value, local = (plain(argument) for argument in arguments)
            found.append((entry("set", str(variable).lower(), value=value, local=local == "true"),))
    return found


@reader(ast.CreateTableAsStmt)
def create_table_as(node: Any) -> Signature:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    details = new_table(node.into)
    details["if_not_exists"] = node.if_not_exists
    if isinstance(node.query, ast.ExecuteStmt):
        details["execute"] = node.query.name
    else:
        details |= query(node.query)
    view = node.objtype == enums.ObjectType.OBJECT_MATVIEW
    header = entry("create materialized view" if view else "create table as", relation(node.into.rel), **details)
    return (header, *gathered(nested_changes(node.query)))


@reader(ast.CopyStmt)
def copy(node: Any) -> Signature:
    """COPY."""
    endpoint = "program" if node.is_program else "file" if node.filename is not None else "client"
    details: dict[str, object] = query(node.query) if isinstance(node.query, ast.SelectStmt) else {}
    details.pop("filtered", None)
    first = entry(
        "copy",
        relation(node.relation) if node.relation is not None else None,
        source=node.is_from,
        endpoint=endpoint,
        columns=strings(node.attlist),
        where=node.whereClause is not None,
        **details,
    )
    nested = nested_changes(node.query)
    if type(node.query) in _ROW_ENTRIES:
        nested.append((_ROW_ENTRIES[type(node.query)](node.query, NOTHING),))
    return (first, *gathered(nested))


@reader(ast.CallStmt)
def call(node: Any) -> Signature:
    """CALL."""
    return (entry("call", name(node.funccall.funcname)),)


@reader(ast.DoStmt)
def do(node: Any) -> Signature:
    """DO. PostgreSQL's grammar does not read its body."""
    given = {item.defname: plain(item.arg) for item in node.args}
    return (entry("do", language=str(given.get("language") or "plpgsql").lower()),)


@reader(ast.ExplainStmt)
def explain(node: Any) -> Signature:
    """EXPLAIN; with ANALYZE, what it runs."""
    analyze = False
    for item in node.options or ():
        if item.defname == "analyze":
            analyze = item.arg is None or str(plain(item.arg)).lower() in ("true", "on", "1")
    return (entry("explain", analyze=analyze), *(statement(node.query) if analyze else ()))


@reader(ast.PrepareStmt)
def prepare(node: Any) -> Signature:
    """PREPARE."""
    return (entry("prepare", node.name), *statement(node.query))


@reader(ast.ExecuteStmt)
def execute(node: Any) -> Signature:
    """EXECUTE."""
    return (entry("execute", node.name),)


def _relation(node: Any, columns: Any = None) -> str:
    only = "only " if not node.inh else ""
    return f"{only}{relation(node)}{' (' + ', '.join(strings(columns)) + ')' if columns else ''}"


@reader(ast.TruncateStmt)
def truncate(node: Any) -> Signature:
    """TRUNCATE."""
    tables = [_relation(item) for item in node.relations]
    return (
        entry(
            "truncate",
            tables=tables,
            restart_identity=node.restart_seqs,
            cascade=node.behavior == enums.DropBehavior.DROP_CASCADE,
        ),
    )


_MODES = ("ACCESS SHARE,ROW SHARE,ROW EXCLUSIVE,SHARE UPDATE EXCLUSIVE,SHARE,SHARE ROW EXCLUSIVE,EXCLUSIVE,ACCESS EXCLUSIVE").split(",")


@reader(ast.LockStmt)
def lock(node: Any) -> Signature:
    """LOCK."""
    return (entry("lock", tables=[_relation(item) for item in node.relations], mode=_MODES[node.mode - 1], nowait=node.nowait),)


@reader(ast.ClusterStmt)
def cluster(node: Any) -> Signature:
    """CLUSTER."""
    own = relation(node.relation) if node.relation is not None else None
    return (entry("cluster", own, index=node.indexname, options=options(node.params)),)


_REINDEX = {"REINDEX_OBJECT_INDEX": "index", "REINDEX_OBJECT_TABLE": "table", "REINDEX_OBJECT_SCHEMA": "schema"} | {
    "REINDEX_OBJECT_SYSTEM": "system",
    "REINDEX_OBJECT_DATABASE": "database",
}


@reader(ast.ReindexStmt)
def reindex(node: Any) -> Signature:
    """REINDEX. PostgreSQL's tree has CONCURRENTLY as an option in both of its forms."""
    own = relation(node.relation) if node.relation is not None else dotted((node.name,)) if node.name else None
    kept = [item for item in node.params or () if item.defname != "concurrently"]
    return (entry("reindex", own, kind=_REINDEX[node.kind.name], concurrently=is_on(node.params, "concurrently"), options=options(kept)),)


def is_on(nodes: Any, option_name: str) -> bool:
    """Whether a boolean option is set and not off; of several the last one counts."""
    found = [item for item in nodes or () if item.defname == option_name]
    return bool(found) and (found[-1].arg is None or str(plain(found[-1].arg)).lower() in ("true", "on", "1"))


@reader(ast.VacuumStmt)
def vacuum(node: Any) -> Signature:
    """VACUUM and ANALYZE."""
    tables = [_relation(item.relation, item.va_cols) for item in node.rels or ()]
    details: dict[str, object] = {"tables": tables, "options": options(node.options)}
    if node.is_vacuumcmd:
        details |= {"full": is_on(node.options, "full"), "analyze": is_on(node.options, "analyze")}
    return (entry("vacuum" if node.is_vacuumcmd else "analyze", **details),)


def _transaction_modes(nodes: Any) -> tuple[str, ...]:
    found = []
    for item in nodes or ():
        value = plain(item.arg)
        match item.defname:
            case "transaction_isolation":
                found.append(f"isolation level {value}")
            case "transaction_read_only":
                found.append("read only" if value == "1" else "read write")
            case _:
                found.append("deferrable" if value == "1" else "not deferrable")
    return tuple(found)


@reader(ast.TransactionStmt)
def transaction(node: Any) -> Signature:
    """BEGIN, COMMIT, ROLLBACK, savepoints and two-phase commit."""
    word = node.kind.name.removeprefix("TRANS_STMT_")
    match word:
        case "BEGIN" | "START":
            return (entry("begin", modes=_transaction_modes(node.options)),)
        case "COMMIT" | "ROLLBACK":
            return (entry(word.lower(), chain=node.chain),)
        case "PREPARE":
            return (entry("prepare transaction", node.gid),)
        case "COMMIT_PREPARED" | "ROLLBACK_PREPARED":
            return (entry(word.lower().replace("_", " "), node.gid),)
    return (entry({"SAVEPOINT": "savepoint", "RELEASE": "release", "ROLLBACK_TO": "rollback to"}[word], node.savepoint_name),)


@reader(ast.ConstraintsSetStmt)
def set_constraints(node: Any) -> Signature:
    """SET CONSTRAINTS."""
    return (entry("set constraints", names=[relation(item) for item in node.constraints or ()], deferred=node.deferred),)


@reader(ast.VariableSetStmt)
def set_variable(node: Any) -> Signature:
    """SET and RESET."""
    kinds = enums.VariableSetKind
    match node.kind:
        case kinds.VAR_SET_MULTI if node.name == "TRANSACTION SNAPSHOT":
            return (entry("set transaction", modes=["snapshot"]),)
        case kinds.VAR_SET_MULTI:
            return (entry("set transaction", modes=_transaction_modes(node.args), session="SESSION" in node.name),)
        case kinds.VAR_RESET:
            return (entry("reset", node.name.lower()),)
        case kinds.VAR_RESET_ALL:
            return (entry("reset", "all"),)
    value = ", ".join(str(plain(item)) for item in node.args) if node.args else None
    if node.name == "xmloption" and value is not None:
        value = value.upper()
    return (entry("set", node.name.lower(), value=value, local=node.is_local),)


@reader(ast.AlterSystemStmt)
def alter_system(node: Any) -> Signature:
    """ALTER SYSTEM."""
    kinds = enums.VariableSetKind
    own = None if node.setstmt.name is None else node.setstmt.name.lower()
    return (entry("alter system", own, reset=node.setstmt.kind in (kinds.VAR_RESET, kinds.VAR_RESET_ALL)),)


@reader(ast.VariableShowStmt)
def show(node: Any) -> Signature:
    """SHOW."""
    return _utility("show", node.name.lower())


@reader(ast.DiscardStmt)
def discard(node: Any) -> Signature:
    """DISCARD."""
    return (entry("discard", node.target.name.removeprefix("DISCARD_").lower()),)


def _utility(command: str, own: str | None = None) -> Signature:
    return (entry("utility", command, name=own),)


@reader(ast.DeclareCursorStmt)
def declare(node: Any) -> Signature:
    """DECLARE, and the query whose relations it locks."""
    return (*_utility("declare", node.portalname), entry("select", **query(node.query)))


@reader(ast.FetchStmt)
def fetch(node: Any) -> Signature:
    """FETCH and MOVE."""
    return _utility("move" if node.ismove else "fetch", node.portalname)


@reader(ast.ClosePortalStmt)
def close(node: Any) -> Signature:
    """CLOSE."""
    return _utility("close", node.portalname or "all")


@reader(ast.DeallocateStmt)
def deallocate(node: Any) -> Signature:
    """DEALLOCATE."""
    return _utility("deallocate", node.name or "all")


@reader(ast.ListenStmt)
def listen(node: Any) -> Signature:
    """LISTEN."""
    return _utility("listen", node.conditionname)


@reader(ast.UnlistenStmt)
def unlisten(node: Any) -> Signature:
    """UNLISTEN."""
    return _utility("unlisten", node.conditionname or "*")


@reader(ast.NotifyStmt)
def notify(node: Any) -> Signature:
    """NOTIFY."""
    return _utility("notify", node.conditionname)


@reader(ast.LoadStmt)
def load(node: Any) -> Signature:
    """LOAD."""
    return _utility("load", node.filename)


@reader(ast.CheckPointStmt)
def checkpoint(node: Any) -> Signature:
    """CHECKPOINT."""
    return _utility("checkpoint")


@reader(ast.ImportForeignSchemaStmt)
def import_foreign_schema(node: Any) -> Signature:
    """IMPORT FOREIGN SCHEMA."""
    return _utility("import foreign schema", node.remote_schema)
