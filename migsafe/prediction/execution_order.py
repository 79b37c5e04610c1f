"""The order in which PostgreSQL runs the operations of a statement."""

from migsafe.sql.operations import AlterPass, AlterRelation, Operation


def in_execution_order(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Returns the operations of a statement in the order in which PostgreSQL runs them."""
    if len(operations) == 1 or not isinstance(operations[0], AlterRelation):
        return operations
    return tuple(sorted(operations, key=_alter_pass))


def _alter_pass(operation: Operation) -> AlterPass:
    return operation.alter_pass if isinstance(operation, AlterRelation) else AlterPass.OTHER
