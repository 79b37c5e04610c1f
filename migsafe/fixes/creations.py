"""What operations create and drop, and the statements that drop it."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name, Operation
from migsafe.sql.operations.values import quoted

_LEAVES_NOTHING = (
    *(sql.ValidateConstraint, sql.Update, sql.Delete, sql.Insert, sql.Select, sql.Do, sql.SetVariable, sql.ResetVariable),
    *(sql.Analyze, sql.Vacuum, sql.Reindex, sql.RefreshMaterializedView, sql.LockTable, sql.Comment),
    *(sql.SetConstraints, sql.Begin, sql.Commit),
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


def drop(creation: Creation, *, concurrently: bool = False, if_exists: bool = False) -> str:
    """Returns the statement that drops a creation, without a semicolon."""
    name, guard = quoted(creation.name.name), "IF EXISTS " if if_exists else ""
    match creation.kind:
        case "index":
            return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{guard}{creation.name}"
        case "table" | "view" | "function" as kind:
            return f"DROP {kind.upper()} {guard}{creation.name}{'()' if kind == 'function' else ''}"
        case "trigger":
            return f"DROP TRIGGER {guard}{name} ON {creation.table}"
        case "partition":
            return f"ALTER TABLE {creation.table} DETACH PARTITION {creation.name}"
        case "not null":
            return f"ALTER TABLE {creation.table} ALTER COLUMN {name} DROP NOT NULL"
    return f"ALTER TABLE {creation.table} DROP {creation.kind.upper()} {guard}{name}"


def leaves_nothing(operation: Operation) -> bool:
    """Whether an operation leaves nothing that a downgrade must undo."""
    # DROP INDEX IF EXISTS removes what a failed build has left behind.
    return isinstance(operation, _LEAVES_NOTHING) or (isinstance(operation, sql.Drop) and operation.kind == "index" and operation.if_exists)
