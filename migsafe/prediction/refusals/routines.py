"""The parameters of routines: in their definition, and in statements that name a routine."""

from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_ROUTINES = ("function", "procedure", "routine")


@refuses(sql.CreateFunction)
def define_parameters(_: Catalog, op: sql.CreateFunction) -> Refusal | None:
    """Parameters after one with a default have one, and their names differ (interpret_function_parameter_list in functioncmds.c)."""
    has_default = False
    for argument in op.arguments:
        if argument.mode not in ("in", "inout"):
            continue
        if has_default and argument.default is None and op.kind == "function":
            return Refusal(
                error="input parameters after one with a default value must also have defaults",
                help="-- move the parameters with defaults to the end",
            )
        has_default = has_default or argument.default is not None
    names = [argument.name for argument in op.arguments if argument.name is not None and argument.mode in ("in", "inout")]
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    return Refusal(error=f'parameter name "{twice}" used more than once') if twice is not None else None


@refuses(sql.Drop)
def drop_routine(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A name without parameters means one routine only."""
    for number, name in enumerate(op.names) if op.kind in _ROUTINES else ():
        is_bare = number >= len(op.arguments) or op.arguments[number] is None
        functions = [function for function in catalog.functions(name) if certainly_exists(catalog, function)]
        if is_bare and len(functions) > 1:
            choices = "; or: ".join(f"DROP {op.kind.upper()} {name}({', '.join(function.arguments)})" for function in functions)
            return Refusal(error=f'{op.kind} name "{_shown(name)}" is not unique', help=f"-- name the parameters: {choices}")
    return None


def _shown(name: Name) -> str:
    return name.name if name.schema is None else f"{name.schema}.{name.name}"
