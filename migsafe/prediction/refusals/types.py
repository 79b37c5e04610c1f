"""The limits of data types: casts, composite types in use, names."""

import re

from msgspec.structs import replace

from migsafe import expressions
from migsafe.patterns import lazy_pattern
from migsafe.prediction.effects.type_changes import casts_of
from migsafe.prediction.refusals.definitions import changed_type, is_built_in, known_type, type_text
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.casts import BUILT_IN, cast, is_string
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import certainly_exists, is_absent_type, is_unmade_enum
from migsafe.schema.column_users import column_of_type
from migsafe.schema.columns import is_serial
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.objects import Composite, Domain, RelationKind
from migsafe.schema.query_tables import table_columns
from migsafe.schema.refusal import Refusal
from migsafe.sql import operations as sql
from migsafe.sql.operations import Expression, Name, Query, TypeName
from migsafe.sql.operations.values import quoted

_IS_CONSTANT = lazy_pattern(r"[\s(]*(?:'|null\b)", re.IGNORECASE)
_DEEPEST_TYPE = 16


@refuses(sql.AlterColumnType)
def change_to_serial(_: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """Serial is a type only where a column is created (transformColumnDefinition in parse_utilcmd.c)."""
    if not is_serial(replace(op.type, dimensions=0)):
        return None
    column, table = quoted(op.column), op.target.name
    sequence = Name(f"{table.name}_{op.column}_seq", table.schema)
    steps = (
        f"CREATE SEQUENCE {sequence} OWNED BY {table}.{column};",
        " ".join((f"SELECT setval('{sequence}', coalesce(max({column}), 0) + 1, false)", f"FROM {table};")),
        f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}');",
    )
    return Refusal(
        error=f'type "{op.type}" does not exist',
        detail="it is a type only in the definition of a new column",
        help="\n".join(("-- for an integer column:", *steps)),
    )


@refuses(sql.AlterColumnType)
def alter_type(catalog: Catalog, op: sql.AlterColumnType) -> Refusal | None:
    """Without USING, a new type needs an automatic cast; a default always does."""
    changed = changed_type(catalog, op)
    if changed is None:
        return None
    _, column, source, target = changed
    if column.generated is not None or column.inherited:
        return None
    to = type_text(catalog, target)
    alter = f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)}"
    if op.using is None and not is_cast_automatically(catalog, source, target):
        return Refusal(
            error=f'column "{op.column}" cannot be cast automatically to type {to}',
            detail=f"it is {column.type}",
            help=f"{alter} TYPE {op.type} USING {quoted(op.column)}::{op.type};",
        )
    if op.using is not None:
        refusal = _refuse_cast(catalog, op, source) or _refuse_result(catalog, op, source, target)
        if refusal is not None:
            return refusal
    written = _type_of_default(catalog, column.default.expression, source) if column.default is not None and column.identity is None else None
    if written is None or is_cast_automatically(catalog, written, target):
        return None
    using = f" USING {op.using.sql}" if op.using is not None else ""
    return Refusal(
        error=f'default for column "{op.column}" cannot be cast automatically to type {to}',
        help=f"-- drop the default in the same statement, and set it again afterwards:\nALTER TABLE {op.target.name} ALTER COLUMN "
        f"{quoted(op.column)} DROP DEFAULT, ALTER COLUMN {quoted(op.column)} TYPE {op.type}{using};",
    )


def _refuse_cast(catalog: Catalog, op: sql.AlterColumnType, source: TypeName) -> Refusal | None:
    """Returns why PostgreSQL refuses a USING that only casts the column."""
    assert op.using is not None
    for data_type in casts_of(op.using, op.column) or ():
        target = known_type(catalog, data_type)
        if target is None or source.dimensions:
            return None
        if target.dimensions and not (is_built_in(source) and source.name not in _ARRAY_SOURCES):
            return None
        if target.dimensions or not _has_cast(catalog, source, target):
            names = type_text(catalog, source), type_text(catalog, target)
            return Refusal(
                error=f"cannot cast type {names[0]} to {names[1]}",
                help=f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} TYPE {op.type} USING {quoted(op.column)}::text::{op.type};"
                if catalog.type_of(target) is not None
                else f"-- make an array of it: USING ARRAY[{quoted(op.column)}]"
                if target.dimensions
                else "-- use CASE WHEN … THEN … END",
            )
        source = target
    return None


def _refuse_result(catalog: Catalog, op: sql.AlterColumnType, source: TypeName, target: TypeName) -> Refusal | None:
    """Returns why PostgreSQL refuses the result of USING: only an automatic cast turns it into the new type."""
    assert op.using is not None
    casts = casts_of(op.using, op.column)
    result = known_type(catalog, casts[-1]) if casts else source if casts == () else _type_of(catalog, op.target.name, op.using)
    if result is None or is_cast_automatically(catalog, result, target):
        return None
    to = type_text(catalog, target)
    return Refusal(
        error=f'result of USING clause for column "{op.column}" cannot be cast automatically to type {to}',
        detail=f"it is {type_text(catalog, result)}",
        help=f"ALTER TABLE {op.target.name} ALTER COLUMN {quoted(op.column)} TYPE {op.type} USING ({op.using.sql})::{op.type};",
    )


def _type_of(catalog: Catalog, table: Name, using: Expression) -> TypeName | None:
    """Returns the type of an expression over the columns of a table; None if it is not known, and for a constant, which takes any type."""
    if catalog.type_query is None or using.reads or _IS_CONSTANT.match(using.sql):
        return None
    query = Query(sql=" ".join(("SELECT", using.sql, f"AS result FROM {table}")), span=using.span, reads=(table,))
    columns = catalog.type_query(query, lambda name: table_columns(catalog, name))
    return known_type(catalog, columns[0].type) if columns is not None and len(columns) == 1 else None


def _has_cast(catalog: Catalog, source: TypeName, target: TypeName) -> bool:
    """Whether PostgreSQL has a cast between two types, of which each is built in or an enum."""
    version = catalog.pg_version
    if (source.name, source.schema) == (target.name, target.schema) or is_string(source.name, version) or is_string(target.name, version):
        return True
    if catalog.type_of(source) is not None or catalog.type_of(target) is not None:
        return False
    return cast(source.name, target.name, explicit=True, pg_version=version) is not None


def is_cast_automatically(catalog: Catalog, source: TypeName, target: TypeName) -> bool:
    """Whether PostgreSQL has an assignment cast between two types, of which each is built in or an enum."""
    version = catalog.pg_version
    are_both_arrays = bool(source.dimensions) and bool(target.dimensions)
    if is_string(target.name, version) and (are_both_arrays or not target.dimensions):
        return True
    if bool(source.dimensions) != bool(target.dimensions):
        return False
    if (source.name, source.schema) == (target.name, target.schema):
        return True
    if catalog.type_of(source) is not None or catalog.type_of(target) is not None:
        return False
    return cast(source.name, target.name, explicit=False, pg_version=version) is not None


def _type_of_default(catalog: Catalog, default: Expression, column_type: TypeName) -> TypeName | None:
    """Returns the type of a default before it was converted to its column's, which is what PostgreSQL converts to the new type
    (ATPrepAlterColumnType in src/backend/commands/tablecmds.c); None if it or its casts are not known."""
    text = default.sql.strip()
    if text.startswith("'") and text.endswith("'") and "'" not in text[1:-1].replace("''", ""):
        return column_type
    return known_type(catalog, expressions.type_of_default(default, column_type))


@refuses(sql.AlterCompositeType)
def alter_composite(catalog: Catalog, op: sql.AlterCompositeType) -> Refusal | None:
    """The type of an attribute stays while a column has the composite type."""
    composite = catalog.type_named(op.type)
    if not isinstance(composite, Composite) or not composite.attributes:
        return None
    name, names = composite.name.name, [attribute for attribute, _ in composite.attributes]
    if op.action == "add":
        exists = op.attribute in names
        return Refusal(error=f'column "{op.attribute}" of relation "{name}" already exists') if exists else None
    if op.attribute not in names:
        missing = Refusal(error=f'column "{op.attribute}" of relation "{name}" does not exist')
        return None if op.if_exists else missing
    user = column_of_type(catalog, composite.name)
    if op.action != "alter" or user is None:
        return None
    return Refusal(
        error=f'cannot alter type "{name}" because column "{user}" uses it',
        help=f"-- ADD an attribute of the new type, fill it in {user}, and DROP the old attribute later",
    )


@refuses(sql.AlterDomain)
def alter_domain(catalog: Catalog, op: sql.AlterDomain) -> Refusal | None:
    """The rows of a domain inside an array or a composite type cannot be checked (get_rels_with_domain in typecmds.c)."""
    is_unchecked = op.action == "add constraint" and op.constraint is not None and op.constraint.not_valid
    if op.action not in ("set not null", "add constraint", "validate constraint") or is_unchecked:
        return None
    domain = catalog.type_named(op.domain)
    for relation in catalog.relations() if isinstance(domain, Domain) else ():
        if relation.kind not in (RelationKind.TABLE, RelationKind.MATERIALIZED) or not certainly_exists(catalog, relation):
            continue
        for column in relation.columns:
            if domain is not None and _is_inside(catalog, domain.name, column.type):
                help = "-- ADD CONSTRAINT … NOT VALID checks new values only" if op.action == "add constraint" else ""
                error = f'cannot alter type "{domain.name.name}" because column "{relation.name.name}.{column.name}" uses it'
                return Refusal(error=error, detail="it is inside an array or a composite type", help=help)
    return None


def _is_inside(catalog: Catalog, domain: Name, data_type: TypeName | None, *, inside: bool = False, depth: int = 0) -> bool:
    """Whether a type has a domain as an element of an array, or as an attribute."""
    if data_type is None or depth >= _DEEPEST_TYPE:
        return False
    known = catalog.type_of(data_type)
    inside = inside or bool(data_type.dimensions)
    match known:
        case Domain():
            is_wanted = inside and known.name == domain
            return is_wanted or (known.name != domain and _is_inside(catalog, domain, known.type, inside=inside, depth=depth + 1))
        case Composite():
            return any(_is_inside(catalog, domain, attribute, inside=True, depth=depth + 1) for _, attribute in known.attributes)
    return False


@refuses(sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain)
def create_type(catalog: Catalog, op: sql.CreateEnum | sql.CreateCompositeType | sql.CreateDomain) -> Refusal | None:
    """A table has a type of its own name."""
    name = catalog.in_first_schema(op.domain if isinstance(op, sql.CreateDomain) else op.type)
    relation = catalog.relation(name)
    if relation is None or relation.kind is RelationKind.SEQUENCE or relation.created_in < 0 or relation.may_be_older:
        return None
    return Refusal(
        error=f'type "{name.name}" already exists' if not isinstance(op, sql.CreateCompositeType) else f'relation "{name.name}" already exists',
        detail=f"the {relation.kind.value} {relation.name} has a type of that name",
    )


@refuses(sql.CreateEnum)
def define_labels(_: Catalog, op: sql.CreateEnum) -> Refusal | None:
    """The labels of an enum differ."""
    if len(set(op.values)) == len(op.values):
        return None
    twice = next(value for number, value in enumerate(op.values) if value in op.values[:number])
    return Refusal(
        error='duplicate key value violates unique constraint "pg_enum_typid_label_index"',
        detail=f"the label '{twice}' is there twice",
        help="-- leave out one of the two",
    )


@refuses(sql.CreateTable)
def create_table(catalog: Catalog, op: sql.CreateTable) -> Refusal | None:
    """A table has a type of its own name."""
    name = catalog.in_first_schema(op.table)
    found = catalog.type_named(name)
    if found is None or op.if_not_exists or catalog.relation(name) is not None or op.persistence is sql.Persistence.TEMPORARY:
        return None
    if isinstance(found, Composite):
        return Refusal(error=f'relation "{name.name}" already exists', detail=f"it is a composite type: {Name(name.name)}")
    return Refusal(error=f'type "{name.name}" already exists', detail="a table has a type of its own name")


_ARRAY_SOURCES = frozenset(("text", "character varying", "character", "char", "name", "int2vector", "oidvector", "xml", "citext"))
"""The types that can be cast to an array: strings by their text."""
_FOREIGN_TYPES = {
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime"), "timestamp with time zone"),
    **dict.fromkeys(("tinytext", "mediumtext", "longtext", "clob", "nclob", "nvarchar", "nvarchar2", "varchar2"), "text"),
    **dict.fromkeys(("tinyblob", "blob", "mediumblob", "longblob", "varbinary"), "bytea"),
    **dict.fromkeys(("tinyint", "mediumint"), "smallint or integer"),
    "double": "double precision",
    "number": "numeric",
    "uniqueidentifier": "uuid",
    "string": "text",
    "enum": "CREATE TYPE … AS ENUM, and that type",
}
"""Types that PostgreSQL does not have, with those that it has instead."""


_SHORT_NAMES = frozenset("bool char dec decimal float float4 float8 int int2 int4 int8 timestamptz timetz varchar".split())
_WRITTEN_IN_QUOTES = lazy_pattern(r"\w[\w ]*(?:\(\d+(?:, ?\d+)?\))?(?:\[\])?")


def _in_quotes(name: Name) -> str:
    """Returns the type that was meant by a name in double quotes, such as `"text[]"`, `"varchar(20)"` and `"TEXT"`; empty for other names."""
    if name.schema is not None or not _WRITTEN_IN_QUOTES.fullmatch(name.name):
        return ""
    element = re.split(r"[(\[]", name.name.lower())[0]
    return name.name.lower() if element != name.name and (element in BUILT_IN or element in _SHORT_NAMES) else ""


@refuses(sql.AddColumn, sql.CreateTable, sql.AlterColumnType)
def use_type(catalog: Catalog, op: sql.AddColumn | sql.CreateTable | sql.AlterColumnType) -> Refusal | None:
    """A column's type exists. Alembic creates an enum with the table, but not with a column that it adds or changes."""
    match op:
        case sql.AddColumn():
            types, values = [op.column.type], op.new_enum
        case sql.CreateTable():
            types, values = [column.type for column in op.columns], ()
        case _:
            types, values = [op.type], op.new_enum
    for data_type in types:
        if data_type is None or data_type.percent_type:
            continue
        name = Name(data_type.name, data_type.schema)
        error = f"type {name_in_quotes(name._replace(name=name.name + '[]') if data_type.dimensions else name)} does not exist"
        if is_absent_type(catalog, name):
            return Refusal(error=error, help="-- first create the type")
        unquoted = _in_quotes(name)
        if unquoted and (name.name[-1] in ")]" or is_unmade_enum(catalog, name)):
            detail = "the name of a type in double quotes has no brackets, and keeps its case"
            return Refusal(error=error, detail=detail, help=f"-- use {unquoted}")
        instead = _FOREIGN_TYPES.get(data_type.name) if data_type.schema is None else None
        if instead is not None and is_unmade_enum(catalog, name):
            return Refusal(error=error, detail="it is a type of another database system", help=f"-- use {instead}")
        if values and is_unmade_enum(catalog, name):
            labels = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
            return Refusal(
                error=error,
                detail="op.create_table creates the types of its columns, op.add_column and op.alter_column do not",
                help=f"-- first:\nCREATE TYPE {name} AS ENUM ({labels});",
            )
    return None


@refuses(sql.Drop)
def drop_type(catalog: Catalog, op: sql.Drop) -> Refusal | None:
    """A dropped type exists."""
    for name in op.names if op.kind in ("type", "domain") and not op.if_exists else ():
        if is_absent_type(catalog, name):
            return Refusal(error=f"type {name_in_quotes(name)} does not exist", help=f"DROP {op.kind.upper()} IF EXISTS {name};")
    return None
