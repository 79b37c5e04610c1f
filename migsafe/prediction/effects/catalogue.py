"""From an operation to its effects."""

from collections.abc import Callable
from typing import Any

from migsafe.prediction.effects.alterations import alter, alter_object, identity, rename, rename_constraint, set_owner, set_schema
from migsafe.prediction.effects.columns import add_column, alter_type, drop_column, rename_column, set_expression
from migsafe.prediction.effects.constraints import add_constraint, alter_constraint, drop_constraint, set_not_null, validate
from migsafe.prediction.effects.drops import drop
from migsafe.prediction.effects.effect import Effect
from migsafe.prediction.effects.effect_context import EffectContext, Effects
from migsafe.prediction.effects.maintenance import (
    analyze,
    cluster,
    create_index,
    move_all,
    refresh,
    reindex,
    set_access_method,
    set_logged,
    set_tablespace,
    vacuum,
)
from migsafe.prediction.effects.objects import (
    alter_composite,
    alter_domain,
    comment,
    create_function,
    create_materialized_view,
    create_rule,
    create_sequence,
    create_statistics,
    create_table_as,
    create_trigger,
    create_view,
    grant,
    policy,
    publication,
)
from migsafe.prediction.effects.partitions import attach, create_table, detach, inherit, no_inherit
from migsafe.prediction.effects.planning import explain, prepare
from migsafe.prediction.effects.queries import copy, delete, insert, lock_table, merge, select, truncate, update
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Operation


def predict_effects(operation: Operation, context: EffectContext) -> list[Effect]:
    """What an operation does to the relations that are there before it. A relation may come more than once: `combined` makes one of it."""
    find = _EFFECTS.get(type(operation))
    if isinstance(operation, AlterRelation):
        if operation.target.if_exists and context.catalog.is_absent(operation.target.name):
            return []
        find = find or alter
    return [] if find is None else list(find(context, operation))


def _execute(context: EffectContext, op: sql.Execute) -> Effects:
    """EXECUTE of a prepared statement."""
    for operation in context.prepared_operations(op.name):
        yield from predict_effects(operation, context)


_EFFECTS: dict[type[Operation], Callable[[EffectContext, Any], Effects]] = {
    sql.CreateTable: create_table,
    sql.CreateTableAs: create_table_as,
    sql.CreateIndex: create_index,
    sql.CreateView: create_view,
    sql.CreateMaterializedView: create_materialized_view,
    sql.RefreshMaterializedView: refresh,
    sql.CreateSequence: create_sequence,
    sql.AlterSequence: create_sequence,
    sql.CreateFunction: create_function,
    sql.CreateTrigger: create_trigger,
    sql.CreateRule: create_rule,
    sql.CreatePolicy: policy,
    sql.AlterPolicy: policy,
    sql.CreateStatistics: create_statistics,
    sql.Publication: publication,
    sql.AlterDomain: alter_domain,
    sql.AlterCompositeType: alter_composite,
    sql.AddColumn: add_column,
    sql.DropColumn: drop_column,
    sql.AlterColumnType: alter_type,
    sql.SetNotNull: set_not_null,
    sql.SetExpression: set_expression,
    sql.AddIdentity: identity,
    sql.SetIdentity: identity,
    sql.DropIdentity: identity,
    sql.AddConstraint: add_constraint,
    sql.AlterConstraint: alter_constraint,
    sql.ValidateConstraint: validate,
    sql.DropConstraint: drop_constraint,
    sql.RenameColumn: rename_column,
    sql.RenameConstraint: rename_constraint,
    sql.Inherit: inherit,
    sql.NoInherit: no_inherit,
    sql.AttachPartition: attach,
    sql.DetachPartition: detach,
    sql.SetLogged: set_logged,
    sql.SetAccessMethod: set_access_method,
    sql.SetTablespace: set_tablespace,
    sql.MoveAllInTablespace: move_all,
    sql.Drop: drop,
    sql.Rename: rename,
    sql.AlterObject: alter_object,
    sql.SetSchema: set_schema,
    sql.SetOwner: set_owner,
    sql.Comment: comment,
    sql.Grant: grant,
    sql.Truncate: truncate,
    sql.LockTable: lock_table,
    sql.Cluster: cluster,
    sql.Reindex: reindex,
    sql.Vacuum: vacuum,
    sql.Analyze: analyze,
    sql.Select: select,
    sql.Insert: insert,
    sql.Update: update,
    sql.Delete: delete,
    sql.Merge: merge,
    sql.Copy: copy,
    sql.Execute: _execute,
    sql.Prepare: prepare,
    sql.Explain: explain,
}
