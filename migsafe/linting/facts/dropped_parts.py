"""The objects that an operation drops, with all that are dropped along."""

from migsafe.linting.rule import Context
from migsafe.schema.alterations import column_drop_result
from migsafe.schema.altered_constraints import constraint_drop_result
from migsafe.schema.dependents import Part
from migsafe.schema.removals import drop_result
from migsafe.sql.operations import Drop, DropColumn, DropConstraint


def dropped_parts(at: Context) -> tuple[Part, ...]:
    """Returns the parts that the current DROP, or DROP of a column or a constraint, drops; none for another operation."""
    return at.fact(_dropped_parts)


def _dropped_parts(at: Context) -> tuple[Part, ...]:
    match at.operation:
        case Drop() as op:
            return drop_result(at.catalog, op).parts
        case DropColumn() as op:
            table = at.catalog.relation(op.target.name)
            column = table.column(op.column) if table is not None else None
            if table is not None and column is not None:
                return column_drop_result(at.catalog, table, column, cascade=op.cascade, only=op.target.only).parts
        case DropConstraint() as op:
            table = at.catalog.relation(op.target.name)
            constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
            if constraint is not None:
                return constraint_drop_result(at.catalog, constraint, cascade=op.cascade).parts
    return ()
