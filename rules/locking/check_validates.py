"""ADD CHECK scans the table while all reads and writes are blocked.

ADD CONSTRAINT … CHECK holds ACCESS EXCLUSIVE while it reads the whole table: even SELECT waits, and the wait grows with the table. With NOT
VALID it holds the lock only for a moment, and new rows are checked from then on. VALIDATE CONSTRAINT then checks the existing rows under
SHARE UPDATE EXCLUSIVE, which does not block reads or writes. It needs a separate transaction, because a lock is kept until the end of its
transaction.

ADD COLUMN … CHECK scans the whole table too, although the new column is null, or has the same default, in every row.

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

from migsafe.linting.facts.definitions import replaced_constraint
from migsafe.linting.facts.few_rows import has_few_rows
from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.new_nulls import columns_refused_as_null
from migsafe.linting.facts.ownership import is_updated_here
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.schema.constraints import check_name
from migsafe.sql.generation import check_not_valid, join_migrations, validate_constraints
from migsafe.sql.operations import AddColumn, AddConstraint, Constraint, ConstraintKind
from migsafe.sql.operations.values import quoted


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="a failure between its migrations leaves the constraint NOT VALID",
)
def check_validates(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a CHECK that scans an existing table."""
    constraints = (op.constraint,) if isinstance(op, AddConstraint) else op.column.constraints
    checks = [check for check in constraints if check.kind is ConstraintKind.CHECK and check.enforced and not check.not_valid]
    slow = at.slow_effects(only=op.target.only) if checks else []
    relation = at.catalog.relation(op.target.name)
    if not slow or (relation is not None and has_few_rows(at.catalog, relation, [check.check for check in checks if check.check])):
        return None
    is_filled = is_updated_here(at, op.target.name) or not columns_refused_as_null(at, op)
    action = "ADD CHECK" if isinstance(op, AddConstraint) else f"ADD COLUMN {quoted(op.column.name)} with a CHECK"
    return at.finding(
        op,
        f"{action} takes {slow[0].lock} on {at.resolve(op.target.name)} while it checks every row: every {slow[0].blocked_commands} waits"
        f"{while_held(at)}",
        help=_not_valid_first(op, checks, at, is_filled=is_filled),
        fix=None if is_filled else "",
        relations=[effect.relation for effect in slow],
        lock=slow[0].lock,
    )


def _not_valid_first(op: AddConstraint | AddColumn, checks: list[Constraint], at: Context, *, is_filled: bool) -> str:
    """Returns the steps. Rows whose new columns must be filled first would fail the validation."""
    table = op.target.name
    column = op.column.name if isinstance(op, AddColumn) else None
    names = [constraint.name or check_name(at.catalog, table, constraint, column) for constraint in checks]
    parts = [
        f"ADD {check_not_valid(constraint.check.sql, name, no_inherit=constraint.no_inherit)}"
        for constraint, name in zip(checks, names, strict=True)
        if constraint.check
    ]
    if isinstance(op, AddColumn):
        parts.insert(0, at.text_without(op, checks))
    dropped = [action for name in names if (action := replaced_constraint(op, name, at))]
    fill = "" if is_filled else "-- fill the new columns, a few thousand rows at a time, then\n"
    return join_migrations(
        f"ALTER TABLE {table} {', '.join((*dropped, *parts))};",
        f"{fill}-- without blocking reads and writes:\n{validate_constraints(table, *names)}",
    )
