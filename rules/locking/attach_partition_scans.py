"""ATTACH PARTITION reads the new partition, and a default one, while nobody can read or write them.

PostgreSQL has to know that every row belongs in the partition, and that none in the default partition does. It reads both from end to end
under ACCESS EXCLUSIVE: even SELECT waits, and the wait grows with the tables; a query of the parent that may touch the default partition waits
with them. The scan is spared where valid CHECKs say what the bounds say, `key IS NOT NULL AND key >= … AND key < …`, and of a default
partition the opposite. A CHECK is added as NOT VALID, which takes a moment, and validated while reads and writes go on; after ATTACH PARTITION
it can go.

An index of the parent that the table lacks is built under the same lock, a foreign key that it lacks is checked: so the table gets them
before.

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

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.copies import missing_foreign_keys, missing_indexes
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation
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


@rule(category="locking", severity=Severity.ERROR)
def attach_partition_scans(op: AttachPartition, at: Context) -> Finding | None:
    """Report an existing table, or a default partition, that is read because a partition is attached."""
    slow = at.slow(only=True) if op.bound is not None else []
    if not slow or op.bound is None:
        return None
    both = "; ".join(f"{one.lock} on {one.relation} while it reads every row, because {one.why}" for one in slow)
    return at.finding(
        op,
        f"ATTACH PARTITION takes {both}: every {slow[0].blocked_commands} waits",
        help=_safe_way(op, op.bound, slow, at),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _safe_way(op: AttachPartition, bound: Bound, slow: Sequence[Effect], at: Context) -> str:
    parent, child = at.catalog.relation(op.target.name), at.catalog.relation(op.partition)
    default = at.catalog.default_partition(parent.oid) if parent is not None else None
    is_read = {effect.relation for effect in slow}
    keys = key_expressions(parent.partition_key) if parent is not None and parent.partition_key is not None else None
    checks: dict[Name, tuple[str, str]] = {}
    if at.resolve(op.partition) in is_read and (said := _within(parent, child, keys, bound, at)) is not None:
        checks[op.partition] = default_name(op.partition.name, (), "bound"), said
    if default is not None and default.name in is_read and keys is not None and (inside := bound_condition(keys, bound)) is not None:
        checks[default.name] = default_name(default.name.name, (op.partition.name,), "excluded"), f"NOT ({inside})"
    first = [f"ALTER TABLE {table} ADD {check_not_valid(said, name)};" for table, (name, said) in checks.items()]
    last = [validate_constraints(table, name) for table, (name, _) in checks.items()]
    last.append(f"ALTER TABLE {op.target.name} ATTACH PARTITION {op.partition} {bound_clause(bound)};")
    dropped = [f"ALTER TABLE {table} DROP CONSTRAINT {quoted(name)};" for table, (name, _) in checks.items()]
    guessed = f"-- with what {op.target.name} is partitioned by, here partition_key:\n" if keys is None and checks else ""
    lacking = list(_lacking(parent, child, op.partition, at)) if parent is not None and child is not None else []
    if not checks and not lacking:
        return _no_way(bound)
    return join_migrations(guessed + "\n".join(first) if first else "", *lacking, "\n".join(last), *dropped)


def _within(parent: Relation | None, child: Relation | None, keys: Sequence[str] | None, bound: Bound, at: Context) -> str | None:
    """The condition that proves the bound; None where no condition does, or the rows are proved to fulfil it already."""
    if bound.kind == "default":
        siblings = [one.bound for one in at.catalog.children(parent.oid) if one.bound is not None] if parent is not None else []
        said = [bound_condition(keys, one) for one in siblings] if keys is not None else []
        return " AND ".join(f"NOT ({one})" for one in said) if said and None not in said else None
    if keys is None:
        keys = ("partition_key",) if bound.kind == "in" else tuple(f"partition_key_{number}" for number in range(1, len(bound.start) + 1))
        keys = ("partition_key",) if len(keys) == 1 else keys
    return bound_condition(keys, bound)


def _lacking(parent: Relation, child: Relation, table: Name, at: Context) -> Iterator[str]:
    """Migrations that give the table what it would get while it is attached."""
    for index, constraint in missing_indexes(at.catalog, parent, child):
        name = default_name(child.name.name, [element.column or "expr" for element in index.elements], "key" if index.unique else "idx")
        if constraint is None:
            yield at.outside_transaction(f"{create_index(index, name, concurrently=True, table=table)};")
        elif constraint.kind is not ConstraintKind.EXCLUDE:
            yield at.outside_transaction(f"{create_unique_index(table, constraint, name)};")
            yield add_constraint_using_index(table, constraint, name)
    for key in missing_foreign_keys(at.catalog, parent, child):
        name = key.name or default_name(child.name.name, key.columns, "fkey")
        yield f"ALTER TABLE {table} ADD {foreign_key_clause(key, name)};"
        yield f"-- while reads and writes go on:\n{validate_constraints(table, name)}"


def _no_way(bound: Bound) -> str:
    if bound.kind == "hash":
        return "-- no CHECK says what a hash partition's bound says: attach the table while it is empty, and fill it then, in batches"
    return "-- attach the table while it is empty, and fill it then, in batches"
