"""Signatures from migsafe's operations."""

from collections.abc import Sequence

from migsafe.sql import operations as o
from tests.sql.oracle.entry import Signature, gathered
from tests.sql.oracle.operations import objects, running, tables
from tests.sql.oracle.operations.registry import READERS, operation

__all__ = ["READERS", "objects", "operation", "running", "statement", "tables"]

_CHANGES = (o.Insert, o.Update, o.Delete, o.Merge)
_WITH_QUERIES = (*_CHANGES, o.Select, o.CreateTableAs, o.CreateMaterializedView, o.Copy)


def statement(operations: Sequence[o.Operation]) -> Signature:
    """The signature of a statement's operations.

    What a DO block holds is left out, because PostgreSQL's grammar does not see it. The changes in WITH queries come sorted, as in the
    signatures of trees.
    """
    match operations[0]:
        case o.Do() as block:
            return operation(block)
        case o.Explain() as explain:
            return (*operation(explain), *(statement(operations[1:]) if len(operations) > 1 else ()))
        case first if isinstance(first, _WITH_QUERIES):
            return (*operation(first), *gathered(operation(item) for item in operations[1:]))
    return tuple(line for item in operations for line in operation(item))
