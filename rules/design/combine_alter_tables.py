"""Several ALTER TABLEs of one table in a row that could be one.

Each waits for the lock anew, and each rewrites or reads the table by itself where it has to. In one statement the lock is waited for once,
and one pass over the rows does for all of them.

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
"""What has to be, or had better be, a statement by itself."""


@rule(category="design", severity=Severity.INFO)
def combine_alter_tables(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report the second of a row of statements that ask for the same lock on a table that others can know."""
    statements = [list(found) for _, found in groupby(at.past, key=lambda done: done.statement.index)]
    for (name, _), row in groupby(statements, key=lambda found: _altered(at, found)):
        alike = list(row)
        if name is not None and len(alike) > 1:
            yield at.finding(
                alike[1][0],
                f"{len(alike)} ALTER TABLEs of {name} in a row: each waits for its lock anew",
                help=f"-- one ALTER TABLE {name} with all of it, parted by commas",
                relations=(name,),
            )


def _altered(at: Context, found: list[PastOperation]) -> tuple[Name | None, object]:
    """The table that a statement alters and the strongest lock that it needs, where it could be one with others."""
    operations = [done.operation for done in found]
    if not all(isinstance(one, AlterRelation) and not isinstance(one, _ALONE) and one.target.kind == "table" for one in operations):
        return None, found[0].statement.index
    first = operations[0]
    assert isinstance(first, AlterRelation)
    table = at.resolve(first.target.name)
    locks = [effect.lock for done in found for effect in done.effects if effect.relation == table and not effect.new]
    if not locks or is_created_here(at, table):
        return None, found[0].statement.index
    return table, max(locks, key=lambda lock: lock.strength)
