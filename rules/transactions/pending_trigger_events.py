"""PostgreSQL refuses to alter a table whose rows still wait for a deferred constraint trigger.

A foreign key that is DEFERRABLE INITIALLY DEFERRED (Django creates all of its foreign keys so) checks changed rows at the end of the
transaction. Until then the table has pending trigger events, and ALTER TABLE, CREATE INDEX, DROP TABLE, TRUNCATE and CLUSTER of it fail:
`cannot ALTER TABLE "orders" because it has pending trigger events`. The rows of the referencing table wait after INSERT and after UPDATE of
its key, those of the referenced table after DELETE and after UPDATE of the referenced key, if the foreign key has no ON DELETE or ON UPDATE
action. RENAME, SET SCHEMA, DROP INDEX, CREATE TRIGGER and CREATE POLICY are accepted. Change the schema and the rows in two migrations, or
check the rows at once, with SET CONSTRAINTS ALL IMMEDIATE.

Unsafe:
    CREATE TABLE depots (id bigint PRIMARY KEY);
    CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id bigint REFERENCES depots (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE INDEX parcels_depot_id_idx ON parcels (depot_id);
    -- next migration
    BEGIN;
    INSERT INTO depots (id) VALUES (100001);
    INSERT INTO parcels (id, depot_id) VALUES (100001, 100001);
    ALTER TABLE parcels ADD COLUMN weight bigint;
    COMMIT;

Safe, because the rows are checked before:
    CREATE TABLE depots (id bigint PRIMARY KEY);
    CREATE TABLE parcels (id bigint PRIMARY KEY, depot_id bigint REFERENCES depots (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE INDEX parcels_depot_id_idx ON parcels (depot_id);
    -- next migration
    BEGIN;
    INSERT INTO depots (id) VALUES (100001);
    INSERT INTO parcels (id, depot_id) VALUES (100001, 100001);
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE parcels ADD COLUMN weight bigint;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-set-constraints.html
"""

from collections.abc import Iterator
from typing import NamedTuple

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.objects import Constraint, Relation
from migsafe.sql.operations import (
    AlterRelation,
    Cluster,
    Copy,
    CreateIndex,
    Delete,
    Drop,
    Insert,
    Name,
    RenameColumn,
    RenameConstraint,
    Rollback,
    RollbackTo,
    SetConstraints,
    Truncate,
    Update,
)

_NO_ACTION = (None, "no action")
Write = Insert | Update | Delete | Copy
Change = AlterRelation | CreateIndex | Drop | Truncate | Cluster


class _Event(NamedTuple):
    """Rows of a table that wait for a constraint or a constraint trigger until the end of a transaction."""

    transaction: int
    table: int
    constraint: str
    line: int


class _Pending:
    """The pending events of a migration, and the modes that SET CONSTRAINTS has set in the current transaction."""

    def __init__(self) -> None:
        self.events: list[_Event] = []
        self.modes: dict[str | None, bool] = {}
        self.transaction: int | None = None
        self.reported = 0


@rule(
    category="transactions",
    severity=Severity.ERROR,
    refuses=True,
    fix="unsafe",
    unsafe_because="PostgreSQL checks the rows earlier, so another statement can fail",
)
def pending_trigger_events(op: Write | Change | SetConstraints | Rollback | RollbackTo, at: Context) -> Finding | None:
    """Report a change of a table whose rows wait for a deferred constraint."""
    pending, transaction = at.state(_Pending), at.session.transaction
    if transaction != pending.transaction:
        pending.transaction, pending.modes, pending.events = transaction, {}, []
    if transaction is None or not at.session.in_transaction_block or not op.certain or op.caught:
        return None
    match op:
        case SetConstraints():
            _set_modes(op, pending)
        case Rollback() | RollbackTo():
            pending.events.clear()
        case Insert() | Update() | Delete() | Copy():
            pending.events.extend(_events(op, at, pending, transaction))
        case _:
            return _refused(op, at, pending)
    return None


def _set_modes(op: SetConstraints, pending: _Pending) -> None:
    if not op.constraints:
        pending.modes = {None: op.deferred}
    pending.modes.update({name.name: op.deferred for name in op.constraints})
    if not op.deferred:
        names = {name.name for name in op.constraints}
        pending.events = [event for event in pending.events if names and event.constraint not in names]


def _events(op: Write, at: Context, pending: _Pending, transaction: int) -> Iterator[_Event]:
    """Returns the events that a statement adds."""
    name = op.table if not isinstance(op, Copy) or op.source else None
    table = at.catalog.relation(name) if name is not None else None
    if table is None:
        return
    line = at.migration.up.script.position(op.span.start).line
    for constraint in (*at.catalog.constraints(table.oid), *at.catalog.foreign_keys_to(table.oid)):
        mode = pending.modes.get(constraint.name.name, pending.modes.get(None, constraint.initially_deferred))
        if constraint.references is not None and constraint.deferrable and mode and _watches(constraint, op, table):
            yield _Event(transaction, table.oid, constraint.name.name, line)
    kind = "insert" if isinstance(op, Insert | Copy) else "update" if isinstance(op, Update) else "delete"
    for trigger in at.catalog.triggers(table.oid):
        if trigger.deferred and any(event.startswith(kind) for event in trigger.events):
            yield _Event(transaction, table.oid, trigger.name.name, line)


def _watches(constraint: Constraint, op: Write, table: Relation) -> bool:
    """Whether a foreign key checks the rows that a statement writes to a table."""
    changed = {column.number for column in table.columns if column.name in op.columns} if isinstance(op, Update) else set[int]()
    if constraint.table == table.oid:
        writes_key = isinstance(op, Insert | Copy) or bool(changed.intersection(constraint.columns))
        if writes_key:
            return True
    if constraint.references != table.oid:
        return False
    if isinstance(op, Delete):
        return constraint.on_delete in _NO_ACTION
    return bool(changed.intersection(constraint.referenced_columns)) and constraint.on_update in _NO_ACTION


def _refused(op: Change, at: Context, pending: _Pending) -> Finding | None:
    if isinstance(op, RenameColumn | RenameConstraint) or pending.reported == at.statement.index:
        return None
    for name, command in _changed(op):
        table = at.catalog.relation(name)
        event = next((event for event in pending.events if table is not None and event.table == table.oid), None)
        if table is None or event is None:
            continue
        pending.reported = at.statement.index
        return at.finding(
            op,
            f'PostgreSQL refuses this statement: cannot {command} "{table.name.name}" because it has pending trigger events (line {event.line} '
            f"changed rows that {event.constraint} checks at the end of the transaction)",
            help="-- check the rows before the change, or change the rows in a migration of its own:\nSET CONSTRAINTS ALL IMMEDIATE;",
            fix="-- before this statement:\nSET CONSTRAINTS ALL IMMEDIATE;",
            relations=(table.name,),
        )
    return None


def _changed(op: Change) -> list[tuple[Name, str]]:
    """Returns the tables that an operation changes, each with what PostgreSQL's message calls the command."""
    match op:
        case AlterRelation():
            return [(op.target.name, "ALTER TABLE")]
        case CreateIndex():
            return [(op.table, "CREATE INDEX")] if not op.concurrently else []
        case Drop(kind="table"):
            return [(name, "DROP TABLE") for name in op.names]
        case Truncate():
            return [(table.name, "TRUNCATE") for table in op.tables]
        case Cluster(table=Name() as name):
            return [(name, "CLUSTER")]
    return []
