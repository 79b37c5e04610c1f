"""A column of type serial.

serial is a default and a sequence with separate privileges: a role that may INSERT also needs USAGE on the sequence, an INSERT can use a
number that the sequence returns later, and DROP DEFAULT leaves the sequence behind. An identity column is standard SQL, belongs to the
table, and refuses explicit numbers unless the INSERT overrides this.

Unsafe:
    CREATE TABLE deliveries (id bigserial PRIMARY KEY);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

See: https://www.postgresql.org/docs/current/ddl-identity-columns.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type, definition
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, one_per_migration=True, no_fix="an identity column changes the final schema")
def serial_column(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report columns of a serial type."""
    for column in columns_of_type(op, at, "serial", "bigserial", "smallserial"):
        yield at.finding(
            op,
            f"{column}: its sequence is a separate object with its own privileges",
            help=definition(at, column.name, "bigint GENERATED ALWAYS AS IDENTITY", "sa.BigInteger(), sa.Identity(always=True)"),
            relations=(column.table,),
            subject=column.subject,
        )
