"""Constraints that a migration drops and adds again under another name."""

from typing import NamedTuple

from msgspec import Struct

from migsafe.linting.rule import Context
from migsafe.schema.objects import Constraint, Index, Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind, DropConstraint
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import Statement


class DroppedConstraint(Struct, frozen=True):
    """A constraint, its index if it has one of its own, and the position of the operation that drops it."""

    position: int
    constraint: Constraint
    index: Index | None


class DroppedConstraints(Struct):
    """A rule's record of the constraints that were dropped."""

    dropped: list[DroppedConstraint] = []


class Rename(NamedTuple):
    """The safe way, as help and as fix, and the statements in whose place it is; no fix if these do something else, too."""

    help: str
    fix: str
    replaces: tuple[Statement, ...]


def record_dropped_constraint(op: DropConstraint, at: Context) -> None:
    """Adds the constraint that an operation drops to the current rule's record."""
    table = at.catalog.relation(op.target.name)
    constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
    if constraint is None or constraint.parent is not None or not constraint.valid or op.cascade:
        return
    own = constraint.index if constraint.kind is not ConstraintKind.FOREIGN_KEY else None
    index = at.catalog.get(own) if own is not None else None
    at.state(DroppedConstraints).dropped.append(DroppedConstraint(at.position, constraint, index if isinstance(index, Index) else None))


def renamed(op: AddConstraint | AddColumn, name: str, at: Context) -> Rename | None:
    """Returns the safe way to add a constraint that the migration has dropped under another name; None if it has not."""
    table = at.catalog.relation(op.target.name)
    if table is None or not isinstance(op, AddConstraint):
        return None
    for dropped in at.state(DroppedConstraints).dropped:
        old = dropped.constraint
        if old.table == table.oid and old.name.name != name and _is_equal(op.constraint, table, dropped, at):
            past = at.past[dropped.position]
            sql = f"ALTER TABLE {op.target.name} RENAME CONSTRAINT {quoted(old.name.name)} TO {quoted(name)};"
            steps = [each.statement for each in at.past if each.statement in (past.statement, at.statement)]
            is_alone = steps == [past.statement] and len(at.statement.operations) == 1
            return Rename(
                help=f"-- {old.name.name} is the same constraint: instead of dropping it, rename it, which reads no rows:\n{sql}",
                fix=f"-- in place of all of them:\n{sql}" if is_alone else "",
                replaces=(past.statement, at.statement) if is_alone else (),
            )
    return None


def _is_equal(new: sql.Constraint, table: Relation, dropped: DroppedConstraint, at: Context) -> bool:
    """Whether a constraint does the same as a dropped one."""
    old = dropped.constraint
    numbers = _numbers(table, new.columns)
    deferral = bool(new.deferrable) or bool(new.initially_deferred), bool(new.initially_deferred)
    if old.kind is not new.kind or numbers != old.columns or new.period or deferral != (old.deferrable, old.initially_deferred):
        return False
    if new.kind is ConstraintKind.FOREIGN_KEY:
        return _references_equally(new.references, old, at) if new.references is not None and new.enforced else False
    index, include = dropped.index, _numbers(table, new.include)
    is_plain = not (new.options or new.tablespace or new.index is not None)
    return index is not None and is_plain and (include, new.nulls_not_distinct) == (index.include, index.nulls_not_distinct)


def _references_equally(new: sql.Reference, old: Constraint, at: Context) -> bool:
    referenced = at.catalog.relation(new.table)
    if referenced is None or referenced.oid != old.references or new.match != "simple":
        return False
    primary = at.catalog.primary_key(referenced.oid)
    columns = _numbers(referenced, new.columns) if new.columns else primary.columns if primary is not None else None
    return (columns, new.on_delete, new.on_update) == (old.referenced_columns, old.on_delete, old.on_update)


def _numbers(table: Relation, names: tuple[str, ...]) -> tuple[int, ...] | None:
    columns = [table.column(name) for name in names]
    return tuple(column.number for column in columns if column is not None) if None not in columns else None
