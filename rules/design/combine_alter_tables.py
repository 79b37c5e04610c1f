"""Several consecutive ALTER TABLEs of one table could be one statement.

Outside one transaction each statement waits for its lock separately, and any statement that must read or rewrite the rows does so separately.
A combined statement waits for the lock once and reads the rows once.

PostgreSQL runs the parts of one ALTER TABLE in an order of its own: it drops, then changes types, then adds. Statements that depend on their
order are not reported: SET NOT NULL followed by the DROP of the CHECK that spares it the scan would scan again in one statement.

Unsafe:
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight numeric;
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS height numeric;

Safe:
    ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight numeric, ADD COLUMN IF NOT EXISTS height numeric;

See: https://www.postgresql.org/docs/current/sql-altertable.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, RefusedOperation, Severity, rule
from migsafe.schema.formulas import identifiers
from migsafe.sql import operations as sql
from migsafe.sql.operations import AlterRelation, ConstraintKind, Name

_ALONE = (
    *(
        sql.RenameColumn,
        sql.RenameConstraint,
        sql.AttachPartition,
        sql.DetachPartition,
        sql.MergePartitions,
        sql.SplitPartition,
        sql.ValidateConstraint,
    ),
    *(sql.MergePartitions, sql.SplitPartition),
)
"""Actions that must be, or should be, a separate statement."""

_PROVED = (ConstraintKind.PRIMARY_KEY, ConstraintKind.NOT_NULL)
"""Constraints that an existing CHECK can spare a scan."""

_READS_ALONE = (ConstraintKind.FOREIGN_KEY, ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUDE)

_ONCE = (sql.SetLogged, sql.SetAccessMethod, sql.SetTablespace)
"""Actions of which PostgreSQL accepts only one in a statement."""

_Statement = list[PastOperation]


class _State(Struct):
    refused: set[int] = set()


@rule(category="design", severity=Severity.INFO, fix="unsafe", unsafe_because="a failure undoes all of the actions instead of the last one")
def combine_alter_tables(op: MigrationEnd | RefusedOperation, at: Context) -> Iterator[Finding]:
    """Report the second of several consecutive statements that could be one on an existing table: none that PostgreSQL refuses."""
    if isinstance(op, RefusedOperation):
        at.state(_State).refused.add(at.statement.index)
        return
    for group in _groups(at):
        actions = [_action(done) for statement in group for done in statement]
        table = at.resolve(actions[0].target.name)
        together = group[0][0].transaction is not None and len({statement[0].transaction for statement in group}) == 1
        if together and sum(_reads_rows(statement, table) for statement in group) < 2:
            continue  # the transaction waits for its lock only once
        each = "each reads or rewrites the rows" if together else "each waits for its lock"
        target = f"{'ONLY ' if actions[0].target.only else ''}{actions[0].target.name}"
        combined = ",\n    ".join(at.text(*action.span) for action in actions)
        yield at.finding(
            group[1][0],
            f"{len(group)} consecutive ALTER TABLEs of {table}: {each} separately",
            help=f"-- in place of all of them:\nALTER TABLE {target}\n    {combined};",
            relations=(table,),
            replaces=[statement[0].statement for statement in group],
        )


def _groups(at: Context) -> Iterator[list[_Statement]]:
    """Yields the groups of consecutive statements that PostgreSQL could run as one with the same result."""
    statements: dict[int, _Statement] = {}
    for done in at.past:
        statements.setdefault(done.statement.index, []).append(done)
    group: list[_Statement] = []
    for statement in statements.values():
        key = _combinable(at, statement) if statement[0].statement.index not in at.state(_State).refused else None
        if group and (key is None or key != _combinable(at, group[0]) or any(_conflict(at, earlier, statement) for earlier in group)):
            if len(group) > 1:
                yield group
            group = []
        if key is not None:
            group.append(statement)
    if len(group) > 1:
        yield group


def _combinable(at: Context, statement: _Statement) -> tuple[Name, bool, bool, object] | None:
    """Returns the table that a statement alters, how it names it, and the strongest lock that it needs; None if it must be one of its own."""
    operations = [done.operation for done in statement]
    if not all(
        isinstance(operation, AlterRelation) and not isinstance(operation, _ALONE) and operation.target.kind == "table" and operation.certain
        for operation in operations
    ):
        return None
    target = _action(statement[0]).target
    table = at.resolve(target.name)
    locks = [effect.lock for done in statement for effect in done.effects if effect.relation == table and not effect.new]
    if not locks or is_created_here(at, table):
        return None
    return table, target.only, target.if_exists, max(locks, key=lambda lock: lock.strength)


def _conflict(at: Context, earlier: _Statement, later: _Statement) -> bool:
    """Whether the combined statement would fail, or do something else."""
    return any(_must_stay_apart(at, _action(first), _action(second)) for first in earlier for second in later)


def _must_stay_apart(at: Context, first: AlterRelation, second: AlterRelation) -> bool:
    """Whether two actions depend on their order. PostgreSQL runs the action with the lower pass first (AlterTablePass in its
    src/backend/commands/tablecmds.c), and changes the type of a column only once."""
    if isinstance(first, sql.AlterColumnType) and isinstance(second, sql.AlterColumnType):
        return first.column == second.column
    if isinstance(first, _ONCE) and type(first) is type(second):
        return True
    if second.alter_pass >= first.alter_pass:
        return False
    if isinstance(second, sql.DropConstraint | sql.DropColumn) and _may_be_proved(first):
        return True
    return _names_same(at, first, second) or _names_same(at, second, first)


def _may_be_proved(action: AlterRelation) -> bool:
    """Whether an existing constraint may spare an action the scan."""
    return isinstance(action, sql.SetNotNull) or (isinstance(action, sql.AddConstraint) and action.constraint.kind in _PROVED)


def _names_same(at: Context, first: AlterRelation, second: AlterRelation) -> bool:
    """Whether an action mentions the column or the constraint that another one is about."""
    match first:
        case sql.AddColumn(column=column):
            name = column.name
        case sql.AddConstraint(constraint=constraint):
            name = constraint.name or ""
        case _:
            name = str(getattr(first, "column", None) or getattr(first, "constraint", ""))
    return name in identifiers(at.text(*second.span))


def _reads_rows(statement: _Statement, table: Name) -> bool:
    """Whether a statement reads or rewrites the rows in the pass that all actions of one ALTER TABLE share (ATRewriteTables in PostgreSQL's
    tablecmds.c). Each foreign key and each index reads them by itself."""
    shared = [
        done for done in statement if not (isinstance(done.operation, sql.AddConstraint) and done.operation.constraint.kind in _READS_ALONE)
    ]
    return any(effect.scan or effect.rewrite for done in shared for effect in done.effects if effect.relation == table)


def _action(done: PastOperation) -> AlterRelation:
    assert isinstance(done.operation, AlterRelation)
    return done.operation
