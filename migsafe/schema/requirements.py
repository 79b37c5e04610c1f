"""What must be there for an operation, so that PostgreSQL does not refuse it."""

from collections.abc import Iterator

from migsafe.schema.catalog import Catalog
from migsafe.schema.objects import Relation
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation


def missing_relation(catalog: Catalog, operation: Operation) -> Name | None:
    """The first relation that an operation needs and that is known not to exist."""
    for name in _needed(operation):
        if catalog.is_absent(name):
            return catalog.resolve(name)
    return None


def _needed(operation: Operation) -> Iterator[Name]:
    match operation:
        case sql.CreateIndex(table=name) | sql.CreateTrigger(table=name) | sql.CreatePolicy(table=name) | sql.CreateRule(table=name):
            yield name
        case sql.Insert(table=name, reads=reads) | sql.Update(table=name, reads=reads) | sql.Delete(table=name, reads=reads):
            yield name
            yield from reads
        case sql.Merge(table=name, reads=reads):
            yield name
            yield from reads
        case sql.CreateView(query=query) | sql.CreateMaterializedView(query=query) | sql.Select(query=query):
            yield from query.reads
        case sql.CreateTableAs(query=sql.Query(reads=reads)):
            yield from reads
        case sql.Copy(table=Name() as name):
            yield name
        case sql.Truncate(tables=tables) | sql.LockTable(tables=tables):
            yield from (table.name for table in tables)
        case sql.RefreshMaterializedView(view=name):
            yield name


def truncated_without(catalog: Catalog, op: sql.Truncate) -> str | None:
    """The foreign key that keeps TRUNCATE from its table, as PostgreSQL says it: a table that refers to it must be truncated with it."""
    if op.cascade:
        return None
    named = [relation for given in op.tables if (relation := catalog.relation(given.name)) is not None]
    below: dict[int, Relation] = {one.oid: one for relation in named for one in (relation, *catalog.descendants(relation.oid))}
    for table in below.values():
        for constraint in catalog.referencing(table.oid):
            if constraint.table not in below:
                return f"constraint {constraint.name.name} refers to {table.name}, and its table is not truncated with it"
    return None
