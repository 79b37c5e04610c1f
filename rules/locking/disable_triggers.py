"""While triggers or a rule are disabled, rows are written without their checks.

DISABLE TRIGGER ALL also disables foreign keys; USER disables all other triggers; DISABLE RULE lets statements run that the rule would
change. This applies to all sessions, not only to the migration, from COMMIT until the triggers are enabled again, and PostgreSQL never
checks the rows that were written in between: a foreign key stays "valid" although rows violate it. Within one transaction other sessions do
not see the change, but the statement takes SHARE ROW EXCLUSIVE on the table (DISABLE RULE: ACCESS EXCLUSIVE), which blocks writes until
that transaction ends.

session_replication_role = replica disables all triggers and rules of every table, foreign keys included, for this session, until it is set
back or the session ends: a runner may run the next migrations in the same session.

Disable only the trigger that is in the way, by its name, and enable it again before COMMIT, in a short transaction.
A dump that sets the role while it fills the tables that it creates is not reported.

Unsafe:
    ALTER TABLE orders DISABLE TRIGGER ALL;
    UPDATE orders SET region = 'us' WHERE region = 'usa';
    ALTER TABLE orders ENABLE TRIGGER ALL;

Unsafe:
    ALTER TABLE orders DISABLE TRIGGER USER;

Unsafe:
    SET session_replication_role = replica;
    INSERT INTO orders (id, updated_at) VALUES (100007, '2020-01-01');
    SET session_replication_role = DEFAULT;

Safe, because only one trigger is disabled, and only inside the transaction:
    BEGIN;
    ALTER TABLE orders DISABLE TRIGGER orders_touch;
    INSERT INTO orders (id, updated_at) VALUES (100007, '2020-01-01');
    ALTER TABLE orders ENABLE TRIGGER orders_touch;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DISABLE-ENABLE-TRIGGER
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.sql.operations import ConstraintKind, Name, Operation, ResetVariable, SetRule, SetTrigger, SetVariable
from migsafe.sql.operations.alterations import Firing
from migsafe.sql.operations.values import quoted

_ROLE_MESSAGE = (
    "session_replication_role = replica: until it is set back, no foreign key, trigger or rule of any table checks or completes the rows that "
    "this session writes, and PostgreSQL never checks them later"
)
_ROLE_HELP = (
    "-- disable only the trigger that is in the way, and only in one transaction:\n"
    "BEGIN;\n"
    "ALTER TABLE … DISABLE TRIGGER trigger_name;\n"
    "-- … the statements that need the trigger to be disabled\n"
    "ALTER TABLE … ENABLE TRIGGER trigger_name;\n"
    "COMMIT;"
)


class _Disabled(NamedTuple):
    """A statement that disables triggers or a rule, by its position in the migration, with the finding to report."""

    position: int
    message: str
    help: str
    relations: list[Name]
    lock: LockMode | None


class _State(Struct):
    disabled: list[_Disabled] = []


def _writes_only_new_tables(position: int, at: Context) -> bool:
    """Whether the operations after this one write rows, and only of tables that the migration creates, as a dump with data does."""
    written = [effect for done in at.past[position:] for effect in done.effects if effect.lock is LockMode.ROW_EXCLUSIVE]
    return bool(written) and all(effect.new for effect in written)


@rule(category="locking", severity=Severity.WARNING, harm="", no_fix="only the author knows which trigger must be disabled")
def disable_triggers(op: SetTrigger | SetRule | SetVariable | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record statements that disable all triggers, or a rule, of an existing table, and report them at the end of the migration, when it is
    known whether they are enabled again. A single trigger, disabled by its name, is intended."""
    if isinstance(op, MigrationEnd):
        for disabled in at.state(_State).disabled:
            if disabled.message == _ROLE_MESSAGE and _writes_only_new_tables(disabled.position, at):
                continue
            stays = "" if _is_reverted(disabled.position, at) else ". This migration does not revert it"
            yield at.finding(
                at.past[disabled.position], disabled.message + stays, help=disabled.help, relations=disabled.relations, lock=disabled.lock
            )
        return
    if isinstance(op, SetVariable):
        if op.variable == "session_replication_role" and (op.value or "").lower() == "replica":
            at.state(_State).disabled.append(_Disabled(at.position, _ROLE_MESSAGE, _ROLE_HELP, [], None))
        return
    table = at.catalog.relation(op.target.name)
    if op.firing is not Firing.DISABLE or not at.blocking_effects or is_created_here(at, op.target.name):
        return
    if isinstance(op, SetTrigger) and (op.trigger is not None or (table is not None and _has_no_triggers(table, op, at))):
        return
    name, locked, (command, consequence) = at.resolve(op.target.name), at.blocking_effects[0], _command_and_consequence(op)
    message = f"{command} on {name}: until it is reverted, {consequence} that any session writes"
    if at.session.in_transaction_block:
        message = (
            f"{command} takes {locked.lock} on {name} until the transaction ends: every {locked.blocked_commands} waits, "
            f"and {consequence} that the transaction writes"
        )
    names = [effect.relation for effect in at.blocking_effects]
    at.state(_State).disabled.append(_Disabled(at.position, message, _safe_way(op, table, at), names, locked.lock))


def _is_reverted(position: int, at: Context) -> bool:
    disabling = at.past[position].operation
    if isinstance(disabling, SetVariable):
        return disabling.local or any(_resets_role(done.operation) for done in at.past[position + 1 :])
    assert isinstance(disabling, SetTrigger | SetRule)
    return any(
        isinstance(later := done.operation, type(disabling))
        and later.firing is not Firing.DISABLE
        and at.resolve(later.target.name) == at.resolve(disabling.target.name)
        and (isinstance(later, SetTrigger) or (isinstance(disabling, SetRule) and later.rule == disabling.rule))
        for done in at.past[position + 1 :]
    )


def _resets_role(op: Operation) -> bool:
    match op:
        case SetVariable(variable="session_replication_role", value=value):
            return (value or "origin").lower() != "replica"
        case ResetVariable(variable=variable):
            return variable in (None, "session_replication_role")
    return False


def _command_and_consequence(op: SetTrigger | SetRule) -> tuple[str, str]:
    if isinstance(op, SetRule):
        return f"DISABLE RULE {quoted(op.rule)}", "the rule does not apply to rows"
    if op.user:
        return "DISABLE TRIGGER USER", "no trigger checks or completes rows"
    return "DISABLE TRIGGER ALL", "no foreign key and no trigger checks rows"


def _has_no_triggers(table: Relation, op: SetTrigger, at: Context) -> bool:
    """Whether the table has no triggers that the statement could disable."""
    keys = [constraint for constraint in at.catalog.constraints(table.oid) if constraint.kind is ConstraintKind.FOREIGN_KEY]
    triggers = at.catalog.triggers(table.oid) or (not op.user and (keys or at.catalog.foreign_keys_to(table.oid)))
    return table.complete and not triggers and not at.catalog.children(table.oid)


def _safe_way(op: SetTrigger | SetRule, table: Relation | None, at: Context) -> str:
    is_open = at.session.in_transaction_block
    begin, commit = ("", "") if is_open else ("BEGIN;\n", "\nCOMMIT;")
    if isinstance(op, SetRule):
        return (
            "-- disable it only in this transaction:\n"
            f"{begin}ALTER TABLE {op.target.name} DISABLE RULE {quoted(op.rule)};\n"
            "-- … the statements that need the rule to be disabled\n"
            f"ALTER TABLE {op.target.name} ENABLE RULE {quoted(op.rule)};{commit}"
        )
    triggers = at.catalog.triggers(table.oid) if table is not None else []
    name = quoted(triggers[0].name.name) if triggers else "trigger_name"
    which = f", here {name}," if len(triggers) > 1 else ""
    return (
        f"-- disable only the trigger that is in the way{which or ','} and only in this transaction:\n"
        f"{begin}ALTER TABLE {op.target.name} DISABLE TRIGGER {name};\n"
        "-- … the statements that need the trigger to be disabled\n"
        f"ALTER TABLE {op.target.name} ENABLE TRIGGER {name};{commit}"
    )
