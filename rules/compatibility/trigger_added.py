"""A row trigger is added to an existing table.

It runs for every row that the running release writes: each INSERT, UPDATE or DELETE takes longer, an error in the function makes it fail, and
what a BEFORE trigger changes or leaves out surprises a release that does not know it. Try it with the statements of the release that is
running. Not reported: a trigger that replaces one of the same name.

Unsafe:
    CREATE TRIGGER orders_audit AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

Safe, because it runs once for each statement:
    CREATE TRIGGER orders_audit AFTER INSERT OR UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION touch();

See: https://www.postgresql.org/docs/current/trigger-definition.html
"""

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.repeated import other_places
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.objects import is_table
from migsafe.schema.routines import trigger_named
from migsafe.sql.operations import CreateTrigger, Drop, Name


class _State(Struct):
    positions: list[int] = []
    """The CREATE TRIGGERs that add a row trigger to an existing table, by their position in the migration."""
    dropped: set[tuple[Name, str]] = set()
    """The triggers that the migration drops, each with its table."""


@rule(category="compatibility", severity=Severity.INFO, no_fix="only a test shows whether the running release works with the trigger")
def trigger_added(op: CreateTrigger | Drop | MigrationEnd, at: Context) -> Finding | None:
    """Record the triggers, and report them once at the end of the migration."""
    match op:
        case MigrationEnd():
            return _finding(at)
        case Drop(kind="trigger", table=Name() as table):
            relation = at.catalog.relation(table)
            if relation is not None and trigger_named(at.catalog, relation, op.names[0].name):
                at.state(_State).dropped.add((at.resolve(table), op.names[0].name))
        case CreateTrigger(row=True) if op.timing != "instead of" and not is_created_here(at, op.table):
            relation = at.catalog.relation(op.table)
            is_known = relation is not None and (not is_table(relation) or trigger_named(at.catalog, relation, op.trigger))
            if not is_known and (at.resolve(op.table), op.trigger) not in at.state(_State).dropped:
                at.state(_State).positions.append(at.position)
    return None


def _finding(at: Context) -> Finding | None:
    added: list[tuple[PastOperation, CreateTrigger]] = []
    for position in at.state(_State).positions:
        done = at.past[position]
        op: CreateTrigger = done.operation  # type: ignore[assignment]  # the recorded operations are of this type
        relation = at.catalog.relation(op.table)
        if relation is None or trigger_named(at.catalog, relation, op.trigger):
            added.append((done, op))
    if not added:
        return None
    first, trigger = added[0]
    tables = list(dict.fromkeys(at.resolve(op.table) for _, op in added))
    events = " and ".join(event.upper() for event in trigger.events)
    return at.finding(
        first,
        f"the row trigger {trigger.trigger} runs in every {events} of the running release on {at.resolve(trigger.table)}"
        + other_places(at, [done for done, _ in added]),
        help="-- try the trigger with the statements of the release that is running",
        relations=tables,
    )
