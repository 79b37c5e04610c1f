"""A varchar with a limit.

The limit saves nothing: text and varchar(n) are stored alike. It is a CHECK that is awkward to change: a shorter one reads the table, and
views on the column keep even a longer one from being set. text with a CHECK can be changed while reads and writes go on. Off unless
selected: many schemas are made by tools that write limits.

Unsafe:
    CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label varchar(255));

Safe:
    CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text CHECK (length(label) <= 255));

See: https://www.postgresql.org/docs/current/datatype-character.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("character varying",))


@rule(category="design", severity=Severity.INFO, off=True)
def varchar_limit(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns with a limit."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS and kind.modifiers:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: the limit saves nothing, and is awkward to change",
                help=f"-- {name} text, with a CHECK where a limit is meant",
                relations=(table,),
            )
