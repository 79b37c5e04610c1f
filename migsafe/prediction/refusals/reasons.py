"""The search for the reason why PostgreSQL refuses an operation."""

from migsafe.prediction.refusals import (  # noqa: F401  # their functions register themselves
    collations,
    column_definitions,
    columns,
    concurrently,
    exclusions,
    expressions,
    extensions,
    foreign_keys,
    foreign_tables,
    functions,
    generated_columns,
    index_methods,
    indexes,
    inheritance,
    kinds,
    later_functions,
    later_relations,
    partition_bounds,
    partitions,
    parts,
    policies,
    publications,
    roles,
    routines,
    row_constraints,
    rows,
    schemas,
    settings,
    storage_parameters,
    triggers,
    type_changes,
    typed_tables,
    types,
    values,
    views,
)
from migsafe.prediction.refusals.registry import checks_for
from migsafe.schema.catalog import Catalog
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import Operation


def find_refusal(catalog: Catalog, operation: Operation) -> Refusal | None:
    """Returns why PostgreSQL certainly refuses an operation on this database; None if no reason is known."""
    for check in checks_for(operation):
        refusal = check(catalog, operation)
        if refusal is not None:
            return refusal
    return None
