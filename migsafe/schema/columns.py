"""The columns of a table, from their definitions in statements."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.schema.casts import BUILT_IN
from migsafe.schema.catalog import Catalog
from migsafe.schema.default_names import free_relation_name
from migsafe.schema.extensions import EXTENSION_TYPES
from migsafe.schema.formulas import formula
from migsafe.schema.inserted_rows import plain_constant
from migsafe.schema.objects import Column, Composite, Domain, EnumType, Extension, Formula, Object, Relation, RelationKind
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, TypeName
from migsafe.sql.statements import read

_CONSTANT = lazy_pattern(r"'([^']*+(?:''[^']*+)*+)'")
_SERIAL = {
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
    "smallserial": "smallint",
    "serial2": "smallint",
}


def is_serial(type_name: TypeName | None) -> bool:
    """Whether a column's type is one of the serial pseudo-types, which create a sequence and a default (manual, 8.1.4)."""
    return type_name is not None and type_name.schema is None and not type_name.dimensions and type_name.name in _SERIAL


def stored_type(catalog: Catalog, type_name: TypeName | None) -> TypeName | None:
    """Returns a column's type as in the catalogue: a serial's integer type, a user's type with its schema; None if it is unknown."""
    if type_name is None or type_name.percent_type:
        return None
    if is_serial(type_name):
        return TypeName(name=_SERIAL[type_name.name])
    user: Object | None = catalog.type_of(type_name)
    if user is None and type_name.name not in BUILT_IN:
        user = catalog.relation(Name(type_name.name, type_name.schema))  # the type of its rows
        if user is not None:
            catalog.row_types.add(user.oid)
    return replace(type_name, schema=user.name.schema) if user is not None else type_name


def default_value(catalog: Catalog, column: Column) -> str:
    """Returns the constant that a row without a value gets in a column, as SQL, `null` where it has no default; empty if it is not known."""
    if column.identity is not None or column.generated is not None or column.type is None:
        return ""
    if column.default is not None:
        return plain_constant(column.default.expression.sql)
    is_built_in = column.type.name in BUILT_IN and column.type.schema in (None, "pg_catalog")
    return "null" if is_built_in or isinstance(catalog.type_of(column.type), EnumType) else ""


def sequence_of(catalog: Catalog, default: Expression) -> tuple[int, ...]:
    """Returns the sequences of a default: `nextval('name'::regclass)`."""
    if not any(call.name == "nextval" for call in default.calls):
        return ()
    literal = _CONSTANT.search(default.sql)
    sequence = catalog.relation(parse_regclass(literal[1].replace("''", "'"))) if literal else None
    return (sequence.oid,) if sequence is not None else ()


def parse_regclass(text: str) -> Name:
    """Returns the name in a string such as `public.orders_id_seq`, as PostgreSQL's regclass reads it."""
    parts = [piece[1:-1].replace('""', '"') if piece.startswith('"') else piece.strip().lower() for piece in _pieces(text)]
    return Name(parts[-1], parts[-2] if len(parts) > 1 else None)


def _pieces(text: str) -> list[str]:
    pieces, quoted = [""], False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character == "." and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def default_of(catalog: Catalog, default: Expression | None, column_type: TypeName | None) -> Formula | None:
    """Returns the default of a column; it uses no columns. NULL means no default, unless it must be converted to a length or a domain."""
    if default is None:
        return None
    is_null = default.sql.strip().lower() == "null"
    if is_null and column_type is not None and not column_type.modifiers and not isinstance(catalog.type_of(column_type), Domain):
        return None
    return Formula(default, (), sequence_of(catalog, default))


def default_with_type(catalog: Catalog, column: Column, new_type: TypeName) -> Formula | None:
    """Returns the default of a column whose type changes: a constant of an enum keeps that type, and is converted where it is used. PostgreSQL
    refuses the change to another enum; the corrected migration gives the default the new type."""
    default = column.default
    if default is None or column.type is None or column.type.dimensions or column.generated is not None:
        return default
    enum = catalog.type_of(column.type)
    is_other_enum = isinstance(catalog.type_of(new_type), EnumType)
    if not isinstance(enum, EnumType) or is_other_enum or not _CONSTANT.fullmatch(default.expression.sql.strip()):
        return default
    return Formula(replace(default.expression, sql=f"{default.expression.sql.strip()}::{enum.name}"))


def _is_made_elsewhere(catalog: Catalog, type_name: TypeName) -> bool:
    """Whether something outside of the history has made a type, and functions with it, such as PostGIS in the image of the database."""
    if type_name.name in BUILT_IN or type_name.percent_type or catalog.type_of(type_name) is not None:
        return False
    name = Name(type_name.name, type_name.schema)
    created = (extension.name.name for extension in catalog.objects_of(Extension))
    return catalog.relation(name) is None and not any(type_name.name in EXTENSION_TYPES.get(extension, ()) for extension in created)


class BuiltColumn(Struct):
    """A column that a statement defines, whether it needs a sequence, and the clause of an identity, which may name it."""

    column: Column
    sequence: bool = False
    identity: sql.Identity | None = None


def build_column(catalog: Catalog, number: int, definition: sql.Column, inside_key: bool = False) -> BuiltColumn:
    """Returns the column of a definition. `inside_key`: it is in the statement's PRIMARY KEY. A generated column's expression is added later,
    when all columns of its table are known."""
    serial = is_serial(definition.type)
    if definition.type is not None and not serial and _is_made_elsewhere(catalog, definition.type):
        catalog.has_other_functions = True
    column = Column(
        number=number,
        name=definition.name,
        type=stored_type(catalog, definition.type),
        not_null=definition.not_null or serial or inside_key or definition.identity is not None,
        default=default_of(catalog, definition.default, definition.type),
        identity=None if definition.identity is None else "always" if definition.identity.always else "by default",
        generated=generated_kind(catalog, definition),
        collation=definition.collation,
    )
    return BuiltColumn(column, serial or definition.identity is not None, definition.identity)


def generated_kind(catalog: Catalog, definition: sql.Column) -> str | None:
    """Returns `stored` or `virtual` for a generated column. If the statement says neither, 18 makes it virtual; earlier releases refuse it."""
    if definition.generated is None:
        return None
    if definition.generated.stored is None:
        return "virtual" if catalog.pg_version >= versions.VIRTUAL_GENERATED_COLUMNS else "stored"
    return "stored" if definition.generated.stored else "virtual"


def bind_generated_columns(columns: Iterable[Column], definitions: Iterable[sql.Column]) -> tuple[Column, ...]:
    """Returns the columns, with the expressions of the generated ones."""
    table_columns = tuple(columns)
    expressions = {definition.name: definition.generated.expression for definition in definitions if definition.generated is not None}
    return tuple(
        replace(column, default=formula(expressions[column.name], table_columns)) if column.name in expressions else column
        for column in table_columns
    )


def has_unlogged_sequences(catalog: Catalog) -> bool:
    """Whether the sequences of an unlogged table are unlogged too."""
    return catalog.pg_version >= versions.UNLOGGED_SEQUENCES


def add_sequence(catalog: Catalog, table: Relation, column: Column, identity: sql.Identity | None = None) -> int:
    """Creates the sequence of a serial or identity column, and returns its number. `identity` may name it."""
    named = _sequence_name(table, identity)
    name = named if named is not None and not catalog.is_taken(named) else free_relation_name(catalog, table.name, (column.name,), "seq")
    oid = catalog.new_oid()
    always_logged = table.persistence is sql.Persistence.UNLOGGED and not has_unlogged_sequences(catalog)
    catalog.store(
        Relation(
            oid=oid,
            name=name,
            kind=RelationKind.SEQUENCE,
            owner=(table.oid, column.number),
            of_identity=column.identity is not None,
            created_in=catalog.migration,
            persistence=sql.Persistence.PERMANENT if always_logged else table.persistence,
            sequence_type=column.type.name if column.type is not None else None,
        )
    )
    return oid


def _sequence_name(table: Relation, identity: sql.Identity | None) -> Name | None:
    """Returns the name that SEQUENCE NAME gives, by default in the schema of the table."""
    text = next((option.value for option in (identity.options if identity is not None else ()) if option.name == "sequence name"), None)
    operations = [operation for statement in read(f"DROP SEQUENCE {text}") for operation in statement.operations] if text is not None else []
    if len(operations) != 1 or not isinstance(operations[0], sql.Drop):
        return None
    return Name(operations[0].names[0].name, operations[0].names[0].schema or table.name.schema)


def alter_sequence_type(catalog: Catalog, table: Relation, column: int, type_name: str) -> None:
    """Changes the type of an identity column's sequence with the column's; that of a serial column keeps its type (measured on 14 and 18)."""
    for sequence in catalog.dependents(table.oid, Relation):
        if sequence.of_identity and sequence.owner == (table.oid, column):
            catalog.change(sequence, sequence_type=type_name)


def with_sequence_default(column: Column, sequence: int, name: Name) -> Column:
    """Returns a serial column with its default, `nextval('sequence'::regclass)`."""
    call = Expression(sql=f"nextval('{name}'::regclass)", span=sql.Column(name="").span, calls=(Name("nextval"),))
    return replace(column, default=Formula(call, (), (sequence,)))


def next_column_number(relation: Relation) -> int:
    """Returns the number of the next column of a relation. Numbers of dropped columns that are known are not used again."""
    return max((column.number for column in relation.columns), default=0) + 1


def set_column(catalog: Catalog, table: Relation, number: int, **fields: object) -> Relation:
    """Changes some fields of one column, and returns the changed table."""
    columns = tuple(replace(column, **fields) if column.number == number else column for column in table.columns)
    return catalog.change(table, columns=columns)


def stub_column(catalog: Catalog, table: Relation, name: str) -> Column:
    """Adds a column to an incomplete table: it must exist, because a statement uses it."""
    column = Column(number=next_column_number(table), name=name, type=None, not_null=None)
    catalog.change(table, columns=(*table.columns, column))
    return column


def composite_name(catalog: Catalog, name: Name) -> Name:
    """Returns the qualified name of the composite type of a table (OF)."""
    composite = catalog.type_named(name)
    return composite.name if composite is not None else catalog.in_first_schema(name)


def composite_columns(catalog: Catalog, name: Name) -> tuple[Column, ...]:
    """Returns the columns of a table OF a composite type."""
    composite = catalog.type_named(name)
    if not isinstance(composite, Composite):
        return ()
    return tuple(Column(number=number, name=attribute, type=type_name) for number, (attribute, type_name) in enumerate(composite.attributes, 1))


def has_domain_default(catalog: Catalog, type_name: TypeName | None) -> bool:
    """Whether a type is a domain with a default, or a domain over one."""
    known = catalog.type_of(type_name) if type_name is not None and not type_name.dimensions else None
    while isinstance(known, Domain):
        if known.default is not None:
            return True
        known = catalog.type_of(known.type) if not known.type.dimensions else None
    return False


def altered_column(catalog: Catalog, table: Relation, name: str) -> Column:
    """Returns the column that an ALTER changes; adds an unknown one to the table."""
    column = table.column(name)
    if column is not None:
        return column
    if table.complete:
        catalog.add_refusal(f'column "{name}" of relation "{table.name.name}" does not exist')
    return stub_column(catalog, table, name)
