"""What the catalogue knows not to exist: relations, functions, types and operators that a query names."""

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from migsafe.expressions.queries.shapes import All, Call, Compare, Condition, Either, Formula, Operand, Ref, Several, Shape, Value
from migsafe.schema.columns import parse_regclass
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import Function
from migsafe.schema.volatility import volatility_of
from migsafe.sql.operations import Name, TypeName
from migsafe.workload.lookups import Lookups
from migsafe.workload.needs import Failure
from migsafe.workload.scopes import Level, Levels
from migsafe.workload.types import EQUALITIES, are_comparable, base_type, is_assignable, is_known_type, named_type

_SYNTAX = frozenset(
    """row all any some coalesce nullif greatest least grouping xmlelement xmlforest xmlconcat xmlagg xmlparse xmlpi xmlroot xmlserialize
    xmlexists extract overlay position substring trim normalize collation json_object json_array json_arrayagg json_objectagg json_value
    json_query json_exists json_scalar json_serialize json_table json exists cast treat merge_action unnest array cube rollup""".split()
)
"""Names that look like functions, and are part of the syntax."""


FUNCTIONS_OF_ROWS = frozenset(
    """any_value array_agg concat count hash_record json_agg json_build_array jsonb_agg jsonb_build_array num_nonnulls num_nulls pg_column_size
    pg_typeof quote_literal quote_nullable record_out record_send row_to_json to_json to_jsonb""".split()
)
"""PostgreSQL's functions that may be called with a row as their only argument (pg_proc)."""


class Resolution(Protocol):
    """The resolution of a query: the types of its operands, and the first reason why PostgreSQL rejects it."""

    failure: Failure | None

    def fail(self, code: str, message: str, name: str) -> None:
        """Records why PostgreSQL rejects the query."""

    def type_of(self, operand: Operand, levels: Levels) -> TypeName | None:
        """Returns the type of an operand; None if it is not known."""


class KnownNames:
    """Questions about names that the catalogue may not have."""

    def __init__(self, catalog: Lookups) -> None:
        self.catalog = catalog
        self.unknown_types: set[str] = set()

    def has_no_function(self, call: Call) -> bool:
        """Whether it is certain that no function of a name exists, whatever its arguments are."""
        catalog = self.catalog
        if call.schema in SYSTEM_SCHEMAS or call.name in _SYNTAX:
            return False
        if not catalog.knows_all_functions() and not catalog.is_dropped_function(Name(call.name, call.schema)):
            return False
        if catalog.has_function_named(call.name):
            return False
        if volatility_of(Name(call.name, None), catalog.pg_version) is not None:
            return False
        # A function of one argument is also a column of a row, or a cast to a type.
        return is_known_type(catalog, TypeName(name=call.name)) is not True

    def _refuses_number(self, call: Call) -> bool:
        """Whether it is certain that all functions of a name take another number of arguments."""
        catalog = self.catalog
        if call.schema in SYSTEM_SCHEMAS or call.name in _SYNTAX or not catalog.knows_all_functions():
            return False
        if volatility_of(Name(call.name, None), catalog.pg_version) is not None:
            return False
        functions = catalog.functions_named(call.name)
        return bool(functions) and not any(_may_take(function, call.arguments) for function in functions)

    def check(self, binder: Resolution, shape: Shape, level: Level) -> None:
        """Records the functions, types, operators and values that do not exist."""
        for call in shape.calls:
            is_column = call.arguments == 1 and any(call.name in source.columns for source in level.sources)
            if not is_column and self.has_no_function(call):
                binder.fail("42883", f"function {call.name} does not exist", call.name)
            elif call.sequence is not None and self.catalog.has_no_relation(parse_regclass(call.sequence)):
                binder.fail("42P01", f'relation "{call.sequence}" does not exist', call.sequence)
            elif self._refuses_number(call):
                arguments = f"{call.arguments} argument{'' if call.arguments == 1 else 's'}"
                binder.fail("42883", f"function {call.name} with {arguments} does not exist", call.name)
        self.check_types(binder, shape.types)
        if binder.failure is not None:
            return
        for condition in (shape.where, *(condition for source in level.sources for condition in source.shape.conditions)):
            self._condition(binder, condition, level)
        target = level.sources[0] if level.sources else None
        for column, value in shape.assigned:
            if target is not None and column in target.columns and (type_name := target.columns[column].type) is not None:
                self.check_assignment(binder, column, type_name, value, level)

    def check_types(self, binder: Resolution, types: Iterable[str | None]) -> None:
        """Records the types that do not exist. Those of parameters are searched by their names when a driver such as sqlx sends the query."""
        for written in types:
            type_name = named_type(written) if written is not None else None
            is_known = is_known_type(self.catalog, type_name) if type_name is not None else True
            if is_known is None:
                self.unknown_types.add(str(written))
            elif not is_known:
                binder.fail("42704", f'type "{written}" does not exist', str(written))

    def _condition(self, binder: Resolution, condition: Condition | None, level: Level) -> None:
        match condition:
            case All() | Either():
                for part in condition.parts:
                    self._condition(binder, part, level)
            case Compare():
                if condition.operator in EQUALITIES:
                    values = condition.right.elements if isinstance(condition.right, Several) else (condition.right,)
                    for value in values:
                        self._compare(binder, condition.left, condition.operator, value, level)

    def _compare(self, binder: Resolution, left: Operand, operator: str, right: Operand, level: Level) -> None:
        levels = (level, *level.outer)
        first, second = (binder.type_of(operand, levels) for operand in (left, right))
        for type_name, value in ((first, right), (second, left)):
            if type_name is not None and isinstance(value, Value):
                for constant in _elements(operator, value):
                    self._constant(binder, type_name, constant)
        if first is not None and first.name == "json" and first.schema is None and not first.dimensions and isinstance(right, Value):
            sign = "=" if operator in ("in", "any", "not in") else operator
            if right.is_string and not right.casts:
                binder.fail("42883", f"operator does not exist: json {sign} unknown", sign)
            return
        if first is not None and isinstance(right, Value) and _is_number(right):
            second = TypeName(name="integer")
        if operator == "any" and second is not None and second.dimensions:
            second = replace(second, dimensions=second.dimensions - 1)
        if isinstance(left, Formula | Value) or (operator == "any" and isinstance(right, Ref | Formula)):
            return
        if first is not None and second is not None and not are_comparable(self.catalog, first, second):
            sign = "=" if operator in ("in", "any", "not in") else operator
            binder.fail("42883", f"operator does not exist: {first} {sign} {second}", sign)

    def _constant(self, binder: Resolution, type_name: TypeName, value: Value) -> None:
        """A string constant becomes a value of the enum that it is compared with."""
        base = base_type(self.catalog, type_name)
        if (
            base is not None
            and base[1] is not None
            and not base[2]
            and value.is_string
            and not value.casts
            and value.text not in base[1].values
        ):
            binder.fail("22P02", f'invalid input value for enum {base[0]}: "{value.text}"', base[0])

    def check_assignment(self, binder: Resolution, column: str, target: TypeName, value: Operand, level: Level) -> None:
        """Records that a value cannot be stored in a column."""
        source: TypeName | None = None
        if isinstance(value, Value) and not value.casts:
            self._constant(binder, target, value)
            source = TypeName(name="integer") if _is_number(value) else None
        elif not isinstance(value, Formula):
            source = binder.type_of(value, (level, *level.outer))
        if source is not None and not is_assignable(self.catalog, source, target):
            binder.fail("42804", f'column "{column}" is of type {target} but expression is of type {source}', column)


def _elements(operator: str, value: Value) -> tuple[Value, ...]:
    """Returns the elements of a string constant that is an array (`= ANY ('{a,b}')`), or the constant itself. Quoted elements are not read."""
    if operator != "any" or not value.is_string or value.casts or not value.text.startswith("{"):
        return (value,)
    elements = value.text[1:-1].split(",")
    is_plain = value.text.endswith("}") and not any(mark in value.text[1:-1] for mark in '{}"\\')
    return (
        tuple(replace(value, text=element.strip()) for element in elements if element.strip().lower() not in ("", "null")) if is_plain else ()
    )


def _may_take(function: Function, number: int) -> bool:
    """Whether a function may be called with this number of arguments. An array at the end may be VARIADIC."""
    most = len(function.arguments)
    is_open = function.kind == "aggregate" or function.arguments[-1:] == ("any",) or "".join(function.arguments[-1:]).endswith("]")
    return number >= most - function.defaults - is_open and (number <= most or is_open)


def _is_number(value: Value) -> bool:
    return not value.is_string and not value.casts and value.text.lstrip("-").isdigit()
