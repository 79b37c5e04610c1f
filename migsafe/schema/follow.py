"""Applying operations to the catalogue."""

import re
from collections.abc import Callable
from typing import Any

from migsafe.schema.alterations import alter
from migsafe.schema.catalog import TEMPORARY, Catalog
from migsafe.schema.indexes import create_index
from migsafe.schema.names import rename, set_schema
from migsafe.schema.objects import Relation
from migsafe.schema.removals import drop, drop_temporary
from migsafe.schema.requirements import missing_relation, truncated_without
from migsafe.schema.routines import (
    alter_policy,
    create_function,
    create_policy,
    create_rule,
    create_statistics,
    create_trigger,
    publish,
)
from migsafe.schema.tables import create_table
from migsafe.schema.types import (
    add_enum_value,
    alter_composite,
    alter_domain,
    create_composite,
    create_domain,
    create_enum,
    rename_enum_value,
)
from migsafe.schema.views import alter_sequence, create_materialized_view, create_sequence, create_table_as, create_view
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name, Operation

_CHANGES_NO_RELATION = re.compile(
    r"\s*(?:format\s*\(\s*)?'\s*(?:grant|revoke|comment|notify|set|select|analyze|vacuum|refresh"
    r"|(?:create|alter|drop)\s+(?:role|user|group|database|default\s+privileges|function|extension)"
    r"|alter\s+table\s+\S+\s+owner)\b",
    re.IGNORECASE,
)
"""How code begins that is built while it runs, but cannot change what relations look like, whatever is put into it."""

_WORD = re.compile(r"\w+")


def follow(catalog: Catalog, operation: Operation) -> list[str]:
    """Change the catalogue as the operation changes the database.

    Gives why PostgreSQL would refuse it, as far as the catalogue knows, each as the end of a sentence: the operation is applied all the
    same, because a later statement is believed before an earlier one.
    """
    catalog.refusals = []
    missing = missing_relation(catalog, operation)
    if missing is not None:
        catalog.refuse(f"relation {missing} does not exist")
    change = _CHANGES.get(type(operation))
    if change is None and isinstance(operation, AlterRelation):
        change = alter
    if change is None:
        return catalog.refusals
    last = catalog.last_oid
    catalog.certain = operation.certain
    change(catalog, operation)
    if not operation.certain:
        # Only inside its branch is it known that what the branch made is new.
        catalog.passing.extend(one.oid for one in catalog.relations_since(last))
    return catalog.refusals


def end_statement(catalog: Catalog) -> None:
    """End a statement: what a branch of its DO block has made may have been there before, for all that the rest of the migration knows."""
    for oid in catalog.passing:
        made = catalog.get(oid)
        if isinstance(made, Relation):
            catalog.change(made, filled=True)
    catalog.passing.clear()


def begin_migration(catalog: Catalog) -> None:
    """Begin another migration: what the earlier ones made is new no more, and temporary tables went with their connection."""
    catalog.migration += 1
    drop_temporary(catalog)


def _fill(catalog: Catalog, name: Name) -> None:
    # A temporary relation stays unseen, however many rows it holds.
    relation = catalog.relation(name)
    if relation is not None and not relation.filled and relation.name.schema != TEMPORARY:
        catalog.change(relation, filled=True)


def _insert(catalog: Catalog, op: sql.Insert) -> None:
    if op.source == "query":
        _fill(catalog, op.table)


def _merge(catalog: Catalog, op: sql.Merge) -> None:
    _fill(catalog, op.table)


def _copy(catalog: Catalog, op: sql.Copy) -> None:
    if op.source and op.table is not None:
        _fill(catalog, op.table)


def _truncate(catalog: Catalog, op: sql.Truncate) -> None:
    why = truncated_without(catalog, op)
    if why is not None:
        catalog.refuse(why)


def _create_schema(catalog: Catalog, op: sql.CreateSchema) -> None:
    if op.schema is not None:
        if catalog.has_schema(op.schema) and not op.if_not_exists and op.schema != "public":
            catalog.refuse(f"schema {op.schema} already exists")
        catalog.add_schema(op.schema)


def _opaque(catalog: Catalog, op: sql.OpaqueCode) -> None:
    if op.confined or _CHANGES_NO_RELATION.match(op.code):
        return
    words = set(_WORD.findall(op.code))
    named = {relation.oid for relation in catalog.relations() if relation.name.name in words}
    catalog.doubt(lambda relation: not named or relation.oid in named)


def _discard(catalog: Catalog, op: sql.Discard) -> None:
    if op.what in ("all", "temp"):
        drop_temporary(catalog)


_CHANGES: dict[type[Operation], Callable[[Catalog, Any], None]] = {
    sql.CreateTable: create_table,
    sql.CreateTableAs: create_table_as,
    sql.CreateView: create_view,
    sql.CreateMaterializedView: create_materialized_view,
    sql.CreateSequence: create_sequence,
    sql.AlterSequence: alter_sequence,
    sql.CreateIndex: create_index,
    sql.CreateEnum: create_enum,
    sql.AddEnumValue: add_enum_value,
    sql.RenameEnumValue: rename_enum_value,
    sql.CreateDomain: create_domain,
    sql.AlterDomain: alter_domain,
    sql.CreateCompositeType: create_composite,
    sql.AlterCompositeType: alter_composite,
    sql.CreateFunction: create_function,
    sql.CreateTrigger: create_trigger,
    sql.CreatePolicy: create_policy,
    sql.AlterPolicy: alter_policy,
    sql.CreateRule: create_rule,
    sql.CreateStatistics: create_statistics,
    sql.Publication: publish,
    sql.CreateSchema: _create_schema,
    sql.Drop: drop,
    sql.Rename: rename,
    sql.SetSchema: set_schema,
    sql.Insert: _insert,
    sql.Merge: _merge,
    sql.Copy: _copy,
    sql.Truncate: _truncate,
    sql.OpaqueCode: _opaque,
    sql.Discard: _discard,
}
