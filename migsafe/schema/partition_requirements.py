"""The indexes and constraints that a table needs to become a partition of another, as operations that create them."""

from collections.abc import Iterator

from migsafe.schema.catalog import Catalog
from migsafe.schema.constraints import constraint_of_index, matching_foreign_key
from migsafe.schema.definitions import foreign_key_definition, index_definition, key_definition
from migsafe.schema.indexes import has_same
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind


def missing_indexes(catalog: Catalog, parent: Relation, child: Relation) -> Iterator[tuple[sql.CreateIndex, sql.Constraint | None]]:
    """Returns the parent's indexes that ATTACH PARTITION would build on a table, each with its constraint."""
    for index in catalog.indexes(parent.oid):
        if not has_same(catalog, parent, child, index):
            constraint = constraint_of_index(catalog, index)
            yield index_definition(parent, index), key_definition(parent, index, constraint) if constraint is not None else None


def missing_foreign_keys(catalog: Catalog, parent: Relation, child: Relation) -> Iterator[sql.Constraint]:
    """Returns the parent's foreign keys that ATTACH PARTITION would check on a table."""
    for constraint in catalog.constraints(parent.oid):
        referenced = catalog.get(constraint.references) if constraint.references is not None else None
        is_foreign_key = constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.enforced and isinstance(referenced, Relation)
        if is_foreign_key and isinstance(referenced, Relation) and matching_foreign_key(catalog, child, constraint) is None:
            yield foreign_key_definition(parent, referenced, constraint)
