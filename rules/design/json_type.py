"""A column of type json.

It stores the text and parses it again for every operator. It has no equality operator, so DISTINCT, GROUP BY, UNION and UNIQUE fail on it,
and GIN indexes do not support it. jsonb is parsed once, and can be compared and indexed; it does not keep white space, the order of keys,
or duplicate keys.

Unsafe:
    CREATE TABLE webhooks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json);

Safe:
    CREATE TABLE webhooks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload jsonb);

See: https://www.postgresql.org/docs/current/datatype-json.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type, definition
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, one_per_migration=True, no_fix="another type changes the final schema")
def json_type(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report columns that store JSON as text."""
    for column in columns_of_type(op, at, "json"):
        yield at.finding(
            op,
            f"{column}: it cannot be compared, and GIN indexes do not support it",
            help=definition(at, column.name, "jsonb", "postgresql.JSONB()", dimensions=column.type.dimensions),
            relations=(column.table,),
            subject=column.subject,
        )
