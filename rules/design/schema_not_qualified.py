"""A name without its schema.

Where it leads depends on search_path, which the role, the database, the connection and the script may each set. A migration that made
public.orders in test may make app.orders in production. Off unless selected: most projects use one schema.

Unsafe:
    ALTER TABLE orders ADD COLUMN weight numeric;

Safe:
    ALTER TABLE public.orders ADD COLUMN weight numeric;

See: https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PATH
"""

from collections.abc import Iterator

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AlterRelation, CreateIndex, CreateTable, CreateView, Drop, Name, Persistence

_IN_SCHEMAS = frozenset(("table", "view", "materialized view", "sequence", "type", "domain", "function", "procedure", "index"))


@rule(category="design", severity=Severity.INFO, off=True)
def schema_not_qualified(op: AlterRelation | CreateTable | CreateView | CreateIndex | Drop, at: Context) -> Iterator[Finding]:
    """Report the names of a statement that leave the schema to search_path, once a statement."""
    found = [name for name in _names(op) if name.schema is None]
    if found and (at.statement.index, found[0]) not in at.notes:
        at.notes.append((at.statement.index, found[0]))
        yield at.finding(op, f"{found[0]} has no schema: search_path decides where it is", help=f"-- {at.resolve(found[0])}")


def _names(op: AlterRelation | CreateTable | CreateView | CreateIndex | Drop) -> tuple[Name, ...]:
    match op:
        case CreateTable(table=name, persistence=kept):
            return () if kept is Persistence.TEMPORARY else (name,)
        case CreateView(view=name, temporary=temporary):
            return () if temporary else (name,)
        case CreateIndex(table=name):
            return (name,)
        case Drop(names=names, kind=kind):
            return names if kind in _IN_SCHEMAS else ()
        case AlterRelation(target=target):
            return (target.name,)
    return ()
