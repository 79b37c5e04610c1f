"""A column of type json.

It keeps the text, and parses it for every operator again. It has no equality, so that DISTINCT, GROUP BY, UNION and UNIQUE fail on it, and
no index looks into it. jsonb is parsed once, compared and indexed; it does not keep white space, the order of keys, or a key that is given
twice.

Unsafe:
    CREATE TABLE webhooks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload json);

Safe:
    CREATE TABLE webhooks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload jsonb);

See: https://www.postgresql.org/docs/current/datatype-json.html
"""

from collections.abc import Iterator

from migsafe.linting.facts.definitions import typed_columns
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateTable, Persistence
from migsafe.sql.operations.values import quoted

_KINDS = frozenset(("json",))


@rule(category="design", severity=Severity.INFO)
def json_type(op: CreateTable | AddColumn | AlterColumnType, at: Context) -> Iterator[Finding]:
    """Report columns that hold JSON as text."""
    if isinstance(op, CreateTable) and op.persistence is Persistence.TEMPORARY:
        return
    table = at.resolve(op.table if isinstance(op, CreateTable) else op.target.name)
    for _, column, kind in typed_columns(op):
        if kind.name in _KINDS:
            name = quoted(column)
            yield at.finding(
                op,
                f"{name} of {table} is {kind}: it cannot be compared, and no index looks into it",
                help=f"-- {name} jsonb",
                relations=(table,),
            )
