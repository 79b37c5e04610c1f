"""The statements that run when a function is called or a trigger fires."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest

from msgspec.structs import replace

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Function
from migsafe.schema.overloads import argument_values, call_arguments, possible_functions
from migsafe.sql.operations import Call, Copy, Delete, Insert, Merge, Name, OpaqueCode, Operation, Select, Truncate, Update
from migsafe.sql.statements import read, read_routine, routine_block
from migsafe.sql.string_constants import StringConstant


def body_operations(function: Function, arguments: Sequence[str | None] = ()) -> tuple[Operation, ...]:
    """Returns the operations of a function's body for a call with these arguments, None for an unknown value. There are none if the body
    is unknown, or is not SQL or PL/pgSQL. Their spans are offsets in the `body_text`."""
    if function.code is None:
        return ()
    known_arguments = [
        (key, value)
        for number, (name, value) in enumerate(zip_longest(function.parameters, arguments), 1)
        for key in (name, f"${number}")
        if key is not None and value is not None
    ]
    return _operations(function.code, function.language or "", tuple(known_arguments))


def body_text(function: Function) -> str:
    """Returns the text to which the spans of a body's operations refer; empty if the body is unknown."""
    code = function.code or ""
    return routine_block(code) if function.language == "plpgsql" else code


@lru_cache(512)
def _operations(code: str, language: str, known_arguments: tuple[tuple[str, str], ...]) -> tuple[Operation, ...]:
    if language == "sql":
        return tuple(operation for statement in read(code) for operation in statement.operations)
    if language != "plpgsql":
        return ()
    return read_routine(code, {name: StringConstant(value, array("I", [0]) * len(value)) for name, value in known_arguments})


READ_LANGUAGES = frozenset(("sql", "plpgsql"))
"""The languages of which migsafe reads the bodies of routines."""

_WRITES: dict[type[Operation], str] = {Insert: "insert", Update: "update", Delete: "delete", Truncate: "truncate"}
_RUN_MORE = frozenset((*_WRITES, Merge, Copy, Select, Call))
"""The operations that may call a function or fire a trigger."""
_MAX_DEPTH = 8
"""How deep calls within calls are followed: deeper than real migrations nest them; it also ends a recursion."""
_MAX_DEPTH_OF_SEVERAL = 2
"""How deep each of several functions is followed that a call may run: their number multiplies at each call."""


def called_operations(catalog: Catalog, operation: Operation) -> Iterator[Operation]:
    """Returns the operations that an operation also runs: the known bodies of the functions that it calls and of the triggers that it fires, at
    the place of the operation. Only the body of a function that is certainly called, and once, is certain to run."""
    return _called_operations(catalog, operation, 0, {})


_Call = tuple[int, tuple[str | None, ...]]
"""A function's oid, and its arguments; None for an unknown value."""


def _called_operations(catalog: Catalog, operation: Operation, depth: int, followed: dict[_Call, int]) -> Iterator[Operation]:
    """As called_operations. `followed` has the calls that may run, at their least depth; a second one runs nothing else. Without it, triggers
    that write each other's tables make the number of operations grow with a power of the depth."""
    if depth == _MAX_DEPTH or type(operation) not in _RUN_MORE:
        return
    call = operation.query.sql if isinstance(operation, Select) else operation.sql if isinstance(operation, Call) else ""
    for function, is_certain in _called_functions(catalog, operation, call, follow_several=depth < _MAX_DEPTH_OF_SEVERAL):
        written = call_arguments(call, function.name.name)
        arguments = argument_values(function, written) if written is not None else ()
        if not is_certain:
            if followed.get((function.oid, arguments), _MAX_DEPTH) <= depth:
                continue
            followed[function.oid, arguments] = depth
        for operation_of_body in body_operations(function, arguments):
            settings = (*operation.settings, *function.settings)
            run = replace(operation_of_body, span=operation.span, certain=is_certain and operation_of_body.certain, settings=settings)
            if isinstance(run, OpaqueCode):
                run = replace(run, calls=call, routine=str(function.name))
            yield run
            for inner in _called_operations(catalog, run, depth + 1, followed):
                yield replace(inner, calls=f"{call} {inner.calls}") if isinstance(inner, OpaqueCode) else inner


def _called_functions(catalog: Catalog, operation: Operation, call: str, *, follow_several: bool) -> Iterator[tuple[Function, bool]]:
    """Yields the functions that an operation may run, and whether it certainly does. Of several functions that its arguments fit, each may."""
    names: Iterable[Name] = ()
    certain = False
    match operation:
        case Select(query=query):
            certain, names = operation.certain and not query.reads and not query.filtered, query.calls
        case Call(procedure=procedure):
            certain, names = operation.certain, (procedure,)
        case Insert() | Update() | Delete() | Merge():
            names = operation.calls
    for name in names:
        functions = catalog.functions(name)
        if len(functions) > 1:
            functions = possible_functions(functions, call_arguments(call, name.name))
        if len(functions) == 1 or follow_several:
            yield from ((function, certain and len(functions) == 1) for function in functions)
    for name, events in _written_relations(operation):
        relation = catalog.relation(name)
        for trigger in catalog.triggers(relation.oid) if relation is not None else ():
            function = catalog.get(trigger.function) if trigger.function is not None else None
            if isinstance(function, Function) and set(trigger.events) & set(events):
                yield function, False


def _written_relations(operation: Operation) -> Iterator[tuple[Name, tuple[str, ...]]]:
    match operation:
        case Insert(table=name) | Update(table=name) | Delete(table=name):
            additional_events = ("update",) if isinstance(operation, Insert) and operation.on_conflict == "update" else ()
            yield name, (_WRITES[type(operation)], *additional_events)
        case Merge(table=name, actions=actions):
            yield name, actions
        case Copy(table=Name() as name, source=True):
            yield name, ("insert",)
        case Truncate(tables=tables):
            yield from ((table.name, ("truncate",)) for table in tables)
