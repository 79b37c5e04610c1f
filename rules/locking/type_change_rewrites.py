"""ALTER COLUMN TYPE rewrites the table or its indexes unless both types store every value in the same way.

It holds ACCESS EXCLUSIVE meanwhile: even SELECT waits, and the wait grows with the table and its indexes. If the stored bytes stay the
same, as from varchar(50) to varchar(100) or text, from numeric(8, 2) to numeric(10, 2), or from cidr to inet, only the catalogue changes.
Two things take time even then: PostgreSQL rebuilds an index whose order changes, as with another collation, and checks every row again if a
CHECK uses the column. migsafe needs the old type for this, and reads it from the earlier migrations, also for the tables that CREATE TABLE AS
makes from known ones. Where the type of a query's column is unknown, the finding is information; that of an unknown table is an error.
A time in UTC is stored as the same bytes with and without a time zone: if the TimeZone of the session is UTC, nothing is rewritten, but with
USING everything is.

A key needs more: the new column gets a unique index, and the foreign keys that reference the old column get new columns too. The sequence of a
serial column belongs to it, and is dropped with it unless the new column owns it before.

To widen a type, add a new column: a trigger keeps both columns in step while releases that write the one or the other run side by side,
batches fill the existing rows, and a later release uses it. To shorten a text, add a CHECK instead of changing the type.

Unsafe:
    ALTER TABLE orders ALTER COLUMN qty TYPE bigint;

Unsafe, without an index or a constraint that the new column needs too:
    ALTER TABLE items ALTER COLUMN line TYPE bigint;

Safe, because the values go to a new column that a later release uses, the batches outside a transaction:
    ALTER TABLE orders ADD COLUMN qty_new bigint;
    -- next migration
    CREATE OR REPLACE FUNCTION orders_qty_new_sync() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.qty_new IS DISTINCT FROM OLD.qty_new AND NEW.qty_new IS DISTINCT FROM NEW.qty THEN
            NEW.qty := NEW.qty_new;
        ELSIF NEW.qty IS DISTINCT FROM OLD.qty OR NEW.qty_new IS NULL THEN
            NEW.qty_new := NEW.qty;
        END IF;
        RETURN NEW;
    END $$;
    CREATE OR REPLACE TRIGGER orders_qty_new_sync BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_qty_new_sync();
    -- next migration
    DO $$
    BEGIN
        LOOP
            UPDATE orders SET qty_new = qty
                WHERE qty_new IS DISTINCT FROM qty
                AND ctid = ANY (ARRAY(SELECT ctid FROM orders WHERE qty_new IS DISTINCT FROM qty LIMIT 10000));
            EXIT WHEN NOT FOUND;
            COMMIT;
        END LOOP;
    END $$;

Safe, because the stored values do not change:
    CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line varchar(50));
    -- next migration
    ALTER TABLE notes ALTER COLUMN line TYPE varchar(100);

See: https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from collections.abc import Iterator

from msgspec import Struct

from migsafe.linting.facts.held_locks import while_held
from migsafe.linting.facts.transaction_block import line_of
from migsafe.linting.facts.type_changes import type_change_fix, type_change_safe_way
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.lock import LockMode
from migsafe.prediction.effects.effect import Effect
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.operations import AlterColumnType, ConstraintKind, Name, RenameColumn
from migsafe.sql.operations.values import quoted


class _Change(Struct, frozen=True):
    """A change of a column's type that takes long: its position, its table and column, the columns that its foreign keys reference, and what
    the finding about it says."""

    position: int
    table: int | None
    column: str
    references: list[tuple[int, str]]
    message: str
    help: str
    fix: str | None
    relations: list[Name]
    lock: LockMode


class _State(Struct):
    reported: set[tuple[int | None, Name, str]] = set()
    """The changed columns: the number of the transaction, the table, the name."""
    changes: list[_Change] = []


@rule(
    category="locking",
    severity=Severity.ERROR,
    speaks_for=("long-work-under-lock", "many-tables-locked"),
    fix="unsafe",
    unsafe_because="it takes several migrations, and a failure between them leaves a second column",
)
def type_change_rewrites(op: AlterColumnType | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Record the type changes for which an existing table is rewritten or scanned, and report them at the end of the migration: the safe way
    of a key includes the columns that reference it."""
    if isinstance(op, MigrationEnd):
        yield from (_finding(at, change) for change in at.state(_State).changes)
        return
    # Unknown partitions are left out: the change may be harmless for them.
    slow = at.slow_effects(only=True)
    column = (at.session.transaction, at.resolve(op.target.name), op.column)
    if not slow or (column in at.state(_State).reported and column[0] is not None):
        return  # one new column makes both changes
    at.state(_State).reported.add(column)
    main = next((effect for effect in slow if effect.rewrite), slow[0])
    if _is_unknown_result(op, at):
        yield _about_unknown_result(op, main, slow, at)
    else:
        at.state(_State).changes.append(_change(op, main, slow, at))


def _about_unknown_result(op: AlterColumnType, main: Effect, slow: list[Effect], at: Context) -> Finding:
    table = at.resolve(op.target.name)
    return at.finding(
        op,
        f"ALTER COLUMN {quoted(op.column)} TYPE {op.type} takes {main.lock} on {table}, and may rewrite it: the type that the query of "
        f"CREATE TABLE AS gave to {quoted(op.column)} is unknown",
        help=f"-- name the type in the query: CAST(… AS {op.type}) AS {quoted(op.column)}",
        fix="",
        severity=Severity.INFO,
        relations=[effect.relation for effect in slow],
        lock=main.lock,
    )


def _change(op: AlterColumnType, main: Effect, slow: list[Effect], at: Context) -> _Change:
    table = at.resolve(op.target.name)
    below = _descendants(table, at)
    parts = [effect.relation for effect in slow if effect.relation in below and _work(effect) == _work(main)]
    where = f"{table} and its {'partitions' if _is_partitioned(table, at) else 'children'}" if parts else str(table)
    relation = at.catalog.relation(op.target.name)
    return _Change(
        position=at.position,
        table=relation.oid if relation is not None else None,
        column=op.column,
        references=_referenced_columns(relation, op.column, at) if relation is not None else [],
        message=f"ALTER COLUMN {quoted(op.column)} TYPE {op.type} takes {main.lock} on {where} while it {_work(main)}, "
        f"because {_cause(main)}{_other_tables(slow, {table, main.relation, *parts}, at)}: every {main.blocked_commands} waits{while_held(at)}",
        help=type_change_safe_way(op, main, at),
        fix=type_change_fix(op, main, at),
        relations=[effect.relation for effect in slow],
        lock=main.lock,
    )


def _referenced_columns(relation: Relation, name: str, at: Context) -> list[tuple[int, str]]:
    """Returns the columns, with their tables, that foreign keys on a column alone reference."""
    column = relation.column(name)
    found = []
    for key in at.catalog.constraints(relation.oid):
        if key.kind is ConstraintKind.FOREIGN_KEY and column is not None and key.columns == (column.number,) and key.references is not None:
            referenced = at.catalog.get(key.references)
            other = referenced.column_numbered(key.referenced_columns[0]) if isinstance(referenced, Relation) else None
            found += [(key.references, other.name)] if other is not None else []
    return found


def _finding(at: Context, change: _Change) -> Finding:
    key = next((other for other in at.state(_State).changes if _includes(at, other, change)), None)
    renaming = _renaming_after(at, change)
    help, fix = change.help, change.fix
    if renaming is not None:
        help, fix = f"-- the safe way of RENAME COLUMN in line {line_of(at, renaming.operation.span)} includes the new type", ""
    elif key is not None:
        line = line_of(at, at.past[key.position].operation.span)
        help, fix = (
            f"-- the safe way of {quoted(key.column)}, which line {line} changes too, includes {quoted(change.column)}, which references it",
            "",
        )
    return at.finding(at.past[change.position], change.message, help=help, fix=fix, relations=change.relations, lock=change.lock)


def _renaming_after(at: Context, change: _Change) -> PastOperation | None:
    """Returns the RENAME COLUMN of the migration that renames a changed column later; None if there is none."""
    for done in at.past[change.position :]:
        op = done.operation
        if isinstance(op, RenameColumn) and op.column == change.column:
            relation = at.catalog.relation(op.target.name)
            if relation is not None and relation.oid == change.table:
                return done
    return None


def _includes(at: Context, key: _Change, change: _Change) -> bool:
    """Whether the safe way of a key includes another changed column, which references it."""
    op = at.past[key.position].operation
    assert isinstance(op, AlterColumnType)
    return op.using is None and (key.table, key.column) in change.references and (change.table, change.column) not in key.references


def _is_unknown_result(op: AlterColumnType, at: Context) -> bool:
    """Whether the column comes from a query whose types are unknown."""
    relation = at.catalog.relation(op.target.name)
    column = relation.column(op.column) if relation is not None else None
    return relation is not None and relation.from_query and (column is None or column.type is None)


def _descendants(table: Name, at: Context) -> set[Name]:
    relation = at.catalog.relation(table)
    return {child.name for child in at.catalog.descendants(relation.oid)} if relation is not None else set()


def _is_partitioned(table: Name, at: Context) -> bool:
    relation = at.catalog.relation(table)
    return relation is not None and relation.kind is RelationKind.PARTITIONED


def _other_tables(slow: list[Effect], named: set[Name], at: Context) -> str:
    """Returns the tables that the statement locks beside those already `named`, such as those that reference the column, and what it does to
    them."""
    read = {effect.relation: effect for effect in slow if effect.relation not in named}
    texts = [f"{effect.lock} on {name}, of which it {_work(effect)}" for name, effect in read.items()]
    locked = {effect.relation: effect.lock for effect in at.blocking_effects if effect.relation not in {*named, *read}}
    texts += [f"{lock} on {name}" for name, lock in locked.items()]
    return f", and {' and '.join(texts)}" if texts else ""


def _work(effect: Effect) -> str:
    if effect.rewrite:
        return "rewrites every row and index"
    if effect.rebuilt:
        several = len(effect.rebuilt) > 1
        return f"rebuilds the index{'es' if several else ''} {' and '.join(map(quoted, effect.rebuilt))}"
    return "reads every row"


def _cause(effect: Effect) -> str:
    # For an index `why` is `the index … is …: the cause`, and the message names the index already.
    return effect.why.partition(": ")[2] if effect.rebuilt and not effect.rewrite else effect.why
