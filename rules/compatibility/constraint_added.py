"""A constraint, or a unique index, is added on existing columns.

The running release does not know it: its INSERTs and UPDATEs fail if they write what the constraint refuses, a NULL, a duplicate or a missing
key. This holds with NOT VALID too, which only leaves the existing rows unchecked. First deploy a release that satisfies the constraint. Not
reported: a constraint on columns that are new, or one that other constraints already imply.

Unsafe:
    ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;

Safe, because the running release does not write the column:
    ALTER TABLE orders ADD COLUMN weight integer;
    ALTER TABLE orders ADD CONSTRAINT orders_weight_check CHECK (weight > 0) NOT VALID;

See: https://www.postgresql.org/docs/current/ddl-constraints.html
"""

from msgspec import Struct

from migsafe import expressions
from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.facts.repeated import other_places
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.formulas import identifiers
from migsafe.schema.objects import Constraint, Index, Relation, RelationKind
from migsafe.sql.operations import AddConstraint, ConstraintKind, CreateIndex, Drop, DropConstraint, Name, TypeName
from migsafe.sql.operations.values import quoted

_REFUSES = {
    ConstraintKind.CHECK: "a row that does not satisfy it",
    ConstraintKind.UNIQUE: "a duplicate",
    ConstraintKind.EXCLUDE: "a row that conflicts with another",
    ConstraintKind.FOREIGN_KEY: "a value without a referenced row",
}

_UNIQUE = (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY)
_KEYWORDS = frozenset(("and", "or", "not", "is", "null", "in", "between", "like", "ilike", "similar", "true", "false", "any", "all", "array"))


class _State(Struct):
    positions: list[int] = []
    """The ADD CONSTRAINTs and CREATE UNIQUE INDEXes that are reported, by their position in the migration."""
    dropped: dict[Name, list[Constraint]] = {}
    """The constraints that the migration drops, by table."""
    indexes: dict[Name, list[Index]] = {}
    """The unique indexes that the migration drops, by table."""


@rule(category="compatibility", severity=Severity.INFO, no_fix="the application must change first, and only its authors know when it has")
def constraint_added(op: AddConstraint | DropConstraint | CreateIndex | Drop | MigrationEnd, at: Context) -> Finding | None:
    """Record the constraints and unique indexes, and report them once at the end of the migration."""
    if isinstance(op, MigrationEnd):
        return _finding(at, [at.past[position] for position in at.state(_State).positions])
    if isinstance(op, Drop):
        _record_dropped(op, at)
        return None
    if isinstance(op, CreateIndex):
        if (
            op.unique
            and not _is_of_view(op, at)
            and not is_created_here(at, op.table)
            and not _is_of_new_column(op, at)
            and not _is_implied(op, at)
        ):
            at.state(_State).positions.append(at.position)
        return None
    table = at.catalog.relation(op.target.name)
    if isinstance(op, DropConstraint):
        constraint = at.catalog.constraint(table.oid, op.constraint) if table is not None else None
        if table is not None and constraint is not None:
            at.state(_State).dropped.setdefault(table.name, []).append(constraint)
    elif op.constraint.kind in _REFUSES and op.constraint.enforced and not is_created_here(at, op.target.name):
        if not _concerns_new_columns(op, at, table) and not (table is not None and _refuses_nothing_new(op, at, table)):
            at.state(_State).positions.append(at.position)
    return None


def _record_dropped(op: Drop, at: Context) -> None:
    """Records the unique indexes that a DROP INDEX drops."""
    for name in op.names if op.kind == "index" else ():
        index = at.catalog.index(name)
        table = at.catalog.get(index.table) if index is not None and index.unique else None
        if index is not None and table is not None:
            at.state(_State).indexes.setdefault(table.name, []).append(index)


def _is_of_view(op: CreateIndex, at: Context) -> bool:
    """Whether the index is one of a materialized view, to which no release writes."""
    relation = at.catalog.relation(op.table)
    return relation is not None and relation.kind is RelationKind.MATERIALIZED


def _is_of_new_column(op: CreateIndex, at: Context) -> bool:
    """Whether one of the keys is a new column that is NULL in the rows of the running release, or all of them are new."""
    added = [added_column(at, op.table, element.column) if element.column is not None else None for element in op.elements]
    return None not in added or any(addition is not None and addition.column.default is None for addition in added)


def _is_implied(op: CreateIndex, at: Context) -> bool:
    """Whether a unique index that the table has, or had before the migration, refuses what the new one refuses."""
    table = at.catalog.relation(op.table)
    if table is None:
        return False
    columns = {column.number for each in op.elements if each.column is not None and (column := table.column(each.column)) is not None}
    known = [*at.catalog.indexes(table.oid), *at.state(_State).indexes.get(table.name, ())]
    keys = [{key.column for key in index.keys} for index in known if index.unique and index.valid and index.predicate is None]
    constraints = [set(stored.columns) for stored in at.state(_State).dropped.get(table.name, ()) if stored.kind in _UNIQUE and stored.columns]
    if any(None not in key and key <= columns for key in (*keys, *constraints)):
        return True
    return op.name is not None and any(index.name.name == op.name for index in known if index.unique)


def _finding(at: Context, added: list[PastOperation]) -> Finding | None:
    added = [done for done in added if not _is_dropped_again(at, done) and not _becomes_constraint(at, done)]
    if not added:
        return None
    tables = tuple(dict.fromkeys(_table(at, done) for done in added))
    return at.finding(
        added[0],
        f"from now on {_described(at, added[0])}, also from the running release" + other_places(at, added),
        help="-- first deploy a release that writes only what the constraint accepts",
        relations=tables,
    )


def _table(at: Context, done: PastOperation) -> Name:
    op = done.operation
    assert isinstance(op, AddConstraint | CreateIndex)
    return at.resolve(op.table if isinstance(op, CreateIndex) else op.target.name)


def _described(at: Context, done: PastOperation) -> str:
    """Returns the constraint or the index, and what it refuses."""
    op, table = done.operation, _table(at, done)
    if isinstance(op, AddConstraint):
        name = f" {quoted(op.constraint.name)}" if op.constraint.name is not None else ""
        return f"the {op.constraint.kind.value} constraint{name} of {table} refuses {_REFUSES[op.constraint.kind]}"
    assert isinstance(op, CreateIndex)
    name = f" {quoted(op.name)}" if op.name is not None else ""
    return f"the unique index{name} of {table} refuses a duplicate"


def _becomes_constraint(at: Context, done: PastOperation) -> bool:
    """Whether an index is that of a constraint which the migration adds, and which is reported."""
    op = done.operation
    used = [other.operation.constraint.index for other in at.past if isinstance(other.operation, AddConstraint)]
    return isinstance(op, CreateIndex) and op.name is not None and op.name in [index.name for index in used if index is not None]


def _is_dropped_again(at: Context, done: PastOperation) -> bool:
    op, position = done.operation, at.past.index(done)
    if isinstance(op, CreateIndex):
        later = [other.operation for other in at.past[position:]]
        names = [name.name for each in later if isinstance(each, Drop) and each.kind == "index" for name in each.names]
        return op.name is not None and op.name in names
    return isinstance(op, AddConstraint) and any(
        isinstance(later.operation, DropConstraint)
        and later.operation.constraint == op.constraint.name
        and at.resolve(later.operation.target.name) == at.resolve(op.target.name)
        for later in at.past[position:]
    )


def _concerns_new_columns(op: AddConstraint, at: Context, table: Relation | None) -> bool:
    """Whether all columns of a constraint are new. One new column is enough if it is NULL in the rows of the running release and the constraint
    is not a CHECK, because a NULL passes the others."""
    added = [added_column(at, op.target.name, name) for name in _columns(op, table)]
    if added and None not in added:
        return True
    is_check = op.constraint.kind is ConstraintKind.CHECK
    return not is_check and any(addition is not None and addition.column.default is None for addition in added)


def _columns(op: AddConstraint, table: Relation | None) -> tuple[str, ...]:
    constraint = op.constraint
    if constraint.check is None:
        return constraint.columns
    words = [word for word in identifiers(constraint.check.sql) if word not in _KEYWORDS]
    is_known = table is not None and table.complete
    return tuple(word for word in words if not is_known or (table is not None and table.column(word) is not None))


def _refuses_nothing_new(op: AddConstraint, at: Context, table: Relation) -> bool:
    """Whether the constraints that the table has, or had before the migration, already refuse what the new one refuses."""
    constraint = op.constraint
    known = [*at.catalog.constraints(table.oid), *at.state(_State).dropped.get(table.name, ())]
    if constraint.check is not None:
        checks = [stored.check.expression for stored in known if stored.check is not None and stored.enforced]
        not_null = [column.name for column in table.columns if column.not_null]
        return expressions.proves_check(checks, not_null, constraint.check, types=lambda name: _type_of(table, name))
    if constraint.index is not None:
        return not any(isinstance(done.operation, CreateIndex) and done.operation.name == constraint.index.name for done in at.past)
    columns = {column.number for name in constraint.columns if (column := table.column(name)) is not None}
    if constraint.references is not None:
        referenced = at.catalog.relation(constraint.references.table)
        same = [stored for stored in known if stored.kind is ConstraintKind.FOREIGN_KEY and set(stored.columns) == columns]
        return referenced is not None and any(stored.references == referenced.oid for stored in same)
    return constraint.kind is ConstraintKind.UNIQUE and any(
        stored.kind in _UNIQUE and bool(stored.columns) and set(stored.columns) <= columns for stored in known
    )


def _type_of(table: Relation, name: str) -> TypeName | None:
    column = table.column(name)
    return column.type if column is not None else None
