"""Constraints that are added first and validated later."""

from migsafe.linting.rule import Context, PastOperation
from migsafe.sql.operations import AddConstraint, ValidateConstraint


def find_added_constraint(at: Context, op: ValidateConstraint) -> PastOperation | None:
    """What added the constraint that is validated, in the same transaction; None where that was another one."""
    table, number = at.resolve(op.target.name), at.session.transaction
    for done in at.past:
        match done.operation:
            case AddConstraint(constraint=added, target=target) if done.transaction == number and added.not_valid:
                named = added.name == op.constraint or (added.name is None and _is_the_only_one(at, done))
                if named and at.resolve(target.name) == table:
                    return done
    return None


def _is_the_only_one(at: Context, done: PastOperation) -> bool:
    """Whether a constraint without a name is the only one that its transaction adds, so that it must be the one that is meant."""
    added = [one for one in at.past if isinstance(one.operation, AddConstraint) and one.transaction == done.transaction]
    return len(added) == 1
