"""Which statement of a downgrade undoes which operation of the upgrade, and the statements that undo what a fix adds."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from migsafe.fixes.creations import created_by, drop, dropped_by, leaves_nothing
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation
from migsafe.sql.statements import Statement, read


class Downgrade(Struct, frozen=True):
    """The downgrade of a migration to which some operations moved: its statements, and those that the original downgrade loses. It is not
    `complete` if it is not known what undoes one of the operations."""

    statements: tuple[str, ...] = ()
    moved: tuple[Statement, ...] = ()
    complete: bool = True


def undoing(statements: Sequence[Statement], ops: Sequence[Operation]) -> list[Statement]:
    """Returns the statements of a downgrade that only undo some operations of the upgrade."""
    own = {creation.key for creation in created_by(ops)} | {creation.key for creation in map(dropped_by, ops) if creation is not None}
    return [statement for statement in statements if all(_key(op) in own for op in statement.operations)]


def _key(op: Operation) -> tuple[str, str, str] | None:
    """Returns what an operation drops or creates."""
    found = dropped_by(op) or next(created_by([op]), None)
    return found.key if found is not None else None


def concurrent_undo(statement: Statement, text: str) -> str:
    """Returns a statement of a downgrade for a migration outside a transaction: DROP INDEX with CONCURRENTLY."""
    op = statement.operations[0]
    own = f"{text[slice(*statement.span)]};"
    if isinstance(op, sql.Drop) and op.kind == "index" and not op.concurrently and not op.cascade:
        return f"DROP INDEX CONCURRENTLY {'IF EXISTS ' if op.if_exists else ''}{op.names[0]};"
    return own


def downgrade_of(ops: Sequence[Operation], original: Sequence[Statement], text: str, *, outside: bool) -> Downgrade:
    """Returns the downgrade of a migration to which operations moved; `original` and `text` are the downgrade of the whole.

    What the original downgrade undoes anyway, with other things, it still undoes."""
    moved = undoing(original, ops)
    known = {_key(op) for statement in moved for op in statement.operations}
    elsewhere = " ".join(text[slice(*statement.span)] for statement in original if statement not in moved)
    statements = [concurrent_undo(statement, text) if outside else f"{text[slice(*statement.span)]};" for statement in moved]
    dropped = {creation.key for creation in map(dropped_by, ops) if creation is not None}
    tables = {creation.name.name for creation in created_by(ops) if creation.kind == "table"}
    for creation in reversed(list(created_by(ops))):
        mentioned = re.search(rf"(?<!\w){re.escape(creation.name.name)}(?!\w)", elsewhere)
        is_with_table = creation.table is not None and creation.table.name in tables
        if creation.key not in known | dropped and not mentioned and not is_with_table:
            statements.append(f"{drop(creation, concurrently=outside, if_exists=True)};")
    complete = all(leaves_nothing(op) or _key(op) is not None for op in ops)
    return Downgrade(tuple(statements), tuple(moved), complete)


def operations_of(texts: Iterable[str]) -> list[Operation]:
    """Returns the operations of statements, in order."""
    return [op for text in texts for statement in read(text) for op in statement.operations]
