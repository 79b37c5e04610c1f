"""Applying operations to the catalogue."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from migsafe.patterns import lazy_pattern
from migsafe.schema import (  # noqa: F401  # their functions register themselves
    alterations,
    extensions,
    indexes,
    names,
    privileges,
    publications,
    routines,
    rows,
    tables,
    types,
    unknown_calls,
    views,
)
from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.names import move_all
from migsafe.schema.objects import Relation
from migsafe.schema.privileges import grant_defaults
from migsafe.schema.refusal import Refusal
from migsafe.schema.release_changes import ReleaseChange
from migsafe.schema.removals import drop_temporary
from migsafe.schema.requirements import missing_relation, unmade_relations
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation
from migsafe.sql.templates import is_harmless

SCHEMA_CHANGES.register_none("changes only the session or its transaction", sql.SessionControl)
SCHEMA_CHANGES.register_none(
    "changes something that the simulated database does not have",
    *(sql.SetOwner, sql.Comment, sql.AlterSystem),
    *(sql.SetStatistics, sql.SetStorage, sql.SetCompression, sql.SetColumnOptions, sql.ResetColumnOptions, sql.SetOptions),
    *(sql.SetRule, sql.SetTablespace, sql.MoveAllInTablespace),
)
SCHEMA_CHANGES.register_none("does nothing since PostgreSQL 12", sql.SetWithoutOids)
SCHEMA_CHANGES.register_none(
    "leaves the schema as it is",
    *(sql.Update, sql.Delete, sql.Explain, sql.Prepare, sql.Execute, sql.LockTable),
    *(sql.Repack, sql.Reindex, sql.Vacuum, sql.Utility),
)
SCHEMA_CHANGES.register_none("the operations of the body that it runs follow it", sql.Do)
SCHEMA_CHANGES.register_none("is not sent to the server", sql.PsqlCommand)
SCHEMA_CHANGES.register_none("is about an identifier of the operations before it", sql.CutIdentifier)
SCHEMA_CHANGES.register_none("is about the syntax of the operations before it", sql.FeatureUse)
SCHEMA_CHANGES.register_none("cannot be known", sql.Broken, sql.Unparsed)

_CHANGES_NO_RELATION = lazy_pattern(
    r"\s*(?:format\s*\(\s*)?'\s*(?:grant|revoke|comment|notify|set|select|analyze|vacuum|refresh"
    r"|(?:create(?:\s+or\s+replace)?|alter|drop)\s+(?:role|user|group|database|default\s+privileges|function|procedure|extension)"
    r"|alter\s+table\s+\S+\s+owner)\b",
    re.IGNORECASE,
)
"""The beginning of dynamic SQL that cannot change a relation's definition, whatever it is completed with."""

_STRING = lazy_pattern(r"'((?:[^']|'')*)'|\$(\w*)\$(.*?)\$\2\$", re.DOTALL)
_IS_ABOUT_TRIGGER = lazy_pattern(
    r"\s*(?:drop\s+trigger\b|create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\b"
    r"(?:(?!\bbefore\b|\binstead\b)[^;])*?(?:\bafter\b|\bbefore\s(?:(?!\binsert\b|%)[^;])*?\bon\b))",
    re.IGNORECASE,
)
"""A statement that drops a trigger, or creates one that does not change the rows that an INSERT writes: usually one for each table, for an
audit or a column such as `updated_at`."""
_IS_STATEMENT = lazy_pattern(
    r"\s*(?:create|alter|drop|truncate|insert|update|delete|merge|lock|select|with|do|call|grant|revoke|set|import|reindex|comment|copy)\b",
    re.IGNORECASE,
)

_CREATES_NO_RELATION = lazy_pattern(
    r"\s*(?:format\s*\(\s*)?'\s*(?:alter|drop|truncate|insert|update|delete|lock|reindex|cluster)\b", re.IGNORECASE
)
"""The beginning of dynamic SQL whose first statement creates no relation."""

_MOVES_TABLES = lazy_pattern(
    r"\balter\s+table\s+(?:if\s+exists\s+)?(\w+)\s*\.\s*(?:%[Is]|[\"']).*?\bset\s+schema\s+(\w+)", re.IGNORECASE | re.DOTALL
)
"""`'ALTER TABLE old.' || quote_ident(t) || ' SET SCHEMA new'` and `format('ALTER TABLE old.%I SET SCHEMA new', t)`."""
_DROPS = lazy_pattern(r"\bdrop\b", re.IGNORECASE)
_CREATES = lazy_pattern(r"\b(?:create|rename\s+to|schema|into\s+(?:temp|unlogged)|import)\b", re.IGNORECASE)

_CREATES_VIEW = lazy_pattern(r"\s*(?:format\s*\(\s*)?'\s*create\s+(?:or\s+replace\s+)?view\b", re.IGNORECASE)
"""The beginning of dynamic SQL that creates a view. A later migration would fail if it used such a view as a table."""

_CREATED = lazy_pattern(
    r"\s*(?:format\s*\(\s*)?'\s*create\s+(?:(?:or\s+replace\s+)?(?:constraint\s+)?(?:trigger|policy)\b"
    r"|(?:unlogged\s+)?(?:table|sequence|(?:or\s+replace\s+|materialized\s+)?view|(?:unique\s+)?index)\s+"
    r"(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?:(?:%[Is]|\w+)\.)?(?P<name>\w+)(?=[\s(]))",
    re.IGNORECASE,
)
"""The beginning of dynamic SQL that creates a trigger, a policy, or a relation of a known `name`; its schema may be unknown, as for a schema of
each tenant."""

_RENAMED = lazy_pattern(r"\s*(?:format\s*\(\s*)?'\s*alter\b[^;]*\brename\s+to\s+(?P<name>\w+)\s*(?:;\s*)?'", re.IGNORECASE)
"""Dynamic SQL that gives a relation a known name."""

_WORD = lazy_pattern(r"\w+")


def apply_operation(catalog: Catalog, operation: Operation) -> list[Refusal]:
    """Changes the catalogue as the operation changes the database.

    Returns the reasons that the catalogue knows why PostgreSQL would refuse it. The operation is applied nevertheless, because a later
    statement is more reliable than the history; not if an exception handler catches the error.
    """
    catalog.refusals = []
    if operation.releases is not None and catalog.pg_version not in operation.releases:
        return catalog.refusals
    if operation.certain and (catalog.from_beginning or catalog.origin.made_all or catalog.origin.part_way):
        _record_origin(catalog, unmade_relations(catalog, operation))
    missing = missing_relation(catalog, operation)
    if missing is not None:
        catalog.add_refusal(f"relation {name_in_quotes(missing)} does not exist")
    if isinstance(operation, sql.OpaqueCode | sql.Call):
        catalog.roles.forget()
    if isinstance(operation, sql.Utility | sql.AlterDefaultPrivileges):
        catalog.roles.has_certain_privileges = False
    mark = catalog.mark()
    release_change = ReleaseChange(catalog, operation) if catalog.release.is_known else None
    change = SCHEMA_CHANGES.handler(operation)
    if change is not None:
        _apply(catalog, operation, change, mark)
    if release_change is not None and not (operation.caught and catalog.refusals):
        release_change.record()
    return catalog.refusals


def _apply(catalog: Catalog, operation: Operation, change: Callable[[Catalog, Any], None], mark: int) -> None:
    """Changes the catalogue; what is refused in a block that catches the error is undone."""
    last = catalog.last_oid
    catalog.certain = operation.certain
    catalog.keeps_existing = not operation.certain or bool(operation.caught)
    is_free = not operation.certain and _creates_free_relation(catalog, operation)
    change(catalog, operation)
    if operation.caught and catalog.refusals:
        catalog.undo(mark)  # an exception handler catches the error
        return
    grant_defaults(catalog, last)
    if not operation.certain and not is_free:
        # A relation that a branch creates is certainly new only inside the branch.
        catalog.uncertain_oids.extend(relation.oid for relation in catalog.relations_since(last))


def _record_origin(catalog: Catalog, used: Sequence[Name]) -> None:
    """Records that relations are used that no migration made. If no earlier migration made any relation either, the history begins part-way;
    relations of a schema in which it makes none belong to someone else."""
    if not used:
        return
    catalog.from_beginning = False
    made = [relation for relation in catalog.relations() if relation.created_in >= 0]
    own_schemas = {"public", *catalog.search_path, *(relation.name.schema for relation in made)}
    older_schemas = {name.schema for name in used if name.schema is not None and name.schema not in own_schemas}
    is_part_way = any(name.schema in own_schemas for name in used) and all(relation.created_in == catalog.migration for relation in made)
    origin = catalog.origin
    catalog.origin = replace(
        origin,
        made_all=origin.made_all and not is_part_way,
        part_way=origin.part_way or (catalog.migration if origin.made_all and is_part_way else 0),
        older_names=origin.older_names.union(used),
        older_schemas=origin.older_schemas | older_schemas,
    )


def _creates_free_relation(catalog: Catalog, operation: Operation) -> bool:
    """Whether an operation creates a relation that certainly does not exist before it."""
    match operation:
        case sql.CreateTable(table=name) | sql.CreateTableAs(table=name) | sql.CreateMaterializedView(view=name) | sql.CreateView(view=name):
            return catalog.is_free(catalog.in_first_schema(name))
    return False


def end_statement(catalog: Catalog) -> None:
    """Ends a statement: for the rest of the migration, relations that a branch of its DO block creates may have existed before."""
    for oid in catalog.uncertain_oids:
        relation = catalog.get(oid)
        if isinstance(relation, Relation):
            catalog.change(relation, may_be_older=True)
    catalog.uncertain_oids.clear()


def begin_migration(catalog: Catalog) -> None:
    """Begins a migration: the relations of the earlier ones are not new any more, unless these belong to the same release, and their temporary
    tables do not exist any more."""
    catalog.migration += 1
    catalog.release.begin(catalog.migration, in_release=catalog.in_release)
    drop_temporary(catalog)


@SCHEMA_CHANGES.register(sql.CreateSchema)
def _create_schema(catalog: Catalog, op: sql.CreateSchema) -> None:
    if op.schema is not None:
        if catalog.has_schema(op.schema) and not op.if_not_exists and op.schema != "public":
            catalog.add_refusal(f'schema "{op.schema}" already exists', help=f"CREATE SCHEMA IF NOT EXISTS {Name(op.schema)};")
        catalog.add_schema(op.schema)


@SCHEMA_CHANGES.register(sql.OpaqueCode)
def _apply_opaque_code(catalog: Catalog, op: sql.OpaqueCode) -> None:
    if is_harmless(op):
        return
    if op.operations:
        names = {_changed_table(operation) for operation in op.operations}
        changed = {relation.oid for name in names if name is not None and (relation := catalog.relation(name)) is not None}
        _forget(catalog, changed)
        return
    if op.confined or _CHANGES_NO_RELATION.match(op.code):
        if _DROPS.search(op.code):
            catalog.origin = replace(catalog.origin, opaque_until=catalog.last_oid)
        return
    if _is_only_about_triggers(op.code):
        catalog.origin = replace(catalog.origin, opaque_until=catalog.last_oid)
        return
    may_create = _may_create_unknown(catalog, op.code)
    if may_create:
        catalog.origin = catalog.origin.after_unknown_relations()
    words = set(_WORD.findall(f"{op.calls} {op.code}"))
    named_relations = [relation for relation in catalog.relations() if relation.name.name in words]
    catalog.origin = replace(catalog.origin, opaque_until=catalog.last_oid)
    catalog.mark_incomplete(named_relations, may_create=may_create)
    move = _MOVES_TABLES.search(op.code)
    if move is not None and move[1].lower() != move[2].lower():
        move_all(catalog, move[1].lower(), move[2].lower())


def _is_only_about_triggers(code: str) -> bool:
    """Whether each statement of dynamic SQL drops or creates a trigger. It may be built with format(), or of strings and names."""
    if not _STRING.match(code.lstrip().removeprefix("format").lstrip(" (")):
        return False
    statements = " % ".join(match[1] or match[3] or "" for match in _STRING.finditer(code)).split(";")
    others = (other for other in statements[1:] if _IS_STATEMENT.match(other.lstrip("% ")))
    return all(map(_IS_ABOUT_TRIGGER.match, (statements[0], *others)))


def _may_create_unknown(catalog: Catalog, code: str) -> bool:
    """Whether dynamic SQL may create a relation whose name is unknown. Records the name of one that is known."""
    creations = len(_CREATES.findall(code))
    if _CREATES_NO_RELATION.match(code) and not creations:
        return False
    created = _CREATED.match(code) or _RENAMED.match(code)
    if created is None or creations > 1:
        return creations > 1 or _CREATES_VIEW.match(code) is None
    if created["name"] is not None:
        catalog.origin = replace(catalog.origin, possible_names=catalog.origin.possible_names | {created["name"].lower()})
    return False


def _changed_table(operation: Operation) -> Name | None:
    match operation:
        case sql.AlterRelation(target=target):
            return target.name
        case sql.CreateIndex(table=table):
            return table
    return None


def _forget(catalog: Catalog, changed: set[int]) -> None:
    """Records that opaque code may have changed only these tables."""
    catalog.origin = replace(catalog.origin, opaque_until=catalog.last_oid)
    for oid in changed:
        catalog.change(catalog.require(Relation, oid), complete=False, removed_columns=frozenset())


@SCHEMA_CHANGES.register(sql.Analyze)
def _analyze(catalog: Catalog, op: sql.Analyze) -> None:
    if not op.tables:
        catalog.statistics.record_all_analyzed()
    for analyzed in op.tables:
        table = catalog.relation(analyzed.name)
        if table is not None:
            names = analyzed.columns or [column.name for column in table.columns]
            catalog.statistics.record_analyzed(table.oid, [column.number for column in table.columns if column.name in names])


@SCHEMA_CHANGES.register(sql.Discard)
def _discard(catalog: Catalog, op: sql.Discard) -> None:
    if op.target in ("all", "temp"):
        drop_temporary(catalog)


SCHEMA_CHANGES.check()
