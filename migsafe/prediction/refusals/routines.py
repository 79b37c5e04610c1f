"""The parameters of routines: in their definition, and in statements that name a routine."""

from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import is_built_in, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists, is_absent_function, is_absent_type
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, TypeName
from migsafe.sql.statements import read

_ROUTINES = ("function", "procedure", "routine")
_MODIFIERS = lazy_pattern(r"\s*\([^()]*\)")


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
        refusal = _refuse_ambiguous(catalog, op.kind, name, "DROP") if is_bare else None
        if refusal is not None:
            return refusal
    return None


@refuses(sql.Comment)
def comment_on_routine(catalog: Catalog, op: sql.Comment) -> Refusal | None:
    """A name without parameters means one routine only."""
    if op.kind not in _ROUTINES or op.name is None or op.has_arguments or op.security_label:
        return None
    return _refuse_ambiguous(catalog, op.kind, op.name, "COMMENT ON")


def _refuse_ambiguous(catalog: Catalog, kind: str, name: Name, command: str) -> Refusal | None:
    """Returns the refusal of a name without parameters that several routines of this kind have."""
    functions = [each for each in catalog.functions(name) if kind in ("routine", each.kind) and certainly_exists(catalog, each)]
    if len(functions) < 2:
        return None
    choices = "; or: ".join(f"{command} {kind.upper()} {name}({', '.join(function.arguments)})" for function in functions)
    return Refusal(error=f'{kind} name "{_shown(name)}" is not unique', help=f"-- name the parameters: {choices}")


@refuses(sql.Drop)
def drop_absent(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A dropped function exists."""
    for number, name in enumerate(op.names) if op.kind in ("function", "procedure") and not op.if_exists else ():
        arguments = op.arguments[number] if number < len(op.arguments) else None
        if not is_absent_function(catalog, name):
            refusal = _refuse_other_arguments(catalog, op.kind, name, arguments) if arguments is not None else None
            if refusal is not None:
                return refusal
            continue
        if arguments is None:
            error = f'could not find a {op.kind} named "{_shown(name)}"'
        elif not arguments:
            error = f"{op.kind} {_shown(name)}() does not exist"
        else:
            continue
        return Refusal(
            error=error, detail="it was dropped", help=f"DROP {op.kind.upper()} IF EXISTS {name}{'' if arguments is None else '()'};"
        )
    return None


def _refuse_other_arguments(catalog: Catalog, kind: str, name: Name, arguments: str) -> Refusal | None:
    """Returns the refusal to drop a routine with other parameters than those of all routines of this name."""
    known = catalog.functions_named(name.name)
    if not known or not catalog.from_beginning or not catalog.origin.made_all or catalog.has_other_functions:
        return None
    if not all(certainly_exists(catalog, function) and function.kind == kind for function in known):
        return None
    types = _types_of(arguments)
    if types is None or not all(is_built_in(data_type) for data_type in types):
        return None
    written = tuple(_plain(str(data_type)) for data_type in types)
    if any(tuple(map(_plain, function.arguments)) == written for function in known):
        return None
    choices = "; or: ".join(f"DROP {kind.upper()} {name}({', '.join(function.arguments)})" for function in known)
    return Refusal(
        error=f"{kind} {_shown(name)}({', '.join(type_text(catalog, data_type) for data_type in types)}) does not exist",
        detail="it has other parameters",
        help=f"-- {choices}",
    )


def _types_of(arguments: str) -> tuple[TypeName, ...] | None:
    """Returns the types of the input parameters in a list as it is written in DROP FUNCTION; None if they are not known."""
    operations = [statement.operations[0] for statement in read(f"CREATE FUNCTION f({arguments}) RETURNS void LANGUAGE sql AS ''")]
    definition = operations[0] if len(operations) == 1 else None
    if not isinstance(definition, sql.CreateFunction) or any(argument.type.percent_type for argument in definition.arguments):
        return None
    return tuple(argument.type for argument in definition.arguments if argument.mode in ("in", "inout", "variadic"))


def _plain(data_type: str) -> str:
    """Returns a type without modifiers, which parameters do not have."""
    return _MODIFIERS.sub("", data_type)


@refuses(sql.CreateFunction)
def define_routine(catalog: Catalog, op: sql.CreateFunction) -> Refusal | None:
    """A routine names its language and existing types, and only functions have a volatility (CreateFunction in functioncmds.c)."""
    if op.language is None and not op.is_standard and op.code is not None:
        return Refusal(error="no language specified", help="-- add LANGUAGE sql or LANGUAGE plpgsql")
    if op.kind == "procedure" and op.volatility is not None:
        return Refusal(error="invalid attribute in procedure definition", help=f"-- leave out {op.volatility.upper()}")
    if op.returns is not None and not op.returns.percent_type and is_absent_type(catalog, Name(op.returns.name, op.returns.schema)):
        return Refusal(error=f"type {_quoted(op.returns)} does not exist", help="-- first create the type")
    variadic = next((argument for argument in op.arguments if argument.mode == "variadic"), None)
    if variadic is not None and is_built_in(variadic.type) and not variadic.type.dimensions and variadic.type.name != "any":
        return Refusal(error="VARIADIC parameter must be an array", help=f"-- {variadic.type}[]")
    return None


def _quoted(data_type: TypeName) -> str:
    name = Name(data_type.name, data_type.schema)
    return name_in_quotes(name._replace(name=name.name + "[]") if data_type.dimensions else name)


def _shown(name: Name) -> str:
    return name.name if name.schema is None else f"{name.schema}.{name.name}"
