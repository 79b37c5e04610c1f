"""What undoes the steps of a fix."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from migsafe.fixes.alembic.steps import Refused, Step
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted

_NOTHING_TO_UNDO = (
    *(sql.ValidateConstraint, sql.Update, sql.Delete, sql.Insert, sql.Select, sql.Do, sql.SetVariable, sql.ResetVariable),
    *(sql.Analyze, sql.Vacuum, sql.Reindex, sql.RefreshMaterializedView, sql.LockTable, sql.Comment),
    sql.SetConstraints,
)


_IN_SCHEMA = ("index", "partition")
"""Kinds whose names are unique without that of a table."""


class Creation(Struct, frozen=True):
    """Something that an operation creates: an index, a table, a view, a function, or what belongs to a `table`: a constraint, a column,
    NOT NULL of a column, a trigger, a partition. `of_kind` is the kind of a constraint."""

    kind: str
    name: Name
    table: Name | None = None
    of_kind: ConstraintKind | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What two operations have in common if one creates it and the other one drops it; schemas are left out, because one may not write
        them."""
        return self.kind, self.name.name, self.table.name if self.table is not None and self.kind not in _IN_SCHEMA else ""


def created_by(operations: Iterable[Operation]) -> Iterator[Creation]:
    """Yields what operations create, as far as it is known what drops it."""
    for op in operations:
        match op:
            case sql.CreateIndex(name=str(name), table=table):
                yield Creation("index", Name(name, table.schema), table)
            case sql.AddConstraint(target=target, constraint=constraint) if constraint.kind is ConstraintKind.NOT_NULL:
                yield Creation("not null", Name(constraint.columns[0]), target.name)
            case sql.AddConstraint(target=target, constraint=constraint) if constraint.name is not None:
                yield Creation("constraint", Name(constraint.name), target.name, constraint.kind)
            case sql.SetNotNull(target=target, column=column):
                yield Creation("not null", Name(column), target.name)
            case sql.AddColumn(target=target, column=column):
                yield Creation("column", Name(column.name), target.name)
            case sql.AttachPartition(target=sql.Target(kind="table") as target, partition=partition):
                yield Creation("partition", partition, target.name)
            case sql.CreateTable(table=table):
                yield Creation("table", table)
            case sql.CreateView(view=view, or_replace=False):
                yield Creation("view", view)
            case sql.CreateFunction(kind="function", function=function, arguments=()):
                yield Creation("function", function)
            case sql.CreateTrigger(trigger=trigger, table=table):
                yield Creation("trigger", Name(trigger), table)


def defined_constraints(operations: Iterable[Operation]) -> Iterator[sql.Constraint]:
    """Yields the constraints that operations define, also those without a name and those of new columns."""
    for op in operations:
        match op:
            case sql.AddConstraint(constraint=constraint):
                yield constraint
            case sql.AddColumn(column=column):
                yield from column.constraints


def dropped_by(operation: Operation) -> Creation | None:
    """Returns what an operation drops."""
    match operation:
        case sql.Drop(kind="index" | "table" | "view" | "function" as kind, names=(name,)):
            return Creation(kind, name)
        case sql.Drop(kind="trigger", names=(name,), table=table):
            return Creation("trigger", name, table)
        case sql.DetachPartition(target=sql.Target(kind="table") as target, partition=partition):
            return Creation("partition", partition, target.name)
        case sql.DropConstraint(target=target, constraint=name):
            return Creation("constraint", Name(name), target.name)
        case sql.DropNotNull(target=target, column=column):
            return Creation("not null", Name(column), target.name)
        case sql.DropColumn(target=target, column=column):
            return Creation("column", Name(column), target.name)
    return None


def drop(creation: Creation, *, concurrently: bool = False) -> str:
    """Returns the statement that drops a creation."""
    name = quoted(creation.name.name)
    match creation.kind:
        case "index":
            return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{creation.name}"
        case "table" | "view" | "function" as kind:
            return f"DROP {kind.upper()} {creation.name}{'()' if kind == 'function' else ''}"
        case "trigger":
            return f"DROP TRIGGER {name} ON {creation.table}"
        case "partition":
            return f"ALTER TABLE {creation.table} DETACH PARTITION {creation.name}"
        case "not null":
            return f"ALTER TABLE {creation.table} ALTER COLUMN {name} DROP NOT NULL"
    return f"ALTER TABLE {creation.table} DROP {creation.kind.upper()} {name}"


def indexes_of_constraints(steps: Iterable[Step]) -> set[str]:
    """Returns the names of the indexes that steps turn into constraints: dropping the constraint drops the index."""
    return {
        op.constraint.index.name
        for step in steps
        for op in step.statement.operations
        if isinstance(op, sql.AddConstraint) and op.constraint.index is not None
    }


def needs_no_undo(step: Step) -> bool:
    """Whether a step leaves nothing that a downgrade must undo."""
    first = step.statement.operations[0]
    # DROP INDEX IF EXISTS removes what a failed build has left behind.
    return isinstance(first, _NOTHING_TO_UNDO) or (isinstance(first, sql.Drop) and first.kind == "index" and first.if_exists)


def undo(step: Step, steps: Sequence[Step]) -> list[str]:
    """Returns the statements that undo a step; `steps` are all those of the fix. Raises Refused."""
    operations = step.statement.operations
    if needs_no_undo(step):
        return []
    if all(isinstance(operation, sql.DropConstraint) for operation in operations):
        dropped = [creation for operation in operations if (creation := dropped_by(operation)) is not None]
        return [_added_by(creation, steps) for creation in reversed(dropped)]
    creations = list(created_by(operations))
    if len(creations) != len(operations):
        raise Refused("it is not known what undoes all of its steps, so the downgrade of the new revision cannot be written")
    return [drop(creation, concurrently=step.outside) for creation in reversed(creations)]


def _added_by(creation: Creation, steps: Iterable[Step]) -> str:
    """Returns the statement of a fix that has added what a later step drops."""
    for step in steps:
        created = list(created_by(step.statement.operations))
        if [each.key for each in created] == [creation.key] and len(step.statement.operations) == 1:
            return step.text
    raise Refused("it is not known what undoes all of its steps, so the downgrade of the new revision cannot be written")
