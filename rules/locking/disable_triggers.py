"""While triggers or a rule are disabled, nobody's rows are checked or completed.

DISABLE TRIGGER ALL switches foreign keys off too, USER all triggers but those; DISABLE RULE lets statements through that the rule would
change. That holds for everybody, not only for the migration, from the moment when it commits until something enables them again, and nothing
looks at the rows that came in meanwhile: a foreign key stays "valid" over rows that break it. Within one transaction nobody else sees it, but
the statement takes SHARE ROW EXCLUSIVE on the table (DISABLE RULE: ACCESS EXCLUSIVE), which stops writes until that transaction ends.

The one trigger that is in the way can be disabled by its name, and enabled again before COMMIT, in a transaction that is short.

Unsafe:
    ALTER TABLE orders DISABLE TRIGGER ALL;
    UPDATE orders SET region = 'us' WHERE region = 'usa';
    ALTER TABLE orders ENABLE TRIGGER ALL;

Unsafe:
    ALTER TABLE orders DISABLE TRIGGER USER;

Safe, because one trigger alone is off, and for nobody else:
    BEGIN;
    ALTER TABLE orders DISABLE TRIGGER orders_touch;
    INSERT INTO orders (id, updated_at) VALUES (100007, '2020-01-01');
    ALTER TABLE orders ENABLE TRIGGER orders_touch;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DISABLE-ENABLE-TRIGGER
"""

from collections.abc import Iterator
from typing import NamedTuple

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.sql.operations import ConstraintKind, Name, SetRule, SetTrigger
from migsafe.sql.operations.alterations import Firing
from migsafe.sql.operations.values import quoted


class _Off(NamedTuple):
    """What is switched off, by its place in the migration, and what to say about it."""

    position: int
    message: str
    help: str
    relations: list[Name]
    lock: LockMode


@rule(category="locking", severity=Severity.WARNING, harm="")
def disable_triggers(op: SetTrigger | SetRule | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note all triggers, or a rule, of an existing table that are switched off, and report them when it is known whether they stay so. One
    trigger by its name is meant."""
    if isinstance(op, MigrationEnd):
        for off in at.notes:
            done = at.past[off.position]
            stays = "" if _is_taken_back(off.position, at) else ". Nothing in this migration takes it back"
            yield at.finding(done, off.message + stays, help=off.help, relations=off.relations, lock=off.lock)
        return
    table = at.catalog.relation(op.target.name)
    if op.firing is not Firing.DISABLE or not at.blocking_effects or is_created_here(at, op.target.name):
        return
    if isinstance(op, SetTrigger) and (op.trigger is not None or (table is not None and _has_none(table, op, at))):
        return
    name, locked, what = at.resolve(op.target.name), at.blocking_effects[0], _words(op)
    message = f"{what[0]} on {name}: from its commit until it is taken back, {what[1]} that anybody writes"
    if at.session.in_transaction_block:
        message = (
            f"{what[0]} takes {locked.lock} on {name} until the transaction ends: every {locked.blocked_commands} waits, "
            f"and {what[1]} that the transaction writes"
        )
    names = [effect.relation for effect in at.blocking_effects]
    at.notes.append(_Off(len(at.past), message, _safe_way(op, table, at), names, locked.lock))


def _is_taken_back(position: int, at: Context) -> bool:
    off = at.past[position].operation
    assert isinstance(off, SetTrigger | SetRule)
    return any(
        isinstance(one := done.operation, type(off))
        and one.firing is not Firing.DISABLE
        and at.resolve(one.target.name) == at.resolve(off.target.name)
        and (isinstance(one, SetTrigger) or (isinstance(off, SetRule) and one.rule == off.rule))
        for done in at.past[position + 1 :]
    )


def _words(op: SetTrigger | SetRule) -> tuple[str, str]:
    if isinstance(op, SetRule):
        return f"DISABLE RULE {quoted(op.rule)}", "the rule does nothing about rows"
    if op.user:
        return "DISABLE TRIGGER USER", "no trigger checks or completes rows"
    return "DISABLE TRIGGER ALL", "no foreign key and no trigger checks rows"


def _has_none(table: Relation, op: SetTrigger, at: Context) -> bool:
    """Whether there is nothing to switch off."""
    keys = [one for one in at.catalog.constraints(table.oid) if one.kind is ConstraintKind.FOREIGN_KEY]
    fire = at.catalog.triggers(table.oid) or (not op.user and (keys or at.catalog.referencing(table.oid)))
    return table.complete and not fire and not at.catalog.children(table.oid)


def _safe_way(op: SetTrigger | SetRule, table: Relation | None, at: Context) -> str:
    is_open = at.session.in_transaction_block
    begin, commit = ("", "") if is_open else ("BEGIN;\n", "\nCOMMIT;")
    if isinstance(op, SetRule):
        return (
            "-- for this transaction alone, and without a lock; triggers and foreign keys do not fire either, so that its rows must be right:\n"
            f"{begin}SET LOCAL session_replication_role = replica;{commit}"
        )
    triggers = at.catalog.triggers(table.oid) if table is not None else []
    name = quoted(triggers[0].name.name) if triggers else "trigger_name"
    which = f", here {name}," if len(triggers) > 1 else ""
    return (
        f"-- only the trigger that is in the way{which or ','} and for nobody else:\n"
        f"{begin}ALTER TABLE {op.target.name} DISABLE TRIGGER {name};\n"
        "-- … what it is in the way of\n"
        f"ALTER TABLE {op.target.name} ENABLE TRIGGER {name};{commit}"
    )
