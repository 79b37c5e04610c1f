"""A column of type serial.

serial is a default and a sequence with privileges of its own: whoever may INSERT needs USAGE on the sequence too, nothing keeps an INSERT
from giving a number that the sequence comes to later, and DROP DEFAULT leaves the sequence behind. An identity column is SQL, belongs to
the table, and refuses numbers that are given unless the INSERT says so.

Unsafe:
    CREATE TABLE deliveries (id bigserial PRIMARY KEY);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

See: https://www.postgresql.org/docs/current/ddl-identity-columns.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("serial", "bigserial", "smallserial"))


@rule(category="design", severity=Severity.INFO)
def serial_column(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns that are made as serial."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: its sequence has privileges and a life of its own",
                help=f"-- {name} bigint GENERATED ALWAYS AS IDENTITY",
                relations=(table,),
            )
