"""Which statement of a downgrade undoes which operation of the upgrade, and the statements that undo what a fix adds."""

import re
from collections.abc import Iterable, Sequence

from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation
from migsafe.sql.operations.values import quoted
from migsafe.sql.statements import Statement, read

Undone = tuple[str, ...]
"""What an operation adds or removes: its kind and its names, without schemas."""


def added(op: Operation) -> Undone | None:
    """Returns what an operation adds, so that the operation that removes it can be found; None if it adds nothing of that kind."""
    match op:
        case sql.CreateIndex(name=str(name)):
            return ("index", name)
        case sql.AddConstraint(target=target, constraint=constraint) if constraint.name is not None:
            return ("constraint", target.name.name, constraint.name)
        case sql.AddColumn(target=target, column=column):
            return ("column", target.name.name, column.name)
        case sql.SetNotNull(target=target, column=column):
            return ("not null", target.name.name, column)
        case sql.CreateTable(table=name):
            return ("table", name.name)
        case sql.AttachPartition(partition=partition):
            return ("partition", partition.name)
    return None


def removed(op: Operation) -> Undone | None:
    """Returns what an operation removes; None if it removes nothing that `added` knows."""
    match op:
        case sql.Drop(kind="index" | "table" as kind, names=(name,)):
            return (kind, name.name)
        case sql.DropConstraint(target=target, constraint=name):
            return ("constraint", target.name.name, name)
        case sql.DropColumn(target=target, column=name):
            return ("column", target.name.name, name)
        case sql.DropNotNull(target=target, column=name):
            return ("not null", target.name.name, name)
        case sql.DetachPartition(partition=partition):
            return ("partition", partition.name)
    return None


def undoing(statements: Sequence[Statement], ops: Iterable[Operation]) -> list[Statement]:
    """Returns the statements of a downgrade that only undo some operations of the upgrade."""
    own = {what for op in ops if (what := added(op)) is not None} | {what for op in ops if (what := removed(op)) is not None}
    found = []
    for statement in statements:
        effects = [removed(op) or added(op) for op in statement.operations]
        if effects and all(effect in own for effect in effects):
            found.append(statement)
    return found


def undo(op: Operation, *, concurrently: bool) -> str:
    """Returns the statement that undoes an operation; empty if nothing is to be undone, or that is not known."""
    match op:
        case sql.CreateIndex(name=str(name), table=table):
            return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}IF EXISTS {Name(name, table.schema)};"
        case sql.AddConstraint(target=target, constraint=constraint) if constraint.name is not None:
            return f"ALTER TABLE {target.name} DROP CONSTRAINT IF EXISTS {quoted(constraint.name)};"
        case sql.SetNotNull(target=target, column=column):
            return f"ALTER TABLE {target.name} ALTER COLUMN {quoted(column)} DROP NOT NULL;"
    return ""


def concurrent_undo(statement: Statement, text: str) -> str:
    """Returns a statement of a downgrade for a migration outside a transaction: DROP INDEX with CONCURRENTLY."""
    op = statement.operations[0]
    own = f"{text[slice(*statement.span)]};"
    if isinstance(op, sql.Drop) and op.kind == "index" and not op.concurrently and not op.cascade:
        return f"DROP INDEX CONCURRENTLY {'IF EXISTS ' if op.if_exists else ''}{op.names[0]};"
    return own


def downgrade_of(ops: Sequence[Operation], original: Sequence[Statement], text: str, *, outside: bool) -> tuple[list[str], list[Statement]]:
    """Returns the downgrade of a migration to which some operations moved: its statements, and those that the original downgrade loses.

    What the original downgrade undoes anyway, with other things, it still undoes."""
    moved = undoing(original, ops)
    known = {what for statement in moved for op in statement.operations if (what := removed(op) or added(op)) is not None}
    elsewhere = " ".join(text[slice(*statement.span)] for statement in original if statement not in moved)
    statements = [concurrent_undo(statement, text) if outside else f"{text[slice(*statement.span)]};" for statement in moved]
    for op in reversed(ops):
        what = added(op)
        if what is not None and what not in known and not re.search(rf"(?<!\w){re.escape(what[-1])}(?!\w)", elsewhere):
            statements += [undo(op, concurrently=outside)]
    return [each for each in statements if each], moved


def operations_of(texts: Iterable[str]) -> list[Operation]:
    """Returns the operations of statements, in order."""
    return [op for text in texts for statement in read(text) for op in statement.operations]
