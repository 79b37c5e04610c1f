"""Tables that can only contain a few rows, such as settings or a version in one row, and keys that identify rows."""

from collections.abc import Iterable

from migsafe import expressions
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint, EnumType, Index, Key, Relation
from migsafe.sql.operations import ConstraintKind, Expression


def has_few_rows(catalog: Catalog, relation: Relation, added: Iterable[Expression] = ()) -> bool:
    """Whether a unique index of a table has keys of which only a few values are possible: `((true))`, `(version IS NOT NULL)`, a boolean
    that is not null, or a column that a CHECK limits to constants. `added` are conditions that a statement adds."""
    checks = [
        check
        for check in catalog.dependents(relation.oid, Constraint)
        if check.table == relation.oid and check.kind is ConstraintKind.CHECK and check.valid
    ]
    conditions = tuple(added)
    return any(
        index.unique
        and index.valid
        and index.predicate is None
        and all(_has_few_values(key, relation, checks, conditions) for key in index.keys)
        for index in catalog.indexes(relation.oid)
    )


def is_table_of_values(catalog: Catalog, relation: Relation, key: int) -> bool:
    """Whether a key of a table has only a few possible values, because its columns have enum types or are limited as for `has_few_rows`, as in
    a table that describes the values of an enum. `key` is the number of its index."""
    index = catalog.get(key)
    if has_few_rows(catalog, relation):
        return True
    columns = (
        [relation.column_numbered(each.column) if each.column is not None else None for each in index.keys] if isinstance(index, Index) else []
    )
    types = [catalog.type_of(column.type) if column is not None and column.type is not None else None for column in columns]
    return bool(types) and all(isinstance(each, EnumType) for each in types)


def identifying_index(catalog: Catalog, relation: Relation) -> Index | None:
    """Returns a unique index of a table whose keys are all columns that are not null, so that it identifies the rows."""
    for index in catalog.indexes(relation.oid):
        columns = [relation.column_numbered(key.column) if key.column is not None else None for key in index.keys]
        if index.unique and index.valid and index.predicate is None and all(column is not None and column.not_null for column in columns):
            return index
    return None


def _has_few_values(key: Key, relation: Relation, checks: Iterable[Constraint], added: Iterable[Expression]) -> bool:
    if key.column is None:
        return key.formula is not None and (not key.formula.columns or _is_null_test(key.formula.expression))
    column = relation.column_numbered(key.column)
    if column is None or not column.not_null:
        return False
    if column.type is not None and column.type.name == "boolean" and not column.type.dimensions:
        return True
    if any(column.name in expressions.columns_equal_to_constants(condition) for condition in added):
        return True
    return any(
        check.check is not None and expressions.columns_equal_to_constants(check.check.expression) & _names(check, key.column)
        for check in checks
        if key.column in check.columns
    )


def _is_null_test(expression: Expression) -> bool:
    words = expression.sql.lower().strip("() \n\t").split()
    return len(words) in (3, 4) and words[1] == "is" and words[-1] == "null"


def _names(check: Constraint, number: int) -> frozenset[str]:
    return frozenset(name for column, name in (check.check.column_uses if check.check is not None else ()) if column == number)
