"""Where each operation belongs in a safe rollout: expand, deploy, backfill, validate, contract."""

from collections.abc import Sequence

from migsafe.assessment.operation_facts import OperationFacts
from migsafe.assessment.premortem import Phase
from migsafe.linting.reruns.object_use import Path
from migsafe.sql import operations as sql

_EXPAND = (
    *(sql.CreateTable, sql.CreateTableAs, sql.CreateIndex, sql.CreateView, sql.CreateMaterializedView, sql.CreateSequence, sql.CreateEnum),
    *(sql.CreateDomain, sql.CreateCompositeType, sql.CreateFunction, sql.CreateTrigger, sql.CreateSchema, sql.CreateExtension),
    *(sql.AddColumn, sql.AddEnumValue, sql.AddConstraint, sql.SetDefault, sql.DropNotNull, sql.Grant, sql.AttachPartition),
)
_BACKFILL = (sql.Update, sql.Insert, sql.Delete, sql.Merge, sql.Copy)
_VALIDATE = (sql.ValidateConstraint, sql.SetNotNull, sql.RefreshMaterializedView)
_CONTRACT = (
    *(sql.Drop, sql.DropColumn, sql.DropConstraint, sql.Rename, sql.RenameColumn, sql.RenameConstraint, sql.SetSchema, sql.RenameEnumValue),
    *(sql.AlterColumnType, sql.DropDefault, sql.Truncate, sql.DetachPartition),
)

HEADINGS = {
    Phase.EXPAND: "Expand, before the new release",
    Phase.BACKFILL: "Backfill, in batches, while both releases run",
    Phase.VALIDATE: "Constrain and validate, when every running release satisfies it",
    Phase.CONTRACT: "Contract, when no instance of the old release runs any longer",
}


def phases_of(migration: Sequence[OperationFacts]) -> list[Phase | None]:
    """Returns the phase of each operation of a migration; None as for `phase_of`.

    An object that is dropped and created again has one phase, because the new one cannot exist beside the old one: that of its creation; for a
    table and a column, whose rows are lost, that of the drop.
    """
    phases = [phase_of(facts) for facts in migration]
    dropped: dict[Path, int] = {}
    for number, facts in enumerate(migration):
        dropped.update((path, number) for path in facts.drops if phases[number] is Phase.CONTRACT)
        before = next((dropped[path] for path in facts.creates if path in dropped), None)
        if before is not None and phases[number] is not None:
            if _has_rows(migration[before].operation):
                phases[number] = Phase.CONTRACT
            else:
                phases[before] = phases[number]
    return phases


def _has_rows(dropped: sql.Operation) -> bool:
    return isinstance(dropped, sql.DropColumn) or (isinstance(dropped, sql.Drop) and dropped.kind == "table")


def phase_of(facts: OperationFacts) -> Phase | None:
    """Returns the phase of an operation; None for SET, COMMIT and the like, and for operations on the migration's own objects."""
    operation = facts.operation
    if isinstance(operation, sql.AlterRelation) and not facts.effects:
        return None
    if isinstance(operation, sql.AddConstraint) and facts.new_restriction:
        return Phase.VALIDATE
    if isinstance(operation, sql.Drop) and operation.kind == "index":
        return Phase.CONTRACT if facts.effects else None
    if isinstance(operation, sql.AlterColumnType) and not any(effect.rewrite or effect.scan for effect in facts.effects):
        return Phase.EXPAND  # a wider type: PostgreSQL need not look at the values, and every value of the old type is one of the new
    for kinds, phase in ((_EXPAND, Phase.EXPAND), (_BACKFILL, Phase.BACKFILL), (_VALIDATE, Phase.VALIDATE), (_CONTRACT, Phase.CONTRACT)):
        if isinstance(operation, kinds):
            # The first rows of a table that the migration creates belong to its creation.
            return Phase.EXPAND if phase is Phase.BACKFILL and not facts.effects else phase
    return None


def why_no_safe_order(facts: OperationFacts) -> str:
    """Returns why no order of migration and deployment is safe for an operation, and what to do instead. Empty if an order is safe."""
    operation = facts.operation
    if isinstance(operation, sql.AddColumn) and facts.violating_rows is not None:
        return (
            "existing rows have no value for it, and the running release does not set one: "
            "add it without NOT NULL, deploy, backfill, SET NOT NULL"
        )
    if not facts.effects and not isinstance(operation, sql.RenameEnumValue):
        return ""
    match operation:
        case sql.RenameColumn() | sql.RenameEnumValue() | sql.SetSchema():
            return (
                "the old release needs the old name, and the new release the new one: "
                "add the new one, write to both, switch the readers, drop the old one"
            )
        case sql.Rename(kind="table" | "view" | "materialized view" | "sequence" | "type"):
            return (
                "the old release needs the old name, and the new release the new one: "
                "rename, and keep a view under the old name until the old release is gone"
            )
        case sql.AlterColumnType() if any(effect.rewrite for effect in facts.effects):
            return (
                "all queries of the table wait while it is rewritten: "
                "add a column of the new type, write to both, backfill, switch the readers, drop the old one"
            )
    return ""
