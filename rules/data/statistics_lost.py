"""ALTER COLUMN TYPE removes the column's statistics.

This holds for every type change, also for one that changes only the catalogue, as from varchar(50) to text (measured on 14 and 18). Until
autovacuum analyzes the table, which it may not do for days, the planner guesses how many rows a condition on the column selects, and may
choose a plan that is slower by orders of magnitude. Run ANALYZE for the column afterwards; it blocks neither reads nor writes.

Unsafe:
    CREATE TABLE labels (id bigint PRIMARY KEY, code varchar(50));
    -- next migration
    ALTER TABLE labels ALTER COLUMN code TYPE text;

Safe:
    CREATE TABLE labels (id bigint PRIMARY KEY, code varchar(50));
    -- next migration
    ALTER TABLE labels ALTER COLUMN code TYPE text;
    ANALYZE labels (code);

See: https://www.postgresql.org/docs/current/planner-stats.html
"""

from msgspec import Struct

from migsafe.linting.facts.ownership import is_column_created_here
from migsafe.linting.facts.repeated import other_places
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import Transaction
from migsafe.sql.operations import AlterColumnType, Analyze, Name
from migsafe.sql.operations.values import quoted


class _State(Struct):
    changed: list[tuple[int, Name, str]] = []
    """The positions of type changes, each with the table and the column."""


@rule(
    category="data",
    severity=Severity.INFO,
    fix="unsafe",
    unsafe_because="it takes a further migration if the runner wraps each in a transaction",
)
def statistics_lost(op: AlterColumnType | Analyze | MigrationEnd, at: Context) -> Finding | None:
    """Record the type changes, and report at the end of the migration those after which it does not analyze the table."""
    state = at.state(_State)
    match op:
        case AlterColumnType():
            is_absent = op.target.if_exists and at.catalog.is_absent(op.target.name)
            if op.target.kind == "table" and not is_absent and not is_column_created_here(at, op.target.name, op.column):
                state.changed.append((at.position, at.resolve(op.target.name), op.column))
        case Analyze():
            analyzed = {at.resolve(table.name): table.columns for table in op.tables}
            state.changed = [change for change in state.changed if op.tables and not _is_analyzed(analyzed, change)]
        case MigrationEnd() if state.changed:
            return _finding(at, state.changed)
    return None


def _is_analyzed(analyzed: dict[Name, tuple[str, ...]], change: tuple[int, Name, str]) -> bool:
    _, table, column = change
    return table in analyzed and (not analyzed[table] or column in analyzed[table])


def _finding(at: Context, changed: list[tuple[int, Name, str]]) -> Finding:
    columns: dict[Name, dict[str, None]] = {}
    for _, table, column in changed:
        columns.setdefault(table, {})[quoted(column)] = None
    (position, table, column), *_ = changed
    others = other_places(at, [at.past[number] for number, _, _ in changed])
    return at.finding(
        at.past[position],
        f"ALTER COLUMN TYPE removes the statistics of {quoted(column)} of {table}: "
        f"until the next ANALYZE the planner guesses how many rows a condition on it selects{others}",
        help="\n".join((_when(at), *(f"ANALYZE {name} ({', '.join(names)});" for name, names in columns.items()))),
        relations=tuple(columns),
        while_unanalyzed=_keys(at, changed) if _is_later(at) else (),
    )


def _keys(at: Context, changed: list[tuple[int, Name, str]]) -> list[tuple[int, int]]:
    """Returns the numbers of the columns, each with that of its table; nothing if one is not known."""
    keys: list[tuple[int, int]] = []
    for _, name, column in changed:
        table = at.catalog.relation(name)
        known = table.column(column) if table is not None else None
        if table is None or known is None:
            return []
        keys.append((table.oid, known.number))
    return keys


def _is_later(at: Context) -> bool:
    """Whether ANALYZE belongs into a later migration: in the transaction of the change, it would run under its lock."""
    return at.migration.up.transaction in (Transaction.FILE, Transaction.QUERY)


def _when(at: Context) -> str:
    """Returns when to analyze."""
    if not _is_later(at):
        return "-- at the end of the migration:"
    return (
        "-- at the end of the migration:\n-- outside a transaction, too:"
        if at.is_script
        else "-- at the end of the migration, after its transaction, which keeps the lock:\n-- next migration"
    )
