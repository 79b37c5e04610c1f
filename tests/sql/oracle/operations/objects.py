"""Operations on types, routines, roles and other objects that are not relations, and statements for objects of any kind."""

from typing import Any

from migsafe.sql import operations as o
from tests.sql.oracle.data_types import operation_type
from tests.sql.oracle.entry import Signature, entry
from tests.sql.oracle.operations.registry import (
    detail,
    expression,
    name,
    names,
    object_kind,
    options,
    reader,
    reparsed,
    routine_arguments,
)
from tests.sql.oracle.operations.tables import column, constraint
from tests.sql.oracle.shapes import shape
from tests.sql.oracle.trees import statement


@reader(o.CreateEnum)
def create_enum(op: o.CreateEnum) -> Signature:
    """CREATE TYPE … AS ENUM."""
    return (entry("create enum", name(op.type), values=[repr(value) for value in op.values]),)


@reader(o.AddEnumValue)
def add_enum_value(op: o.AddEnumValue) -> Signature:
    """ALTER TYPE … ADD VALUE."""
    place = f"before {op.before!r}" if op.before is not None else f"after {op.after!r}" if op.after is not None else None
    return (entry("add enum value", name(op.type), value=repr(op.value), if_not_exists=op.if_not_exists, place=place),)


@reader(o.RenameEnumValue)
def rename_enum_value(op: o.RenameEnumValue) -> Signature:
    """ALTER TYPE … RENAME VALUE."""
    return (entry("rename enum value", name(op.type), value=repr(op.value), new_name=repr(op.new_name)),)


@reader(o.CreateCompositeType)
def create_composite_type(op: o.CreateCompositeType) -> Signature:
    """CREATE TYPE … AS (…)."""
    return (entry("create composite type", name(op.type)), *(line for item in op.attributes for line in column(item, "attribute")))


@reader(o.AlterCompositeType)
def alter_composite_type(op: o.AlterCompositeType) -> Signature:
    """ALTER TYPE … ADD, DROP, ALTER ATTRIBUTE."""
    details = {"attribute": op.attribute, "type": operation_type(op.data_type), "if_exists": op.if_exists, "cascade": op.cascade}
    return (entry(f"{op.action} attribute", name(op.type), **details),)


@reader(o.CreateDomain)
def create_domain(op: o.CreateDomain) -> Signature:
    """CREATE DOMAIN."""
    details = {"type": operation_type(op.type), "collate": name(op.collation), **expression("default", op.default)}
    return (entry("create domain", name(op.domain), **details), *(line for item in op.constraints for line in constraint(item)))


@reader(o.AlterDomain)
def alter_domain(op: o.AlterDomain) -> Signature:
    """ALTER DOMAIN."""
    return (
        entry(
            "alter domain",
            name(op.domain),
            action=op.action,
            constraint=op.constraint_name,
            if_exists=op.if_exists,
            cascade=op.cascade,
            **expression("default", op.default),
        ),
        *(constraint(op.constraint) if op.constraint is not None else ()),
    )


@reader(o.CreateSchema)
def create_schema(op: o.CreateSchema) -> Signature:
    """CREATE SCHEMA."""
    return (entry("create schema", op.schema, if_not_exists=op.if_not_exists, owner=op.owner),)


@reader(o.CreateExtension)
def create_extension(op: o.CreateExtension) -> Signature:
    """CREATE EXTENSION."""
    details = {"schema": op.schema, "version": op.version, "cascade": op.cascade}
    return (entry("create extension", op.extension, if_not_exists=op.if_not_exists, **details),)


_SAME = {"returns null on null input": "strict"}


def _routine_option(found: o.Option) -> str:
    if found.name == "set":
        node = reparsed(f"SET {found.value}")
        return f"set {found.value if node is None else shape(node)}"
    if found.name == "transform":
        types = [reparsed(f"SELECT NULL::{item.strip().removeprefix('for type ')}") for item in str(found.value).split(",")]
        return f"transform {[item and shape(item.targetList[0].val.typeName) for item in types]}"
    if found.name == "parallel" or found.value is None:
        return f"parallel {found.value}" if found.value is not None else _SAME.get(found.name, found.name)
    return f"{found.name} {found.value}"


@reader(o.CreateFunction)
def create_function(op: o.CreateFunction) -> Signature:
    """CREATE FUNCTION and PROCEDURE."""
    return (
        entry(
            f"create {op.kind}",
            name(op.function),
            returns=operation_type(op.returns),
            or_replace=op.or_replace,
            language=op.language,
            volatility=op.volatility,
            body=op.body is not None,
            options=sorted(_routine_option(item) for item in op.options),
        ),
        *(
            entry("argument", item.name, type=operation_type(item.type), mode=item.mode, **expression("default", item.default))
            for item in op.arguments
        ),
    )


@reader(o.CreateTrigger)
def create_trigger(op: o.CreateTrigger) -> Signature:
    """CREATE TRIGGER."""
    return (
        entry(
            "create trigger",
            op.trigger,
            table=name(op.table),
            timing=op.timing,
            events=sorted(set(op.events)),
            function=name(op.function),
            or_replace=op.or_replace,
            constraint=op.constraint,
            row=op.row,
            columns=op.columns,
            references=name(op.references),
            deferrable=op.deferrable or op.initially_deferred,
            initially_deferred=op.initially_deferred,
            **expression("when", op.when),
        ),
    )


@reader(o.CreateRule)
def create_rule(op: o.CreateRule) -> Signature:
    """CREATE RULE."""
    return (entry("create rule", op.rule, table=name(op.table), event=op.event, or_replace=op.or_replace, instead=op.instead),)


@reader(o.CreatePolicy)
def create_policy(op: o.CreatePolicy) -> Signature:
    """CREATE POLICY. Without TO it is for PUBLIC."""
    return (
        entry(
            "create policy",
            op.policy,
            table=name(op.table),
            permissive=op.permissive,
            command=op.command,
            roles=op.roles or ("public",),
            **expression("using", op.using),
            **expression("check", op.check),
        ),
    )


@reader(o.AlterPolicy)
def alter_policy(op: o.AlterPolicy) -> Signature:
    """ALTER POLICY."""
    details = {**expression("using", op.using), **expression("check", op.check)}
    return (entry("alter policy", op.policy, table=name(op.table), roles=op.roles, **details),)


@reader(o.Publication)
def publication(op: o.Publication) -> Signature:
    """CREATE and ALTER PUBLICATION."""
    return (
        entry(
            "publication",
            op.publication,
            action=op.action,
            options=options(op.options),
            tables=names(op.tables),
            schemas=op.schemas,
            all_tables=op.all_tables,
        ),
    )


@reader(o.CreateObject)
def create_object(op: o.CreateObject) -> Signature:
    """CREATE of anything else."""
    details: dict[str, object] = {"form": op.detail} if op.kind == "type" else detail(op.kind, op.detail)
    return (entry("create", name(op.name), kind=op.kind, or_replace=op.or_replace, if_not_exists=op.if_not_exists, **details),)


@reader(o.AlterObject)
def alter_object(op: o.AlterObject) -> Signature:
    """ALTER of which only the first words are compared."""
    details: dict[str, object] = {"kind": object_kind(op.kind), "action": op.action}
    if op.kind == "database" and op.action == "set tablespace":
        details["action"] = "options"  # the same to PostgreSQL's grammar
    more: Signature = ()
    if op.kind in ("function", "procedure", "routine") and op.action == "options":
        node = reparsed(f"ALTER {op.kind} f() {op.detail}")
        details["detail"] = f"no options: {op.detail}" if node is None else shape(node.actions)
    elif op.kind == "extension" and op.action in ("add", "drop"):
        node = reparsed(f"ALTER EXTENSION e {op.action} {op.detail}")
        more = (entry(f"no member: {op.detail}"),) if node is None else statement(node)[1:]
    elif op.kind == "type" and op.action == "set":
        node = reparsed(f"ALTER TYPE t SET {op.detail}")
        details["options"] = _altered_type(op.detail, node)
    elif op.kind == "operator":
        details["arguments"] = routine_arguments("operator", op.detail)
    elif "depends on extension" in op.action:
        details["detail"] = op.detail
    else:
        details |= detail(op.kind, op.detail)
    # PostgreSQL's grammar accepts IF EXISTS in few of these, and its trees have it in fewer.
    if op.kind == "statistics" and op.action == "set statistics":
        details["if_exists"] = op.if_exists
    return (entry("alter", name(op.name), **details), *more)


def _altered_type(text: str, node: Any) -> object:
    if node is None:
        return f"no options: {text}"
    for part in statement(node)[0]:
        if part.startswith("options ("):
            return part.removeprefix("options (").removesuffix(")").split(", ")
    return ()


@reader(o.Drop)
def drop(op: o.Drop) -> Signature:
    """DROP."""
    details = detail(op.kind, op.detail)
    if op.kind in ("function", "procedure", "routine", "aggregate", "operator"):
        details["arguments"] = [routine_arguments(op.kind, text) for text in op.arguments]
    return (
        entry(
            "drop",
            kind=object_kind(op.kind),
            names=names(op.names),
            if_exists=op.if_exists,
            cascade=op.cascade,
            concurrently=op.concurrently,
            table=name(op.table),
            **details,
        ),
    )


@reader(o.Rename)
def rename(op: o.Rename) -> Signature:
    """RENAME TO."""
    details = {"kind": object_kind(op.kind), "new_name": op.new_name, "if_exists": op.if_exists, "table": name(op.table)}
    return (entry("rename", name(op.name), **details),)


@reader(o.SetSchema)
def set_schema(op: o.SetSchema) -> Signature:
    """SET SCHEMA."""
    return (entry("set schema", name(op.name), kind=op.kind, schema=op.schema, if_exists=op.if_exists),)


@reader(o.SetOwner)
def set_owner(op: o.SetOwner) -> Signature:
    """OWNER TO."""
    return (entry("set owner", name(op.name), kind=op.kind, owner=op.owner, if_exists=op.if_exists),)


@reader(o.Comment)
def comment(op: o.Comment) -> Signature:
    """COMMENT and SECURITY LABEL."""
    details: dict[str, object] = detail(op.kind, op.detail) if op.detail != "domain" else {"domain": True}
    if op.provider is not None:
        details["provider"] = op.provider
    text = None if op.text is None else repr(op.text)
    kind = "security label" if op.security_label else "comment"
    return (entry(kind, name(op.name), kind=object_kind(op.kind), table=name(op.table), text=text, **details),)


@reader(o.Grant)
def grant(op: o.Grant) -> Signature:
    """GRANT and REVOKE."""
    objects = names(op.objects)
    if op.kind == "parameter":
        objects = tuple(".".join(part for part in (item.catalog, item.schema, item.name) if part is not None).lower() for item in op.objects)
    return (
        entry(
            "revoke" if op.revoke else "grant",
            kind="server" if op.kind == "foreign server" else op.kind,
            privileges=op.privileges,
            objects=objects,
            grantees=op.grantees,
            grant_option=op.grant_option,
            cascade=op.cascade,
            columns=op.columns,
        ),
    )


@reader(o.AlterDefaultPrivileges)
def alter_default_privileges(op: o.AlterDefaultPrivileges) -> Signature:
    """ALTER DEFAULT PRIVILEGES."""
    return (
        entry(
            "alter default privileges",
            kind={"routines": "functions"}.get(op.kind, op.kind),
            privileges=op.privileges,
            grantees=op.grantees,
            schemas=op.schemas,
            roles=op.roles,
            revoke=op.revoke,
        ),
    )
