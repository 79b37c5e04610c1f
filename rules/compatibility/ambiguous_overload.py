"""A new function makes calls of an existing one ambiguous.

If a call with the same arguments fits both functions, because one of them has defaults for the others, PostgreSQL does not choose: every such
call of the running release fails with `function is not unique`. CREATE OR REPLACE does not replace a function with other argument types; it
creates a second one. Drop the old function in the same transaction, give the new one another name, or leave out the default.

Unsafe:
    CREATE FUNCTION shipping_cost(weight integer) RETURNS integer LANGUAGE sql AS 'SELECT weight';
    -- next migration
    CREATE OR REPLACE FUNCTION shipping_cost(weight integer, express boolean DEFAULT false) RETURNS integer LANGUAGE sql AS 'SELECT weight';

Safe:
    CREATE FUNCTION shipping_cost(weight integer) RETURNS integer LANGUAGE sql AS 'SELECT weight';
    -- next migration
    CREATE FUNCTION shipping_cost(weight integer, express boolean) RETURNS integer LANGUAGE sql AS 'SELECT weight';

See: https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-OVERLOADING
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_name_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.schema.objects import Function
from migsafe.sql.operations import CreateFunction


class _State(Struct):
    added: list[tuple[int, tuple[Function, ...]]] = []
    """The positions of new functions, each with the functions of its name that exist already."""


@rule(category="compatibility", severity=Severity.WARNING, no_fix="only the author knows whether the old function is still needed")
def ambiguous_overload(op: CreateFunction | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record functions of existing names, and report at the end of the migration those with which calls are ambiguous."""
    if isinstance(op, CreateFunction):
        existing = tuple(at.catalog.functions(op.function))
        if existing and not is_name_created_here(at, op.kind, op.function, created=True):
            at.state(_State).added.append((at.position, existing))
        return
    for position, existing in at.state(_State).added:
        created: CreateFunction = at.past[position].operation  # type: ignore[assignment]  # the recorded operations are of this type
        arguments = tuple(str(argument.type) for argument in created.arguments if argument.mode in ("in", "inout", "variadic"))
        new = next((function for function in at.catalog.functions(created.function) if function.arguments == arguments), None)
        old = [function for function in existing if function.arguments != arguments and at.catalog.get(function.oid) is not None]
        for function in old if new is not None else ():
            count = _ambiguous_call(function, new) if new is not None else None
            if new is not None and count is not None:
                yield at.finding(
                    at.past[position],
                    f"{created.kind} {new.name} with {len(new.arguments)} arguments exists beside the one with {len(function.arguments)}: a "
                    f"call with {count} argument{'' if count == 1 else 's'} fits both, and fails with {created.kind} is not unique",
                    help=f"-- in the same transaction, if nothing depends on it:\nDROP {created.kind.upper()} {_signature(function)};",
                )


def _ambiguous_call(one: Function, other: Function) -> int | None:
    """Returns the smallest number of arguments with which a call fits both, with the same types; None if there is none."""
    least = max(len(function.arguments) - function.defaults for function in (one, other))
    most = min(len(one.arguments), len(other.arguments))
    return least if least <= most and one.arguments[:least] == other.arguments[:least] and one.kind == other.kind else None


def _signature(function: Function) -> str:
    return f"{function.name}({', '.join(function.arguments)})"
