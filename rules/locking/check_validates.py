"""A new CHECK is compared with every row while nobody can read or write.

ADD CONSTRAINT … CHECK holds ACCESS EXCLUSIVE on the table while it reads it from end to end: even SELECT waits, and the wait grows with the
table. As NOT VALID it takes that lock for a moment only, and new rows are checked from then on; VALIDATE CONSTRAINT then checks the old
rows under SHARE UPDATE EXCLUSIVE, which lets reads and writes go on. That has to be another transaction, because a lock is kept until its
transaction ends.

ADD COLUMN … CHECK reads the whole table too, although the new column is null everywhere or has the same default in every row.

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);

Unsafe:
    ALTER TABLE orders ADD COLUMN discount bigint CHECK (discount >= 0);

Safe, in two migrations:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;

Safe, with a new column:
    ALTER TABLE orders
        ADD COLUMN discount bigint,
        ADD CONSTRAINT orders_discount_check CHECK (discount >= 0) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_discount_check;

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.constraints import check_name
from migsafe.sql.generation import check_not_valid, join_migrations, validate_constraints
from migsafe.sql.operations import AddColumn, AddConstraint, Constraint, ConstraintKind
from migsafe.sql.operations.values import quoted


@rule(category="locking", severity=Severity.ERROR)
def check_validates(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a CHECK that reads an existing table; a column that is written anew anyhow is another rule's."""
    given = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    checks = [one for one in given if one.kind is ConstraintKind.CHECK and one.enforced and not one.not_valid]
    slow = at.slow(only=op.target.only) if checks else []
    if not slow or any(effect.rewrite for effect in slow):
        return None
    what = "ADD CHECK" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} with a CHECK"
    return at.finding(
        op,
        f"{what} takes {slow[0].lock} on {at.resolve(op.target.name)} while it checks every row: every {slow[0].blocked_commands} waits",
        help=_not_valid_first(op, checks, at),
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _not_valid_first(op: AddConstraint | AddColumn, checks: list[Constraint], at: Context) -> str:
    table = op.target.name
    column = op.column.name if isinstance(op, AddColumn) else None
    names = [one.name or check_name(at.catalog, table, one, column) for one in checks]
    parts = [
        f"ADD {check_not_valid(one.check.sql, name, no_inherit=one.no_inherit)}" for one, name in zip(checks, names, strict=True) if one.check
    ]
    if isinstance(op, AddColumn):
        parts.insert(0, at.text_without(op, checks))
    return join_migrations(
        f"ALTER TABLE {table} {', '.join(parts)};", f"-- while reads and writes go on:\n{validate_constraints(table, *names)}"
    )
