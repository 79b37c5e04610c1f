"""CHECKs that the NULLs of new columns do not satisfy."""

from migsafe import expressions
from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.rule import Context
from migsafe.prediction.effects.columns import has_value
from migsafe.prediction.effects.effect_context import EffectContext
from migsafe.schema.formulas import identifiers
from migsafe.sql.operations import AddColumn, AddConstraint, ConstraintKind


def columns_refused_as_null(at: Context, op: AddConstraint | AddColumn) -> tuple[str, ...]:
    """Returns the columns which the migration adds without a value, and of which a CHECK of the operation refuses the NULLs. So it refuses the
    existing rows, and every row of the running release, which omits these columns."""
    if is_created_here(at, op.target.name):
        return ()
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    checks = [each.check for each in constraints if each.kind is ConstraintKind.CHECK and each.check is not None and each.enforced]
    for check in checks:
        columns = tuple(dict.fromkeys(name for name in identifiers(check.sql) if _is_null_in_every_row(at, op, name)))
        if columns and expressions.refuses_nulls(check, columns):
            return columns
    return ()


def _is_null_in_every_row(at: Context, op: AddConstraint | AddColumn, name: str) -> bool:
    """Whether a column is new, and NULL in the rows that exist and in those of the running release."""
    if isinstance(op, AddColumn) and op.column.name == name:
        return not has_value(EffectContext(at.catalog), op.column)
    addition, table = added_column(at, op.target.name, name), at.catalog.relation(op.target.name)
    column = table.column(name) if table is not None else None
    if addition is None or column is None or column.default is not None:
        return False
    return not has_value(EffectContext(at.catalog), addition.column)
