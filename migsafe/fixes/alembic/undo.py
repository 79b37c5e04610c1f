"""What undoes the steps of a fix."""

from collections.abc import Iterable, Iterator, Sequence

from migsafe.fixes.alembic.steps import Refused, Step
from migsafe.fixes.creations import Creation, created_by, drop, dropped_by, leaves_nothing
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation


def defined_constraints(operations: Iterable[Operation]) -> Iterator[sql.Constraint]:
    """Yields the constraints that operations define, also those without a name and those of new columns."""
    for op in operations:
        match op:
            case sql.AddConstraint(constraint=constraint):
                yield constraint
            case sql.AddColumn(column=column):
                yield from column.constraints


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
    return leaves_nothing(step.statement.operations[0])


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
