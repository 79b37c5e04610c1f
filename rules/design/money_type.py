"""A column of type money.

How it is read and shown, and how many digits it has after the point, is up to lc_monetary: restored on a server with another setting, the
same amounts are others. It does not say which currency, and cannot hold fractions of a cent. numeric says how many digits, and a column
beside it the currency.

Unsafe:
    CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount money);

Safe:
    CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(12, 2), currency text);

See: https://www.postgresql.org/docs/current/datatype-money.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("money",))


@rule(category="design", severity=Severity.INFO)
def money_type(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns of that type."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: what it means is up to lc_monetary",
                help=f"-- {name} numeric(12, 2), and the currency beside it",
                relations=(table,),
            )
