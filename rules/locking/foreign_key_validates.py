"""A new foreign key is checked against every row while nobody can write.

ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on both tables while it reads the referencing one from end to end: INSERT, UPDATE and DELETE on
both wait. As NOT VALID it takes the same locks for a moment, and new rows are checked from then on; VALIDATE CONSTRAINT then checks
the old rows under SHARE UPDATE EXCLUSIVE, which lets reads and writes go on. That has to be another transaction, because a lock is kept
until its transaction ends.

ADD COLUMN … REFERENCES checks nothing, because the new column is null everywhere, unless it has a default: then it reads the table too, and
holds ACCESS EXCLUSIVE meanwhile, so that even SELECT waits.

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id);

Unsafe:
    ALTER TABLE orders ADD COLUMN region_id bigint DEFAULT 1 REFERENCES regions (id);

Safe, in two migrations:
    ALTER TABLE orders ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
    -- next migration
    ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_id_fkey;

Safe, because the column is null everywhere:
    ALTER TABLE orders ADD COLUMN region_id bigint REFERENCES regions (id);

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from migsafe.lock import LockMode
from migsafe.rule import Context, Finding, Severity, rule
from migsafe.schema.default_names import default_name
from migsafe.sql.operations import AddColumn, AddConstraint, Constraint, ConstraintKind, Name
from migsafe.sql.operations.values import quoted
from migsafe.sql.written import foreign_key


@rule(category="locking", severity=Severity.ERROR)
def foreign_key_validates(op: AddConstraint | AddColumn, at: Context) -> Finding | None:
    """Report a foreign key that reads an existing table."""
    if at.is_new(op.target.name):
        return None
    match op:
        case AddConstraint(constraint=constraint):
            return _added(op, constraint, at) if _is_checked(constraint) else None
        case AddColumn(column=column):
            checked = [constraint for constraint in column.constraints if _is_checked(constraint)]
            has_value = column.default is not None or column.generated is not None
            return _added_with_column(op, checked[0], at) if checked and has_value else None


def _is_checked(constraint: Constraint) -> bool:
    return constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.enforced and not constraint.not_valid


def _added(op: AddConstraint, constraint: Constraint, at: Context) -> Finding:
    table, referenced = _tables(op, constraint, at)
    both = dict.fromkeys(name for name in (table, referenced) if not at.is_new(name))
    return at.finding(
        op,
        f"ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on {' and '.join(map(str, both))} while it checks every row of {table}: "
        f"every INSERT, UPDATE and DELETE on {'them' if len(both) > 1 else 'it'} waits",
        help=_not_valid_first(op.target.name, constraint),
        relations=both,
        lock=LockMode.SHARE_ROW_EXCLUSIVE,
    )


def _added_with_column(op: AddColumn, constraint: Constraint, at: Context) -> Finding:
    table, referenced = _tables(op, constraint, at)
    column = at.text(op.span.start, constraint.span.start).rstrip() + at.text(constraint.span.end, op.span.end)
    return at.finding(
        op,
        f"ADD COLUMN {quoted(op.column.name)} with a default and REFERENCES takes ACCESS EXCLUSIVE on {table} while it checks every row "
        f"against {referenced}: every SELECT, INSERT, UPDATE and DELETE waits",
        help=f"ALTER TABLE {op.target.name} {column};\n{_not_valid_first(op.target.name, constraint)}",
        relations=(table, referenced),
        lock=LockMode.ACCESS_EXCLUSIVE,
    )


def _tables(op: AddConstraint | AddColumn, constraint: Constraint, at: Context) -> tuple[Name, Name]:
    assert constraint.references is not None
    return at.resolve(op.target.name), at.resolve(constraint.references.table)


def _not_valid_first(table: Name, constraint: Constraint) -> str:
    name = constraint.name or default_name(table.name, constraint.columns, "fkey")
    return (
        f"ALTER TABLE {table} ADD {foreign_key(constraint, name)};\n"
        "-- then, in a later transaction (the next migration), while reads and writes go on:\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(name)};"
    )
