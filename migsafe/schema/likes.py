"""CREATE TABLE … (LIKE …)."""

from collections.abc import Iterable

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import add_sequence
from migsafe.schema.constraints import LABELS, add_index_constraint, constraint_of_index
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.formulas import formula
from migsafe.schema.indexes import add_index, for_partition, free_index_name
from migsafe.schema.objects import Column, Index, Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Like, Name


def _included_kinds(like: Like) -> set[str]:
    """Returns the kinds of object that LIKE's options include; comments and storage have no meaning here."""
    all_kinds = {"constraints", "defaults", "identity", "generated", "indexes", "statistics"}
    included: set[str] = set()
    for option in like.options:
        verb, kind = option.split(" ", 1)
        kinds = all_kinds if kind == "all" else {kind}
        included = included | kinds if verb == "including" else included - kinds
    return included


def like_columns(catalog: Catalog, like: Like) -> Iterable[Column]:
    """Returns the columns that LIKE copies."""
    source = catalog.relation(like.table)
    if source is None:
        if catalog.is_absent(like.table):
            catalog.add_refusal(f"relation {name_in_quotes(like.table)} does not exist")
        return
    included = _included_kinds(like)
    for column in source.columns:
        keeps_default = "generated" in included if column.generated else "defaults" in included
        yield replace(
            column,
            default=column.default if keeps_default else None,
            generated=column.generated if keeps_default else None,
            identity=column.identity if "identity" in included else None,
            local=True,
            inherited=0,
        )


def copy_like(catalog: Catalog, oid: int, like: Like) -> None:
    """Copies the objects that LIKE copies in addition to the columns: CHECKs keep their names, indexes get names of the new table."""
    source = catalog.relation(like.table)
    table = catalog.require(Relation, oid)
    if source is None or not source.complete:
        catalog.change(table, complete=False)
        return
    included = _included_kinds(like)
    for column in table.columns:
        if column.identity and source.column(column.name) is not None:
            add_sequence(catalog, table, column)
    if "constraints" in included:
        for constraint in catalog.constraints(source.oid):
            if constraint.kind is ConstraintKind.CHECK and constraint.check is not None:
                bound = formula(constraint.check.expression, table.columns)
                copy = replace(constraint, oid=catalog.new_oid(), name=Name(constraint.name.name, table.name.schema), table=oid)
                catalog.store(replace(copy, check=bound, columns=bound.columns, valid=copy.enforced, local=True, inherited=0, parent=None))
    if "indexes" in included:
        for index in catalog.indexes(source.oid):
            _copy_index(catalog, table, source, index)


def _copy_index(catalog: Catalog, table: Relation, source: Relation, index: Index) -> None:
    constraint = constraint_of_index(catalog, index)
    copy = for_partition(source, table, index)
    label = LABELS[constraint.kind] if constraint else "idx"
    name = free_index_name(catalog, table, copy.keys, copy.include, label, constraint=constraint is not None)
    index = add_index(catalog, replace(copy, oid=catalog.new_oid(), name=name, parent=None, table=table.oid))
    if constraint:
        definition = sql.Constraint(kind=constraint.kind, span=sql.Column(name="").span, deferrable=constraint.deferrable)
        add_index_constraint(catalog, table.oid, index, definition)
