"""The constraints and indexes that ALTER COLUMN … TYPE creates again, for the new type (ATPostAlterTypeCleanup in tablecmds.c)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migsafe import expressions
from migsafe.prediction.refusals.definitions import changed_type, is_built_in, type_text
from migsafe.prediction.refusals.foreign_keys import are_incompatible
from migsafe.prediction.refusals.index_methods import is_wrong_for
from migsafe.prediction.refusals.indexes import WITHOUT_ORDER
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Column, Constraint, Formula, Index, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName

if TYPE_CHECKING:
    from migsafe.expressions.comparisons import ComparedConstant

_CONVERTED = ("character varying", "character")
"""The types whose columns PostgreSQL converts to text before it compares them with a constant, so that another type is converted as well."""


@refuses(sql.AlterColumnType)
def alter_type(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """The CHECKs and indexes over a column accept its new type. Their constants keep the type that they got from the old one."""
    changed = changed_type(catalog, op)
    if changed is None:
        return None
    table, column, source, target = changed
    if source.dimensions or target.dimensions or (source.name, source.schema) == (target.name, target.schema):
        return None
    for owner, formula in _formulas(catalog, table, column):
        if source.name in _CONVERTED or not certainly_exists(catalog, owner) or "::" in formula.expression.sql:
            continue
        refusal = _refuse_comparison(catalog, (owner, formula), column, source, target)
        if refusal is not None:
            return refusal
    return _refuse_indexes(catalog, table, column, target)


def _formulas(catalog: Catalog, table: Relation, column: Column) -> Iterator[tuple[Constraint | Index, Formula]]:
    """Returns the expressions over a column that are stored with their types, each with the object that it belongs to."""
    for constraint in catalog.constraints(table.oid):
        if constraint.check is not None and column.number in constraint.check.columns:
            yield constraint, constraint.check
    for index in catalog.indexes(table.oid):
        for formula in (*(key.formula for key in index.keys), index.predicate):
            if formula is not None and column.number in formula.columns:
                yield index, formula


def _refuse_comparison(
    catalog: Catalog, found: tuple[Constraint | Index, Formula], column: Column, source: TypeName, target: TypeName
) -> Refusal | None:
    owner, formula = found
    # The expression names the column as it was called then.
    names = {name for number, name in formula.column_uses if number == column.number}
    for comparison in expressions.compared_constants(formula.expression):
        constant = _type_of(comparison, source)
        if comparison.column not in names or constant is None or not _are_incompatible(catalog, target, constant):
            continue
        word, name = ("constraint", owner.name.name) if isinstance(owner, Constraint) else ("index", owner.name.name)
        texts = [type_text(catalog, data_type) for data_type in (target, constant)]
        drop = f"DROP INDEX {owner.name};" if isinstance(owner, Index) else f"ALTER TABLE … DROP CONSTRAINT {Name(name)};"
        return Refusal(
            error=f"operator does not exist: {texts[0]} {comparison.operator} {texts[1]}",
            detail=f"the {word} {Name(name)} compares {Name(column.name)} with a constant of its old type",
            help=f"-- in one transaction: {drop} this statement, and the {word} again with constants of the new type",
        )
    return None


def _are_incompatible(catalog: Catalog, first: TypeName, second: TypeName) -> bool:
    return are_incompatible(catalog, first, second) and are_incompatible(catalog, second, first)


def _type_of(comparison: "ComparedConstant", source: TypeName) -> TypeName | None:
    """Returns the type that a constant got when it was compared with a column of a type."""
    if comparison.kind == "string":
        return replace(source, modifiers=())
    if source.name in ("numeric", "real", "double precision"):
        return TypeName(name=source.name)
    return TypeName(name=comparison.kind) if comparison.kind == "integer" else TypeName(name="numeric")


def _refuse_indexes(catalog: Catalog, table: Relation, column: Column, target: TypeName) -> Refusal | None:
    for index in catalog.indexes(table.oid) if is_built_in(target) else ():
        for key in index.keys:
            if key.column != column.number or not certainly_exists(catalog, index):
                continue
            help = f"-- in one transaction: DROP INDEX {index.name}; this statement, and an index for the new type"
            if key.opclass is None and index.method == "btree" and target.name in WITHOUT_ORDER:
                error = f'data type {target.name} has no default operator class for access method "btree"'
                return Refusal(error=error, detail=f"for the index {index.name}", help=help)
            if key.opclass is not None and is_wrong_for(key.opclass.name, target):
                error = f'operator class "{key.opclass.name}" does not accept data type {type_text(catalog, target)}'
                return Refusal(error=error, detail=f"for the index {index.name}", help=help)
    return None
