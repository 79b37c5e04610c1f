"""A table or view exists once it is created: what needs it cannot come before."""

from migsafe.prediction.refusals.definitions import may_make_nothing
from migsafe.prediction.refusals.registry import refuses
from migsafe.schema.catalog import Catalog
from migsafe.schema.descriptions import name_in_quotes
from migsafe.schema.refusal import Refusal
from migsafe.schema.requirements import unmade_relations
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name

_ALTERATIONS = sql.AlterRelation.__subclasses__()
_QUERIES = (sql.Insert, sql.Update, sql.Delete, sql.Merge, sql.Select, sql.Copy, sql.Truncate, sql.LockTable, sql.RefreshMaterializedView)
_PARTS = (sql.CreateIndex, sql.CreateTrigger, sql.CreatePolicy, sql.CreateRule)


@refuses(sql.CreateTable, sql.CreateTableAs, sql.CreateView, sql.CreateMaterializedView, *_PARTS, *_QUERIES, *_ALTERATIONS)
def use_before_creation(catalog: Catalog, op: sql.Operation) -> Refusal | None:
    """A statement uses a relation that no earlier migration has made, and that only a later statement of the migration creates: if it were
    there, PostgreSQL would refuse that one."""
    if not catalog.created_relations or catalog.runs_again or (isinstance(op, sql.CreateTable) and may_make_nothing(catalog, op)):
        return None
    needed = [*unmade_relations(catalog, op), *_referenced_by_column(catalog, op)]
    for written, creation in catalog.created_relations.items():
        name = catalog.in_first_schema(written)
        if creation.span.start > op.span.start and name in needed:
            return Refusal(
                error=f"relation {name_in_quotes(written)} does not exist",
                detail="a later statement of this migration creates it",
                help=f"-- move the statement that creates {written} before this one",
            )
    return None


def _referenced_by_column(catalog: Catalog, op: sql.Operation) -> list[Name]:
    """Returns the relations without a known object that a new column's REFERENCES names."""
    if not isinstance(op, sql.AddColumn):
        return []
    names = [constraint.references.table for constraint in op.column.constraints if constraint.references is not None]
    return [catalog.resolve(name) for name in names if catalog.relation(name) is None]
