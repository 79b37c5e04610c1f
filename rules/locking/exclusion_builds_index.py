"""ADD EXCLUDE builds an index and compares every row while all reads and writes are blocked.

It holds ACCESS EXCLUSIVE on the table until the index of the constraint is built and all rows are compared: even SELECT waits, and the wait
grows with the table. PostgreSQL offers neither NOT VALID nor USING INDEX for exclusion constraints. Create the constraint together with the
table. If the table already has rows, either it is small enough to be blocked, or a new table with the constraint replaces it.

Unsafe:
    ALTER TABLE bookings ADD CONSTRAINT bookings_during_excl EXCLUDE USING gist (during WITH &&);

Safe, because the table is new:
    CREATE TABLE stays (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        during tstzrange NOT NULL,
        CONSTRAINT stays_during_excl EXCLUDE USING gist (during WITH &&)
    );

See: https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-EXCLUDE
"""

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddConstraint, ConstraintKind


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    no_fix="PostgreSQL cannot add an exclusion constraint in any other way",
)
def exclusion_builds_index(op: AddConstraint, at: Context) -> Finding | None:
    """Report an exclusion constraint whose index is built on an existing table."""
    slow = at.slow_effects(only=op.target.only) if op.constraint.kind is ConstraintKind.EXCLUDE else []
    if not slow:
        return None
    table = at.resolve(op.target.name)
    return at.finding(
        op,
        f"ADD EXCLUDE takes {slow[0].lock} on {table} until its index is built and every row is compared: "
        f"every {slow[0].blocked_commands} waits{while_held(at)}",
        help=(
            "-- an exclusion constraint cannot be added in any other way. If the table is too large to be blocked for that long:\n"
            f"-- create a second table with the constraint, copy each change of {table} to it with a trigger, copy the existing rows\n"
            f"-- in batches, and let a later release use it instead of {table}."
        ),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )
