"""Aggregates: the functions that they depend on. Of several of one name, one counts for all where a statement removes or renames it."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Object
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_FUNCTIONS = frozenset("sfunc sfunc1 finalfunc ffunc combinefunc serialfunc deserialfunc msfunc minvfunc mfinalfunc".split())
"""The options of CREATE AGGREGATE that name functions (DefineAggregate in src/backend/commands/aggregatecmds.c)."""
_KINDS = ("aggregate", "routine")


class Aggregate(Object, frozen=True, kw_only=True):
    """An aggregate, and the functions of the history that compute it."""

    functions: tuple[int, ...] = ()

    def dependencies(self) -> tuple[int, ...]:
        """Its functions."""
        return self.functions


def create(catalog: Catalog, op: sql.CreateObject) -> None:
    """Records an aggregate, if functions of the history compute it and it is certain which."""
    if op.name is None or not op.certain:
        return
    names = [_function_name(option.value) for option in op.options if option.name in _FUNCTIONS and option.value]
    candidates = [catalog.functions(name) for name in names if name is not None]
    functions = tuple(found[0].oid for found in candidates if len(found) == 1)
    name = catalog.in_first_schema(op.name)
    if op.or_replace:
        forget(catalog, "aggregate", op.name)
    if functions:
        catalog.store(Aggregate(oid=catalog.new_oid(), name=name, functions=functions))


def _function_name(value: str) -> Name | None:
    parts = [part.strip().strip('"') for part in value.split(".")]
    return Name(parts[-1], parts[0] if len(parts) > 1 else None) if len(parts) < 3 else None


def aggregates_named(catalog: Catalog, kind: str, name: Name) -> list[Aggregate]:
    """Returns the aggregates of a name, whatever their arguments are, if the kind of object can be one."""
    if kind not in _KINDS:
        return []
    resolved = catalog.in_first_schema(name)
    return [each for each in catalog.objects_of(Aggregate) if each.name == resolved or (name.schema is None and each.name.name == name.name)]


def forget(catalog: Catalog, kind: str, name: Name) -> None:
    """Removes the aggregates of a name: they have another one now, or it is not known which of them it is."""
    for aggregate in aggregates_named(catalog, kind, name):
        catalog.drop(aggregate.oid)
