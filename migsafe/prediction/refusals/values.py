"""Constants that cannot be values of a column: defaults, and the rows of INSERT … VALUES and of UPDATE."""

import re
from collections.abc import Iterator, Mapping, Sequence

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.checks import refuse_changed_row, refuse_checks
from migsafe.prediction.refusals.definitions import complete_table, is_built_in, known_column, may_make_nothing, type_text
from migsafe.prediction.refusals.duplicates import refuse_duplicates
from migsafe.prediction.refusals.known_rows import copied_rows, new_rows
from migsafe.prediction.refusals.registry import refuses
from migsafe.prediction.refusals.row_constraints import refuse_references
from migsafe.schema.casts import BUILT_IN, cast
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.columns import has_domain_default, stored_type
from migsafe.schema.constants import refused_constant
from migsafe.schema.objects import Attached, Column, EnumType, Relation, RelationKind
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, TypeName
from migsafe.text import MARK_START

_CALL = lazy_pattern(r"\s*(?:(?P<schema>\w+)\.)?(?P<name>\w+)\s*(?:\(\s*(?:'[^']*'(?:\s*::\s*\w+)?)?\s*\))?\s*")
_MAKES_TEXT = lazy_pattern(
    r"\|\||\b(?:lower|upper|concat|concat_ws|md5|to_char|format|replace|substring|substr|left|right|repeat|trim|encode|current_setting)\s*\("
    r"|::\s*(?:text|varchar)\b",
    re.IGNORECASE,
)
"""What the defaults contain whose type may be text. Others are not read into a tree."""
_TIME = "timestamp with time zone"
_RESULTS = {
    **dict.fromkeys(("now", "transaction_timestamp", "statement_timestamp", "clock_timestamp", "current_timestamp"), _TIME),
    **dict.fromkeys(("gen_random_uuid", "uuid_generate_v1", "uuid_generate_v4", "uuid_generate_v1mc"), "uuid"),
    "localtimestamp": "timestamp without time zone",
    "current_date": "date",
    "nextval": "bigint",
    "random": "double precision",
}
"""The types of the results of functions of PostgreSQL, and of its extension uuid-ossp."""
_STRINGS = frozenset(("text", "character varying", "character", "name"))


@refuses(sql.SetDefault)
def set_default(catalog: Catalog, op: sql.SetDefault) -> Refusal | None:
    """A default is a value of the column's type."""
    known = known_column(catalog, op, op.column)
    return _refuse_default(catalog, op.column, known[1].type, op.default) if known is not None else None


@refuses(sql.CreateDomain)
def define_domain(catalog: Catalog, op: sql.CreateDomain) -> Refusal | None:
    """The default of a domain is a value of its type."""
    string = op.default.sql.strip() if op.default is not None else ""
    error = refused_constant(catalog, "", op.type, string, stored=False) if string.startswith("'") else None
    return Refusal(error=error, help=_accepted_values(catalog, op.type)) if error is not None else None


@refuses(sql.Insert)
def insert_defaults(catalog: Catalog, op: sql.Insert) -> Refusal | None:
    """INSERT … DEFAULT VALUES gives each column its default."""
    table = complete_table(catalog, op.table) if op.source == "default" and op.on_conflict is None else None
    return _refuse_nulls(catalog, table, {}) if table is not None else None


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
    if error is None and data_type is not None:
        error = _refused_result(catalog, column, data_type, default.sql) or _refused_text(catalog, column, data_type, default)
    return Refusal(error=error, help=_accepted_values(catalog, data_type)) if error is not None else None


def _refused_text(catalog: Catalog, column: str, data_type: TypeName, default: Expression) -> str | None:
    """Returns the error with which PostgreSQL refuses a default that functions or operators of strings compute, for another type."""
    is_candidate = is_built_in(data_type) and not data_type.dimensions and data_type.name not in _STRINGS
    if not is_candidate or MARK_START in default.sql or not _MAKES_TEXT.search(default.sql):
        return None
    if any(catalog.has_function_named(call.name) for call in default.calls):
        return None
    result = expressions.type_of_default(default, data_type)
    if result is None or result.dimensions or result.name not in ("text", "character varying"):
        return None
    if cast(result.name, data_type.name, explicit=False, pg_version=catalog.pg_version) is not None:
        return None
    return f'column "{column}" is of type {type_text(catalog, data_type)} but default expression is of type {result.name}'


def _refused_result(catalog: Catalog, column: str, data_type: TypeName, default: str) -> str | None:
    """Returns the error with which PostgreSQL refuses a default that calls a function, if the type of its result is known and is not converted
    to that of the column (cookDefault in src/backend/catalog/heap.c)."""
    match = _CALL.fullmatch(default)
    if match is None or data_type.setof:
        return None
    name = match["name"].lower()
    result, is_own = _RESULTS.get(name), False
    if result is None:
        functions = catalog.functions(Name(name, match["schema"].lower() if match["schema"] else None))
        results = {function.result for function in functions if certainly_exists(catalog, function)}
        only = results.pop() if len(results) == 1 else None
        result, is_own = (only[0] if only is not None and len(only) == 1 and only[0] in BUILT_IN else None), True
    if result is None or (data_type.name == result and not data_type.dimensions):
        return None
    user = catalog.type_of(data_type)
    if (not isinstance(user, EnumType) and not (user is None and is_built_in(data_type))) or (user is not None and result in _STRINGS):
        return None
    target = type_text(catalog, data_type)
    if not data_type.dimensions and user is None and cast(result, target, explicit=False, pg_version=catalog.pg_version) is not None:
        return None
    if not is_own and catalog.has_function_named(name):
        return None
    return f'column "{column}" is of type {target} but default expression is of type {result}'


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
    return _refuse_stored(catalog, op, table, names, rows)


def refuse_copies(catalog: Catalog, op: sql.Insert, text: str) -> Refusal | None:
    """Returns why PostgreSQL refuses the rows that an INSERT … SELECT certainly finds, or makes of constants."""
    table, rows = complete_table(catalog, op.table), copied_rows(catalog, op, text)
    if table is None or not rows or op.names_parts:
        return None
    names = op.columns or tuple(column.name for column in table.columns)
    return _refuse_stored(catalog, op, table, names[: len(rows[0])], rows) if len(rows[0]) <= len(names) else None


def _refuse_stored(catalog: Catalog, op: sql.Insert, table: Relation, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Refusal | None:
    """Returns why the constraints of a table refuse rows."""
    refusal = _refuse_nulls(catalog, table, dict(zip(names, zip(*rows, strict=True), strict=False)))
    if refusal is None and not _is_filled(catalog, table):
        refusal = refuse_checks(catalog, table, names, rows)
    refusal = refusal or refuse_duplicates(catalog, op, table, names, rows)
    if refusal is None and op.on_conflict is None and not _is_filled(catalog, table):
        refusal = refuse_references(catalog, table, new_rows(catalog, table, names, rows))
    return refusal


def refuse_changed_rows(catalog: Catalog, name: Name, values: Mapping[str, str]) -> Refusal | None:
    """Returns why PostgreSQL refuses each row to which an UPDATE gives these constants, by the names of the columns."""
    table = complete_table(catalog, name)
    if table is None or _is_filled(catalog, table):
        return None
    for column in table.columns:
        if column.not_null is True and values.get(column.name, "").lower() == "null":
            return Refusal(error=f'null value in column "{column.name}" of relation "{table.name.name}" violates not-null constraint')
    return refuse_changed_row(catalog, table, values)


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
