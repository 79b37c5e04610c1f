"""Functions of triggers that still name a column after its RENAME or DROP. PostgreSQL does not know what a PL/pgSQL body names, so it accepts
the statement, and each write that fires the trigger fails: `record "new" has no field …`."""

import re

from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.rule import Context, PastOperation
from migsafe.schema.objects import Function, Relation, Trigger
from migsafe.sql.operations import CreateFunction, Delete, Drop, Insert, Name, Operation, SetTrigger, Update

_COMMENT = r"--[^\n]*|/\*.*?\*/"
_WRITES: dict[type[Operation], str] = {Insert: "insert", Update: "update", Delete: "delete"}


def triggers_that_name(at: Context, table: Name, column: str) -> list[tuple[Trigger, Function]]:
    """Returns the row triggers of a table whose PL/pgSQL function names a column of NEW or OLD, each with the function. One that asks for the
    table (TG_TABLE_NAME) may not run the part that names it."""
    relation = at.catalog.relation(table)
    triggers = at.catalog.triggers(relation.oid) if isinstance(relation, Relation) else ()
    functions = [(trigger, at.catalog.get(trigger.function)) for trigger in triggers if trigger.row and trigger.function is not None]
    return [(trigger, function) for trigger, function in functions if isinstance(function, Function) and _names(function, column)]


def _names(function: Function, column: str) -> bool:
    code = function.code
    if code is None or function.language != "plpgsql" or "tg_table" in code.lower() or "tg_rel" in code.lower():
        return False
    field = f'(?:(?-i:"{re.escape(column)}")|{re.escape(column)}\\b(?!"))' if column == column.lower() else f'(?-i:"{re.escape(column)}")'
    return re.search(rf"\b(?:new|old)\s*\.\s*{field}", re.sub(_COMMENT, " ", code, flags=re.DOTALL), re.IGNORECASE) is not None


def broken_writes(at: Context, position: int, named: list[tuple[Trigger, Function]]) -> str:
    """Returns the clause that says which writes fail because of triggers that named a column when the operation at a position removed it;
    empty if the same transaction repairs them before a write and before its end."""
    for trigger, function in named:
        broken = _broken(at, position, trigger, function)
        if broken:
            return broken
    return ""


def _broken(at: Context, position: int, trigger: Trigger, function: Function) -> str:
    done = at.past[position]
    still = f"the trigger {trigger.name.name} still runs {function.name.name}(), which names the column"
    for later in at.past[position + 1 :] if done.transaction is not None else ():
        if later.transaction != done.transaction:
            break
        if _repairs(later.operation, trigger, function):
            return ""
        if _fires(at, later, trigger):
            word = type(later.operation).__name__.upper()
            return f"; {still}: the {word} in line {line_of(at, later.operation.span)} fails if it changes a row"
    events = " and ".join(event.upper() for event in trigger.events if event in _WRITES.values())
    return f"; {still}: every {events} of a row fails from then on"


def _repairs(op: Operation, trigger: Trigger, function: Function) -> bool:
    match op:
        case CreateFunction():
            return op.function.name == function.name.name
        case Drop(kind="trigger", names=names):
            return names[0].name == trigger.name.name
        case Drop(kind="function", names=names):
            return any(name.name == function.name.name for name in names)
        case SetTrigger(trigger=name):
            return name in (None, trigger.name.name)
    return False


def _fires(at: Context, done: PastOperation, trigger: Trigger) -> bool:
    table = at.catalog.get(trigger.table)
    op = done.operation
    if not isinstance(op, Insert | Update | Delete) or table is None:
        return False
    return _WRITES[type(op)] in trigger.events and at.resolve(op.table) == table.name
