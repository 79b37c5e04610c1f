"""What runs when a function is called, or a trigger fires: the statements of its body."""

from collections.abc import Iterator
from functools import lru_cache

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Function
from migsafe.sql.operations import Call, Copy, Delete, Do, Insert, Merge, Name, OpaqueCode, Operation, Select, Truncate, Update
from migsafe.sql.statements import read


def operations_of(function: Function) -> tuple[Operation, ...]:
    """The operations of a function's body; none where its text is not known, or is not SQL or PL/pgSQL. Their spans are those of the body."""
    return _operations(function.code, function.language or "") if function.code is not None else ()


@lru_cache(512)
def _operations(code: str, language: str) -> tuple[Operation, ...]:
    if language == "sql":
        return tuple(operation for statement in read(code) for operation in statement.operations)
    if language != "plpgsql":
        return ()
    # A body reads like a DO block's; the tag must not occur in it.
    tag = "$body$"
    while tag in code:
        tag = f"${tag.strip('$')}_$"
    return tuple(operation for statement in read(f"DO {tag}{code}{tag}") for operation in statement.operations if not isinstance(operation, Do))


_WRITES: dict[type[Operation], str] = {Insert: "insert", Update: "update", Delete: "delete", Truncate: "truncate"}
_RUN_MORE = frozenset((*_WRITES, Merge, Copy, Select, Call))
"""The operations that may call a function or fire a trigger."""
_DEEPEST = 8
"""How deep calls within calls are followed: deeper than people write them, and an end to a recursion."""


def called(catalog: Catalog, operation: Operation, depth: int = 0) -> Iterator[Operation]:
    """What an operation runs beside itself: the bodies of the functions that it calls and of the triggers that it fires, as far as they
    are known, where the operation stands. Only the body of a function that is called once and for sure is certain to run."""
    if depth == _DEEPEST or type(operation) not in _RUN_MORE:
        return
    for function, surely in _functions(catalog, operation):
        for inner in operations_of(function):
            run = replace(inner, span=operation.span, certain=surely and inner.certain)
            if isinstance(run, OpaqueCode) and isinstance(operation, Select):
                # What a built string is about, the arguments tell at best.
                run = replace(run, code=f"{operation.query.sql} {run.code}")
            yield run
            yield from called(catalog, run, depth + 1)


def _functions(catalog: Catalog, operation: Operation) -> Iterator[tuple[Function, bool]]:
    match operation:
        case Select(query=query):
            surely = operation.certain and not query.reads and not query.filtered
            for name in query.calls:
                yield from ((function, surely) for function in _one(catalog, name))
        case Call(procedure=name):
            yield from ((function, operation.certain) for function in _one(catalog, name))
        case Insert() | Update() | Delete() | Merge():
            for name in operation.calls:
                yield from ((function, False) for function in _one(catalog, name))
    for name, events in _written(operation):
        relation = catalog.relation(name)
        for trigger in catalog.triggers(relation.oid) if relation is not None else ():
            function = catalog.get(trigger.function) if trigger.function is not None else None
            if isinstance(function, Function) and set(trigger.events) & set(events):
                yield function, False


def _written(operation: Operation) -> Iterator[tuple[Name, tuple[str, ...]]]:
    match operation:
        case Insert(table=name) | Update(table=name) | Delete(table=name):
            also = ("update",) if isinstance(operation, Insert) and operation.on_conflict == "update" else ()
            yield name, (_WRITES[type(operation)], *also)
        case Merge(table=name, actions=actions):
            yield name, actions
        case Copy(table=Name() as name, source=True):
            yield name, ("insert",)
        case Truncate(tables=tables):
            yield from ((table.name, ("truncate",)) for table in tables)


def _one(catalog: Catalog, name: Name) -> list[Function]:
    """The function of a name: where there are several, which is meant depends on the arguments, so that none is taken."""
    found = catalog.functions(name)
    return found if len(found) == 1 else []
