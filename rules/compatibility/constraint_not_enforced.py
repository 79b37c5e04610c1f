"""A constraint is NOT ENFORCED (PostgreSQL 18).

PostgreSQL does not check it: the table accepts every row. To enforce it later, ALTER CONSTRAINT … ENFORCED of a foreign key reads all rows
under ACCESS EXCLUSIVE, and a CHECK must be dropped and added again; either fails at the first row that violates the constraint. NOT VALID is
usually what is meant: it checks new rows at once, and the existing ones with VALIDATE CONSTRAINT, while reads and writes go on.

Unsafe, with PostgreSQL 18 or newer:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT ENFORCED;

Safe:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;

See: https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-PARMS-ENFORCED
"""

from collections.abc import Iterator

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import AddColumn, AddConstraint, AlterConstraint, Constraint, ConstraintKind
from migsafe.sql.operations.values import quoted


@rule(category="compatibility", severity=Severity.WARNING, no_fix="an enforced constraint changes the final schema")
def constraint_not_enforced(op: AddConstraint | AddColumn | AlterConstraint, at: Context) -> Iterator[Finding]:
    """Report each constraint of an existing table that PostgreSQL will not check."""
    if is_created_here(at, op.target.name):
        return
    table, resolved = op.target.name, at.resolve(op.target.name)
    if isinstance(op, AlterConstraint):
        relation = at.catalog.relation(table)
        constraint = at.catalog.constraint(relation.oid, op.constraint) if relation is not None else None
        if op.enforced is False and (constraint is None or constraint.enforced):
            yield at.finding(
                op,
                f"the constraint {quoted(op.constraint)} of {resolved} becomes NOT ENFORCED: from then on {resolved} accepts rows that violate "
                "it, and ENFORCED reads all rows again under ACCESS EXCLUSIVE",
                help="-- leave it enforced; or drop the constraint, if it is no longer true",
                relations=(resolved,),
            )
        return
    for definition in (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints:
        if not definition.enforced:
            name = f" {quoted(definition.name)}" if definition.name is not None else ""
            yield at.finding(
                op,
                f"the {definition.kind.value} constraint{name} is NOT ENFORCED: {resolved} accepts rows that violate it, "
                f"and {_later(definition)}",
                help="-- NOT VALID instead of NOT ENFORCED checks new rows at once; then, in a separate migration: VALIDATE CONSTRAINT",
                relations=(resolved,),
            )


def _later(definition: Constraint) -> str:
    """Returns what enforcing the constraint later does."""
    if definition.kind is ConstraintKind.FOREIGN_KEY:
        return "ENFORCED later reads all rows under ACCESS EXCLUSIVE"
    return "to enforce it later, it must be dropped and added again"
