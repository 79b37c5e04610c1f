"""PostgreSQL refuses the statement.

The migrations before this one, or the dump that the history starts with, say what the database contains. If a statement contradicts that, the
deployment stops there: the object does not exist or exists already, another object depends on it, or PostgreSQL does not support the statement
for this kind of object. What is not certainly known is not reported: an object that a condition may have created, a table that no migration
created. Because the statement does nothing, no other rule reports it.

Unsafe, because a view uses the column:
    CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint);
    CREATE VIEW parcel_weights AS SELECT id, weight FROM parcels;
    -- next migration
    ALTER TABLE parcels ALTER COLUMN weight TYPE numeric;

Unsafe, because a foreign key references the table:
    CREATE TABLE carriers (id bigint PRIMARY KEY);
    CREATE TABLE parcels (id bigint PRIMARY KEY, carrier_id bigint REFERENCES carriers (id));
    CREATE INDEX parcels_carrier_id_idx ON parcels (carrier_id);
    -- next migration
    DROP TABLE carriers;

Safe, in the migration that creates the table:
    CREATE TABLE parcels (id bigint PRIMARY KEY, weight numeric);
    CREATE VIEW parcel_weights AS SELECT id, weight FROM parcels;

See: https://www.postgresql.org/docs/current/ddl-depend.html
    https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from migsafe.linting.rule import Context, Finding, RefusedOperation, Severity, rule
from migsafe.schema.refusal import RefusalKind

_REPORTED_HERE = (RefusalKind.SCHEMA, RefusalKind.SESSION)
"""The other kinds of refusals have their own rules."""


@rule(category="failures", severity=Severity.ERROR, refuses=True, no_fix="only the author knows what the statement was meant to do")
def statement_fails(op: RefusedOperation, at: Context) -> Finding | None:
    """Report why PostgreSQL does not run a statement."""
    if op.refusal.kind not in _REPORTED_HERE:
        return None
    return at.finding(op, f"PostgreSQL refuses this statement: {op.refusal}", help=op.refusal.help)
