"""Signatures of migsafe's operations."""

from collections.abc import Sequence

from migsafe.sql import operations as o
from tests.sql.signatures.words import Line, Signature, flags, many, several, type_word


def signature_of_operations(operations: Sequence[o.Operation]) -> Signature:
    """The signature of one statement's operations; what only set_config() tells is left out, for the parse tree does not say it."""
    return [line(operation) for operation in operations if not _is_left_out(operation, operations)]


def _is_left_out(operation: o.Operation, all_of_them: Sequence[o.Operation]) -> bool:
    is_set_config = isinstance(operation, o.SetVariable) and isinstance(all_of_them[0], o.Select)
    return is_set_config or isinstance(operation, o.CutIdentifier)


def name(value: o.Name | None) -> str:
    """A name, dotted."""
    return ".".join(part for part in (value.catalog, value.schema, value.name) if part is not None) if value else ""


def names(values: Sequence[o.Name]) -> str:
    """Names in their order."""
    return many(name(value) for value in values)


def type_name(value: o.TypeName | None) -> str:
    """A type."""
    return type_word(value.schema, value.name, value.dimensions, value.setof) if value else ""


def constraint(value: o.Constraint) -> str:
    """A constraint with what it is about."""
    text = [value.kind.value, value.name or ""]
    if value.kind in (o.ConstraintKind.PRIMARY_KEY, o.ConstraintKind.UNIQUE, o.ConstraintKind.FOREIGN_KEY, o.ConstraintKind.NOT_NULL):
        text.append(many(value.columns))
    if value.references:
        text += [name(value.references.table), many(value.references.columns), value.references.on_delete, value.references.on_update]
    if value.index:
        text.append("using " + value.index.name)
    text.append(many(value.include))
    text.append(
        flags(
            not_valid=value.not_valid,
            no_inherit=value.no_inherit,
            deferrable=value.deferrable,
            deferred=value.initially_deferred,
            not_enforced=not value.enforced,
            nulls_not_distinct=value.nulls_not_distinct,
            where=value.where,
        )
    )
    return " ".join(text)


def column(value: o.Column) -> str:
    """A column with its type and constraints."""
    extra = flags(default=value.default, identity=value.identity, generated=value.generated, collate=value.collation)
    return f"{value.name} {type_name(value.type)} {extra} [{'; '.join(constraint(item) for item in value.constraints)}]"


def element(value: o.IndexElement) -> str:
    """An index's key."""
    first = "*" if value.nulls_first is None else str(value.nulls_first)
    return f"{value.column or '(expression)'} {name(value.collation)} {name(value.opclass)} {flags(desc=value.descending)} {first}"


def target(op: o.AlterRelation) -> Line:
    """The relation of an ALTER."""
    return (op.target.kind, name(op.target.name), flags(only=op.target.only, if_exists=op.target.if_exists))


def _alter(op: o.AlterRelation) -> Line:
    match op:
        case o.AddColumn():
            rest = ("add column", column(op.column), flags(if_not_exists=op.if_not_exists))
        case o.DropColumn():
            rest = ("drop column", op.column, flags(if_exists=op.if_exists, cascade=op.cascade))
        case o.AlterColumnType():
            rest = ("type", op.column, f"{type_name(op.type)} {flags(using=op.using, collate=op.collation)}")
        case o.AddConstraint():
            rest = ("add constraint", constraint(op.constraint), "")
        case o.DropConstraint():
            rest = ("drop constraint", op.constraint, flags(if_exists=op.if_exists, cascade=op.cascade))
        case o.ValidateConstraint():
            rest = ("validate constraint", op.constraint, "")
        case o.AlterConstraint():
            rest = ("alter constraint", op.constraint, "")
        case o.SetTrigger():
            rest = (f"{op.firing.value} trigger", op.trigger or ("user" if op.user else "all"), "")
        case o.SetRule():
            rest = (f"{op.firing.value} rule", op.rule, "")
        case o.SetRowSecurity():
            rest = (f"{op.action} row security", "", "")
        case o.ClusterOn():
            rest = ("cluster on", op.index or "", "")
        case o.SetLogged():
            rest = ("set logged" if op.logged else "set unlogged", "", "")
        case o.SetOptions():
            what = "options" if op.foreign else "reset" if op.reset else "set"
            rest = (what, many(option.name for option in op.options), "")
        case o.SetOfType():
            rest = ("of", name(op.type), "")
        case o.SetReplicaIdentity():
            rest = ("replica identity", op.identity, op.index or "")
        case o.AttachPartition():
            rest = ("attach partition", name(op.partition), op.bound.kind if op.bound else "")
        case o.DetachPartition():
            rest = ("detach partition", name(op.partition), flags(concurrently=op.concurrently, finalize=op.finalize))
        case o.RenameColumn():
            rest = ("rename column", op.column, op.new_name + flags(cascade=op.cascade))
        case o.RenameConstraint():
            rest = ("rename constraint", op.constraint, op.new_name)
        case o.Inherit() | o.NoInherit():
            rest = (type(op).__name__, name(op.parent), "")
        case o.DropExpression() | o.DropIdentity():
            rest = (type(op).__name__, op.column, flags(if_exists=op.if_exists))
        case o.SetTablespace():
            rest = ("set tablespace", op.tablespace, "")
        case o.SetAccessMethod():
            rest = ("set access method", op.method or "", "")
        case o.SetColumnOptions():
            rest = ("column options" if op.foreign else "SetColumnOptions", op.column, "")
        case _:
            rest = (type(op).__name__, getattr(op, "column", ""), "")
    return ("alter", *target(op), *rest)


def _table(op: o.CreateTable) -> Line:
    return (
        "create table",
        name(op.table),
        flags(if_not_exists=op.if_not_exists, partition_by=op.partition_by, foreign=op.server),
        op.persistence.value,
        many(column(item) for item in op.columns),
        many(constraint(item) for item in op.constraints),
        names([like.table for like in op.likes]),
        names(op.inherits),
        name(op.partition_of),
        op.bound.kind if op.bound else "",
        name(op.of_type),
    )


def _index(op: o.CreateIndex) -> Line:
    set_flags = flags(
        unique=op.unique,
        concurrently=op.concurrently,
        if_not_exists=op.if_not_exists,
        only=op.only,
        where=op.where,
        nulls_not_distinct=op.nulls_not_distinct,
    )
    keys = many(element(item) for item in op.elements)
    include = many(element(item) for item in op.include)
    return ("create index", op.name or "", name(op.table), set_flags, op.method or "btree", keys, include, op.tablespace or "")


def _relations(values: Sequence[o.Relation]) -> str:
    return many(name(value.name) + (" only" if value.only else "") for value in values)


def line(op: o.Operation) -> Line:  # noqa: PLR0915  # one case an operation
    """One operation."""
    match op:
        case o.AlterRelation():
            return _alter(op)
        case o.CreateTable():
            return _table(op)
        case o.CreateIndex():
            return _index(op)
        case o.CreateTableAs():
            return (
                "create table as",
                name(op.table),
                op.persistence.value,
                flags(if_not_exists=op.if_not_exists, no_data=not op.with_data),
                several(name(item) for item in op.query.reads) if op.query else f"execute {op.execute}",
            )
        case o.CreateMaterializedView():
            set_flags = flags(if_not_exists=op.if_not_exists, no_data=not op.with_data, unlogged=op.unlogged)
            return ("create materialized view", name(op.view), set_flags, several(name(item) for item in op.query.reads))
        case o.CreateView():
            set_flags = flags(or_replace=op.or_replace, temporary=op.temporary, check=op.check_option)
            return ("create view", name(op.view), many(op.columns), set_flags, several(name(item) for item in op.query.reads))
        case o.RefreshMaterializedView():
            return ("refresh", name(op.view), flags(concurrently=op.concurrently, no_data=not op.with_data))
        case o.Drop():
            found = op.detail if op.kind in ("cast", "transform", "user mapping") else names(op.names)
            set_flags = flags(if_exists=op.if_exists, cascade=op.cascade, concurrently=op.concurrently)
            return ("drop", _role(op.kind), found, name(op.table), set_flags)
        case o.Rename():
            return ("rename", _role(op.kind), name(op.name), name(op.table), op.new_name, flags(if_exists=op.if_exists))
        case o.SetSchema():
            return ("set schema", op.kind, name(op.name), op.schema, flags(if_exists=op.if_exists))
        case o.SetOwner():
            return ("owner", op.kind, name(op.name), op.owner)
        case o.Comment():
            about = op.detail if op.name is None else name(op.name)
            return ("label" if op.security_label else "comment", op.kind, about, name(op.table), "null" if op.text is None else "")
        case o.Grant():
            about = several(item.name for item in op.objects) if op.kind == "role" else names(op.objects)
            return ("grant", op.kind, many(op.privileges), about, many(op.grantees), flags(revoke=op.revoke, cascade=op.cascade))
        case o.AlterDefaultPrivileges():
            kind = {"routines": "functions"}.get(op.kind, op.kind)  # one and the same to PostgreSQL's grammar
            return ("default privileges", kind, many(op.privileges), many(op.grantees), many(op.schemas), flags(revoke=op.revoke))
        case o.CreateSequence():
            return ("create sequence", name(op.sequence), op.persistence.value, flags(if_not_exists=op.if_not_exists), name(op.owned_by))
        case o.AlterSequence():
            return ("alter sequence", name(op.sequence), flags(if_exists=op.if_exists), name(op.owned_by))
        case o.CreateEnum():
            return ("create enum", name(op.type), many(op.values))
        case o.AddEnumValue():
            return ("add value", name(op.type), op.value, op.before or "", op.after or "", flags(if_not_exists=op.if_not_exists))
        case o.RenameEnumValue():
            return ("rename value", name(op.type), op.value, op.new_name)
        case o.CreateCompositeType():
            return ("create composite", name(op.type), many(f"{item.name} {type_name(item.type)}" for item in op.attributes))
        case o.AlterCompositeType():
            set_flags = flags(if_exists=op.if_exists, cascade=op.cascade)
            return ("alter composite", name(op.type), op.action, op.attribute, type_name(op.data_type), set_flags)
        case o.CreateDomain():
            return ("create domain", name(op.domain), type_name(op.type), many(constraint(item) for item in op.constraints))
        case o.AlterDomain():
            about = constraint(op.constraint) if op.constraint else op.constraint_name or ""
            return ("alter domain", name(op.domain), op.action, about, flags(if_exists=op.if_exists, cascade=op.cascade))
        case o.CreateSchema():
            return ("create schema", op.schema or "", op.owner or "", flags(if_not_exists=op.if_not_exists))
        case o.CreateExtension():
            return ("create extension", op.extension, flags(if_not_exists=op.if_not_exists))
        case o.CreateFunction():
            arguments = many(f"{item.mode} {item.name or ''} {type_name(item.type)} {flags(default=item.default)}" for item in op.arguments)
            returns = type_name(op.returns) if not any(item.mode == "table" for item in op.arguments) else "table"
            rest = (op.language or "", op.volatility or "", flags(or_replace=op.or_replace))
            return ("create", op.kind, name(op.function), arguments, returns, *rest)
        case o.CreateTrigger():
            set_flags = flags(or_replace=op.or_replace, constraint=op.constraint, row=op.row, when=op.when, deferrable=op.deferrable)
            events = several(op.events)
            return ("create trigger", op.trigger, name(op.table), op.timing, events, name(op.function), many(op.columns), set_flags)
        case o.CreateRule():
            return ("create rule", op.rule, name(op.table), op.event, flags(or_replace=op.or_replace, instead=op.instead))
        case o.CreatePolicy():
            set_flags = flags(permissive=op.permissive, using=op.using, check=op.check)
            return ("create policy", op.policy, name(op.table), op.command, many(op.roles) or "public", set_flags)
        case o.AlterPolicy():
            return ("alter policy", op.policy, name(op.table))
        case o.CreateStatistics():
            return ("create statistics", name(op.name), several(name(item) for item in op.tables), flags(if_not_exists=op.if_not_exists))
        case o.Publication():
            return ("publication", op.publication, op.action, names(op.tables), many(op.schemas), flags(all=op.all_tables))
        case o.CreateObject():
            about = op.detail if op.name is None else name(op.name)
            return ("create", _role(op.kind), about, flags(or_replace=op.or_replace, if_not_exists=op.if_not_exists))
        case o.AlterObject():
            about = op.detail if op.name is None else name(op.name)
            return ("alter", _role(op.kind), about)
        case o.MoveAllInTablespace():
            return ("move all", op.kind, op.source, op.destination)
        case o.Insert():
            return ("insert", name(op.table), op.source, many(op.columns), op.on_conflict or "", several(name(item) for item in op.reads))
        case o.Update() | o.Delete():
            set_flags = flags(where=op.where or op.current_of, only=op.only)
            return (type(op).__name__.lower(), name(op.table), set_flags, several(name(item) for item in op.reads))
        case o.Merge():
            return ("merge", name(op.table), many(op.actions), flags(only=op.only), several(name(item) for item in op.reads))
        case o.Select():
            locks = "" if op.query.row_locks is None else "for " + several(name(item) for item in op.query.row_locks)
            return ("select", several(name(item) for item in op.query.reads), locks)
        case o.Copy():
            return ("copy", name(op.table), "from" if op.source else "to", many(op.columns), flags(where=op.filtered))
        case o.Truncate():
            return ("truncate", _relations(op.tables), flags(restart=op.restart_identity, cascade=op.cascade))
        case o.LockTable():
            return ("lock", _relations(op.tables), op.mode, flags(nowait=op.nowait))
        case o.Cluster():
            return ("cluster", name(op.table), op.index or "")
        case o.Reindex():
            return ("reindex", op.kind, name(op.name), flags(concurrently=op.concurrently))
        case o.Vacuum():
            return ("vacuum", many(name(item.name) for item in op.tables), flags(full=op.full, analyze=op.analyze))
        case o.Analyze():
            return ("analyze", many(name(item.name) for item in op.tables))
        case o.Commit() | o.Rollback():
            return (type(op).__name__.lower(), flags(chain=op.chain))
        case o.Savepoint() | o.RollbackTo() | o.Release():
            return (type(op).__name__, op.name)
        case o.TwoPhase():
            return (op.action, op.identifier)
        case o.SetVariable():
            return ("set", op.variable, flags(local=op.local, default=op.value is None))
        case o.ResetVariable():
            return ("reset", op.variable or "all")
        case o.SetConstraints():
            return ("set constraints", names(op.constraints), flags(deferred=op.deferred))
        case o.Discard():
            return ("discard", op.what)
        case o.AlterSystem():
            return ("alter system", op.variable or "all", flags(reset=op.reset))
        case o.Utility():
            return (op.command, op.name)
        case o.Explain():
            return ("explain", flags(analyze=op.analyze))
        case o.Prepare():
            return ("prepare", op.name, str(len(op.prepared)))
        case o.Execute():
            return ("execute", op.name)
        case o.Call():
            return ("call", name(op.procedure))
        case o.Do():
            return ("do", op.language)
        case o.Broken() | o.Unparsed() | o.OpaqueCode():
            return (type(op).__name__.lower(),)
    return (type(op).__name__.lower(),)


def _role(kind: str) -> str:
    return "role" if kind in ("user", "group") else kind
