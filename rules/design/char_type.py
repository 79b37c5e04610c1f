"""A column of type char(n).

It is filled up with spaces to its length, which are stored, and then ignored in comparisons but not in LIKE and in regular expressions; it
is not faster than text. Where every value must have a length, a CHECK says so, and can be changed without writing anything anew.

Unsafe:
    CREATE TABLE countries (code char(2) PRIMARY KEY);

Safe:
    CREATE TABLE countries (code text PRIMARY KEY CHECK (length(code) = 2));

See: https://www.postgresql.org/docs/current/datatype-character.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("character",))


@rule(category="design", severity=Severity.INFO)
def char_type(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns that are filled up with spaces."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: filled up with spaces, which count in some comparisons and not in others",
                help=f"-- {name} text",
                relations=(table,),
            )
