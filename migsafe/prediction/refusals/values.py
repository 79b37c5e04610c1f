"""Constants that cannot be values of a column: defaults, and the rows of INSERT … VALUES."""

from collections.abc import Iterator, Sequence

from migsafe.prediction.refusals.checks import refuse_checks
from migsafe.prediction.refusals.definitions import complete_table, known_column, may_make_nothing, type_text
from migsafe.prediction.refusals.duplicates import refuse_duplicates
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import has_domain_default, stored_type
from migsafe.schema.constants import refused_constant
from migsafe.schema.objects import Attached, Column, EnumType, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, TypeName


@refuses(sql.SetDefault)
def set_default(catalog: Catalog, op: sql.SetDefault) -> Refusal | None:
    """A default is a value of the column's type."""
    known = known_column(catalog, op, op.column)
    return _refuse_default(catalog, op.column, known[1].type, op.default) if known is not None else None


@refuses(sql.AddColumn, sql.CreateTable)
def define_default(catalog: Catalog, op: sql.AddColumn | sql.CreateTable) -> Refusal | None:
    """A default is a value of the column's type. The one of a column that is added is computed at once, even for a table without rows, unless
    the table has no storage of its own (ATExecAddColumn in tablecmds.c)."""
    stored = False
    if isinstance(op, sql.AddColumn):
        columns: Sequence[sql.Column] = () if op.if_not_exists else (op.column,)
        table = complete_table(catalog, op.target.name)
        stored = table is not None and table.kind is RelationKind.TABLE and table.column(op.column.name) is None
    else:
        columns = () if may_make_nothing(catalog, op) else op.columns
    for column in columns:
        refusal = _refuse_default(catalog, column.name, stored_type(catalog, column.type), column.default, stored=stored)
        if refusal is not None:
            return refusal
    return None


def _refuse_default(
    catalog: Catalog, column: str, data_type: TypeName | None, default: Expression | None, *, stored: bool = False
) -> Refusal | None:
    if default is None:
        return None
    error = refused_constant(catalog, column, data_type, default.sql, default=True, stored=stored)
    return Refusal(error=error, help=_accepted_values(catalog, data_type)) if error is not None else None


def _accepted_values(catalog: Catalog, data_type: TypeName | None) -> str:
    if data_type is None:
        return ""
    if data_type.dimensions:
        return "-- write an empty array as '{}', and one with elements as '{1,2}'"
    user = catalog.type_of(data_type)
    if isinstance(user, EnumType):
        return f"-- {type_text(catalog, data_type)} has the values {', '.join(user.values)}"
    return "-- write true or false" if data_type.name == "boolean" else ""


def refuse_rows(catalog: Catalog, op: sql.Insert, rows: Sequence[Sequence[str]]) -> Refusal | None:
    """Returns why PostgreSQL refuses the constants in the rows of INSERT … VALUES, or their number."""
    table = complete_table(catalog, op.table)
    if table is None or op.names_parts:
        return None
    names = op.columns or tuple(column.name for column in table.columns)
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        return Refusal(error="VALUES lists must all be the same length")
    if width > len(names):
        return Refusal(error="INSERT has more expressions than target columns", detail=f"{width} values for {len(names)} columns")
    if op.columns and width < len(names):
        return Refusal(error="INSERT has more target columns than expressions", detail=f"{width} values for {len(names)} columns")
    columns = [table.column(name) for name in names[:width]]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            error = refused_constant(catalog, column.name, column.type, value) if column is not None else None
            if error is not None and column is not None:
                return Refusal(error=error, help=_accepted_values(catalog, column.type))
    refusal = _refuse_nulls(catalog, table, dict(zip(names, zip(*rows, strict=True), strict=False)))
    if refusal is None and not _is_filled(catalog, table):
        refusal = refuse_checks(catalog, table, names, rows)
    return refusal or refuse_duplicates(catalog, op, table, names, rows)


def _refuse_nulls(catalog: Catalog, table: Relation, given: dict[str, tuple[str, ...]]) -> Refusal | None:
    """A column that is NOT NULL gets a value, unless a trigger or a rule may give it one."""
    if _is_filled(catalog, table):
        return None
    for column in table.columns:
        values = given.get(column.name, ("default",))
        if column.not_null is not True or not any(_is_null(catalog, column, value) for value in values):
            continue
        return Refusal(
            error=f'null value in column "{column.name}" of relation "{table.name.name}" violates not-null constraint',
            detail="" if column.name in given else f"the statement gives {column.name} no value, and the column has no default",
        )
    return None


def _is_null(catalog: Catalog, column: Column, value: str) -> bool:
    if value.lower() != "default":
        return value.lower() == "null"
    has_value = column.default is not None or column.identity is not None or column.generated is not None
    return column.type is not None and not has_value and not has_domain_default(catalog, column.type)


def _is_filled(catalog: Catalog, table: Relation) -> bool:
    """Whether a trigger or a rule may change the rows that INSERT writes."""
    tables = (table, *catalog.descendants(table.oid))
    triggers = (trigger for each in tables for trigger in catalog.triggers(each.oid))
    return any(trigger.row and trigger.timing == "before" for trigger in triggers) or any(_rules(catalog, table))


def _rules(catalog: Catalog, table: Relation) -> Iterator[object]:
    return (each for each in catalog.dependents(table.oid, Attached) if each.kind == "rule" and each.table == table.oid)
