"""REFRESH MATERIALIZED VIEW without CONCURRENTLY blocks readers until its query has run.

It holds ACCESS EXCLUSIVE on the view while it computes all rows: every SELECT waits, and the wait grows with the tables that the query
reads. With CONCURRENTLY PostgreSQL computes the new rows separately and compares them with the old ones under EXCLUSIVE: SELECT continues,
and only another REFRESH waits.

PostgreSQL refuses CONCURRENTLY if the view has no unique index on plain columns without WHERE; this is reported as an error. It also
refuses it if the view has no data since WITH NO DATA: then a REFRESH without CONCURRENTLY is right, and is not reported, because every SELECT
fails until it has run. REFRESH … WITH NO DATA discards the rows and is reported.

Unsafe:
    REFRESH MATERIALIZED VIEW order_totals;

Unsafe, because the view has no unique index:
    CREATE MATERIALIZED VIEW stock AS SELECT sku, sum(stock) AS pieces FROM products GROUP BY sku;
    -- next migration
    REFRESH MATERIALIZED VIEW CONCURRENTLY stock;

Safe:
    REFRESH MATERIALIZED VIEW CONCURRENTLY order_totals;

Safe, because the index is created first:
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
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Index, Relation
from migsafe.sql.generation import join_migrations
from migsafe.sql.operations import Name, RefreshMaterializedView
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.WARNING,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="its weaker lock, which blocks only another REFRESH or VACUUM, may be held for longer",
)
def refresh_not_concurrent(op: RefreshMaterializedView, at: Context) -> Finding | None:
    """Report a REFRESH that blocks readers, and one that PostgreSQL refuses."""
    view = at.catalog.relation(op.view)
    lacks_index = view is not None and _lacks_index(view, at)
    if op.concurrently:
        return _refused(op, view, at) if view is not None and lacks_index else None
    locked = next((effect for effect in at.blocking_effects if effect.relation == at.resolve(op.view)), None)
    if locked is None or (view is not None and view.unpopulated):
        return None
    if not op.with_data:
        message = f"REFRESH … WITH NO DATA discards the rows of {locked.relation}: every SELECT on it fails until the next REFRESH"
    else:
        message = (
            f"REFRESH MATERIALIZED VIEW takes {locked.lock} on {locked.relation} until its query has run: every SELECT waits{while_held(at)}"
        )
    is_usable = view is not None and any(_is_usable(index) for index in at.catalog.indexes(view.oid))
    return at.finding(
        op,
        message,
        help=_concurrently(op, view, lacks_index, at),
        fix=f"REFRESH MATERIALIZED VIEW CONCURRENTLY {op.view};" if is_usable and op.with_data else "",
        relations=[locked.relation],
        lock=locked.lock,
    )


def _refused(op: RefreshMaterializedView, view: Relation, at: Context) -> Finding:
    finding = at.finding(
        op,
        f"PostgreSQL refuses REFRESH … CONCURRENTLY of {view.name}, because it has no unique index on plain columns without WHERE",
        help=_concurrently(op, view, True, at),
        fix="",  # another index changes the final schema
        relations=[view.name],
    )
    # A refused statement is an error, unless the project configured a severity for the rule.
    return replace(finding, severity=Severity.ERROR) if finding.severity is Severity.WARNING else finding


def _lacks_index(view: Relation, at: Context) -> bool:
    """Whether the view is known to have no unique index that CONCURRENTLY can use (is_usable_unique_index in PostgreSQL's
    src/backend/commands/matview.c). Opaque code may have created one."""
    return (
        view.created_in > 0
        and not view.may_be_older
        and not view.may_have_rows
        and not any(_is_usable(index) for index in at.catalog.indexes(view.oid))
    )


def _is_usable(index: Index) -> bool:
    return index.unique and index.valid and index.predicate is None and all(key.column is not None for key in index.keys)


def _concurrently(op: RefreshMaterializedView, view: Relation | None, lacks_index: bool, at: Context) -> str:
    refresh = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {op.view};"
    if view is not None and any(_is_usable(index) for index in at.catalog.indexes(view.oid)):
        return refresh
    if not lacks_index:
        return f"-- this needs a unique index on plain columns of {op.view}, without WHERE:\n{refresh}"
    columns, are_known = _key(view)
    name = Name(default_name(op.view.name, columns, "key"), op.view.schema)
    create = f"CREATE UNIQUE INDEX CONCURRENTLY {quoted(name.name)} ON {op.view} ({', '.join(map(quoted, columns))})"
    index = repeatable_index_build(at, name, create)
    advice = "" if are_known else f"-- on columns that identify a row, here {columns[0]}:\n"
    return join_migrations(f"{advice}{index}", refresh)


def _key(view: Relation | None) -> tuple[tuple[str, ...], bool]:
    """Returns columns that may identify the rows of a view, and whether they are known to do so."""
    query = view.query if view is not None else None
    renamed = tuple(column.name for column in view.columns) if view is not None else ()
    grouping = expressions.grouping_columns(query) if query is not None and not renamed else ()
    if grouping:
        return grouping, True
    return (renamed or (expressions.output_columns(query) if query is not None else ()) or ("id",))[:1], False
