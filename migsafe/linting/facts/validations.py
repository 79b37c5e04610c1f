"""Constraints that are added first and validated later."""

from migsafe.linting.rule import Context, PastOperation
from migsafe.sql.operations import AddConstraint, ValidateConstraint


def find_added_constraint(at: Context, op: ValidateConstraint) -> PastOperation | None:
    """Returns the operation of the same transaction that added the validated constraint; None if another transaction added it."""
    table, number = at.resolve(op.target.name), at.session.transaction
    for done in at.past:
        match done.operation:
            case AddConstraint(constraint=added, target=target) if done.transaction == number and added.not_valid:
                is_validated = added.name == op.constraint or (added.name is None and _is_only_constraint(at, done))
                if is_validated and at.resolve(target.name) == table:
                    return done
    return None


def _is_only_constraint(at: Context, done: PastOperation) -> bool:
    """Whether a constraint without a name is the only one that its transaction adds, and so the validated one."""
    added = [other for other in at.past if isinstance(other.operation, AddConstraint) and other.transaction == done.transaction]
    return len(added) == 1
