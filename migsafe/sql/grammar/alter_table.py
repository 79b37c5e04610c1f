"""ALTER TABLE, and ALTER INDEX, VIEW, MATERIALIZED VIEW, FOREIGN TABLE and SEQUENCE, which share its subcommands (alter_table_cmd)."""

from collections.abc import Callable

from migsafe.sql import features
from migsafe.sql.grammar.alter_column import alter_column
from migsafe.sql.grammar.columns import column
from migsafe.sql.grammar.constraints import Attributes, at_constraint, table_constraint
from migsafe.sql.grammar.options import foreign_options, options, sequence_options, uses_options
from migsafe.sql.grammar.parser import Parser
from migsafe.sql.grammar.tables import bound
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterObject,
    AlterSequence,
    AttachPartition,
    Bound,
    ClusterOn,
    DetachPartition,
    DropColumn,
    DropConstraint,
    Firing,
    Inherit,
    MergePartitions,
    MoveAllInTablespace,
    Name,
    NoInherit,
    Operation,
    Rename,
    RenameColumn,
    RenameConstraint,
    SetAccessMethod,
    SetLogged,
    SetOfType,
    SetOptions,
    SetOwner,
    SetReplicaIdentity,
    SetRowSecurity,
    SetRule,
    SetSchema,
    SetTablespace,
    SetTrigger,
    SetWithoutOids,
    SplitPartition,
    Target,
    ValidateConstraint,
)


def alter_relation(c: Parser, start: int, kind: str) -> list[Operation]:
    """Read ALTER TABLE, or ALTER of another `kind` of relation, after the words of the kind; `start` is the statement's first token."""
    if c.accept("all", "in", "tablespace"):
        return [_move_all(c, start, kind)]
    if_exists = c.if_exists()
    only = c.words[c.i] == "only"
    name = c.relation() if kind in ("table", "foreign table") else c.qualified(f"a name of the {kind}")
    target = Target(kind=kind, name=name, only=only, if_exists=if_exists)
    whole = _whole_statement(c, start, target)
    if whole is not None:
        return [whole]
    if kind == "sequence" and (alter_sequence := _sequence(c, start, target)):
        return [alter_sequence]
    operations = [_subcommand(c, target)]
    while c.accept(","):
        operations.append(_subcommand(c, target))
    return operations


def _move_all(c: Parser, start: int, kind: str) -> MoveAllInTablespace:
    source = c.name("a tablespace")
    owners = c.list_of(c.role) if c.accept("owned", "by") else ()
    c.expect("set", "tablespace")
    destination = c.name("a tablespace")
    nowait = c.accept("nowait")
    return MoveAllInTablespace(c.span(start), kind=kind, source=source, destination=destination, owners=owners, nowait=nowait)


def _whole_statement(c: Parser, start: int, target: Target) -> Operation | None:
    """Read an action that is not in a list of subcommands: RENAME, SET SCHEMA, ATTACH or DETACH PARTITION, DEPENDS ON EXTENSION."""
    at = c.i
    if c.accept("rename"):
        return _rename(c, start, target)
    if c.at("set", "schema"):
        c.i += 2
        schema = c.name("a schema")
        return SetSchema(c.span(start), kind=target.kind, name=target.name, schema=schema, if_exists=target.if_exists)
    if c.accept("attach", "partition"):
        partition = c.qualified("a partition")
        values = None if target.kind == "index" else bound(c)
        return AttachPartition(c.span(at), target=target, partition=partition, bound=values)
    if c.accept("merge", "partitions"):
        c.uses(features.MERGE_PARTITIONS)
        merged = c.in_parentheses(lambda: c.qualified("a partition"))
        c.expect("into")
        into = c.qualified("a partition's name")
        return MergePartitions(c.span(at), target=target, partitions=merged, into=into)
    if c.accept("split", "partition"):
        c.uses(features.SPLIT_PARTITION)
        partition = c.qualified("a partition")
        c.expect("into")
        new = c.in_parentheses(lambda: _new_partition(c))
        return SplitPartition(c.span(at), target=target, partition=partition, into=new)
    if c.accept("detach", "partition"):
        partition = c.qualified("a partition")
        concurrently = c.accept("concurrently")
        finalize = not concurrently and c.accept("finalize")
        return DetachPartition(c.span(at), target=target, partition=partition, concurrently=concurrently, finalize=finalize)
    if c.at("depends", "on") or c.at("no", "depends"):
        return depends_on_extension(c, start, target.kind, target)
    return None


def depends_on_extension(c: Parser, start: int, kind: str, target: Target) -> AlterObject:
    """Read [NO] DEPENDS ON EXTENSION."""
    negative = c.accept("no")
    c.expect("depends", "on", "extension")
    extension = c.name("an extension")
    action = "no depends on extension" if negative else "depends on extension"
    return AlterObject(c.span(start), kind=kind, name=target.name, action=action, if_exists=target.if_exists, detail=extension)


def _rename(c: Parser, start: int, target: Target) -> Operation:
    at = c.i - 1
    if c.accept("to"):
        new_name = c.name("a name")
        return Rename(c.span(start), kind=target.kind, name=target.name, new_name=new_name, if_exists=target.if_exists)
    if c.accept("constraint"):
        constraint = c.name("a constraint")
        c.expect("to")
        new_name = c.name("a name")
        return RenameConstraint(c.span(at), target=target, constraint=constraint, new_name=new_name)
    c.accept("column")
    old = c.name("a column, CONSTRAINT or TO")
    c.expect("to")
    new_name = c.name("a name")
    return RenameColumn(c.span(at), target=target, column=old, new_name=new_name)


def _sequence(c: Parser, start: int, target: Target) -> Operation | None:
    settings, owner = sequence_options(c)
    if not settings:
        return None
    return AlterSequence(c.span(start), sequence=target.name, options=settings, owned_by=owner, if_exists=target.if_exists)


def _subcommand(c: Parser, target: Target) -> Operation:
    start = c.i
    reader = _SUBCOMMANDS.get(c.words[start])
    if reader is None:
        c.fail("an ALTER TABLE subcommand")
    c.i += 1
    return reader(c, start, target)


def _add(c: Parser, start: int, target: Target) -> Operation:
    if at_constraint(c):
        constraint = table_constraint(c)
        return AddConstraint(c.span(start), target=target, constraint=constraint)
    c.accept("column")
    if_not_exists = c.if_not_exists()
    added = column(c)
    return AddColumn(c.span(start), target=target, column=added, if_not_exists=if_not_exists)


def _drop(c: Parser, start: int, target: Target) -> Operation:
    if c.accept("constraint"):
        if_exists = c.if_exists()
        name = c.name("a constraint")
        cascade = c.cascade()
        return DropConstraint(c.span(start), target=target, constraint=name, if_exists=if_exists, cascade=cascade)
    c.accept("column")
    if_exists = c.if_exists()
    name = c.name("a column")
    cascade = c.cascade()
    return DropColumn(c.span(start), target=target, column=name, if_exists=if_exists, cascade=cascade)


def _alter(c: Parser, start: int, target: Target) -> Operation:
    if c.accept("constraint"):
        name = c.name("a constraint")
        inherit = True if c.accept("inherit") else None
        attributes = Attributes().read_all(c)
        if attributes.inherit is False:
            inherit = False
        if inherit is not None:
            c.uses(features.ALTER_CONSTRAINT_INHERIT)
        return AlterConstraint(
            c.span(start),
            target=target,
            constraint=name,
            deferrable=attributes.deferrable,
            initially_deferred=attributes.deferred,
            enforced=attributes.enforced,
            inherited_by_children=inherit,
        )
    c.accept("column")
    name = c.number("a column") if c.words[c.i] == "0" else c.name("a column")
    return alter_column(c, start, target, name)


def _validate(c: Parser, start: int, target: Target) -> Operation:
    c.expect("constraint")
    name = c.name("a constraint")
    return ValidateConstraint(c.span(start), target=target, constraint=name)


def _new_partition(c: Parser) -> tuple[Name, Bound]:
    c.expect("partition")
    name = c.qualified("a partition's name")
    return name, bound(c)


def _firing(c: Parser, start: int, target: Target) -> Operation:
    """Read the rest of ENABLE or DISABLE."""
    enable = c.words[start] == "enable"
    if c.accept("row"):
        c.expect("level", "security")
        return SetRowSecurity(c.span(start), target=target, action="enable" if enable else "disable")
    firing = Firing.ENABLE if enable else Firing.DISABLE
    if enable and c.accept("always"):
        firing = Firing.ALWAYS
    elif enable and c.accept("replica"):
        firing = Firing.REPLICA
    if c.accept("rule"):
        name = c.name("a rule")
        return SetRule(c.span(start), target=target, firing=firing, rule=name)
    c.expect("trigger")
    if firing in (Firing.ENABLE, Firing.DISABLE) and (word := c.accept_any(("all", "user"))):
        return SetTrigger(c.span(start), target=target, firing=firing, trigger=None, user=word == "user")
    name = c.name("a trigger, ALL or USER")
    return SetTrigger(c.span(start), target=target, firing=firing, trigger=name)


def _force(c: Parser, start: int, target: Target) -> Operation:
    c.expect("row", "level", "security")
    return SetRowSecurity(c.span(start), target=target, action="force")


def _no(c: Parser, start: int, target: Target) -> Operation:
    if c.accept("force", "row", "level", "security"):
        return SetRowSecurity(c.span(start), target=target, action="no force")
    c.expect("inherit")
    parent = c.qualified("a table")
    return NoInherit(c.span(start), target=target, parent=parent)


def _inherit(c: Parser, start: int, target: Target) -> Operation:
    parent = c.qualified("a table")
    return Inherit(c.span(start), target=target, parent=parent)


def _cluster(c: Parser, start: int, target: Target) -> Operation:
    c.expect("on")
    index = c.name("an index")
    return ClusterOn(c.span(start), target=target, index=index)


def _owner(c: Parser, start: int, target: Target) -> Operation:
    c.expect("to")
    role = c.role()
    return SetOwner(c.span(start), kind=target.kind, name=target.name, owner=role, if_exists=target.if_exists)


def _replica(c: Parser, start: int, target: Target) -> Operation:
    c.expect("identity")
    if c.accept("using", "index"):
        index = c.name("an index")
        return SetReplicaIdentity(c.span(start), target=target, identity="index", index=index)
    identity = c.expect_any("default", "full", "nothing")
    return SetReplicaIdentity(c.span(start), target=target, identity=identity)


def _of(c: Parser, start: int, target: Target) -> Operation:
    name = c.qualified("a type")
    return SetOfType(c.span(start), target=target, type=name)


def _not(c: Parser, start: int, target: Target) -> Operation:
    c.expect("of")
    return SetOfType(c.span(start), target=target, type=None)


def _reset(c: Parser, start: int, target: Target) -> Operation:
    settings = options(c)
    return SetOptions(c.span(start), target=target, options=settings, reset=True)


def _foreign(c: Parser, start: int, target: Target) -> Operation:
    c.i = start
    settings = foreign_options(c)
    return SetOptions(c.span(start), target=target, options=settings, foreign=True)


def _set(c: Parser, start: int, target: Target) -> Operation:
    if c.words[c.i] == "(":
        settings = options(c)
        uses_options(c, "a view" if target.kind == "view" else "a table", settings)
        return SetOptions(c.span(start), target=target, options=settings)
    if c.accept("tablespace"):
        space = c.name("a tablespace")
        return SetTablespace(c.span(start), target=target, tablespace=space)
    if c.accept("access", "method"):
        c.uses(features.SET_ACCESS_METHOD)
        method = None if c.accept("default") else c.name("an access method")
        if method is None:
            c.uses(features.ACCESS_METHOD_DEFAULT)
        return SetAccessMethod(c.span(start), target=target, method=method)
    if c.accept("without", "cluster"):
        return ClusterOn(c.span(start), target=target, index=None)
    if c.accept("without", "oids"):
        return SetWithoutOids(c.span(start), target=target)
    word = c.expect_any("logged", "unlogged", "schema", "tablespace", "access", "without", "(")
    if word not in ("logged", "unlogged"):
        c.fail("a setting of the table")
    if target.kind == "sequence":
        c.uses(features.UNLOGGED_SEQUENCE)
    return SetLogged(c.span(start), target=target, logged=word == "logged")


_SUBCOMMANDS: dict[str, Callable[[Parser, int, Target], Operation]] = {
    "add": _add,
    "drop": _drop,
    "alter": _alter,
    "validate": _validate,
    "enable": _firing,
    "disable": _firing,
    "force": _force,
    "no": _no,
    "inherit": _inherit,
    "cluster": _cluster,
    "owner": _owner,
    "replica": _replica,
    "of": _of,
    "not": _not,
    "reset": _reset,
    "options": _foreign,
    "set": _set,
}
