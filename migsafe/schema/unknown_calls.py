"""Calls whose work is unknown: of functions of extensions that change or lock relations, and of procedures whose body is not in the history."""

from msgspec import Struct
from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.schema.bodies import READ_LANGUAGES
from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.extension_functions import ExtensionFunction, extension_function
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation

_STRING = lazy_pattern(r"'([^']*+(?:''[^']*+)*+)'")


class UnknownCall(Struct, frozen=True):
    """A call whose work is unknown. `extension` describes the function if an extension has it; `language` is that of a procedure of the history
    whose body migsafe does not read. `relations` are the known relations that its arguments name."""

    name: Name
    relations: tuple[Relation, ...]
    extension: ExtensionFunction | None = None
    language: str | None = None


def unknown_call(catalog: Catalog, operation: Operation) -> UnknownCall | None:
    """Returns the call of an operation whose work is unknown; None if none. A function of the history is not that of an extension."""
    match operation:
        case sql.Select(query=query):
            for name in query.calls:
                function = extension_function(name)
                if function is not None and not catalog.functions(name):
                    return UnknownCall(name, named_relations(catalog, query.sql), function)
        case sql.Call(procedure=name):
            functions = catalog.functions(name)
            if functions:
                language = functions[0].language
                if language is None or any(function.language in READ_LANGUAGES for function in functions):
                    return None
                return UnknownCall(name, named_relations(catalog, operation.sql), language=language)
            return UnknownCall(name, named_relations(catalog, operation.sql), extension_function(name))
    return None


def named_relations(catalog: Catalog, text: str) -> tuple[Relation, ...]:
    """Returns the relations that string constants of a call name. The schema may be another argument, so it does not count."""
    names = {part.strip('"') for constant in _STRING.findall(text) for part in constant.split(".")}
    return tuple(relation for relation in catalog.relations() if relation.name.name in names)


@SCHEMA_CHANGES.register(sql.Select, sql.Call)
def apply_call(catalog: Catalog, operation: sql.Select | sql.Call) -> None:
    """Records that an unknown call may have changed the relations that it names. If it names none, a function of an extension may have changed
    any partitioned table, and an unknown procedure every relation."""
    if isinstance(operation, sql.Select) and not operation.query.calls:
        return
    call = unknown_call(catalog, operation)
    if call is None:
        return
    catalog.origin = replace(catalog.origin, opaque_until=catalog.last_oid)
    named = {relation.oid for relation in call.relations}
    if call.extension is None:
        catalog.origin = catalog.origin.after_unknown_relations()
        catalog.mark_incomplete([relation for relation in catalog.relations() if relation.oid in named])
        return
    for relation in list(catalog.relations()):
        if relation.oid in named if named else relation.kind is RelationKind.PARTITIONED:
            catalog.change(relation, complete=False, removed_columns=frozenset())
