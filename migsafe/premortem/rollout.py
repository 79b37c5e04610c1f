"""Where each operation belongs in a safe rollout: expand, deploy, backfill, validate, contract."""

from migsafe.premortem.assessment import Phase
from migsafe.premortem.observed import Observed
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
    Phase.EXPAND: "Expand, before the new release: the running one does not notice",
    Phase.BACKFILL: "Backfill, in batches, with both releases able to run",
    Phase.VALIDATE: "Validate what the rows now keep to",
    Phase.CONTRACT: "Contract, when no instance of the old release runs any more",
}


def phase_of(observed: Observed) -> Phase | None:
    """The phase of an operation; None for what belongs to none, such as SET and COMMIT, and for what only the migration's own objects feel."""
    operation = observed.operation
    if isinstance(operation, sql.DropConstraint | sql.Drop) and getattr(operation, "kind", "") == "index":
        return Phase.CONTRACT if observed.effects else None
    for kinds, phase in ((_EXPAND, Phase.EXPAND), (_BACKFILL, Phase.BACKFILL), (_VALIDATE, Phase.VALIDATE), (_CONTRACT, Phase.CONTRACT)):
        if isinstance(operation, kinds):
            # A table's first rows come with it.
            return Phase.EXPAND if phase is Phase.BACKFILL and not observed.effects else phase
    return None
