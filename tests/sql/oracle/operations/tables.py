"""Tables, indexes, views and sequences, and ALTER of them."""

from collections.abc import Iterable
from typing import Any

from migsafe.sql import operations as o
from tests.sql.oracle.data_types import operation_type
from tests.sql.oracle.entry import Entry, Signature, entry
from tests.sql.oracle.operations.registry import expression, name, names, options, query, reader, sequence_options
from tests.sql.oracle.shapes import expression_shape
from tests.sql.oracle.trees.columns import LIKE_OPTIONS


def column(found: o.Column, kind: str = "column") -> Signature:
    """A column's definition, then its constraints."""
    generated = found.generated
    details = {
        **expression("default", found.default),
        **expression("generated", generated.expression if generated else None),
        "stored": None if generated is None else "stored" if generated.stored else "virtual",
    }
    header = entry(
        kind,
        found.name,
        type=operation_type(found.type),
        identity=None if found.identity is None else identity(found.identity),
        collate=name(found.collation),
        storage=found.storage,
        compression=found.compression,
        options=options(found.options),
        **details,
    )
    return (header, *(line for item in found.constraints for line in constraint(item)))


def identity(found: o.Identity) -> str:
    """GENERATED … AS IDENTITY, with the sequence's options."""
    return " ".join(("always" if found.always else "by default", *sequence_options(found.options)))


def constraint(found: o.Constraint) -> Signature:
    """A constraint, then the keys of an EXCLUDE."""
    reference = found.references
    details: dict[str, object] = {}
    if reference is not None:
        details = {
            "references": name(reference.table),
            "referenced": reference.columns,
            "match": None if reference.match == "simple" else reference.match,
            "on_delete": None if reference.on_delete == "no action" else reference.on_delete,
            "on_update": None if reference.on_update == "no action" else reference.on_update,
        }
    return (
        entry(
            "constraint",
            found.name,
            kind=found.kind.value,
            columns=found.columns,
            index=None if found.index is None else found.index.name,
            include=found.include,
            method=found.method if found.method != "btree" else None,
            options=options(found.options),
            tablespace=found.tablespace,
            nulls_not_distinct=found.nulls_not_distinct,
            not_valid=found.not_valid and found.enforced,
            no_inherit=found.no_inherit,
            deferrable=found.deferrable or found.initially_deferred,
            initially_deferred=found.initially_deferred,
            not_enforced=not found.enforced,
            period=found.period,
            **details,
            **expression("check", found.check),
            **expression("where", found.where),
        ),
        *(key(item) for item in found.elements),
    )


def key(found: o.IndexElement, kind: str = "key") -> Entry:
    """A key of an index, of an EXCLUDE constraint or of PARTITION BY."""
    operator = found.operator
    if operator is not None:
        operator = "".join(operator.removeprefix("OPERATOR").strip("() ").split())
    return entry(
        kind,
        found.column,
        collate=name(found.collation),
        opclass=name(found.opclass),
        opclass_options=options(found.opclass_options),
        descending=found.descending,
        nulls={True: "first", False: "last", None: None}[found.nulls_first],
        operator=operator,
        **expression("expression", found.expression),
    )


def _like(found: o.Like) -> Entry:
    included: set[str] = set()
    for item in found.options:
        verb, what = item.split(" ")
        words = LIKE_OPTIONS if what == "all" else [what]
        included = included.union(words) if verb == "including" else included.difference(words)
    return entry("like", name(found.table), including=tuple(word for word in LIKE_OPTIONS if word in included))


def bound(found: o.Bound | None) -> Signature:
    """FOR VALUES … or DEFAULT."""
    if found is None:
        return ()
    match found.kind:
        case "in":
            return (entry("bound", "in", values=_values(found.start)),)
        case "range":
            return (entry("bound", "range", start=_values(found.start), end=_values(found.end)),)
        case "hash":
            parts = {part.split(" ")[0]: part.split(" ", 1)[1] for part in found.start}
            return (entry("bound", "hash", **parts),)
    return (entry("bound", found.kind),)


def _values(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(expression_shape(text) for text in texts)


def persistence(found: o.Persistence) -> dict[str, object]:
    """Whether a relation is temporary or unlogged."""
    return {"temporary": found is o.Persistence.TEMPORARY, "unlogged": found is o.Persistence.UNLOGGED}


@reader(o.CreateTable)
def create_table(op: o.CreateTable) -> Signature:
    """CREATE TABLE and CREATE FOREIGN TABLE."""
    partition_by = op.partition_by
    keys = () if partition_by is None else (entry("partition by", partition_by.strategy), *(key(item) for item in partition_by.elements))
    return (
        entry(
            "create table",
            name(op.table),
            **persistence(op.persistence),
            if_not_exists=op.if_not_exists,
            method=op.method,
            options=options(op.options),
            on_commit=op.on_commit,
            tablespace=op.tablespace,
            of=name(op.of_type),
            inherits=names(op.inherits),
            partition_of=name(op.partition_of),
            server=op.server,
        ),
        *(line for item in op.columns for line in column(item)),
        *(line for item in op.constraints for line in constraint(item)),
        *(_like(item) for item in op.likes),
        *bound(op.bound),
        *keys,
    )


def _new_table(op: o.CreateTableAs | o.CreateMaterializedView) -> dict[str, object]:
    return {
        "columns": op.columns,
        "if_not_exists": op.if_not_exists,
        "method": op.method,
        "options": options(op.options),
        "tablespace": op.tablespace,
        "with_no_data": not op.with_data,
    }


@reader(o.CreateTableAs)
def create_table_as(op: o.CreateTableAs) -> Signature:
    """CREATE TABLE AS and SELECT INTO."""
    details = {**_new_table(op), **persistence(op.persistence), "on_commit": op.on_commit, "execute": op.execute}
    return (entry("create table as", name(op.table), **details, **(query(op.query) if op.query else {})),)


@reader(o.CreateMaterializedView)
def create_materialized_view(op: o.CreateMaterializedView) -> Signature:
    """CREATE MATERIALIZED VIEW."""
    return (entry("create materialized view", name(op.view), unlogged=op.unlogged, **_new_table(op), **query(op.query)),)


@reader(o.CreateIndex)
def create_index(op: o.CreateIndex) -> Signature:
    """CREATE INDEX."""
    return (
        entry(
            "create index",
            op.name,
            table=name(op.table),
            only=op.only,
            unique=op.unique,
            concurrently=op.concurrently,
            if_not_exists=op.if_not_exists,
            method=op.method if op.method != "btree" else None,
            nulls_not_distinct=op.nulls_not_distinct,
            options=options(op.options),
            tablespace=op.tablespace,
            **expression("where", op.where),
        ),
        *(key(item) for item in op.elements),
        *(key(item, "include") for item in op.include),
    )


@reader(o.CreateView)
def create_view(op: o.CreateView) -> Signature:
    """CREATE VIEW."""
    return (
        entry(
            "create view",
            name(op.view),
            columns=op.columns,
            or_replace=op.or_replace,
            temporary=op.temporary,
            recursive=op.recursive,
            options=options(op.options),
            check_option=op.check_option,
            **query(op.query),
        ),
    )


@reader(o.RefreshMaterializedView)
def refresh(op: o.RefreshMaterializedView) -> Signature:
    """REFRESH MATERIALIZED VIEW."""
    return (entry("refresh", name(op.view), concurrently=op.concurrently, with_no_data=not op.with_data),)


@reader(o.CreateSequence)
def create_sequence(op: o.CreateSequence) -> Signature:
    """CREATE SEQUENCE."""
    return (
        entry(
            "create sequence",
            name(op.sequence),
            **persistence(op.persistence),
            if_not_exists=op.if_not_exists,
            options=sequence_options(op.options),
            owned_by=name(op.owned_by),
        ),
    )


@reader(o.AlterSequence)
def alter_sequence(op: o.AlterSequence) -> Signature:
    """ALTER SEQUENCE with options."""
    return (
        entry(
            "alter sequence",
            name(op.sequence),
            if_exists=op.if_exists,
            options=sequence_options(op.options),
            owned_by=name(op.owned_by),
        ),
    )


@reader(o.CreateStatistics)
def create_statistics(op: o.CreateStatistics) -> Signature:
    """CREATE STATISTICS."""
    return (entry("create statistics", name(op.name), kinds=op.kinds, tables=names(op.tables), if_not_exists=op.if_not_exists),)


def subcommand(op: Any) -> Signature:  # one case a subcommand
    """Return the entries of a subcommand of ALTER TABLE or ALTER of another relation."""
    match op:
        case o.AddColumn():
            return (entry("add column", if_not_exists=op.if_not_exists), *column(op.column))
        case o.DropColumn():
            return (entry("drop column", op.column, if_exists=op.if_exists, cascade=op.cascade),)
        case o.AlterColumnType():
            details = {"type": operation_type(op.type), "collate": name(op.collation), **expression("using", op.using)}
            return (entry("alter type", op.column, **details),)
        case o.SetDefault():
            return (entry("set default", op.column, **expression("default", op.default)),)
        case o.DropDefault():
            return (entry("drop default", op.column),)
        case o.SetNotNull():
            return (entry("set not null", column=op.column),)
        case o.DropNotNull():
            return (entry("drop not null", column=op.column),)
        case o.SetExpression():
            return (entry("set expression", op.column, **expression("expression", op.expression)),)
        case o.DropExpression():
            return (entry("drop expression", op.column, if_exists=op.if_exists),)
        case o.AddIdentity():
            return (entry("add identity", op.column, identity=identity(op.identity)),)
        case o.SetIdentity():
            generated = {True: "always", False: "by default", None: None}[op.always]
            return (entry("set identity", op.column, generated=generated, options=sequence_options(op.options)),)
        case o.DropIdentity():
            return (entry("drop identity", op.column, if_exists=op.if_exists),)
        case o.SetStatistics():
            return (entry("set statistics", op.column, value=op.value),)
        case o.SetStorage():
            return (entry("set storage", op.column, value=op.storage),)
        case o.SetCompression():
            return (entry("set compression", op.column, value=op.method),)
        case o.SetColumnOptions():
            return (entry("foreign column options" if op.foreign else "set column options", op.column, options=options(op.options)),)
        case o.ResetColumnOptions():
            return (entry("reset column options", op.column, options=options(op.options)),)
        case o.AddConstraint():
            return (entry("add constraint"), *constraint(op.constraint))
        case o.AlterConstraint():
            return (_alter_constraint(op),)
        case o.ValidateConstraint():
            return (entry("validate constraint", constraint=op.constraint),)
        case o.DropConstraint():
            return (entry("drop constraint", op.constraint, if_exists=op.if_exists, cascade=op.cascade),)
        case o.SetTrigger():
            what = "" if op.trigger is not None else " user" if op.user else " all"
            return (entry(f"trigger {op.firing.value}{what}", **({"name": op.trigger} if op.trigger is not None else {})),)
        case o.SetRule():
            return (entry(f"rule {op.firing.value}", name=op.rule),)
        case o.SetRowSecurity():
            return (entry(f"row security {op.action}"),)
        case o.ClusterOn():
            return (entry("cluster on", index=op.index),)
        case o.SetWithoutOids():
            return (entry("set without oids"),)
        case o.SetAccessMethod():
            return (entry("set access method", method=op.method),)
        case o.SetTablespace():
            return (entry("set tablespace", tablespace=op.tablespace),)
        case o.SetLogged():
            return (entry("set logged" if op.logged else "set unlogged"),)
        case o.SetOptions():
            words = "foreign options" if op.foreign else "reset options" if op.reset else "set options"
            return (entry(words, options=options(op.options)),)
        case o.Inherit():
            return (entry("inherit", name(op.parent)),)
        case o.NoInherit():
            return (entry("no inherit", name(op.parent)),)
        case o.SetOfType():
            return (entry("of", name(op.type)),)
        case o.SetReplicaIdentity():
            return (entry("replica identity", op.identity, index=op.index),)
        case o.AttachPartition():
            return (entry("attach partition", name(op.partition)), *bound(op.bound))
        case o.DetachPartition():
            return (entry("detach partition", name(op.partition), concurrently=op.concurrently, finalize=op.finalize),)
        case o.MergePartitions() | o.SplitPartition():
            return (entry("release 19", type(op).__name__),)
        case o.RenameColumn():
            return (entry("rename column", op.column, new_name=op.new_name, cascade=op.cascade),)
        case o.RenameConstraint():
            return (entry("rename constraint", op.constraint, new_name=op.new_name),)
    raise NotImplementedError(type(op).__name__)


def _alter_constraint(op: o.AlterConstraint) -> Entry:
    details: dict[str, object] = {}
    if op.deferrable is not None or op.initially_deferred is not None:
        details["deferrability"] = f"{bool(op.deferrable or op.initially_deferred)} {bool(op.initially_deferred)}"
    if op.enforced is not None:
        details["enforced"] = str(op.enforced)
    if op.inherited_by_children is not None:
        details["inherit"] = str(op.inherited_by_children)
    return entry("alter constraint", op.constraint, **details)


@reader(*o.AlterRelation.__subclasses__())
def alter_relation(op: o.AlterRelation) -> Signature:
    """A subcommand of ALTER TABLE or ALTER of another relation."""
    target = op.target
    return (entry(f"alter {target.kind}", name(target.name), only=target.only, if_exists=target.if_exists), *subcommand(op))


@reader(o.MoveAllInTablespace)
def move_all(op: o.MoveAllInTablespace) -> Signature:
    """ALTER … ALL IN TABLESPACE."""
    return (entry("move all in tablespace", op.source, kind=op.kind, destination=op.destination, owners=op.owners, nowait=op.nowait),)
