"""Partitions: what proves that a new one takes no rows from the default partition, and constraints that are added partition by partition."""

from collections.abc import Collection, Iterator
from itertools import islice

from msgspec import Struct

from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_name
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.bounds import bound_condition, key_expressions
from migsafe.sql.generation import foreign_key_clause, join_migrations, validate_constraints
from migsafe.sql.operations import Bound, Constraint, Name
from migsafe.sql.operations.values import quoted

_SHOWN = 2
"""The number of partitions whose statements a safe way shows."""


def partitioned_table(at: Context, table: Name) -> Relation | None:
    """Returns a table if it is known to be partitioned."""
    relation = at.catalog.relation(table)
    return relation if relation is not None and relation.kind is RelationKind.PARTITIONED else None


class Exclusion(Struct, frozen=True):
    """A CHECK on the default partition: no row of it is within the bound of the new partition."""

    table: Name
    name: str
    condition: str


def default_exclusion(parent: Name, partition: Name, bound: Bound, scanned: Collection[Name], at: Context) -> Exclusion | None:
    """Returns the CHECK that spares the default partition its scan; None if it is not among the scanned tables, or no CHECK can say it."""
    relation = at.catalog.relation(parent)
    default = at.catalog.default_partition(relation.oid) if relation is not None else None
    if relation is None or default is None or default.name not in scanned or relation.partition_key is None:
        return None
    keys = key_expressions(relation.partition_key)
    inside = bound_condition(keys, bound) if keys is not None else None
    if inside is None:
        return None
    return Exclusion(default.name, default_name(default.name.name, (partition.name,), "excluded"), f"NOT ({inside})")


def key_by_partition(table: Name, key: Constraint, name: str) -> str:
    """Returns how to add a UNIQUE or PRIMARY KEY constraint to a partitioned table, whose index PostgreSQL neither builds CONCURRENTLY nor
    takes from USING INDEX (DefineIndex in indexcmds.c, ATExecAddIndexConstraint in tablecmds.c)."""
    columns, kind = ", ".join(map(quoted, key.columns)), key.kind.value
    return (
        f"-- for each partition, outside a transaction: CREATE UNIQUE INDEX CONCURRENTLY … ({columns}), then in the next migration\n"
        f"-- ALTER TABLE partition ADD CONSTRAINT … {kind} USING INDEX …; then the partitioned table, which accepts them without a scan:\n"
        f"-- ALTER TABLE ONLY {table} ADD CONSTRAINT {quoted(name)} {kind} ({columns});\n"
        f"-- ALTER INDEX {quoted(name)} ATTACH PARTITION … for each partition"
    )


def foreign_key_by_partition(at: Context, parent: Relation, table: Name, key: Constraint, name: str) -> str:
    """Returns the migrations that add a foreign key to a partitioned table, partition by partition, for some of them. Up to 17 PostgreSQL
    refuses a NOT VALID foreign key on the table itself, but accepts the keys that its partitions have, unchecked."""
    shown = list(islice(_leaves(at, parent), _SHOWN))
    others = "the other partitions" if shown else "every partition"
    return join_migrations(
        *(
            step
            for partition in shown
            for step in (f"ALTER TABLE {partition} ADD {foreign_key_clause(key, name)};", validate_constraints(partition, name))
        ),
        f"-- repeat this for {others}; then the partitioned table accepts their foreign keys without a check:\n"
        f"-- ALTER TABLE {table} ADD {foreign_key_clause(key, name, not_valid=False)};",
    )


def _leaves(at: Context, parent: Relation) -> Iterator[Name]:
    """Yields the partitions that have rows themselves."""
    for child in at.catalog.children(parent.oid):
        if child.kind is RelationKind.PARTITIONED:
            yield from _leaves(at, child)
        else:
            yield child.name
