"""A new primary key is limited to 2,147,483,647, or to 32,767.

A sequence also advances for rows that are deleted later and for INSERTs that fail, so it reaches its limit long before there are so many
rows. Then every INSERT fails, and the fix rewrites this table and all tables that reference it. bigint needs eight bytes instead of four,
and often no more space at all, because rows are aligned to eight bytes.

Unsafe:
    CREATE TABLE deliveries (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

See: https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-INT
"""

from migsafe.linting.facts.definitions import definition, primary_key_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_LAST = {"smallint": "32,767", "smallserial": "32,767", "integer": "2,147,483,647", "serial": "2,147,483,647"}
_LARGER = {"smallint": "bigint", "integer": "bigint", "smallserial": "bigserial", "serial": "bigserial"}


@rule(category="design", severity=Severity.WARNING)
def int_primary_key(op: CreateTable, at: Context) -> Finding | None:
    """Report a key of one small integer with a sequence."""
    key = primary_key_columns(op)
    if op.persistence is Persistence.TEMPORARY or len(key) != 1:
        return None
    column = next((column for column in op.columns if column.name == key[0]), None)
    # Keys without a sequence, such as a country code or a line number, are chosen by people and do not run out.
    if (
        column is None
        or column.type is None
        or column.type.name not in _LAST
        or not _has_sequence(column.type.name, column.identity, column.default)
    ):
        return None
    return at.finding(
        op,
        f"the primary key {quoted(column.name)} of {at.resolve(op.table)} is {column.type}: its largest value is {_LAST[column.type.name]}",
        help=definition(
            at, quoted(column.name), _LARGER[column.type.name], "sa.BigInteger(), primary_key=True", ", and every column that references it"
        ),
        relations=(op.table,),
    )


def _has_sequence(kind: str, identity: object, default: object) -> bool:
    return "serial" in kind or identity is not None or (default is not None and "nextval" in str(default))
