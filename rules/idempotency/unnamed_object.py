"""An index or a constraint without a name, in a migration that may have to run again.

PostgreSQL makes up a name, and where that is taken another one with a number. So nothing stops a second run: it builds orders_qty_idx1 beside
orders_qty_idx, or adds the same CHECK once more, and each write pays for both. And neither IF NOT EXISTS nor DROP … IF EXISTS can be said
of what has no name. Outside a transaction, where a migration can stop half-way, name what it makes.

Unsafe, outside a transaction:
    CREATE INDEX CONCURRENTLY ON orders (qty);

Safe, outside a transaction:
    DROP INDEX CONCURRENTLY IF EXISTS orders_by_qty_idx;
    CREATE INDEX CONCURRENTLY orders_by_qty_idx ON orders (qty);

See: https://www.postgresql.org/docs/current/sql-createindex.html
"""

from collections.abc import Iterator

from migsafe.linting.reruns.guards import constraint_again, index_again
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.schema.default_names import free_constraint_name, free_relation_name
from migsafe.sql.operations import AddConstraint, ConstraintKind, CreateIndex, Name, Persistence

_LABELS = {
    ConstraintKind.CHECK: "check",
    ConstraintKind.UNIQUE: "key",
    ConstraintKind.FOREIGN_KEY: "fkey",
    ConstraintKind.EXCLUDE: "excl",
}


@rule(category="idempotency", severity=Severity.INFO)
def unnamed_object(op: CreateIndex | AddConstraint | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note what is made without a name, and report it when the migration ends if that did not run in one transaction."""
    if not isinstance(op, MigrationEnd):
        if _is_unnamed(op) and not _is_temporary(op, at):
            at.notes.append((len(at.past), _named(op, at)))
        return
    split = len({done.transaction for done in at.past if done.transaction is not None}) > 1
    for position, named in at.notes:
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
    """The same under a name that is free, as far as the history knows, so that no older one is dropped."""
    table = at.resolve(_table(op))
    if isinstance(op, CreateIndex):
        columns = [element.column or "expr" for element in (*op.elements, *op.include)]
        return index_again(op, free_relation_name(at.catalog, table, columns, "idx").name, new=at.is_new(table))
    given = op.constraint
    name = free_constraint_name(at.catalog, table, given.columns, _LABELS[given.kind]).name
    return constraint_again(op.target.name, given, name, at.text(*given.span), new=at.is_new(table))


def _finding(at: Context, done: PastOperation, named: str) -> Finding:
    assert isinstance(done.operation, CreateIndex | AddConstraint)
    table = _table(done.operation)
    what = "index" if isinstance(done.operation, CreateIndex) else "constraint"
    return at.finding(
        done,
        f"this {what} of {at.resolve(table)} has no name: if the migration fails and runs again, nothing keeps PostgreSQL from making a second "
        "one",
        help=named,
        relations=(table,),
    )
