"""REINDEX without CONCURRENTLY blocks writes, and nearly all reads, until the indexes are rebuilt.

It holds SHARE on the table, so INSERT, UPDATE and DELETE wait, and ACCESS EXCLUSIVE on the index that it rebuilds: to plan a query
PostgreSQL locks all indexes of the table, so SELECT waits too. The wait grows with the table. With CONCURRENTLY a second index is built
next to the first under SHARE UPDATE EXCLUSIVE, which does not block reads or writes; PostgreSQL refuses CONCURRENTLY inside a transaction.

Unsafe:
    REINDEX INDEX orders_status_idx;

Unsafe:
    REINDEX TABLE orders;

Safe, outside a transaction:
    REINDEX INDEX CONCURRENTLY orders_status_idx;

See: https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
"""

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation
from migsafe.sql.operations import Reindex


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failed build leaves an INVALID index",
)
def reindex_not_concurrent(op: Reindex, at: Context) -> Finding | None:
    """Report indexes that are rebuilt on tables that other sessions may use. PostgreSQL refuses CONCURRENTLY for system catalogues."""
    if op.concurrently or op.kind == "system" or _is_harmless(op, at):
        return None
    object_name = f"{op.kind.upper()}{f' {op.name}' if op.name is not None else ''}"
    tables = [effect.relation for effect in at.slow_effects()] if op.kind in ("index", "table") else []
    where = " and ".join(map(str, tables)) or {"index": f"the table of {op.name}"}.get(op.kind, f"every table of {object_name.lower()} in turn")
    others = [option for option in op.options if option.name != "concurrently"]
    options = f" ({', '.join(f'{option.name} {option.value}' if option.value else option.name for option in others)})" if others else ""
    return at.finding(
        op,
        f"REINDEX {op.kind.upper()} takes SHARE on {where}, and ACCESS EXCLUSIVE on each index until it is built: "
        f"every INSERT, UPDATE and DELETE waits, and every SELECT waits when it is planned{while_held(at)}",
        help=at.outside_transaction(f"REINDEX{options} {op.kind.upper()} CONCURRENTLY{f' {op.name}' if op.name is not None else ''};"),
        relations=tables,
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _is_harmless(op: Reindex, at: Context) -> bool:
    """Whether the index or table is new, does not exist, or has no index to rebuild."""
    if op.name is None or op.kind not in ("index", "table"):
        return False
    index = at.catalog.index(op.name)
    table = at.catalog.get(index.table) if index is not None else at.catalog.relation(op.name)
    if not isinstance(table, Relation):
        return at.catalog.is_absent(op.name)
    return at.catalog.is_new(table) or (table.complete and not at.slow_effects())
