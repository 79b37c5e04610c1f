"""PostgreSQL refuses to alter a table whose rows still wait for a deferred constraint trigger.

A foreign key that is DEFERRABLE INITIALLY DEFERRED (Django creates all of its foreign keys so) checks changed rows at the end of the
transaction. Until then the table has pending trigger events, and ALTER TABLE, CREATE INDEX, DROP TABLE, TRUNCATE and CLUSTER of it fail:
`cannot ALTER TABLE "orders" because it has pending trigger events`. The rows of the referencing table wait after INSERT and after UPDATE of
its key, those of the referenced table after DELETE and after UPDATE of the referenced key, if the foreign key has no ON DELETE or ON UPDATE
action. RENAME, SET SCHEMA, DROP INDEX, CREATE TRIGGER and CREATE POLICY are accepted. Change the schema and the rows in two migrations, or
check the rows at once, with SET CONSTRAINTS ALL IMMEDIATE. Migrations that the runner applies in one transaction share their pending rows.

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

from migsafe.linting.facts.deferred_checks import PendingEvents, Write
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import (
    AlterRelation,
    Cluster,
    Copy,
    CreateIndex,
    Delete,
    Drop,
    Insert,
    Merge,
    Name,
    RenameColumn,
    RenameConstraint,
    Rollback,
    RollbackTo,
    SetConstraints,
    SetTrigger,
    Truncate,
    Update,
)

Change = AlterRelation | CreateIndex | Drop | Truncate | Cluster


class _State:
    """The pending events of the current transaction, and the number of the last statement that was reported."""

    def __init__(self) -> None:
        self.pending = PendingEvents()
        self.transaction: int | None = None
        self.reported = 0


@rule(
    category="transactions",
    severity=Severity.ERROR,
    refuses=True,
    across_migrations=True,
    fix="unsafe",
    unsafe_because="PostgreSQL checks the rows earlier, so another statement can fail",
)
def pending_trigger_events(op: Write | Change | SetConstraints | Rollback | RollbackTo, at: Context) -> Finding | None:
    """Report a change of a table whose rows wait for a deferred constraint."""
    state, transaction = at.state(_State), at.session.transaction
    if transaction != state.transaction:
        state.transaction, state.pending = transaction, _from_before(at)
    if transaction is None or not at.session.in_transaction_block or not op.certain or op.caught:
        return None
    match op:
        case Insert() | Update() | Delete() | Copy() | Merge() if _fires_no_triggers(at):
            pass
        case SetConstraints() | Rollback() | RollbackTo() | Insert() | Update() | Delete() | Copy() | Merge():
            state.pending.note(op, at.catalog, f"line {at.migration.up.script.position(op.span.start).line}")
        case _:
            refused = _refused(op, at, state)
            if refused is None and isinstance(op, SetTrigger):
                state.pending.note(op, at.catalog, "")
            return refused
    return None


def _from_before(at: Context) -> PendingEvents:
    """Returns the pending events that earlier migrations left in the transaction of this one."""
    pending, shared = PendingEvents(), at.shared_transaction
    for earlier in shared.earlier if shared is not None else ():
        for done in earlier.past:
            if done.transaction == at.session.transaction and done.operation.certain:
                pending.note(done.operation, at.catalog, f"migration {earlier.migration.id}")
    return pending


def _fires_no_triggers(at: Context) -> bool:
    """Whether the session fires no ordinary triggers, so that its changes wait for nothing."""
    return (at.session.settings.value("session_replication_role") or "").strip("'").lower() == "replica"


def _refused(op: Change, at: Context, state: _State) -> Finding | None:
    if isinstance(op, RenameColumn | RenameConstraint) or state.reported == at.statement.index:
        return None
    for name, command in _changed(op):
        table = at.catalog.relation(name)
        event = state.pending.event_of(table)
        if table is None or event is None:
            continue
        state.reported = at.statement.index
        return at.finding(
            op,
            f'PostgreSQL refuses this statement: cannot {command} "{table.name.name}" because it has pending trigger events ({event.place} '
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
