"""CREATE TABLE … PARTITION OF blocks the whole partitioned table.

It takes ACCESS EXCLUSIVE on the parent: it waits for every running query of any partition, and every new query waits behind it. Inside a
transaction the lock is kept until the transaction ends. ATTACH PARTITION takes SHARE UPDATE EXCLUSIVE, which does not block reads or
writes: create the table separately, and attach it while it is empty and there is nothing to scan.

If there is a default partition, both statements lock it and scan it for rows that belong in the new partition. A CHECK on it that excludes
such rows, added as NOT VALID and validated beforehand, avoids the scan; drop it afterwards.

Unsafe:
    CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

Safe, in one transaction:
    BEGIN;
    CREATE TABLE orders_2026 (LIKE orders INCLUDING ALL EXCLUDING IDENTITY);
    ALTER TABLE orders ATTACH PARTITION orders_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    COMMIT;

See: https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.facts.partitions import default_exclusion
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.bounds import bound_clause
from migsafe.sql.generation import check_not_valid, join_migrations, partition_by, storage_options, validate_constraints
from migsafe.sql.operations import Bound, CreateTable, Name, Persistence
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.WARNING,
    fix="unsafe",
    unsafe_because="with a default partition it takes several migrations (without one it is safe)",
)
def partition_of_locks_parent(op: CreateTable, at: Context) -> Finding | None:
    """Report CREATE TABLE … PARTITION OF an existing table."""
    parent = at.resolve(op.partition_of) if op.partition_of is not None else None
    locked = [effect for effect in at.blocking_effects if effect.relation == parent and not is_created_here(at, effect.relation)]
    if op.partition_of is None or op.bound is None or not locked:
        return None
    scanned = [effect.relation for effect in at.slow_effects(only=True)]
    work = f" while it reads every row of {' and '.join(map(str, scanned))}" if scanned else ""
    return at.finding(
        op,
        f"CREATE TABLE … PARTITION OF takes {locked[0].lock} on the whole partitioned table {parent}{work}, and first waits for every "
        f"transaction that uses it: meanwhile every {locked[0].blocked_commands} waits",
        help=_with_default_partition(op, op.partition_of, op.bound, scanned, at),
        fix=_fix(op, op.partition_of, op.bound, scanned, at),
        safe_fix=not scanned,
        relations=[effect.relation for effect in at.blocking_effects],
        lock=locked[0].lock,
    )


def _with_default_partition(op: CreateTable, parent: Name, bound: Bound, scanned: list[Name], at: Context) -> str:
    """Returns the safe way, with the CHECK that spares the default partition its scan."""
    attached = _create_and_attach(op, parent, bound, at)
    excluded = default_exclusion(parent, op.table, bound, scanned, at)
    if excluded is None:
        return attached
    return join_migrations(
        f"-- first prove that {excluded.table} has no row of the new partition; move such rows out of it before:\n"
        f"ALTER TABLE {excluded.table} ADD {check_not_valid(excluded.condition, excluded.name)};",
        f"-- without blocking reads and writes:\n{validate_constraints(excluded.table, excluded.name)}",
        attached,
        f"ALTER TABLE {excluded.table} DROP CONSTRAINT {quoted(excluded.name)};",
    )


def _fix(op: CreateTable, parent: Name, bound: Bound, scanned: list[Name], at: Context) -> str:
    """Returns the safe way with what PARTITION OF copies, and no more: no comments and no extended statistics."""
    relation = at.catalog.relation(parent)
    if op.server is not None or op.columns or op.if_not_exists or relation is None or not relation.complete:
        return ""
    return _with_default_partition(op, parent, bound, scanned, at).replace(
        f"LIKE {parent} INCLUDING ALL", f"LIKE {parent} INCLUDING ALL EXCLUDING COMMENTS EXCLUDING STATISTICS"
    )


def _create_and_attach(op: CreateTable, parent: Name, bound: Bound, at: Context) -> str:
    attach = f"ALTER TABLE {parent} ATTACH PARTITION {op.table} {bound_clause(bound)};"
    if op.server is not None:
        return f"-- first create the foreign table separately, with the columns of {parent}; then, in the same transaction:\n{attach}"
    own = [f"-- and define {quoted(column.name)} as {at.text(*column.span)}" for column in op.columns]
    steps = [_separate_table(op, parent, at), *own, attach]
    # In two transactions ATTACH may fail after CREATE, and the table would make the next attempt fail.
    return "\n".join(steps if at.session.in_transaction_block else ["BEGIN;", *steps, "COMMIT;"])


def _separate_table(op: CreateTable, parent: Name, at: Context) -> str:
    """Returns the partition as a separate table. PostgreSQL 17 refuses to attach a table with an identity column."""
    relation = at.catalog.relation(parent)
    has_no_identity = relation is not None and relation.complete and not any(column.identity for column in relation.columns)
    elements = [f"LIKE {parent} INCLUDING ALL{'' if has_no_identity else ' EXCLUDING IDENTITY'}"]
    elements += [at.text(*constraint.span) for constraint in op.constraints]
    words = ["CREATE UNLOGGED TABLE" if op.persistence is Persistence.UNLOGGED else "CREATE TABLE", f"{op.table} ({', '.join(elements)})"]
    words += [partition_by(op.partition_by)] if op.partition_by is not None else []
    words += [f"USING {quoted(op.method)}"] if op.method is not None else []
    words += [f"WITH {storage_options(op.options)}"] if op.options else []
    words += [f"TABLESPACE {quoted(op.tablespace)}"] if op.tablespace is not None else []
    return f"{' '.join(words)};"
