"""What an access method offers to an index (DefineIndex and ComputeIndexAttrs in src/backend/commands/indexcmds.c)."""

from msgspec import Struct

from migsafe.prediction.refusals.definitions import added_constraints, complete_table, is_built_in, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.extensions import BTREE_EXTENSIONS, PLAIN_TYPES, extension_named
from migsafe.schema.objects import Extension, Relation
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import ConstraintKind, IndexElement, Name, TypeName


class _Method(Struct, frozen=True):
    """What pg_indexam_has_property says of an access method."""

    unique: bool = False
    include: bool = False
    several_columns: bool = True
    order: bool = False


_METHODS = {
    "btree": _Method(unique=True, include=True, order=True),
    "hash": _Method(several_columns=False),
    "gin": _Method(),
    "gist": _Method(include=True),
    "spgist": _Method(include=True, several_columns=False),
    "brin": _Method(),
}


@refuses(sql.CreateIndex)
def create_index(catalog: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """UNIQUE, INCLUDE, several columns and an order need a method that offers them."""
    name = op.method or "btree"
    method = _METHODS.get(name)
    if method is None:
        return None
    start = f'access method "{name}" does not support'
    if op.unique and not method.unique:
        return Refusal(error=f"{start} unique indexes", help="-- only btree has unique indexes")
    if op.include and not method.include:
        return Refusal(error=f"{start} included columns", help="-- leave INCLUDE out; only btree, gist and spgist have it")
    if len(op.elements) > 1 and not method.several_columns:
        return Refusal(error=f"{start} multicolumn indexes", help="-- create an index for each column")
    return None if method.order else _refuse_order(start, op.elements)


def _refuse_order(start: str, elements: tuple[IndexElement, ...]) -> Refusal | None:
    for element in elements:
        if element.ascending or element.descending:
            word = "DESC" if element.descending else "ASC"
            return Refusal(error=f"{start} ASC/DESC options", help=f"-- leave {word} out: only btree keeps an order")
        if element.nulls_first is not None:
            words = "NULLS FIRST" if element.nulls_first else "NULLS LAST"
            return Refusal(error=f"{start} NULLS FIRST/LAST options", help=f"-- leave {words} out: only btree keeps an order")
    return None


_OF_STRINGS = frozenset(
    ("text_ops", "text_pattern_ops", "varchar_ops", "varchar_pattern_ops", "bpchar_pattern_ops", "gin_trgm_ops", "gist_trgm_ops")
)
_OF_JSONB = frozenset(("jsonb_ops", "jsonb_path_ops"))
_NOT_STRINGS = frozenset(
    (
        *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "uuid", "json", "jsonb", "bytea", "inet"),
        *("date", "timestamp without time zone", "timestamp with time zone", "time without time zone", "interval"),
    )
)


@refuses(sql.CreateIndex)
def use_operator_class(catalog: Catalog, op: sql.CreateIndex) -> Refusal | None:
    """An operator class accepts the type of its column."""
    table = complete_table(catalog, op.table)
    for element in op.elements if table is not None else ():
        data_type = _type_of(table, element)
        if element.opclass is None or data_type is None:
            continue
        opclass = element.opclass.name
        if _has_class(opclass, op.method or "btree") and is_wrong_for(opclass, data_type):
            return Refusal(
                error=f'operator class "{opclass}" does not accept data type {type_text(catalog, data_type)}',
                help=f"-- leave {opclass} out, or index an expression of the type that it accepts",
            )
    return None


def is_wrong_for(opclass: str, data_type: TypeName) -> bool:
    """Whether one of the known operator classes certainly does not accept a built-in type."""
    if opclass in _OF_STRINGS:
        return data_type.name in _NOT_STRINGS or data_type.dimensions > 0
    return opclass in _OF_JSONB and (data_type.name != "jsonb" or data_type.dimensions > 0)


def _has_class(opclass: str, method: str) -> bool:
    """Whether a method has an operator class of this name, which is then not the reason for the refusal."""
    if opclass in _OF_JSONB or opclass == "gin_trgm_ops":
        return method == "gin"
    if opclass == "gist_trgm_ops":
        return method == "gist"
    return method in ("btree", "hash") or (method == "spgist" and opclass == "text_ops")


_WITH_EXTENSION = {method: extension for extension, method in BTREE_EXTENSIONS.items()}


@refuses(sql.CreateIndex, sql.AddConstraint, sql.CreateTable)
def need_extension(catalog: Catalog, op: sql.CreateIndex | sql.AddConstraint | sql.CreateTable) -> Refusal | None:
    """Plain types have an operator class for gin and gist from btree_gin and btree_gist. A database may have extensions that no migration
    creates; but where the migrations create some, they create these, too."""
    if not _creates_extensions(catalog):
        return None
    if isinstance(op, sql.CreateTable):
        own = {column.name: column.type for column in op.columns}
    else:
        table = complete_table(catalog, op.table if isinstance(op, sql.CreateIndex) else op.target.name)
        own = {column.name: column.type for column in table.columns} if table is not None else {}
    for method, elements in _keys(op):
        extension = _WITH_EXTENSION.get(method)
        if extension is None or extension_named(catalog, extension) is not None:
            continue
        for element in elements:
            data_type = own.get(element.column or "")
            if element.opclass is None and data_type is not None and _is_scalar(data_type):
                return Refusal(
                    error=f'data type {type_text(catalog, data_type)} has no default operator class for access method "{method}"',
                    help=_instead(extension, element.column or "", method, data_type),
                )
    return None


def _instead(extension: str, column: str, method: str, data_type: TypeName) -> str:
    help = f"-- first: CREATE EXTENSION {extension};"
    if method == "gin" and data_type.name in ("text", "character varying"):
        help += f"\n-- or, for LIKE and ILIKE: CREATE EXTENSION pg_trgm, and USING gin ({Name(column)} gin_trgm_ops)"
    return help


def _creates_extensions(catalog: Catalog) -> bool:
    if catalog.has_other_functions or not catalog.objects_of(Extension):
        return False
    return catalog.complete or (catalog.from_beginning and catalog.origin.made_all)


def _keys(op: sql.CreateIndex | sql.AddConstraint | sql.CreateTable) -> list[tuple[str, tuple[IndexElement, ...]]]:
    if isinstance(op, sql.CreateIndex):
        return [(op.method or "btree", op.elements)]
    exclusions = (each for each in added_constraints(op) if each.kind is ConstraintKind.EXCLUDE)
    return [(each.method or "btree", each.elements) for each in exclusions]


def _is_scalar(data_type: TypeName) -> bool:
    return is_built_in(data_type) and not data_type.dimensions and data_type.name in PLAIN_TYPES


def _type_of(table: Relation | None, element: IndexElement) -> TypeName | None:
    column = table.column(element.column) if table is not None and element.column is not None else None
    return column.type if column is not None and column.type is not None and is_built_in(column.type) else None
