"""A column of type char(n).

PostgreSQL pads its values with spaces, stores the spaces, and ignores them in comparisons but not in LIKE and regular expressions. It is
not faster than text. To require a length, use a CHECK, which can be changed without a rewrite.

Unsafe:
    CREATE TABLE countries (code char(2) PRIMARY KEY);

Safe:
    CREATE TABLE countries (code text PRIMARY KEY CHECK (length(code) = 2));

See: https://www.postgresql.org/docs/current/datatype-character.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type, definition
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, one_per_migration=True, no_fix="another type changes the final schema")
def char_type(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report columns that PostgreSQL pads with spaces."""
    for column in columns_of_type(op, at, "character", "bpchar"):
        # bpchar without a length does not pad.
        if column.type.name == "bpchar" and not column.type.modifiers:
            continue
        yield at.finding(
            op,
            f"{column}: padded with spaces, which = ignores but LIKE does not",
            help=definition(at, column.name, "text", "sa.Text()", dimensions=column.type.dimensions),
            relations=(column.table,),
            subject=column.subject,
        )
