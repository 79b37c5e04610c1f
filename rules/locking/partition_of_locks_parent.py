"""CREATE TABLE … PARTITION OF stops the whole partitioned table.

It takes ACCESS EXCLUSIVE on the parent: until it has the lock it waits for every query that is running on any partition, and every new one
waits behind it; inside a transaction the lock is kept until that ends. ATTACH PARTITION takes SHARE UPDATE EXCLUSIVE, which lets reads and
writes go on: so the table is made by itself, and attached while it is empty and there is nothing to read.

Where there is a default partition, both ways lock it, and read it for rows that belong in the new one. A CHECK on it that rules these out,
added as NOT VALID and validated before, spares the scan.

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
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.bounds import bound_clause
from migsafe.sql.generation import partition_by, storage_options
from migsafe.sql.operations import Bound, CreateTable, Name, Persistence
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.WARNING)
def partition_of_locks_parent(op: CreateTable, at: Context) -> Finding | None:
    """Report a partition that is created in place, of a table that others can know."""
    parent = at.resolve(op.partition_of) if op.partition_of is not None else None
    locked = [effect for effect in at.blocking_effects if effect.relation == parent and not is_created_here(at, effect.relation)]
    if op.partition_of is None or op.bound is None or not locked:
        return None
    reading = [effect.relation for effect in at.slow(only=True)]
    work = f", while it reads every row of {' and '.join(map(str, reading))}" if reading else ""
    return at.finding(
        op,
        f"CREATE TABLE … PARTITION OF takes {locked[0].lock} on {parent}, all of it{work}, and waits for all who use it: "
        f"meanwhile every {locked[0].blocked_commands} waits",
        help=_attached(op, op.partition_of, op.bound, at),
        relations=[effect.relation for effect in at.blocking_effects],
        lock=locked[0].lock,
    )


def _attached(op: CreateTable, parent: Name, bound: Bound, at: Context) -> str:
    attach = f"ALTER TABLE {parent} ATTACH PARTITION {op.table} {bound_clause(bound)};"
    if op.server is not None:
        return f"-- first the foreign table by itself, with the columns of {parent}; then, in the same transaction:\n{attach}"
    own = [f"-- and {quoted(column.name)} as {at.text(*column.span)}" for column in op.columns]
    steps = [_alone(op, parent, at), *own, attach]
    # Apart, the second may fail after the first, and the table would be in the way of the next attempt.
    return "\n".join(steps if at.session.in_transaction_block else ["BEGIN;", *steps, "COMMIT;"])


def _alone(op: CreateTable, parent: Name, at: Context) -> str:
    """The partition as a table of its own. One with an identity column PostgreSQL 17 would not attach."""
    relation = at.catalog.relation(parent)
    plain = relation is not None and relation.complete and not any(column.identity for column in relation.columns)
    inside = [f"LIKE {parent} INCLUDING ALL{'' if plain else ' EXCLUDING IDENTITY'}"]
    inside += [at.text(*one.span) for one in op.constraints]
    words = ["CREATE UNLOGGED TABLE" if op.persistence is Persistence.UNLOGGED else "CREATE TABLE", f"{op.table} ({', '.join(inside)})"]
    words += [partition_by(op.partition_by)] if op.partition_by is not None else []
    words += [f"USING {quoted(op.method)}"] if op.method is not None else []
    words += [f"WITH {storage_options(op.options)}"] if op.options else []
    words += [f"TABLESPACE {quoted(op.tablespace)}"] if op.tablespace is not None else []
    return f"{' '.join(words)};"
