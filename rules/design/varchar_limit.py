"""A varchar with a limit.

The limit saves no space: text and varchar(n) are stored alike. It is hard to change: a shorter limit scans the table, and views that use
the column prevent even a longer one. text with a CHECK can be changed without blocking reads and writes. Off unless selected: many tools
write such limits.

Unsafe:
    CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label varchar(255));

Safe:
    CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text CHECK (length(label) <= 255));

See: https://www.postgresql.org/docs/current/datatype-character.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, off=True, one_per_migration=True, no_fix="another type changes the final schema")
def varchar_limit(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report varchar columns with a limit."""
    for column in columns_of_type(op, at, "character varying"):
        if column.type.modifiers:
            yield at.finding(
                op,
                f"{column}: the limit saves no space and is hard to change",
                help=f"-- {column.name} text, with a CHECK if a limit is needed",
                relations=(column.table,),
                subject=column.subject,
            )
