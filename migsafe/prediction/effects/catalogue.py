"""The effects of every operation.

The functions are in the other modules of this package; each registers itself in the table EFFECTS for the operations that it is about.
"""

from migsafe.prediction.effects import (  # noqa: F401  # their functions register themselves
    alterations,
    columns,
    constraints,
    drops,
    maintenance,
    objects,
    partitions,
    planning,
    queries,
)
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Operation

EFFECTS.register_none("changes only the session or its transaction", sql.SessionControl)
EFFECTS.register_none(
    "creates or changes something that is not a relation",
    *(sql.CreateEnum, sql.AddEnumValue, sql.RenameEnumValue, sql.CreateCompositeType, sql.CreateDomain),
    *(sql.CreateSchema, sql.CreateObject, sql.AlterDefaultPrivileges, sql.AlterSystem),
)
EFFECTS.register_none("its script is not known", sql.CreateExtension)
EFFECTS.register_none("the operations of the body that it runs follow it, each with its own effects", sql.Do, sql.Call)
EFFECTS.register_none("needs no relation: LISTEN, NOTIFY, CHECKPOINT, …", sql.Utility)
EFFECTS.register_none("is not sent to the server", sql.PsqlCommand)
EFFECTS.register_none("is about an identifier of the operations before it", sql.CutIdentifier)
EFFECTS.register_none("is about the syntax of the operations before it", sql.FeatureUse)
EFFECTS.register_none("cannot be known: the prediction says that it is not understood", sql.Broken, sql.Unparsed)


def predict_effects(operation: Operation, context: EffectContext) -> list[Effect]:
    """Returns what an operation does to the relations that exist before it. A relation may have several effects: `combine_effects` makes one
    of them."""
    if isinstance(operation, AlterRelation) and operation.target.if_exists and context.catalog.is_absent(operation.target.name):
        return []
    predict = EFFECTS.handler(operation)
    return [] if predict is None else list(predict(context, operation))


@EFFECTS.register(sql.Execute)
def _execute(context: EffectContext, op: sql.Execute) -> Effects:
    """EXECUTE of a prepared statement."""
    for operation in context.prepared_operations(op.name):
        yield from predict_effects(operation, context)


@EFFECTS.register(sql.OpaqueCode)
def _opaque_code(context: EffectContext, op: sql.OpaqueCode) -> Effects:
    """EXECUTE of a string that names its table; the effects of other code cannot be known."""
    for operation in op.operations:
        yield from predict_effects(operation, context)


EFFECTS.check()
