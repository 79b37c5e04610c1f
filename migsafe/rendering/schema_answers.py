"""Answers from migsafe's schema to questions that a script asks a database."""

from collections.abc import Callable, Sequence
from typing import Any

from migsafe.patterns import lazy_pattern
from migsafe.rendering.messages import Answer
from migsafe.schema.catalog import Catalog
from migsafe.schema.certainty import is_absent_type
from migsafe.schema.known_objects import SYSTEM_SCHEMAS
from migsafe.schema.objects import Constraint, EnumType, Index, Relation, RelationKind
from migsafe.sql.operations import ConstraintKind, Name

_UNKNOWN = Answer(known=False)
_SEQUENCE = lazy_pattern(r"""nextval\('"?(?P<schema>\w+)"?\.(?=[^.]*'::regclass\))""")
_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.FOREIGN)


def answer_question(catalog: Catalog, question: str, arguments: Sequence[str | None]) -> Answer:
    """Returns the answer to a question, which is named like the inspector's method for it."""
    if question in _DETAILS:
        return _details(catalog, question, str(arguments[0]), arguments[1])
    if question in _LISTS:
        return _list(catalog, _LISTS[question], arguments[0])
    match question:
        case "has table" | "has view" | "has materialized view" | "has sequence" | "has index":
            return _has_relation(catalog, question.removeprefix("has "), Name(str(arguments[0]), arguments[1]))
        case "has type":
            name = Name(str(arguments[0]), arguments[1])
            exists = catalog.type_named(name) is not None
            return Answer(value=True) if exists else Answer(value=False, known=_knows_all(catalog) or is_absent_type(catalog, name))
        case "has schema":
            exists = catalog.has_schema(str(arguments[0])) or arguments[0] in SYSTEM_SCHEMAS
            return Answer(value=True) if exists else Answer(value=False, known=_knows_all(catalog))
        case "serial sequence":
            return _serial_sequence(catalog, Name(str(arguments[0]), arguments[1]), str(arguments[2]))
        case "enums":
            return _enums(catalog, arguments[0])
        case "enum labels":
            return _enum_labels(catalog, Name(str(arguments[0]), arguments[1]))
        case "schemas":
            return Answer(["public"], known=False)
    return _UNKNOWN


def _knows_all(catalog: Catalog) -> bool:
    """Whether an object that is not known does not exist."""
    return catalog.complete or catalog.from_beginning


def _has_relation(catalog: Catalog, kind: str, name: Name) -> Answer:
    relation, index = catalog.relation(name), catalog.index(name)
    if kind == "index" and index is not None:
        return Answer(value=True)
    if relation is not None:
        # has_table() is true for views, too.
        fits = relation.kind in _LISTS.get(f"{kind}s", ()) or (kind == "table" and relation.kind is not RelationKind.SEQUENCE)
        return Answer(value=fits)
    if index is not None or catalog.is_absent(name) or catalog.from_beginning:
        return Answer(value=False)
    return _UNKNOWN


def _list(catalog: Catalog, kinds: Sequence[RelationKind], schema: str | None) -> Answer:
    # Without a schema, the inspector lists the relations that are visible.
    schemas = catalog.search_path if schema is None else (schema,)
    names = [relation.name.name for relation in catalog.relations() if relation.kind in kinds and relation.name.schema in schemas]
    return Answer(sorted(names), known=_knows_all(catalog))


def _serial_sequence(catalog: Catalog, table: Name, column_name: str) -> Answer:
    """Answers with the sequence that a column owns, as pg_get_serial_sequence() returns it; None if it owns none."""
    relation = catalog.relation(table)
    column = relation.column(column_name) if relation is not None else None
    if relation is None or column is None:
        return _UNKNOWN
    owned = (sequence for sequence in catalog.dependents(relation.oid, Relation) if sequence.owner == (relation.oid, column.number))
    name = next((str(sequence.name) for sequence in owned), None)
    return Answer(name, known=name is not None or relation.complete)


def _enums(catalog: Catalog, schema: str | None) -> Answer:
    enums = [
        {"name": enum.name.name, "schema": enum.name.schema, "visible": enum.name.schema in catalog.search_path, "labels": list(enum.values)}
        for enum in catalog.objects_of(EnumType)
        if schema is None or enum.name.schema == schema
    ]
    return Answer(enums, known=_knows_all(catalog))


def _enum_labels(catalog: Catalog, name: Name) -> Answer:
    """Answers with the labels of an enum type, in order; with nothing if there is no such type."""
    enum = catalog.type_named(name)
    if enum is None:
        return Answer(None, known=_knows_all(catalog) or is_absent_type(catalog, name))
    return Answer(list(enum.values), known=enum.complete) if isinstance(enum, EnumType) else _UNKNOWN


def _details(catalog: Catalog, question: str, table: str, schema: str | None) -> Answer:
    name = Name(table, schema)
    relation = catalog.relation(name)
    if relation is None:
        return Answer(None) if catalog.is_absent(name) else Answer([], known=False)
    return Answer(_DETAILS[question](catalog, relation), known=relation.complete)


def _columns(catalog: Catalog, relation: Relation) -> list[Any]:
    key = catalog.primary_key(relation.oid)
    details = []
    for column in relation.columns:
        enum = catalog.type_of(column.type) if column.type is not None and not column.type.dimensions else None
        details.append(
            {
                "name": column.name,
                "type": str(column.type) if column.type is not None else None,
                "nullable": not (column.not_null or (key is not None and column.number in key.columns)),
                "default": _shown_default(catalog, column.default.expression.sql) if column.default is not None else None,
                "autoincrement": column.identity is not None or (column.default is not None and "nextval(" in column.default.expression.sql),
                "comment": None,
                **({"values": list(enum.values)} if isinstance(enum, EnumType) else {}),
            }
        )
    return details


def _shown_default(catalog: Catalog, sql: str) -> str:
    """Returns a default as PostgreSQL shows it: without the schema of a sequence that is visible."""
    sequence = _SEQUENCE.match(sql)
    return f"nextval('{sql[sequence.end() :]}" if sequence is not None and sequence["schema"] in catalog.search_path else sql


def _names(relation: Relation | None, numbers: Sequence[int]) -> list[str | None]:
    columns = [relation.column_numbered(number) if relation is not None else None for number in numbers]
    return [column.name if column is not None else None for column in columns]


def _keys(kind: ConstraintKind, with_index: bool) -> Callable[[Catalog, Relation], list[Any]]:
    def keys(catalog: Catalog, relation: Relation) -> list[Any]:
        keys_of_kind: list[Any] = []
        for constraint in catalog.constraints(relation.oid):
            if constraint.kind is kind:
                names = _names(relation, constraint.columns)
                key = {"constrained_columns": names} if not with_index else {"column_names": names, "duplicates_index": constraint.name.name}
                keys_of_kind.append({"name": constraint.name.name, "comment": None, "dialect_options": {}, **key})
        return keys_of_kind

    return keys


def _checks(catalog: Catalog, relation: Relation) -> list[Any]:
    return [
        {
            "name": constraint.name.name,
            "sqltext": constraint.check.expression.sql if constraint.check is not None else "",
            "comment": None,
            "dialect_options": {},
        }
        for constraint in catalog.constraints(relation.oid)
        if constraint.kind is ConstraintKind.CHECK
    ]


def _foreign_keys(catalog: Catalog, relation: Relation) -> list[Any]:
    return [_foreign_key(catalog, relation, key) for key in catalog.constraints(relation.oid) if key.kind is ConstraintKind.FOREIGN_KEY]


def _foreign_key(catalog: Catalog, relation: Relation, key: Constraint) -> dict[str, Any]:
    target = catalog.get(key.references) if key.references is not None else None
    referred = target if isinstance(target, Relation) else None
    options = {"ondelete": key.on_delete, "onupdate": key.on_update}
    return {
        "name": key.name.name,
        "constrained_columns": _names(relation, key.columns),
        "referred_schema": referred.name.schema if referred is not None and referred.name.schema != "public" else None,
        "referred_table": referred.name.name if referred is not None else None,
        "referred_columns": _names(referred, key.referenced_columns),
        "options": {option: action.upper() for option, action in options.items() if action != "no action"},
        "comment": None,
    }


def _indexes(catalog: Catalog, relation: Relation) -> list[Any]:
    primary = catalog.primary_key(relation.oid)
    constraint_names = {index.index: index.name.name for index in catalog.constraints(relation.oid) if index.kind is ConstraintKind.UNIQUE}
    return [
        _index(relation, index, constraint_names.get(index.oid))
        for index in catalog.indexes(relation.oid)
        if primary is None or index.oid != primary.index
    ]


def _index(relation: Relation, index: Index, constraint: str | None) -> dict[str, Any]:
    details: dict[str, Any] = {
        "name": index.name.name,
        "unique": index.unique,
        "column_names": [None if key.column is None else _names(relation, (key.column,))[0] for key in index.keys],
        "include_columns": _names(relation, index.include),
        "dialect_options": {"postgresql_include": _names(relation, index.include)},
    }
    if index.predicate is not None:
        details["dialect_options"]["postgresql_where"] = index.predicate.expression.sql
    if constraint is not None:
        details["duplicates_constraint"] = constraint
    return details


_LISTS = {
    "tables": _TABLES,
    "foreign tables": (RelationKind.FOREIGN,),
    "views": (RelationKind.VIEW,),
    "materialized views": (RelationKind.MATERIALIZED,),
    "sequences": (RelationKind.SEQUENCE,),
}
_DETAILS: dict[str, Callable[[Catalog, Relation], list[Any]]] = {
    "columns": _columns,
    "primary key": _keys(ConstraintKind.PRIMARY_KEY, with_index=False),
    "unique constraints": _keys(ConstraintKind.UNIQUE, with_index=True),
    "check constraints": _checks,
    "foreign keys": _foreign_keys,
    "indexes": _indexes,
}
