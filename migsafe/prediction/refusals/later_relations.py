"""A table, view or type exists once it is created: what needs it cannot come before."""

import re
from collections.abc import Collection, Iterator

from migsafe.patterns import lazy_pattern
from migsafe.prediction.refusals.definitions import is_built_in, may_make_nothing
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.columns import parse_regclass
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.refusal import Refusal
from migsafe.schema.requirements import unmade_relations
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_ALTERATIONS = sql.AlterRelation.__subclasses__()
_QUERIES = (sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Select, sql.Copy, sql.Truncate, sql.LockTable, sql.RefreshMaterializedView)
_TYPES = (sql.CreateEnum, sql.CreateCompositeType, sql.CreateDomain)
_SEQUENCE = lazy_pattern(r"\s*nextval\s*\(\s*'([^']+)'", re.IGNORECASE)
_CALL = lazy_pattern(r"\s*select\s+(?:pg_catalog\s*\.\s*)?(?:setval|nextval)\s*\(\s*'([^']+)'\s*(?:::\s*regclass\s*)?[,)]", re.IGNORECASE)
_COMMENTED = ("table", "view", "materialized view", "sequence", "column")
_PARTS = (sql.CreateIndex, sql.CreateTrigger, sql.CreatePolicy, sql.CreateRule)


@refuses(
    sql.CreateTable, sql.CreateTableAs, sql.CreateView, sql.CreateMaterializedView, *_PARTS, *_QUERIES, *_ALTERATIONS, sql.Comment, sql.Grant
)
def use_before_creation(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """A statement uses a relation that no earlier migration has made, and that only a later statement of the migration creates: if it were
    there, PostgreSQL would refuse that one."""
    if not catalog.created_relations or catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    return refuse_later_relation(
        catalog,
        op,
        [
            *unmade_relations(catalog, op),
            *_referenced_by_column(catalog, op),
            *_read_by_policy(catalog, op),
            *_sequences(catalog, op),
            *_described(catalog, op),
        ],
    )


def refuse_later_relation(catalog: Catalog, op: sql.Operation, needed: Collection[Name]) -> Refusal | None:
    """Returns why PostgreSQL refuses an operation that needs relations without a known object: a later statement of the migration creates one
    of them."""
    for written, creation in catalog.created_relations.items() if needed else ():
        if creation.span.start > op.span.start and not isinstance(creation, _TYPES) and catalog.in_first_schema(written) in needed:
            return Refusal(
                error=f"relation {name_in_quotes(written)} does not exist",
                detail="a later statement of this migration creates it",
                help=f"-- move the statement that creates {written} before this one",
            )
    return None


@refuses(sql.CreateTable, sql.AddColumn, sql.SetDefault, sql.Select)
def use_of_dropped_sequence(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.SetDefault | sql.Select) -> Refusal | None:
    """A default takes its values from a sequence that no longer exists, for example because it was dropped with its table, or setval() and
    nextval() name it: PostgreSQL looks for the sequence before it runs the statement."""
    if catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    if isinstance(op, sql.Select):
        match = _CALL.match(op.query.sql)
        named = parse_regclass(match[1]) if match is not None else None
        names = [named] if named is not None else []
    else:
        names = list(_written_sequences(op))
    name = next((name for name in names if catalog.relation(name) is None and catalog.is_absent(name)), None)
    if name is None:
        return None
    return Refusal(
        error=f"relation {name_in_quotes(name)} does not exist",
        help=f"-- create the sequence first; to keep one when its table or column is dropped: ALTER SEQUENCE {name} OWNED BY NONE;",
    )


def _sequences(catalog: Catalog, op: sql.Operation) -> Iterator[Name]:
    """Yields the sequences without a known object that defaults name: PostgreSQL resolves the name when it creates the default."""
    return (catalog.resolve(name) for name in _written_sequences(op) if catalog.relation(name) is None)


def _written_sequences(op: sql.Operation) -> Iterator[Name]:
    columns = op.columns if isinstance(op, sql.CreateTable) else (op.column,) if isinstance(op, sql.AddColumn) else ()
    defaults = (op.default,) if isinstance(op, sql.SetDefault) else (column.default for column in columns)
    for default in defaults:
        match = _SEQUENCE.match(default.sql) if default is not None else None
        name = parse_regclass(match[1]) if match is not None else None
        if name is not None:
            yield name


def _referenced_by_column(catalog: Catalog, op: sql.Operation) -> list[Name]:
    """Returns the relations without a known object that a new column's REFERENCES names."""
    if not isinstance(op, sql.AddColumn):
        return []
    names = [constraint.references.table for constraint in op.column.constraints if constraint.references is not None]
    return [catalog.resolve(name) for name in names if catalog.relation(name) is None]


def _described(catalog: Catalog, op: sql.Operation) -> list[Name]:
    """Returns the relations without a known object of COMMENT and GRANT."""
    match op:
        case sql.Comment(kind=kind, name=name, table=table, security_label=False) if kind in _COMMENTED:
            names = [table if kind == "column" else name]
        case sql.Grant(kind="table" | "sequence", objects=objects):
            names = list(objects)
        case _:
            return []
    return [catalog.resolve(name) for name in names if name is not None and catalog.relation(name) is None]


def _read_by_policy(catalog: Catalog, op: sql.Operation) -> list[Name]:
    """Returns the relations without a known object that the conditions of a policy read."""
    conditions = (op.using, op.check) if isinstance(op, sql.CreatePolicy) else ()
    names = [name for condition in conditions if condition is not None for name in condition.reads]
    return [catalog.resolve(name) for name in names if catalog.relation(name) is None]


@refuses(sql.CreateTable, sql.AddColumn, sql.AlterColumnType)
def use_before_type(catalog: Catalog, op: sql.CreateTable | sql.AddColumn | sql.AlterColumnType) -> Refusal | None:
    """A column has a type that only a later statement of the migration creates."""
    if not catalog.created_relations or catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    match op:
        case sql.CreateTable():
            types = [column.type for column in op.columns]
        case sql.AddColumn():
            types = [op.column.type]
        case _:
            types = [op.type]
    for data_type in types:
        name = (
            Name(data_type.name, data_type.schema)
            if data_type is not None and not data_type.percent_type and not is_built_in(data_type)
            else None
        )
        creation = catalog.created_relations.get(name) if name is not None else None
        if name is None or not isinstance(creation, _TYPES) or creation.span.start <= op.span.start:
            continue
        if catalog.type_named(name) is None and catalog.relation(name) is None:
            return Refusal(
                error=f"type {name_in_quotes(name)} does not exist",
                detail="a later statement of this migration creates it",
                help=f"-- move the statement that creates {name} before this one",
            )
    return None
