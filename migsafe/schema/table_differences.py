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
    there = catalog.relation(op.table)
    if there is None or not there.complete or op.partition_of is not None:
        return []
    # The statement's table is created under another name, compared, and undone.
    name = Name(_COMPARED, there.name.schema)
    mark, refusals = catalog.mark(), catalog.refusals
    catalog.refusals = []
    try:
        create_table(catalog, replace(op, table=name, if_not_exists=False))
        wanted = catalog.relation(name)
        return [] if wanted is None else [*_columns(there, wanted), *_constraints(catalog, there, wanted)]
    finally:
        catalog.undo(mark)
        catalog.refusals = refusals


def _columns(there: Relation, wanted: Relation) -> Iterator[str]:
    for column in wanted.columns:
        found = there.column(column.name)
        if found is None:
            yield f"it has no column {quoted(column.name)}"
        else:
            yield from _column(found, column)
    for column in there.columns:
        if wanted.column(column.name) is None:
            yield f"it has an additional column {quoted(column.name)}"


def _column(found: Column, wanted: Column) -> Iterator[str]:
    name = quoted(found.name)
    if found.type is not None and wanted.type is not None and found.type != wanted.type:
        yield f"{name} is {found.type}, not {wanted.type}"
    if found.not_null is not None and bool(found.not_null) != bool(wanted.not_null):
        yield f"{name} is {'NOT NULL' if found.not_null else 'not NOT NULL'}"
    if found.identity != wanted.identity or found.generated != wanted.generated:
        yield f"{name} is generated in another way"
    elif _sql(found.default) != _sql(wanted.default):
        yield f"{name} has {f'the default {_sql(found.default)}' if found.default is not None else 'no default'}"


def _sql(formula: Formula | None) -> str | None:
    # A serial column takes its values from a sequence that is named after the table.
    return None if formula is None else "nextval" if formula.sequences else formula.expression.sql


def _constraints(catalog: Catalog, there: Relation, wanted: Relation) -> Iterator[str]:
    has, should = ({_described(catalog, table, one) for one in catalog.constraints(table.oid)} for table in (there, wanted))
    yield from (f"it has no {constraint}" for constraint in sorted(should - has))
    yield from (f"it also has {constraint}" for constraint in sorted(has - should))


def _described(catalog: Catalog, table: Relation, one: Constraint) -> str:
    """Describes a constraint without its name; the created table counts as the table itself."""
    columns = ", ".join(quoted(column.name) for number in one.columns if (column := table.column_numbered(number)) is not None)
    if one.kind is ConstraintKind.CHECK and one.check is not None:
        return f"CHECK ({one.check.expression.sql})"
    said = f"{one.kind.value} ({columns})"
    referenced = catalog.get(one.references) if one.references is not None else None
    if isinstance(referenced, Relation):
        said += f" REFERENCES {referenced.name if referenced.name.name != _COMPARED else table.name}"
    return said
