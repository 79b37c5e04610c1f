"""Operations that change or read rows, run code, control transactions and settings, or maintain tables."""

from collections.abc import Iterable

from migsafe.sql import operations as o
from tests.sql.oracle.entry import Signature, entry
from tests.sql.oracle.operations.registry import expression, name, names, operation, options, query, reader, sorted_names, spaceless_sign


def _rows(op: o.Insert | o.Update | o.Delete | o.Merge) -> dict[str, object]:
    return {"reads": sorted_names(op.reads), "calls": sorted_names(op.calls)}


@reader(o.Insert)
def insert(op: o.Insert) -> Signature:
    """INSERT."""
    return (entry("insert", name(op.table), source=op.source, columns=op.columns, on_conflict=op.on_conflict, **_rows(op)),)


def _filter(op: o.Update | o.Delete) -> dict[str, object]:
    return {"current_of": op.current_of, **expression("where", op.where)}


@reader(o.Update)
def update(op: o.Update) -> Signature:
    """UPDATE."""
    return (entry("update", name(op.table), columns=op.columns, only=op.only, **_rows(op), **_filter(op)),)


@reader(o.Delete)
def delete(op: o.Delete) -> Signature:
    """DELETE."""
    return (entry("delete", name(op.table), only=op.only, **_rows(op), **_filter(op)),)


@reader(o.Merge)
def merge(op: o.Merge) -> Signature:
    """MERGE."""
    return (entry("merge", name(op.table), actions=op.actions, only=op.only, **_rows(op)),)


@reader(o.Select)
def select(op: o.Select) -> Signature:
    """SELECT, VALUES, TABLE."""
    return (entry("select", **query(op.query)),)


@reader(o.Copy)
def copy(op: o.Copy) -> Signature:
    """COPY. PostgreSQL reads STDIN and STDOUT as one, the client."""
    details: dict[str, object] = query(op.query) if op.query is not None else {}
    details.pop("filtered", None)
    endpoint = "client" if op.endpoint in ("stdin", "stdout") else op.endpoint
    return (entry("copy", name(op.table), source=op.source, endpoint=endpoint, columns=op.columns, where=op.filtered, **details),)


@reader(o.Call)
def call(op: o.Call) -> Signature:
    """CALL."""
    return (entry("call", name(op.procedure)),)


@reader(o.Do)
def do(op: o.Do) -> Signature:
    """DO."""
    return (entry("do", language=op.language),)


@reader(o.Explain)
def explain(op: o.Explain) -> Signature:
    """EXPLAIN."""
    return (entry("explain", analyze=op.analyze),)


@reader(o.Prepare)
def prepare(op: o.Prepare) -> Signature:
    """PREPARE."""
    return (entry("prepare", op.name), *(line for item in op.prepared for line in operation(item)))


@reader(o.Execute)
def execute(op: o.Execute) -> Signature:
    """EXECUTE."""
    return (entry("execute", op.name),)


def _relations(found: Iterable[o.Relation]) -> list[str]:
    return [f"{'only ' if item.only else ''}{name(item.name)}{_columns(item)}" for item in found]


def _columns(found: o.Relation) -> str:
    return f" ({', '.join(found.columns)})" if found.columns else ""


@reader(o.Truncate)
def truncate(op: o.Truncate) -> Signature:
    """TRUNCATE."""
    return (entry("truncate", tables=_relations(op.tables), restart_identity=op.restart_identity, cascade=op.cascade),)


@reader(o.LockTable)
def lock(op: o.LockTable) -> Signature:
    """LOCK."""
    return (entry("lock", tables=_relations(op.tables), mode=op.mode, nowait=op.nowait),)


@reader(o.Cluster)
def cluster(op: o.Cluster) -> Signature:
    """CLUSTER."""
    return (entry("cluster", name(op.table), index=op.index, options=options(op.options)),)


@reader(o.Reindex)
def reindex(op: o.Reindex) -> Signature:
    """REINDEX."""
    kept = [item for item in op.options if item.name != "concurrently"]
    return (entry("reindex", name(op.name), kind=op.kind, concurrently=op.concurrently, options=options(kept)),)


@reader(o.Vacuum)
def vacuum(op: o.Vacuum) -> Signature:
    """VACUUM."""
    return (entry("vacuum", tables=_relations(op.tables), full=op.full, analyze=op.analyze, options=options(op.options)),)


@reader(o.Analyze)
def analyze(op: o.Analyze) -> Signature:
    """ANALYZE."""
    return (entry("analyze", tables=_relations(op.tables), options=options(op.options)),)


@reader(o.Begin)
def begin(op: o.Begin) -> Signature:
    """BEGIN."""
    return (entry("begin", modes=op.modes),)


@reader(o.Commit, o.Rollback)
def end_of_transaction(op: o.Commit | o.Rollback) -> Signature:
    """COMMIT, ROLLBACK."""
    return (entry("commit" if isinstance(op, o.Commit) else "rollback", chain=op.chain),)


@reader(o.Savepoint, o.RollbackTo, o.Release)
def savepoint(op: o.Savepoint | o.RollbackTo | o.Release) -> Signature:
    """SAVEPOINT, ROLLBACK TO, RELEASE."""
    return (entry({o.Savepoint: "savepoint", o.RollbackTo: "rollback to", o.Release: "release"}[type(op)], op.name),)


@reader(o.TwoPhase)
def two_phase(op: o.TwoPhase) -> Signature:
    """PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED."""
    return (entry(op.action, op.identifier),)


@reader(o.SetTransaction)
def set_transaction(op: o.SetTransaction) -> Signature:
    """SET TRANSACTION, SET SESSION CHARACTERISTICS."""
    return (entry("set transaction", modes=op.modes, session=op.session),)


@reader(o.SetConstraints)
def set_constraints(op: o.SetConstraints) -> Signature:
    """SET CONSTRAINTS."""
    return (entry("set constraints", names=names(op.constraints), deferred=op.deferred),)


@reader(o.SetVariable)
def set_variable(op: o.SetVariable) -> Signature:
    """SET."""
    value = None if op.value is None else spaceless_sign(op.value)
    if op.variable == "xmloption" and value is not None:
        value = value.upper()
    return (entry("set", op.variable, value=value, local=op.local),)


@reader(o.ResetVariable)
def reset_variable(op: o.ResetVariable) -> Signature:
    """RESET."""
    return (entry("reset", op.variable or "all"),)


@reader(o.Discard)
def discard(op: o.Discard) -> Signature:
    """DISCARD."""
    return (entry("discard", op.target),)


@reader(o.AlterSystem)
def alter_system(op: o.AlterSystem) -> Signature:
    """ALTER SYSTEM."""
    return (entry("alter system", op.variable, reset=op.reset),)


@reader(o.Utility)
def utility(op: o.Utility) -> Signature:
    """A statement of which only the words are compared."""
    return (entry("utility", op.command, name=op.name),)


@reader(o.PsqlCommand)
def psql_command(op: o.PsqlCommand) -> Signature:
    """A psql meta-command, which PostgreSQL never sees."""
    return (entry("psql", op.command),)


@reader(o.OpaqueCode)
def opaque_code(op: o.OpaqueCode) -> Signature:
    """Code that cannot be read."""
    return (entry("opaque", op.reason),)


@reader(o.CutIdentifier)
def cut_identifier(op: o.CutIdentifier) -> Signature:
    """A truncated name. The entries of the other operations show whether they have the name that PostgreSQL keeps."""
    return ()


@reader(o.Repack)
def repack(op: o.Repack) -> Signature:
    """An operation of PostgreSQL 19, which the other grammar does not have."""
    return (entry("release 19", type(op).__name__),)


@reader(o.FeatureUse)
def feature_use(op: o.FeatureUse) -> Signature:
    """The use of a feature. The entries of the other operations have it."""
    return ()


@reader(o.Broken)
def broken(op: o.Broken) -> Signature:
    """A syntax error."""
    return (entry("broken", op.found, expected=op.expected),)


@reader(o.Unparsed)
def unparsed(op: o.Unparsed) -> Signature:
    """A statement that migsafe cannot read."""
    return (entry("unparsed", op.reason),)
