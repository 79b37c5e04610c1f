"""The limits of CREATE FUNCTION (ProcedureCreate in src/backend/catalog/pg_proc.c)."""

from migsafe.prediction.refusals.registry import checks_for, refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Function
from migsafe.schema.refusal import Refusal
from migsafe.schema.requirements import missing_relation
from migsafe.schema.routines import function_result
from migsafe.sql import operations as sql
from migsafe.sql.statements import read


@refuses(sql.CreateFunction)
def replace_function(catalog: Catalog, op: sql.CreateFunction) -> Refusal | None:
    """A replaced function keeps its kind, its result, the names of its parameters and their defaults."""
    if not op.or_replace:
        return None
    inputs = [argument for argument in op.arguments if argument.mode in ("in", "inout", "variadic")]
    arguments = tuple(str(argument.type) for argument in inputs)
    name = catalog.in_first_schema(op.function)
    existing = next((function for function in catalog.functions(name) if function.name == name and function.arguments == arguments), None)
    if existing is None or not certainly_exists(catalog, existing):
        return None
    drop = f"DROP {existing.kind.upper()} {op.function}({', '.join(arguments)});"
    help = f"-- in one transaction, first: {drop}\n-- and grant the privileges on it again"
    if existing.kind != op.kind:
        return Refusal(error="cannot change routine kind", detail=f'"{name.name}" is a {existing.kind}', help=help)
    result = function_result(op)
    if existing.result is not None and result is not None and existing.result != result:
        return Refusal(error="cannot change return type of existing function", detail=_difference(existing, result), help=help)
    for old, new in zip(existing.parameters, (argument.name for argument in inputs), strict=True):
        if old and old != new:
            return Refusal(error=f'cannot change name of input parameter "{old}"', help=help)
    if op.kind == "function" and sum(argument.default is not None for argument in inputs) < existing.defaults:
        return Refusal(error="cannot remove parameter defaults from existing function", help=help)
    return None


@refuses(sql.CreateFunction)
def names_in_body(catalog: Catalog, op: sql.CreateFunction) -> Refusal | None:
    """The relations and columns that a body in standard form names exist: PostgreSQL resolves them when it creates the function."""
    if not op.is_standard or op.code is None:
        return None
    for operation in (operation for statement in read(op.code) for operation in statement.operations):
        missing = missing_relation(catalog, operation)
        if missing is not None:
            return Refusal(error=f"relation {name_in_quotes(missing)} does not exist")
        refusals = (check(catalog, operation) for check in checks_for(operation)) if isinstance(operation, sql.Insert | sql.Update) else ()
        refusal = next((found for found in refusals if found is not None), None)
        if refusal is not None:
            return refusal
    return None


def _difference(existing: Function, result: tuple[str, ...]) -> str:
    assert existing.result is not None
    if existing.result[0] == result[0]:
        return "the columns of the result are different"
    return f"it returns {existing.result[0]}, not {result[0]}"
