"""Values of enum types, and whether an operation needs one of them."""

from msgspec import Struct

from migsafe import expressions
from migsafe.schema.catalog import Catalog
from migsafe.sql.operations import Name, Operation, TypeName

WHOLE_TYPE_FUNCTIONS = ("enum_range", "enum_last")
"""The functions that read all values of a type, or its last one."""


class EnumValue(Struct, frozen=True):
    """A value of an enum type; `oid` is the type's number in the catalog where the history knows the type."""

    type: Name
    value: str
    oid: int | None

    def is_of(self, type_name: TypeName | None, catalog: Catalog) -> bool | None:
        """Whether a type is the value's type; None where the type is not known."""
        if type_name is None:
            return None
        type_ = catalog.type_of(type_name)
        if type_ is not None and self.oid is not None:
            return type_.oid == self.oid
        same_schema = type_name.schema is None or self.type.schema is None or type_name.schema == self.type.schema
        return type_name.name == self.type.name and same_schema


def needs_enum_value(op: Operation, text: str, value: EnumValue, catalog: Catalog) -> bool:
    """Whether an operation needs a value of an enum type. `text` is the operation's SQL.

    PostgreSQL converts a constant to an enum value when it plans the statement: in a cast, in a comparison with a column of the type, as a
    column's default. So an UPDATE that changes no row needs the value, and so does a CHECK that no row satisfies. A column of a table that
    no migration has created counts as a column of the type, because the string is equal to the value.
    """
    literal = f"'{value.value.replace(chr(39), chr(39) * 2)}'"
    if literal not in text and not any(function in text.lower() for function in WHOLE_TYPE_FUNCTIONS):
        return False
    return expressions.contains_enum_value(op, text, value, catalog)
