"""A timestamp without time zone.

timestamp stores a local time, but not in which time zone. The value of now() in it depends on the session's TimeZone, one hour occurs twice
each autumn, and servers, batch jobs and users in other zones interpret it differently. timestamptz needs the same space, stores the moment,
and shows it in the time zone of the session.

Unsafe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arrived_at timestamp);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arrived_at timestamptz);

See: https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-TIMEZONES
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type, definition
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, one_per_migration=True, no_fix="another type changes the final schema")
def timestamp_without_time_zone(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report columns that store times without a time zone."""
    for column in columns_of_type(op, at, "timestamp without time zone"):
        yield at.finding(
            op,
            f"{column}: it stores a local time, but not in which time zone",
            help=definition(at, column.name, "timestamptz", "sa.DateTime(timezone=True)", dimensions=column.type.dimensions),
            relations=(column.table,),
            subject=column.subject,
        )
