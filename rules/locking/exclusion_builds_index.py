"""ADD EXCLUDE builds its index, and looks every row up in it, while nobody can read or write.

An exclusion constraint rests on an index, and it holds ACCESS EXCLUSIVE on the table until that is built and all rows are compared: even
SELECT waits, and the wait grows with the table. PostgreSQL knows neither NOT VALID nor USING INDEX for it. So it belongs where the table is
created; for one with rows, either the table is small and quiet enough, or a new table with the constraint takes its place.

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

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddConstraint, ConstraintKind


@rule(category="locking", severity=Severity.ERROR)
def exclusion_builds_index(op: AddConstraint, at: Context) -> Finding | None:
    """Report an exclusion constraint whose index is built on an existing table."""
    slow = at.slow(only=op.target.only) if op.constraint.kind is ConstraintKind.EXCLUDE else []
    if not slow:
        return None
    table = at.resolve(op.target.name)
    return at.finding(
        op,
        f"ADD EXCLUDE takes {slow[0].lock} on {table} until its index is built and every row is compared: "
        f"every {slow[0].blocked_commands} waits",
        help=(
            "-- an exclusion constraint can be added in no other way. Where the table is too large to stand still for it:\n"
            f"-- create another table with the constraint, let a trigger on {table} write each change to it too, copy the old rows\n"
            f"-- over batch by batch, and let a later release use it instead of {table}."
        ),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )
