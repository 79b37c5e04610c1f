"""An index or constraint without a name, in a migration that may have to run again.

PostgreSQL generates a name, and adds a number if that name exists. So nothing stops a second run: it builds orders_qty_idx1 next to
orders_qty_idx, or adds the same CHECK again, and each write pays for both. IF NOT EXISTS and DROP … IF EXISTS need a name. Outside a
transaction, where a migration can fail half-way, name the objects that it creates.

Unsafe, outside a transaction:
    CREATE INDEX CONCURRENTLY ON orders (currency);

Safe, outside a transaction:
    DROP INDEX CONCURRENTLY IF EXISTS orders_by_currency_idx;
    CREATE INDEX CONCURRENTLY orders_by_currency_idx ON orders (currency);

See: https://www.postgresql.org/docs/current/sql-createindex.html
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.partitions import partitioned_table
from migsafe.linting.reruns.guards import recreate_constraint, recreate_index
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.default_names import free_constraint_name, free_relation_name
from migsafe.sql.operations import AddConstraint, ConstraintKind, CreateIndex, Name, Persistence

_LABELS = {
    ConstraintKind.CHECK: "check",
    ConstraintKind.UNIQUE: "key",
    ConstraintKind.FOREIGN_KEY: "fkey",
    ConstraintKind.EXCLUDE: "excl",
}


class _State(Struct):
    unnamed: list[tuple[int, str]] = []
    """The positions of operations that create unnamed objects, each with the same statement under a name."""


@rule(category="idempotency", severity=Severity.INFO, fix="unsafe", unsafe_because="a second run drops the object and creates it again")
def unnamed_object(op: CreateIndex | AddConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record objects that are created without a name, and report them at the end of the migration if it ran in several transactions."""
    if not isinstance(op, MigrationEnd):
        if _is_unnamed(op) and not _is_temporary(op, at):
            named = _named(op, at)
            at.state(_State).unnamed.append((at.position, at.outside_transaction(named) if " CONCURRENTLY " in named else named))
        return
    if at.catalog.is_restored:
        return
    if at.migration.transaction_assumed and not any(getattr(done.operation, "concurrently", False) for done in at.past):
        return  # the runner may run all in one transaction
    split = len({done.transaction for done in at.past if done.transaction is not None}) > 1
    for position, named in at.state(_State).unnamed:
        done = at.past[position]
        if split or getattr(done.operation, "concurrently", False):
            yield _finding(at, done, named)


def _is_unnamed(op: CreateIndex | AddConstraint) -> bool:
    if isinstance(op, CreateIndex):
        return op.name is None
    return op.constraint.name is None and op.constraint.kind in _LABELS


def _table(op: CreateIndex | AddConstraint) -> Name:
    return op.table if isinstance(op, CreateIndex) else op.target.name


def _is_temporary(op: CreateIndex | AddConstraint, at: Context) -> bool:
    relation = at.catalog.relation(_table(op))
    return relation is not None and relation.persistence is Persistence.TEMPORARY


def _named(op: CreateIndex | AddConstraint, at: Context) -> str:
    """Returns the statement with a name that the history has not used, so that it drops no older object."""
    table = at.resolve(_table(op))
    # PostgreSQL refuses most ways to build or validate in steps for a partitioned table.
    in_one_step = at.is_new(table) or partitioned_table(at, table) is not None
    if isinstance(op, CreateIndex):
        columns = [element.column or "expr" for element in (*op.elements, *op.include)]
        return recreate_index(op, free_relation_name(at.catalog, table, columns, "idx").name, in_one_step=in_one_step)
    constraint = op.constraint
    name = free_constraint_name(at.catalog, table, constraint.columns, _LABELS[constraint.kind]).name
    return recreate_constraint(op.target.name, constraint, name, at.text(*constraint.span), in_one_step=in_one_step)


def _finding(at: Context, done: PastOperation, named: str) -> Finding:
    assert isinstance(done.operation, CreateIndex | AddConstraint)
    table = _table(done.operation)
    noun = "index" if isinstance(done.operation, CreateIndex) else "constraint"
    return at.finding(
        done,
        f"this {noun} of {at.resolve(table)} has no name: if the migration fails and runs again, PostgreSQL creates a second one",
        help=named,
        relations=(table,),
    )
