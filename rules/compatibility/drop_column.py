"""DROP COLUMN breaks the running release and deletes the values.

Until it is replaced, the old release still names the column: its INSERTs fail, and so does every SELECT that lists the column, as most ORMs do
for all columns that they know. First deploy a release that does not use the column, and drop it in a later one. If the column is NOT NULL
without a default, that release cannot insert rows: make the column nullable first. A constraint of the column is dropped with it: a primary key
(then logical replication has no identity for the table's rows), a UNIQUE constraint, a foreign key, whose referenced table is locked as well. A
trigger function that names the column stays, and every write that fires it fails. If CASCADE drops more than the column, drop-cascade speaks
for this rule.

A column of a name that the same transaction gives to another column, which has values already or is filled by an UPDATE, is not reported: the
name is never missing. But if its type is of another kind, a number instead of a text or an array instead of a boolean, the running release
cannot read or write it. Of a column that is dropped and added again, the values are lost, unless both are generated.

Unsafe:
    ALTER TABLE orders DROP COLUMN note;

Safe, because the column is new:
    ALTER TABLE orders ADD COLUMN note text;
    ALTER TABLE orders DROP COLUMN note;

See: https://www.postgresql.org/docs/current/ddl-alter.html#DDL-ALTER-REMOVING-A-COLUMN
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.facts.ownership import (
    added_column,
    column_that_returns,
    is_column_created_here,
    is_column_named_here,
    is_updated_here,
)
from migsafe.linting.facts.query_uses import use_of_relations
from migsafe.linting.facts.replaced_types import is_other_kind
from migsafe.linting.facts.trigger_functions import broken_writes, triggers_that_name
from migsafe.linting.facts.wording import after_release, join_names
from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Column, Constraint, Function, Relation, Trigger
from migsafe.schema.privileges import identity_columns
from migsafe.schema.redundancy import dropped_with_column
from migsafe.sql.operations import AddColumn, ConstraintKind, DropColumn, Name, Operation, RenameColumn, TypeName
from migsafe.sql.operations.values import quoted


class _Dropped(Struct):
    """A DROP COLUMN: its finding, its position, the table and the column; whether the migration itself gave the column its name, and whether
    its values are generated from other columns; its type, if it is known; the triggers that name it, with their functions."""

    finding: Finding
    position: int
    table: Name
    column: str
    is_named_here: bool
    is_generated: bool
    type: TypeName | None
    triggers: list[tuple[Trigger, Function]]


class _State(Struct):
    dropped: list[_Dropped] = []


@rule(category="compatibility", severity=Severity.ERROR, no_fix="the application must change first, and only its authors know when it has")
def drop_column(op: DropColumn | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record each column that a release may know, and report it at the end of the migration, unless another one has its name then."""
    if isinstance(op, DropColumn):
        finding = _finding(op, at)
        if finding is not None:
            is_named_here = is_column_named_here(at, op.target.name, op.column)
            table = at.catalog.relation(op.target.name)
            column = table.column(op.column) if table is not None else None
            is_generated = column is not None and column.generated is not None
            triggers = triggers_that_name(at, op.target.name, op.column)
            own_type = column.type if column is not None else None
            dropped = _Dropped(finding, at.position, op.target.name, op.column, is_named_here, is_generated, own_type, triggers)
            at.state(_State).dropped.append(dropped)
        return
    for dropped in at.state(_State).dropped:
        if dropped.is_named_here:
            if not is_updated_here(at, dropped.table):
                yield _without_values(dropped, "", at)
            continue
        returned = column_that_returns(at, dropped.position)
        if returned is None:
            broken = broken_writes(at, dropped.position, dropped.triggers)
            yield replace(dropped.finding, message=dropped.finding.message + broken) if broken else dropped.finding
        elif not (_has_values(returned.operation, dropped.table, at) or (dropped.is_generated and _is_generated(returned.operation))):
            yield _without_values(dropped, "; the column that has the name afterwards is new and has none of them", at)
        elif (other := _other_type(dropped, at)) is not None:
            yield _of_another_kind(dropped, other, at)


def _is_generated(returned: Operation) -> bool:
    return isinstance(returned, AddColumn) and returned.column.generated is not None


def _has_values(returned: Operation, table: Name, at: Context) -> bool:
    """Whether the column that gets the name has values: it is an older one, or the migration fills it before."""
    if not isinstance(returned, RenameColumn):
        return False
    added = added_column(at, table, returned.column)
    return is_updated_here(at, table) or added is None or added.column.generated is not None or added.column.default is not None


def _without_values(dropped: _Dropped, afterwards: str, at: Context) -> Finding:
    """Returns the finding about a column whose name the running release does not miss, but whose values are lost."""
    column = quoted(dropped.column)
    return replace(
        dropped.finding,
        message=f"DROP COLUMN removes the values of {column} from {at.resolve(dropped.table)}{afterwards}",
        help="-- first copy the values to the column that replaces it",
    )


def _other_type(dropped: _Dropped, at: Context) -> TypeName | None:
    """Returns the type of the column that has the name afterwards, if the running release cannot use it in place of the dropped one."""
    table = at.catalog.relation(dropped.table)
    column = table.column(dropped.column) if table is not None else None
    return column.type if column is not None and is_other_kind(dropped.type, column.type) else None


def _of_another_kind(dropped: _Dropped, other: TypeName, at: Context) -> Finding:
    """Returns the finding about a column whose name another one gets, with a type that the running release does not expect."""
    name = quoted(dropped.column)
    return replace(
        dropped.finding,
        message=(
            f"DROP COLUMN removes {name} from {at.resolve(dropped.table)}; the column that has the name afterwards is {other}, not "
            f"{dropped.type}: the running release fails wherever it reads or writes it"
        ),
        help=(
            "-- instead, leave the new column its own name, and deploy a release that writes both columns, then one that uses only the new "
            f"one; drop {name} when no running release names it, in a later migration"
        ),
    )


def _finding(op: DropColumn, at: Context) -> Finding | None:
    name, table = op.target.name, at.catalog.relation(op.target.name)
    column = table.column(op.column) if table is not None else None
    if is_column_created_here(at, name, op.column):
        return None
    if column is None and ((table is not None and table.complete) or (op.target.if_exists and at.catalog.is_absent(name))):
        return None
    quoted_column = quoted(op.column)
    release, condition = f"a release that does not name {quoted_column}", f"no running release names {quoted_column}"
    safe_way = after_release(release, condition, at.rule)
    constraints = _own_constraints(at, table, column) if table is not None and column is not None else []
    primary_key = at.catalog.primary_key(table.oid) if table is not None else None
    in_key = primary_key is not None and column is not None and column.number in primary_key.columns
    is_filled = column is not None and (column.default is not None or column.identity is not None or column.generated is not None)
    if column is not None and column.not_null and not is_filled and not in_key:
        safe_way = (
            f"{_without_identity(at, table, column)}-- first let a release insert rows without the column:\n"
            f"ALTER TABLE {name} ALTER COLUMN {quoted_column} DROP NOT NULL;\n"
            f"{after_release(release, condition, at.rule).replace('first', 'then')}"
        )
    use = use_of_relations(at, (name,), op.column)
    return at.finding(
        op,
        f"DROP COLUMN removes {quoted_column} and its values from {at.resolve(name)}: the running release fails wherever it still names "
        f"the column{use.words}{_and_constraints(at, constraints)}",
        help=safe_way,
        relations=(name, *_referenced(at, constraints)),
        lock=LockMode.ACCESS_EXCLUSIVE,
        severity=use.severity,
        queries=use.queries,
        use_words=use.words if use.queries else "",
    )


def _without_identity(at: Context, table: Relation | None, column: Column) -> str:
    """Returns what must come before DROP NOT NULL: PostgreSQL refuses it for a column of the index that is the replica identity."""
    is_identity = table is not None and table.replica_identity == "index" and column.number in (identity_columns(at.catalog, table) or ())
    return f"-- before, another replica identity, agreed with the consumers of the changes of {table.name}\n" if table and is_identity else ""


def _own_constraints(at: Context, table: Relation, column: Column) -> list[Constraint]:
    """Returns the keys and foreign keys of the column, without those that column-takes-others-along reports."""
    others = {constraint.oid for constraint in dropped_with_column(at.catalog, table, column)}
    return [
        constraint
        for constraint in at.catalog.constraints(table.oid)
        if column.number in constraint.columns
        and constraint.oid not in others
        and constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.FOREIGN_KEY)
    ]


def _and_constraints(at: Context, constraints: list[Constraint]) -> str:
    """Returns the clause that says which constraints are dropped with the column, and which other tables are locked for that."""
    if not constraints:
        return ""
    names = " and ".join(f"the {constraint.kind.value} constraint {constraint.name.name}" for constraint in constraints)
    tables = _referenced(at, constraints)
    locked = f", which takes ACCESS EXCLUSIVE on {join_names(tables)} too" if tables else ""
    return f"; {names} {'go' if len(constraints) > 1 else 'goes'} with it{locked}"


def _referenced(at: Context, constraints: list[Constraint]) -> list[Name]:
    """Returns the other tables that dropped foreign keys reference."""
    oids = dict.fromkeys(constraint.references for constraint in constraints if constraint.references not in (None, constraint.table))
    tables = (at.catalog.get(oid) for oid in oids if oid is not None)
    return [table.name for table in tables if isinstance(table, Relation) and not at.is_new(table.name)]
