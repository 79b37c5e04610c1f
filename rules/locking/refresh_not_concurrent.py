"""REFRESH MATERIALIZED VIEW without CONCURRENTLY stops everybody who reads the view until its query has run.

It holds ACCESS EXCLUSIVE on the view while it computes all its rows: every SELECT waits, and the wait grows with the tables that the query
reads. With CONCURRENTLY the new rows are computed beside the old ones and compared with them, under EXCLUSIVE: SELECT goes on, and only
another REFRESH waits.

PostgreSQL refuses CONCURRENTLY where the view has no unique index on plain columns without WHERE, which is reported as an error; and on a view
that was never filled, which nobody can read either. WITH NO DATA throws the rows away: every SELECT fails until the next REFRESH.

Unsafe:
    REFRESH MATERIALIZED VIEW order_totals;

Unsafe, because no unique index tells the rows apart:
    CREATE MATERIALIZED VIEW stock AS SELECT sku, sum(stock) AS pieces FROM products GROUP BY sku;
    -- next migration
    REFRESH MATERIALIZED VIEW CONCURRENTLY stock;

Safe:
    REFRESH MATERIALIZED VIEW CONCURRENTLY order_totals;

Safe, because the index is there first:
    BEGIN;
    CREATE MATERIALIZED VIEW stock AS SELECT sku, sum(stock) AS pieces FROM products GROUP BY sku;
    CREATE UNIQUE INDEX stock_sku_key ON stock (sku);
    COMMIT;
    -- next migration
    REFRESH MATERIALIZED VIEW CONCURRENTLY stock;

See: https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from msgspec.structs import replace

from migsafe import expressions
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Index, Relation
from migsafe.sql.generation import join_migrations
from migsafe.sql.operations import RefreshMaterializedView
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.WARNING)
def refresh_not_concurrent(op: RefreshMaterializedView, at: Context) -> Finding | None:
    """Report a REFRESH that stops readers, and one that PostgreSQL refuses."""
    view = at.catalog.relation(op.view)
    lacks_index = view is not None and _lacks_index(view, at)
    if op.concurrently:
        return _refused(op, view, at) if view is not None and lacks_index else None
    locked = next((effect for effect in at.blocking_effects if effect.relation == at.resolve(op.view)), None)
    if locked is None:
        return None
    if not op.with_data:
        message = f"REFRESH … WITH NO DATA throws the rows of {locked.relation} away: every SELECT on it fails until it is refreshed again"
    else:
        message = f"REFRESH MATERIALIZED VIEW takes {locked.lock} on {locked.relation} until its query has run: every SELECT waits"
    return at.finding(op, message, help=_concurrently(op, view, lacks_index, at), relations=[locked.relation], lock=locked.lock)


def _refused(op: RefreshMaterializedView, view: Relation, at: Context) -> Finding:
    found = at.finding(
        op,
        f"PostgreSQL refuses REFRESH … CONCURRENTLY of {view.name}, because it has no unique index on plain columns without WHERE",
        help=_concurrently(op, view, True, at),
        relations=[view.name],
    )
    # It is no matter of time; only a project that has given the rule a severity of its own has said how bad it is.
    return replace(found, severity=Severity.ERROR) if found.severity is Severity.WARNING else found


def _lacks_index(view: Relation, at: Context) -> bool:
    """Whether it is known that a view has no index by which CONCURRENTLY could compare its rows (is_usable_unique_index in PostgreSQL's
    src/backend/commands/matview.c). What opaque code has touched may have one."""
    return view.made_in > 0 and not view.filled and not any(_tells_rows_apart(index) for index in at.catalog.indexes(view.oid))


def _tells_rows_apart(index: Index) -> bool:
    return index.unique and index.valid and index.predicate is None and all(key.column is not None for key in index.keys)


def _concurrently(op: RefreshMaterializedView, view: Relation | None, lacks_index: bool, at: Context) -> str:
    refresh = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {op.view};"
    if view is not None and any(_tells_rows_apart(index) for index in at.catalog.indexes(view.oid)):
        return refresh
    if not lacks_index:
        return f"-- it needs a unique index on plain columns of {op.view}, without WHERE:\n{refresh}"
    columns, are_known = _key(view)
    name = quoted(default_name(op.view.name, columns, "key"))
    index = at.outside_transaction(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {op.view} ({', '.join(map(quoted, columns))});")
    said = "" if are_known else f"-- on those columns that tell the rows apart, here {columns[0]}:\n"
    return join_migrations(f"{said}{index}", refresh)


def _key(view: Relation | None) -> tuple[tuple[str, ...], bool]:
    """Columns that tell the rows of a view apart, and whether that is known of them."""
    query = view.query if view is not None else None
    renamed = tuple(column.name for column in view.columns) if view is not None else ()
    grouping = expressions.grouping_columns(query) if query is not None and not renamed else ()
    if grouping:
        return grouping, True
    return (renamed or (expressions.output_columns(query) if query is not None else ()) or ("id",))[:1], False
