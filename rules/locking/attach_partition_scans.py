"""ATTACH PARTITION scans the new partition and the default partition while reads and writes of them are blocked.

PostgreSQL must verify that every row of the new partition fits its bounds, and that no row of the default partition belongs in it. It scans
both tables under ACCESS EXCLUSIVE: even SELECT waits, and the wait grows with the tables. A query of the parent that may touch the default
partition waits too. PostgreSQL skips the scan if valid CHECK constraints imply the bounds: `key IS NOT NULL AND key >= … AND key < …` on
the new partition, and the opposite on the default partition. Add the CHECK as NOT VALID, which takes a moment, and validate it, which does
not block reads or writes. Drop it after ATTACH PARTITION.

If the table lacks an index that the parent has, PostgreSQL builds it under the same lock; it also checks every row against a missing
foreign key. Create both beforehand.

Unsafe:
    ALTER TABLE orders ATTACH PARTITION orders_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');

Safe, in three migrations:
    ALTER TABLE orders_2023 ADD CONSTRAINT orders_2023_bound
        CHECK (placed_at IS NOT NULL AND placed_at >= '2023-01-01' AND placed_at < '2024-01-01') NOT VALID;
    -- next migration
    ALTER TABLE orders_2023 VALIDATE CONSTRAINT orders_2023_bound;
    ALTER TABLE orders ATTACH PARTITION orders_2023 FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    -- next migration
    ALTER TABLE orders_2023 DROP CONSTRAINT orders_2023_bound;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
"""

from collections.abc import Iterator, Sequence

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.index_builds import repeatable_index_build
from migsafe.linting.facts.partitions import default_exclusion
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation
from migsafe.schema.partition_requirements import missing_foreign_keys, missing_indexes
from migsafe.sql.bounds import bound_clause, bound_condition, key_expressions
from migsafe.sql.generation import (
    add_constraint_using_index,
    check_not_valid,
    create_index,
    create_unique_index,
    foreign_key_clause,
    join_migrations,
    validate_constraints,
)
from migsafe.sql.operations import AttachPartition, Bound, ConstraintKind, Name
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves a CHECK on the table",
)
def attach_partition_scans(op: AttachPartition, at: Context) -> Finding | None:
    """Report an existing table, or a default partition, that ATTACH PARTITION scans."""
    slow = at.slow_effects(only=True) if op.bound is not None else []
    if not slow or op.bound is None:
        return None
    scans = "; ".join(f"{effect.lock} on {effect.relation} while it reads every row, because {effect.why}" for effect in slow)
    return at.finding(
        op,
        f"ATTACH PARTITION takes {scans}: every {slow[0].blocked_commands} waits{while_held(at)}",
        help=_safe_way(op, op.bound, slow, at),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _safe_way(op: AttachPartition, bound: Bound, slow: Sequence[Effect], at: Context) -> str:
    parent, child = at.catalog.relation(op.target.name), at.catalog.relation(op.partition)
    scanned = {effect.relation for effect in slow}
    keys = key_expressions(parent.partition_key) if parent is not None and parent.partition_key is not None else None
    checks: dict[Name, tuple[str, str]] = {}
    if at.resolve(op.partition) in scanned and (bounds := _within(parent, child, keys, bound, at)) is not None:
        checks[op.partition] = default_name(op.partition.name, (), "bound"), bounds
    excluded = default_exclusion(op.target.name, op.partition, bound, scanned, at)
    if excluded is not None:
        checks[excluded.table] = excluded.name, excluded.condition
    first = [f"ALTER TABLE {table} ADD {check_not_valid(condition_sql, name)};" for table, (name, condition_sql) in checks.items()]
    last = [validate_constraints(table, name) for table, (name, _) in checks.items()]
    last.append(f"ALTER TABLE {op.target.name} ATTACH PARTITION {op.partition} {bound_clause(bound)};")
    dropped = [f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name)};" for table, (name, _) in checks.items()]
    placeholder = f"-- replace partition_key with the partition key of {op.target.name}:\n" if keys is None and checks else ""
    missing = list(_missing_parts(parent, child, op.partition, at)) if parent is not None and child is not None else []
    if not checks and not missing:
        return _attach_empty(bound)
    return join_migrations(placeholder + "\n".join(first) if first else "", *missing, "\n".join(last), *dropped)


def _within(parent: Relation | None, child: Relation | None, keys: Sequence[str] | None, bound: Bound, at: Context) -> str | None:
    """Returns the condition that proves the bound; None if no condition does, or if the rows already fulfil it."""
    if bound.kind == "default":
        siblings = [child.bound for child in at.catalog.children(parent.oid) if child.bound is not None] if parent is not None else []
        conditions = [bound_condition(keys, sibling) for sibling in siblings] if keys is not None else []
        return " AND ".join(f"NOT ({sql})" for sql in conditions) if conditions and None not in conditions else None
    if keys is None:
        keys = ("partition_key",) if bound.kind == "in" else tuple(f"partition_key_{number}" for number in range(1, len(bound.start) + 1))
        keys = ("partition_key",) if len(keys) == 1 else keys
    return bound_condition(keys, bound)


def _missing_parts(parent: Relation, child: Relation, table: Name, at: Context) -> Iterator[str]:
    """Yields migrations that create the indexes and foreign keys that ATTACH PARTITION would add to the table."""
    for index, constraint in missing_indexes(at.catalog, parent, child):
        name = default_name(child.name.name, [element.column or "expr" for element in index.elements], "key" if index.unique else "idx")
        if constraint is None:
            created = create_index(index, name, concurrently=True, table=table)
            yield repeatable_index_build(at, Name(name, table.schema), created) if index.unique else at.outside_transaction(f"{created};")
        elif constraint.kind is not ConstraintKind.EXCLUDE:
            yield repeatable_index_build(at, Name(name, table.schema), create_unique_index(table, constraint, name))
            yield add_constraint_using_index(table, constraint, name)
    for key in missing_foreign_keys(at.catalog, parent, child):
        name = key.name or default_name(child.name.name, key.columns, "fkey")
        yield f"ALTER TABLE {table} ADD {foreign_key_clause(key, name)};"
        yield f"-- without blocking reads and writes:\n{validate_constraints(table, name)}"


def _attach_empty(bound: Bound) -> str:
    if bound.kind == "hash":
        return "-- no CHECK can express the bound of a hash partition: attach the table while it is empty, then fill it in batches"
    return "-- attach the table while it is empty, then fill it in batches"
