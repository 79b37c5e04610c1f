"""Several consecutive ALTER TABLEs of one table could be one statement.

Each statement waits for its lock separately, and rewrites or scans the table separately if it must. A combined statement waits for the lock
once and reads the rows once.

Unsafe:
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight numeric;
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS height numeric;

Safe:
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight numeric, ADD COLUMN IF NOT EXISTS height numeric;

See: https://www.postgresql.org/docs/current/sql-altertable.html
"""

from collections.abc import Iterator
from itertools import groupby

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, Name

_ALONE = (sql.RenameColumn, sql.RenameConstraint, sql.AttachPartition, sql.DetachPartition, sql.ValidateConstraint)
"""Actions that must be, or should be, a separate statement."""


@rule(category="design", severity=Severity.INFO)
def combine_alter_tables(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report the second of several consecutive statements that need the same lock on an existing table."""
    statements = [list(operations) for _, operations in groupby(at.past, key=lambda done: done.statement.index)]
    for (name, _), group in groupby(statements, key=lambda statement: _altered(at, statement)):
        consecutive = list(group)
        if name is not None and len(consecutive) > 1:
            yield at.finding(
                consecutive[1][0],
                f"{len(consecutive)} consecutive ALTER TABLEs of {name}: each waits for its lock separately",
                help=f"-- one ALTER TABLE {name} with all these changes, separated by commas",
                relations=(name,),
            )


def _altered(at: Context, statement: list[PastOperation]) -> tuple[Name | None, object]:
    """Returns the table that a statement alters and the strongest lock that it needs, if it can be combined with other statements."""
    operations = [done.operation for done in statement]
    if not all(
        isinstance(operation, AlterRelation) and not isinstance(operation, _ALONE) and operation.target.kind == "table"
        for operation in operations
    ):
        return None, statement[0].statement.index
    first = operations[0]
    assert isinstance(first, AlterRelation)
    table = at.resolve(first.target.name)
    locks = [effect.lock for done in statement for effect in done.effects if effect.relation == table and not effect.new]
    if not locks or is_created_here(at, table):
        return None, statement[0].statement.index
    return table, max(locks, key=lambda lock: lock.strength)
