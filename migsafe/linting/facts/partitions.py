"""Partitions: what proves that a new one takes no rows from the default partition."""

from collections.abc import Collection

from msgspec import Struct

from migsafe.linting.rule import Context
from migsafe.schema.default_names import default_name
from migsafe.sql.bounds import bound_condition, key_expressions
from migsafe.sql.operations import Bound, Name


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
