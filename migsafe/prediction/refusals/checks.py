"""The rows of INSERT … VALUES and of UPDATE that violate a CHECK of their table, or of the domain of a column."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.objects import Column, Constraint, Domain, EnumType, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql.operations import ConstraintKind, Expression, TypeName
from migsafe.sql.operations.values import quoted

_KEPT = frozenset(("smallint", "integer", "bigint", "numeric", "text", "character varying", "boolean", "date"))
"""The types that store the constants below as they are written."""
_INTEGER = lazy_pattern(r"[+-]?\d+")
_STRING = lazy_pattern(r"'(?:[^']|'')*[^' ]'|''")
_COMPARISON = lazy_pattern(r"([a-zA-Z_]\w*)\s*(>=|<=|<>|!=|>|<|=)\s*(-?\d+)")
_LIST = lazy_pattern(r"([a-zA-Z_]\w*)\s+IN\s*\(([^()]*)\)", re.IGNORECASE)
_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
}
_MOST_ROWS = 20
"""Rows of one form are alike; a dump has many."""
Row = dict[str, tuple[TypeName, str | None]]


def refuse_checks(catalog: Catalog, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Refusal | None:
    """Returns why PostgreSQL refuses the constants of a row. No trigger may change them before."""
    checks = [each for each in catalog.constraints(table.oid) if _is_applied(catalog, each)]
    domains = [(column, domain) for column in table.columns if (domain := _domain(catalog, column)) is not None and domain.checks]
    if not checks and not domains:
        return None
    omitted = [column for column in table.columns if column.name not in names]
    for values in rows[:_MOST_ROWS]:
        given = dict(zip(names, values, strict=False))
        refusal = next(filter(None, (_refuse_value(column, domain, given.get(column.name, "default")) for column, domain in domains)), None)
        if refusal is not None:
            return refusal
        violated = _violated(table, checks, dict(_known_values(catalog, table, given, omitted)))
        if violated is not None:
            return _refusal(catalog, table, violated)
    return None


def refuse_changed_row(catalog: Catalog, table: Relation, values: Mapping[str, str]) -> Refusal | None:
    """Returns why PostgreSQL refuses each row to which an UPDATE gives these constants. No trigger may change them before."""
    checks = [each for each in catalog.constraints(table.oid) if _is_applied(catalog, each)]
    violated = _violated(table, checks, dict(_known_values(catalog, table, values, ()))) if checks else None
    if violated is None:
        return None
    help = (
        "-- first, in the same transaction:\n"
        f"ALTER TABLE {table.name} DROP CONSTRAINT {quoted(violated.name.name)};\n"
        "-- and after this statement add a CHECK that allows the value, with NOT VALID; validate it in a later migration"
    )
    return replace(_refusal(catalog, table, violated), help=help)


def _violated(table: Relation, checks: Sequence[Constraint], known: Row) -> Constraint | None:
    """Returns the first CHECK that a row certainly violates."""
    for constraint in checks:
        assert constraint.check is not None
        check, named = constraint.check.expression, _as_named_in(constraint, table, known)
        if named and not _is_evidently_true(check.sql, named) and expressions.violates_check(check, named):
            return constraint
    return None


def _refusal(catalog: Catalog, table: Relation, violated: Constraint) -> Refusal:
    # The error of a partitioned table names the partition of the row.
    parts = catalog.children(table.oid) if table.kind is RelationKind.PARTITIONED else [table]
    relation = parts[0].name.name if len(parts) == 1 else table.name.name
    error = f'new row for relation "{relation}" violates check constraint "{violated.name.name}"'
    return Refusal(error=error, detail=f"CHECK ({violated.check.expression.sql})" if violated.check is not None else "")


def violates(catalog: Catalog, columns: Sequence[Column], check: Expression, rows: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """Returns the first of some rows that certainly violates a CHECK over these columns. The rows have the constants that are known, as SQL."""
    for values in rows[:_MOST_ROWS]:
        known: Row = {}
        for column in columns:
            if column.name in values:
                known.update(_known_value(catalog, column, values[column.name]))
        if known and not _is_evidently_true(check.sql, known) and expressions.violates_check(check, known):
            return values
    return None


def _refuse_value(column: Column, domain: Domain, written: str) -> Refusal | None:
    """Returns why a domain refuses a constant."""
    value = _constant(domain.type, written)
    row: Row = {"value": (domain.type, value)}
    for check in domain.checks if value is not None else ():
        if not _is_evidently_true(check.expression.sql, row) and expressions.violates_check(check.expression, row):
            error = f'value for domain {domain.name.name} violates check constraint "{check.name}"'
            return Refusal(error=error, detail=f"{column.name}: {check.expression.sql}")
    return None


def _is_applied(catalog: Catalog, constraint: Constraint) -> bool:
    is_check = constraint.kind is ConstraintKind.CHECK and constraint.check is not None
    return is_check and constraint.enforced and certainly_exists(catalog, constraint)


def _domain(catalog: Catalog, column: Column) -> Domain | None:
    """Returns the domain of a column over a type that stores constants as they are written."""
    data_type = column.type
    if data_type is None or data_type.dimensions:
        return None
    known = catalog.type_of(data_type)
    return known if isinstance(known, Domain) and certainly_exists(catalog, known) else None


def _known_values(
    catalog: Catalog, table: Relation, given: Mapping[str, str], omitted: Sequence[Column]
) -> Iterator[tuple[str, tuple[TypeName, str | None]]]:
    """Returns the columns whose values in a row are known."""
    for name, written in given.items():
        column = table.column(name)
        if column is not None and column.type is not None:
            value = _default(column) if written.lower() == "default" else written
            yield from _known_value(catalog, column, value)
    for column in omitted:
        yield from _known_value(catalog, column, _default(column))


def _default(column: Column) -> str | None:
    """Returns the default of a column as SQL; None if it is not a constant."""
    if column.identity is not None or column.generated is not None:
        return None
    return "null" if column.default is None else column.default.expression.sql.strip()


def _known_value(catalog: Catalog, column: Column, written: str | None) -> Iterator[tuple[str, tuple[TypeName, str | None]]]:
    if column.type is None or written is None:
        return
    user = catalog.type_of(column.type)
    if written.lower() == "null":
        if not isinstance(user, Domain):
            yield column.name, (column.type, None)
    elif isinstance(user, EnumType) or user is None:
        value = _constant(column.type, written, is_enum=user is not None)
        if value is not None:
            yield column.name, (column.type, value)


def _constant(data_type: TypeName, written: str, *, is_enum: bool = False) -> str | None:
    """Returns a constant if a column of this type stores it as it is written."""
    if data_type.dimensions or not (is_enum or (data_type.schema in (None, "pg_catalog") and data_type.name in _KEPT)):
        return None
    text = written.strip()
    if data_type.name == "boolean":
        return text.lower() if text.lower() in ("true", "false") else None
    if data_type.name in ("smallint", "integer", "bigint", "numeric"):
        return text if _INTEGER.fullmatch(text) else None
    return text if _STRING.fullmatch(text) else None


def _is_evidently_true(check: str, row: Row) -> bool:
    """Whether a value satisfies a CHECK of a usual form, `n > 0` or `kind IN ('a', 'b')`: this needs no tree."""
    compared = _COMPARISON.fullmatch(check.strip())
    _, value = row.get(compared[1].lower(), (None, None)) if compared is not None else (None, None)
    if compared is not None and value is not None and _INTEGER.fullmatch(value):
        return _OPERATORS[compared[2]](int(value), int(compared[3]))
    listed = _LIST.fullmatch(check.strip())
    _, value = row.get(listed[1].lower(), (None, None)) if listed is not None else (None, None)
    return listed is not None and value is not None and value in (each.strip() for each in listed[2].split(","))


def _as_named_in(constraint: Constraint, table: Relation, row: Row) -> Row:
    """Returns a row with the names that the columns had when the CHECK was written."""
    assert constraint.check is not None
    columns = ((name, table.column_numbered(number)) for number, name in constraint.check.column_uses)
    return {name: row[column.name] for name, column in columns if column is not None and column.name in row}
