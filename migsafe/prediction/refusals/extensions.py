"""The types, functions and operator classes of an extension exist once it is created."""

from collections.abc import Iterator, Mapping

from migsafe.prediction.refusals.definitions import may_make_nothing
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.extensions import EXTENSION_FUNCTIONS, EXTENSION_OPERATOR_CLASSES, EXTENSION_TYPES, extension_named
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, TypeName


def _extension_of(parts: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {part: extension for extension, names in parts.items() for part in names}


_OF_TYPE, _OF_FUNCTION = _extension_of(EXTENSION_TYPES), _extension_of(EXTENSION_FUNCTIONS)
_OF_OPERATOR_CLASS = _extension_of(EXTENSION_OPERATOR_CLASSES)


@refuses(sql.CreateTable, sql.AddColumn, sql.AlterColumnType, sql.CreateDomain, sql.SetDefault, sql.CreateIndex)
def use_before_creation(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """A statement uses what only a later statement of the migration creates."""
    if not catalog.created_extensions or catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    for data_type in _types(op):
        extension = _later(catalog, _OF_TYPE.get(data_type.name), op)
        if extension is None or catalog.type_named(Name(data_type.name, data_type.schema)) is not None or data_type.percent_type:
            continue
        name = Name(data_type.name + ("[]" if data_type.dimensions else ""), data_type.schema)
        return _refusal(f"type {name_in_quotes(name)} does not exist", extension)
    for expression in _expressions(op):
        for call in expression.calls:
            extension = _later(catalog, _OF_FUNCTION.get(call.name), op)
            if extension is not None and not catalog.has_function_named(call.name):
                arguments = "()" if expression.sql.strip().endswith("()") else "(…)"
                return _refusal(f"function {call.name}{arguments} does not exist", extension)
    for opclass in _operator_classes(op):
        extension = _later(catalog, _OF_OPERATOR_CLASS.get(opclass.name), op)
        if extension is not None and isinstance(op, sql.CreateIndex):
            method = op.method or "btree"
            return _refusal(f'operator class "{opclass.name}" does not exist for access method "{method}"', extension)
    return None


def _later(catalog: Catalog, extension: str | None, op: sql.Operation) -> str | None:
    """Returns an extension that does not exist yet, but is created later in the migration."""
    creation = catalog.created_extensions.get(extension) if extension is not None else None
    if extension is None or creation is None or creation.span.start <= op.span.start or extension_named(catalog, extension) is not None:
        return None
    # IF NOT EXISTS may find an extension that an unknown migration, or a person, has created.
    is_certain = not creation.if_not_exists or catalog.complete or (catalog.from_beginning and catalog.origin.made_all)
    return extension if is_certain else None


def _refusal(error: str, extension: str) -> Refusal:
    return Refusal(
        error=error,
        detail=f"it belongs to the extension {extension}, which a later statement of this migration creates",
        help=f"-- move CREATE EXTENSION {Name(extension)} to the beginning of the migration",
    )


def _types(op: sql.Operation) -> Iterator[TypeName]:
    match op:
        case sql.CreateTable():
            yield from (column.type for column in op.columns if column.type is not None)
        case sql.AddColumn():
            if op.column.type is not None:
                yield op.column.type
        case sql.AlterColumnType() | sql.CreateDomain():
            yield op.type


def _expressions(op: sql.Operation) -> Iterator[Expression]:
    match op:
        case sql.CreateTable():
            yield from (column.default for column in op.columns if column.default is not None)
        case sql.AddColumn():
            if op.column.default is not None:
                yield op.column.default
        case sql.SetDefault():
            yield op.default
        case sql.CreateIndex():
            yield from (element.expression for element in op.elements if element.expression is not None)
            if op.where is not None:
                yield op.where


def _operator_classes(op: sql.Operation) -> Iterator[Name]:
    if isinstance(op, sql.CreateIndex):
        yield from (element.opclass for element in op.elements if element.opclass is not None)
