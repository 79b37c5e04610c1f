"""The differences between an existing table and the one that a CREATE TABLE would create."""

from collections.abc import Iterator

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Column, Constraint, Formula, Relation
from migsafe.schema.tables import create_table
from migsafe.sql.operations import ConstraintKind, CreateTable, Name
from migsafe.sql.operations.values import quoted

_COMPARED = "migsafe: compared table"


def table_differences(catalog: Catalog, op: CreateTable) -> list[str]:
    """Returns the differences between the existing table and the statement, each as the end of a sentence; none if there is no such table,
    or if the history does not tell all of it."""
    existing = catalog.relation(op.table)
    if existing is None or not existing.complete or op.partition_of is not None:
        return []
    # The statement's table is created under another name, compared, and undone.
    name = Name(_COMPARED, existing.name.schema)
    mark, refusals = catalog.mark(), catalog.refusals
    catalog.refusals = []
    try:
        create_table(catalog, replace(op, table=name, if_not_exists=False))
        created = catalog.relation(name)
        return [] if created is None else [*_column_differences(existing, created), *_constraint_differences(catalog, existing, created)]
    finally:
        catalog.undo(mark)
        catalog.refusals = refusals


def _column_differences(existing: Relation, created: Relation) -> Iterator[str]:
    for column in created.columns:
        existing_column = existing.column(column.name)
        if existing_column is None:
            yield f"it has no column {quoted(column.name)}"
        else:
            yield from _differences_of_column(existing_column, column)
    for column in existing.columns:
        if created.column(column.name) is None:
            yield f"it has an additional column {quoted(column.name)}"


def _differences_of_column(existing: Column, created: Column) -> Iterator[str]:
    name = quoted(existing.name)
    if existing.type is not None and created.type is not None and existing.type != created.type:
        yield f"{name} is {existing.type}, not {created.type}"
    if existing.not_null is not None and bool(existing.not_null) != bool(created.not_null):
        yield f"{name} is {'NOT NULL' if existing.not_null else 'not NOT NULL'}"
    if existing.identity != created.identity or existing.generated != created.generated:
        yield f"{name} is generated in another way"
    elif _default_sql(existing.default) != _default_sql(created.default):
        yield f"{name} has {f'the default {_default_sql(existing.default)}' if existing.default is not None else 'no default'}"


def _default_sql(formula: Formula | None) -> str | None:
    # A serial column takes its values from a sequence that is named after the table.
    return None if formula is None else "nextval" if formula.sequences else formula.expression.sql


def _constraint_differences(catalog: Catalog, existing: Relation, created: Relation) -> Iterator[str]:
    existing_constraints, created_constraints = (
        {_describe(catalog, table, constraint) for constraint in catalog.constraints(table.oid)} for table in (existing, created)
    )
    yield from (f"it has no {constraint}" for constraint in sorted(created_constraints - existing_constraints))
    yield from (f"it also has {constraint}" for constraint in sorted(existing_constraints - created_constraints))


def _describe(catalog: Catalog, table: Relation, constraint: Constraint) -> str:
    """Describes a constraint without its name; the created table counts as the table itself."""
    columns = ", ".join(quoted(column.name) for number in constraint.columns if (column := table.column_numbered(number)) is not None)
    if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
        return f"CHECK ({constraint.check.expression.sql})"
    description = f"{constraint.kind.value} ({columns})"
    referenced = catalog.get(constraint.references) if constraint.references is not None else None
    if isinstance(referenced, Relation):
        description += f" REFERENCES {referenced.name if referenced.name.name != _COMPARED else table.name}"
    return description
