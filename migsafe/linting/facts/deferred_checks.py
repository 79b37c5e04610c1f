"""Rows that wait until the end of their transaction for a deferred constraint or constraint trigger.

PostgreSQL refuses to change a table with such rows (CheckTableNotInUse in tablecmds.c): `… because it has pending trigger events`.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from migsafe.linting.earlier import PastOperation
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint, Relation, Trigger
from migsafe.sql.operations import Copy, Delete, Firing, Insert, Merge, Operation, Rollback, RollbackTo, SetConstraints, SetTrigger, Update

_NO_ACTION = (None, "no action")
_WRITES = (Insert, Update, Delete, Copy, Merge)
Write = Insert | Update | Delete | Copy | Merge


class PendingEvent(NamedTuple):
    """Rows of a table, by its oid, that wait for a constraint or a constraint trigger; `place` says which statement changed them."""

    table: int
    constraint: str
    place: str


class PendingEvents:
    """The pending events of a transaction, the modes that SET CONSTRAINTS has set in it, and the triggers that it has enabled or disabled."""

    def __init__(self) -> None:
        self.events: list[PendingEvent] = []
        self._modes: dict[str | None, bool] = {}
        self._disabled: dict[int, bool] = {}

    def note(self, op: Operation, catalog: Catalog, place: str) -> None:
        """Notes what an operation of the transaction adds or removes."""
        match op:
            case SetConstraints():
                self._set_modes(op)
            case SetTrigger():
                self._set_trigger(op, catalog)
            case Rollback() | RollbackTo():
                self.events.clear()
            case Insert() | Update() | Delete() | Copy() | Merge():
                self.events.extend(self._added(op, catalog, place))

    def event_of(self, table: Relation | None) -> PendingEvent | None:
        """Returns an event of a table; None if it has none."""
        return next((event for event in self.events if table is not None and event.table == table.oid), None)

    def _set_modes(self, op: SetConstraints) -> None:
        if not op.constraints:
            self._modes = {None: op.deferred}
        self._modes.update({name.name: op.deferred for name in op.constraints})
        if not op.deferred:
            names = {name.name for name in op.constraints}
            self.events = [event for event in self.events if names and event.constraint not in names]

    def _set_trigger(self, op: SetTrigger, catalog: Catalog) -> None:
        """Notes whether a trigger fires: when the rows are changed, and not at the end of the transaction, PostgreSQL decides that."""
        table = catalog.relation(op.target.name)
        is_disabled = op.firing in (Firing.DISABLE, Firing.REPLICA)
        for trigger in catalog.triggers(table.oid) if table is not None else ():
            if op.trigger in (None, trigger.name.name):
                self._disabled[trigger.oid] = is_disabled
        if table is not None and op.trigger is None and not op.user:
            self._disabled[table.oid] = is_disabled

    def _is_disabled(self, object: Relation | Trigger) -> bool:
        known = object.checks_disabled if isinstance(object, Relation) else object.disabled
        return self._disabled.get(object.oid, known)

    def _added(self, op: Write, catalog: Catalog, place: str) -> Iterator[PendingEvent]:
        name = op.table if not isinstance(op, Copy) or op.source else None
        table = catalog.relation(name) if name is not None else None
        if table is None:
            return
        checked = () if self._is_disabled(table) else (*catalog.constraints(table.oid), *catalog.foreign_keys_to(table.oid))
        for constraint in checked:
            mode = self._modes.get(constraint.name.name, self._modes.get(None, constraint.initially_deferred))
            if constraint.references is not None and constraint.deferrable and mode and _watches(constraint, op, table):
                yield PendingEvent(table.oid, constraint.name.name, place)
        for trigger in catalog.triggers(table.oid):
            if trigger.deferred and not self._is_disabled(trigger) and any(event.startswith(_actions(op)) for event in trigger.events):
                yield PendingEvent(table.oid, trigger.name.name, place)


def has_pending_rows(past: Iterable[PastOperation], transaction: int, catalog: Catalog) -> bool:
    """Whether a transaction has changed rows that are only checked at its end."""
    done_operations = [done.operation for done in past if done.transaction == transaction and done.operation.certain]
    if not any(isinstance(op, _WRITES) for op in done_operations):
        return False
    pending = PendingEvents()
    for op in done_operations:
        pending.note(op, catalog, "")
    return bool(pending.events)


def _actions(op: Write) -> tuple[str, ...]:
    """Returns what a statement does with rows, as triggers call it."""
    match op:
        case Insert() | Copy():
            return ("insert",)
        case Update():
            return ("update",)
        case Delete():
            return ("delete",)
    return tuple(op.actions)


def _watches(constraint: Constraint, op: Write, table: Relation) -> bool:
    """Whether a foreign key checks the rows that a statement writes to a table."""
    changed = {column.number for column in table.columns if column.name in op.columns} if isinstance(op, Update) else set[int]()
    if constraint.table == table.oid:
        writes_key = "insert" in _actions(op) or bool(changed.intersection(constraint.columns))
        if writes_key:
            return True
    if constraint.references != table.oid:
        return False
    if "delete" in _actions(op) and constraint.on_delete in _NO_ACTION:
        return True
    return bool(changed.intersection(constraint.referenced_columns)) and constraint.on_update in _NO_ACTION
