"""Whether relations have rows: INSERT, MERGE, COPY, TRUNCATE."""

from migsafe.schema.catalog import Catalog
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.schema.known_objects import TEMPORARY
from migsafe.schema.older_relations import add_older_relation
from migsafe.schema.requirements import truncated_without
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name


def _record_rows(catalog: Catalog, name: Name, *, many: bool = True) -> None:
    """Records that a statement puts rows into a relation: `many`, or the few that it has in itself."""
    relation = catalog.relation(name)
    if relation is None:
        return
    if relation.emptied:
        relation = catalog.change(relation, emptied=0)
    # No other session sees a temporary relation, however many rows it has.
    if many and not relation.may_have_rows and relation.name.schema != TEMPORARY:
        catalog.change(relation, may_have_rows=True)


@SCHEMA_CHANGES.register(sql.Insert)
def _insert(catalog: Catalog, op: sql.Insert) -> None:
    _record_rows(catalog, op.table, many=op.source == "query")


@SCHEMA_CHANGES.register(sql.Merge)
def _merge(catalog: Catalog, op: sql.Merge) -> None:
    _record_rows(catalog, op.table)


@SCHEMA_CHANGES.register(sql.Copy)
def _copy(catalog: Catalog, op: sql.Copy) -> None:
    if op.source and op.table is not None:
        _record_rows(catalog, op.table)


@SCHEMA_CHANGES.register(sql.Truncate)
def _truncate(catalog: Catalog, op: sql.Truncate) -> None:
    reason = truncated_without(catalog, op)
    if reason is not None:
        catalog.add_refusal(
            "cannot truncate a table referenced in a foreign key constraint",
            reason,
            "-- name the referencing tables in the same TRUNCATE, or use CASCADE to empty them too",
        )
    for table in op.tables:
        relation = catalog.relation(table.name)
        if relation is None and not catalog.is_absent(table.name) and op.certain:
            relation = add_older_relation(catalog, table.name)
        if relation is None or catalog.children(relation.oid):
            continue
        if relation.may_have_rows and catalog.is_created_now(relation):
            relation = catalog.change(relation, may_have_rows=False)
        if op.certain:
            # Until the transaction ends, no other session can insert rows.
            catalog.change(relation, emptied=catalog.new_oid())
