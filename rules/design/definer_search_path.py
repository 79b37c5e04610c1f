"""A SECURITY DEFINER function without a search_path of its own.

It runs with the privileges of its owner, but finds tables, functions and operators in the search_path of the caller. A caller who can create
objects in a schema of that path, or in pg_temp, makes the function use theirs: with the owner's privileges. Attach a search_path to the
function that contains only trusted schemas, with pg_temp last. Not reported: BEGIN ATOMIC, whose names PostgreSQL resolves when it creates
the function, and a function that gets a search_path later in the migration.

Unsafe:
    CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orders';

Safe:
    CREATE FUNCTION count_orders() RETURNS bigint LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS 'SELECT count(*) FROM orders';

See: https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.objects import Function
from migsafe.schema.routines import altered_routine
from migsafe.sql.operations import AlterObject, CreateFunction, Name

_COMPILED = ("c", "internal")
_ROUTINES = ("function", "procedure", "routine")


class _State(Struct):
    definers: dict[Name, tuple[int, str]] = {}
    """The functions without a search_path, each with the position of its CREATE or ALTER FUNCTION, and its name with its arguments."""


@rule(category="design", severity=Severity.WARNING, no_fix="only the author knows the schemas that the function needs")
def definer_search_path(op: CreateFunction | AlterObject | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record the functions, and report at the end of the migration those that have no search_path then."""
    definers = at.state(_State).definers
    match op:
        case CreateFunction(function=name):
            definers.pop(at.catalog.in_first_schema(name), None)
            if _is_open(op, at):
                arguments = ", ".join(str(argument.type) for argument in op.arguments if argument.mode in ("in", "inout", "variadic"))
                definers[at.catalog.in_first_schema(name)] = at.position, f"{op.kind} {op.function}({arguments})"
        case AlterObject(name=Name() as name) if op.kind in _ROUTINES:
            functions = at.catalog.functions(name)
            before = functions[0] if len(functions) == 1 else None
            key = before.name if before is not None else at.catalog.in_first_schema(name)
            if before is None or not _lacks_path(altered_routine(before, op)):
                if before is not None or "search_path" in op.detail or "invoker" in op.detail:
                    definers.pop(key, None)
            elif key not in definers and not _lacks_path(before):
                definers[key] = at.position, f"{op.kind} {name}({', '.join(before.arguments)})"
        case MigrationEnd():
            for name, (position, function) in definers.items():
                yield _finding(at, name, position, function)


def _lacks_path(function: Function) -> bool:
    return function.definer and not function.has_search_path


def _is_open(op: CreateFunction, at: Context) -> bool:
    options = {(option.name, (option.value or "").split(" ")[0].lower()) for option in op.options}
    if ("security", "definer") not in options or ("set", "search_path") in options or op.language in _COMPILED:
        return False
    return op.body is None or not at.text(op.body.start, op.body.end).lower().startswith("begin")


def _finding(at: Context, name: Name, position: int, function: str) -> Finding:
    kind, _, signature = function.partition(" ")
    return at.finding(
        at.past[position],
        f"the SECURITY DEFINER {kind} {signature.partition('(')[0]} has no search_path of its own: it looks for tables, functions and operators"
        " in the caller's search_path, and uses them with the privileges of its owner",
        help=(
            "-- with the schemas that it needs, in the same migration:\n"
            f"ALTER {kind.upper()} {signature} SET search_path = {name.schema}, pg_temp;"
        ),
    )
