"""An UPDATE of every row keeps every row locked until it ends.

It runs as one transaction, for a time that grows with the table: whoever wants to change one of the rows it has reached waits for its end.
Meanwhile VACUUM can free nothing, replicas fall behind, and an UPDATE leaves a dead row for each row, so that the table may be twice as large
afterwards. If it is interrupted, all of it was for nothing.

In batches, each a transaction of its own, a row is locked for a moment, VACUUM keeps up, and what is done stays done. They run outside the
migration's transaction: a DO block may COMMIT where no transaction is open around it.

A condition that is always true filters nothing: WHERE true, IS NOT NULL of a column that is never null, IS NULL of one that the same migration
has added. A DELETE of every row is reported by delete-everything, which is about more than time; here only one with USING and no WHERE.

Unsafe:
    UPDATE orders SET region = 'eu';

Unsafe, because nothing is filtered:
    UPDATE users SET active = true WHERE true;

Safe, outside a transaction:
    DO $$
    DECLARE
        batch_start record;
        batch_end record;
    BEGIN
        SELECT id INTO batch_start FROM orders ORDER BY id LIMIT 1;
        WHILE batch_start.id IS NOT NULL LOOP
            SELECT id INTO batch_end FROM orders WHERE id >= batch_start.id ORDER BY id OFFSET 10000 LIMIT 1;
            UPDATE orders SET region = 'eu'
                WHERE id >= batch_start.id AND (batch_end.id IS NULL OR id < batch_end.id);
            COMMIT;
            batch_start := batch_end;
        END LOOP;
    END $$;

Safe, because the default is stored once for all rows:
    ALTER TABLE orders ADD COLUMN priority integer NOT NULL DEFAULT 0;

See: https://www.postgresql.org/docs/current/plpgsql-transactions.html
    https://www.postgresql.org/docs/current/routine-vacuuming.html
"""

from migsafe import expressions
from migsafe.linting.facts.ownership import added_column, is_created_here
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.batches import batched_by_key, without_filter
from migsafe.sql.operations import Delete, Name, Update

_STORED = ("table", "partitioned table")


@rule(category="locking", severity=Severity.WARNING)
def backfill_unbatched(op: Update | Delete, at: Context) -> Finding | None:
    """Report a change of every row of an existing table; what a DELETE costs is more than time, and another rule's unless it joins."""
    if op.current_of is not None or (isinstance(op, Delete) and not op.reads):
        return None
    relation = at.catalog.relation(op.table)
    if op.where is not None and not expressions.is_always_true(op.where, expressions.not_null_columns(relation), _null_columns(op.table, at)):
        return None
    changed = [
        effect.relation
        for effect in at.effects
        if effect.lock is LockMode.ROW_EXCLUSIVE and effect.kind in _STORED and not is_created_here(at, effect.relation)
    ]
    if not changed or not _is_hurt(op.table, relation, changed, at):
        return None
    what, verb = ("UPDATE", "changes") if isinstance(op, Update) else ("DELETE", "deletes")
    filtered = "without WHERE" if op.where is None else f"WHERE {op.where.sql}, which is true of every row,"
    return at.finding(
        op,
        f"{what} {filtered} {verb} every row of {changed[0]} in one transaction, under {LockMode.ROW_EXCLUSIVE}: "
        "every other UPDATE and DELETE of a row waits until that ends",
        help=_in_batches(op, relation, at),
        relations=changed,
        lock=LockMode.ROW_EXCLUSIVE,
    )


def _is_hurt(table: Name, relation: Relation | None, changed: list[Name], at: Context) -> bool:
    """Whether the rows of the table itself are old, and not only those of tables that its own changes reach into."""
    if relation is not None and relation.kind is RelationKind.VIEW:
        return True
    below = at.catalog.descendants(relation.oid) if relation is not None else ()
    return not {at.resolve(table), *(one.name for one in below)}.isdisjoint(changed)


def _null_columns(table: Name, at: Context) -> expressions.KnownColumns:
    """Which columns this migration has added, without a value and without giving them one since."""

    def is_null(name: str) -> bool:
        column = added_column(at, table, name)
        if column is None or not column.certain:
            return False  # where it was there before it has values
        made = column.column
        if made.default or made.identity or made.generated or made.not_null:
            return False
        return not any(
            isinstance(done.operation, Update) and name in done.operation.columns and at.resolve(done.operation.table) == at.resolve(table)
            for done in at.past
        )

    return is_null


def _in_batches(op: Update | Delete, relation: Relation | None, at: Context) -> str:
    key = _key(op, relation, at)
    guessed = key is None and (relation is None or not relation.complete)
    said = f"-- in the order of {', '.join(key or ['a unique column'])}{', here id' if guessed else ''}, 10,000 rows a transaction"
    if is_in_called_function(at, op) or (key is None and not guessed):
        return f"{said}, outside a function" if is_in_called_function(at, op) else said
    change = without_filter(at.text(*op.span))
    if change.with_changes_rows:
        return f"-- what WITH changes by itself, once, in a statement of its own; then the rest of it\n{said}"
    batches = at.outside_transaction(f"{said}:\n{batched_by_key(change, op.table, key or ['id'])}")
    if isinstance(op, Update) and all(_is_empty(name, op, at) for name in op.columns):
        return f"-- if the value is the same for all rows, ADD COLUMN … DEFAULT gives it to them at once; else\n{batches}"
    return batches


def _is_empty(name: str, op: Update, at: Context) -> bool:
    """Whether this migration has added a column without giving it a value."""
    column = added_column(at, op.table, name)
    return column is not None and not (column.column.default or column.column.identity or column.column.generated)


def _key(op: Update | Delete, relation: Relation | None, at: Context) -> list[str] | None:
    """The columns that tell the rows of a table apart, and that the change leaves as they are."""
    if relation is None:
        return None
    primary = at.catalog.primary_key(relation.oid)
    unique = [one for one in at.catalog.indexes(relation.oid) if one.unique and one.valid and one.predicate is None]
    unique.sort(key=lambda one: (primary is None or one.oid != primary.index, len(one.keys)))
    for index in unique:
        columns = [relation.numbered(key.column) for key in index.keys if key.column is not None]
        names = [column.name for column in columns if column is not None and column.not_null]
        if len(names) == len(index.keys) and not (isinstance(op, Update) and set(names) & set(op.columns)):
            return names
    return None
