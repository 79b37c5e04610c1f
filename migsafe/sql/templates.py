"""SQL in which parts are unknown until it runs, with marks in their place."""

from collections.abc import Iterable

from migsafe.sql.operations import AlterRelation, CreateIndex, Operation
from migsafe.text import MARK_START


def operations_on_known_tables(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Returns the operations if each is an ALTER TABLE or a CREATE INDEX of a table without a mark in its name, so that their locks are known;
    nothing if there is another one."""
    known = tuple(operations)
    return known if all(map(_has_known_table, known)) else ()


def _has_known_table(operation: Operation) -> bool:
    match operation:
        case AlterRelation(target=target):
            return MARK_START not in str(target.name)
        case CreateIndex(table=table):
            return MARK_START not in str(table)
    return False
