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

from migsafe.rule import Context, Finding, Severity, rule
from migsafe.schema.objects import Relation
from migsafe.sql.operations import ConstraintKind, SetRule, SetTrigger
from migsafe.sql.operations.alterations import Firing
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.WARNING, harm="")
def disable_triggers(op: SetTrigger | SetRule, at: Context) -> Finding | None:
    """Report all triggers, or a rule, of an existing table that are switched off; one trigger by its name is meant."""
    if op.firing is not Firing.DISABLE or (isinstance(op, SetTrigger) and op.trigger is not None):
        return None
    locked = at.disturbing
    table = at.catalog.relation(op.target.name)
    if not locked or (isinstance(op, SetTrigger) and table is not None and _has_none(table, op, at)):
        return None
    what, consequence = _words(op)
    name, lock = at.resolve(op.target.name), locked[0].lock
    lasts = f"takes {lock} on {name}: every {locked[0].stops} waits until the transaction ends" if at.session.in_transaction_block else ""
    meanwhile = f"{what} {lasts}, and meanwhile" if lasts else f"{what} holds for everybody who writes to {name}: until they are enabled again"
    return at.finding(
        op,
        f"{meanwhile} {consequence}",
        help=_safe_way(op, table, at),
        relations=[effect.relation for effect in locked],
        lock=lock,
    )


def _words(op: SetTrigger | SetRule) -> tuple[str, str]:
    if isinstance(op, SetRule):
        return f"DISABLE RULE {quoted(op.rule)}", "statements run as if there were no such rule"
    if op.user:
        return "DISABLE TRIGGER USER", "no trigger checks or completes a row"
    return "DISABLE TRIGGER ALL", "no foreign key and no trigger checks a row, and nothing looks at these rows later"


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
    return (
        "-- only the trigger that is in the way, and for nobody else:\n"
        f"{begin}ALTER TABLE {op.target.name} DISABLE TRIGGER {name};\n"
        "-- … what it is in the way of\n"
        f"ALTER TABLE {op.target.name} ENABLE TRIGGER {name};{commit}"
    )
