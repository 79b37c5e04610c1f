"""A point in time without its time zone.

timestamp stores what the clock on the wall said, and not where. now() put into it depends on the session's TimeZone, an hour occurs twice
each autumn, and servers, batch jobs and users in other zones read it as something else. timestamptz takes as many bytes, stores the moment,
and shows it in the zone of whoever asks.

Unsafe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arrived_at timestamp);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arrived_at timestamptz);

See: https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-TIMEZONES
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("timestamp without time zone",))


@rule(category="design", severity=Severity.INFO)
def timestamp_without_time_zone(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns that hold times without a zone."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: it says what a clock on the wall shows, and not where",
                help=f"-- {name} timestamptz",
                relations=(table,),
            )
