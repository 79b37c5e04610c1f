"""A new primary key that ends at 2,147,483,647, or at 32,767.

A sequence counts on when rows are deleted and when INSERTs fail, so that it comes to its end long before there are so many rows. Then every
INSERT fails, in all tables that refer to this one too, and the way out is to rewrite them all. Eight bytes instead of four cost next to
nothing, and often nothing at all, because rows are aligned to eight.

Unsafe:
    CREATE TABLE deliveries (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

Safe:
    CREATE TABLE deliveries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

See: https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-INT
"""

from migsafe.linting.facts.definitions import defined_columns, primary_key_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_LAST = {"smallint": "32,767", "smallserial": "32,767", "integer": "2,147,483,647", "serial": "2,147,483,647"}
_LARGER = {"smallint": "bigint", "integer": "bigint", "smallserial": "bigserial", "serial": "bigserial"}


@rule(category="design", severity=Severity.WARNING)
def int_primary_key(op: CreateTable, at: Context) -> Finding | None:
    """Report a key of one small integer that counts by itself."""
    key = primary_key_columns(op)
    if op.persistence is Persistence.TEMPORARY or len(key) != 1:
        return None
    column = next((one for one in defined_columns(op) if one.name == key[0]), None)
    # What is chosen by people, a country's code or a line's number, does not run out.
    if column is None or column.type is None or column.type.name not in _LAST or not _counts(column.type.name, column.identity, column.default):
        return None
    return at.finding(
        op,
        f"the primary key {quoted(column.name)} of {at.resolve(op.table)} is {column.type}: it ends at {_LAST[column.type.name]}",
        help=f"-- {quoted(column.name)} {_LARGER[column.type.name]}, and so every column that refers to it",
        relations=(op.table,),
    )


def _counts(kind: str, identity: object, default: object) -> bool:
    return "serial" in kind or identity is not None or (default is not None and "nextval" in str(default))
