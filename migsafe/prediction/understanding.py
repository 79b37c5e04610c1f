"""Why not all effects of a statement are known."""

from collections.abc import Iterable

from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.catalog import Catalog
from migsafe.schema.volatility import volatility_of
from migsafe.sql import operations as sql
from migsafe.sql.operations import Name, Operation
from migsafe.text import MARK_START


def reason_unknown(catalog: Catalog, operation: Operation, effects: Iterable[Effect]) -> str | None:
    """Returns why an operation may have more effects than these, as the end of a sentence; None if it has no others."""
    match operation:
        case sql.Broken(expected=expected, found=found):
            return f"expected {expected}, found {found}"
        case sql.Unparsed(reason=reason):
            return reason
        case sql.OpaqueCode(reason=reason, confined=confined, operations=operations):
            return None if confined and not any(map(_names_unknown_relation, operations)) else reason
        case sql.Select():
            unknown = [name for name in operation.query.calls if not _knows(catalog, name)]
            if unknown:
                return f"migsafe does not know the function {unknown[0]}"
        case sql.Call(procedure=procedure) if not _knows(catalog, procedure):
            return f"migsafe does not read the procedure {procedure}"
    for effect in effects:
        if effect.kind == "partitioned table" and effect.lock >= LockMode.SHARE_UPDATE_EXCLUSIVE:
            # It may have partitions that opaque code created, which would be locked with it.
            partitioned = catalog.relation(effect.relation)
            if partitioned is not None and not partitioned.complete:
                return f"{effect.relation} may have partitions that no migration has created in a readable form"
    return None


def _names_unknown_relation(operation: Operation) -> bool:
    """Whether an operation of code that is partly unknown has, besides its table, a relation whose name is only known at run time."""
    match operation:
        case sql.AttachPartition(partition=name) | sql.DetachPartition(partition=name) | sql.Inherit(parent=name):
            return MARK_START in name.name
        case sql.AddConstraint(constraint=constraint):
            return constraint.references is not None and MARK_START in constraint.references.table.name
        case sql.AddColumn(column=column):
            return any(
                constraint.references is not None and MARK_START in constraint.references.table.name for constraint in column.constraints
            )
    return False


def _knows(catalog: Catalog, name: Name) -> bool:
    """Whether a function belongs to PostgreSQL or one of its extensions, or its body is known."""
    functions = catalog.functions(name)
    return any(function.code is not None for function in functions) or (not functions and volatility_of(name, catalog.pg_version) is not None)
