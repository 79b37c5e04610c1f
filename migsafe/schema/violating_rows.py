"""The rows that violate a constraint, with SQL that finds them in another database."""

from collections.abc import Sequence

from msgspec import Struct

from migsafe.patterns import lazy_pattern
from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Constraint as Known
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, Name
from migsafe.sql.operations.values import quoted

_LITERAL = lazy_pattern(r"'[^']*'")


class ViolatingRows(Struct, frozen=True):
    """The rows that PostgreSQL would refuse: `description` is the end of a sentence, `check` SQL that finds them, or empty."""

    description: str
    check: str = ""


def on_one_line(sql: str) -> str:
    """Returns an expression without line breaks, unless a comment or a literal needs them."""
    needs_line_breaks = "--" in sql or any(" ".join(text.split()) != text for text in _LITERAL.findall(sql))
    return sql if needs_line_breaks else " ".join(sql.split())


def violating_constraint(table: Name, constraint: sql.Constraint, catalog: Catalog) -> ViolatingRows | None:
    """Returns the rows of a table that violate a constraint that a statement adds; None if there can be none."""
    columns = [quoted(column) for column in constraint.columns]
    match constraint.kind:
        case ConstraintKind.CHECK if constraint.check is not None:
            return ViolatingRows(
                "a row that violates the CHECK", f"SELECT count(*) FROM {table} WHERE NOT ({on_one_line(constraint.check.sql)});"
            )
        case ConstraintKind.FOREIGN_KEY if constraint.references is not None:
            referenced = catalog.relation(constraint.references.table)
            referenced_columns = [quoted(column) for column in constraint.references.columns] or _primary_key(referenced, catalog)
            return _rows_without_reference(table, columns, catalog.resolve(constraint.references.table), referenced_columns)
        case ConstraintKind.UNIQUE if columns:
            return _rows_with_equal_keys(table, columns, "", nulls=constraint.nulls_not_distinct)
        case ConstraintKind.PRIMARY_KEY if columns:
            nulls = " OR ".join(f"{column} IS NULL" for column in columns)
            keys = ", ".join(columns)
            check = f"SELECT {keys}, count(*) FROM {table} GROUP BY {keys} HAVING count(*) > 1 OR {nulls};"
            return ViolatingRows(f"two rows with the same {keys}, or a null there", check)
        case ConstraintKind.NOT_NULL if len(columns) == 1:
            return ViolatingRows(f"a null in {columns[0]}", f"SELECT count(*) FROM {table} WHERE {columns[0]} IS NULL;")
        case ConstraintKind.EXCLUDE:
            return ViolatingRows("two rows that conflict under the constraint")
    return None


def violating_existing_constraint(name: Name, constraint_name: str, catalog: Catalog) -> ViolatingRows:
    """Returns the rows that violate an existing constraint that is not valid yet."""
    table = catalog.relation(name)
    constraint = catalog.constraint(table.oid, constraint_name) if table is not None else None
    if table is not None and constraint is not None:
        if constraint.check is not None:
            check = f"SELECT count(*) FROM {name} WHERE NOT ({on_one_line(constraint.check.expression.sql)});"
            return ViolatingRows(f"a row that violates {quoted(constraint_name)}", check)
        referenced = catalog.get(constraint.references) if constraint.references is not None else None
        if isinstance(referenced, Relation):
            return _rows_without_reference(
                name,
                _column_names(table, constraint.columns),
                referenced.name,
                _column_names(referenced, constraint.referenced_columns),
            )
    return ViolatingRows(f"a row that violates {quoted(constraint_name)}")


def _column_names(table: Relation, numbers: Sequence[int]) -> list[str]:
    columns = [table.column_numbered(number) for number in numbers]
    return [quoted(column.name) for column in columns if column is not None]


def _primary_key(table: Relation | None, catalog: Catalog) -> list[str]:
    key = catalog.primary_key(table.oid) if table is not None else None
    return _column_names(table, key.columns) if table is not None and isinstance(key, Known) else []


def _rows_without_reference(table: Name, columns: Sequence[str], referenced: Name, referenced_columns: Sequence[str]) -> ViolatingRows:
    """Returns the rows that reference no row."""
    description = f"a row that references no row of {referenced}"
    if not columns or len(columns) != len(referenced_columns):
        return ViolatingRows(description)
    has_reference = " AND ".join(f"here.{column} IS NOT NULL" for column in columns)
    is_equal = " AND ".join(
        f"there.{referenced_column} = here.{column}" for column, referenced_column in zip(columns, referenced_columns, strict=True)
    )
    return ViolatingRows(
        description,
        f"SELECT count(*) FROM {table} AS here WHERE {has_reference} AND NOT EXISTS (SELECT FROM {referenced} AS there WHERE {is_equal});",
    )


def _rows_with_equal_keys(table: Name, keys: Sequence[str], where: str, *, nulls: bool) -> ViolatingRows:
    """Returns the rows with the same key; NULLs are never the same, except with NULLS NOT DISTINCT."""
    conditions = [*([where] if where else []), *([] if nulls else [f"{key} IS NOT NULL" for key in keys])]
    where_clause = (
        f" WHERE {' AND '.join(f'({condition})' if condition is where else condition for condition in conditions)}" if conditions else ""
    )
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    check = f"SELECT {', '.join(keys)}, count(*) FROM {table}{where_clause} GROUP BY {numbers} HAVING count(*) > 1;"
    return ViolatingRows(f"two rows with the same {', '.join(keys)}", check)


def rows_with_equal_index_keys(table: Name, index: sql.CreateIndex) -> ViolatingRows:
    """Returns the rows with the same key of a unique index."""
    keys = [_key_expression(element) for element in index.elements]
    return _rows_with_equal_keys(table, keys, index.where.sql if index.where else "", nulls=index.nulls_not_distinct)


def _key_expression(element: sql.IndexElement) -> str:
    return quoted(element.column) if element.column is not None else f"({element.expression.sql if element.expression else ''})"
