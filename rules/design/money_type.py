"""A column of type money.

Its format and its number of fractional digits depend on lc_monetary: restored on a server with another setting, the same values are other
amounts. It does not store the currency, and cannot hold fractions of a cent. Use numeric with the digits that you need, and a second column
for the currency.

Unsafe:
    CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount money);

Safe:
    CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(12, 2), currency text);

See: https://www.postgresql.org/docs/current/datatype-money.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import DefinesColumns, columns_of_type, definition
from migsafe.linting.rule import Context, Finding, Severity, rule


@rule(category="design", severity=Severity.INFO, one_per_migration=True, no_fix="another type changes the final schema")
def money_type(op: DefinesColumns, at: Context) -> Iterator[Finding]:
    """Report columns of type money."""
    for column in columns_of_type(op, at, "money"):
        yield at.finding(
            op,
            f"{column}: its meaning depends on lc_monetary",
            help=definition(
                at,
                column.name,
                "numeric(12, 2)",
                "sa.Numeric(12, 2)",
                ", and the currency in a second column",
                dimensions=column.type.dimensions,
            ),
            relations=(column.table,),
            subject=column.subject,
        )
