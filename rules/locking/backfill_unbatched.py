"""An UPDATE of every row keeps each row locked until the whole statement ends.

It is one transaction whose duration grows with the table. Other sessions that want to change a row that it has already updated wait until
it ends. Until then VACUUM cannot remove dead rows, and replicas fall behind. An UPDATE leaves a dead version of each row, so the table may
be twice as large afterwards. If the statement is interrupted, all of its work is lost.

In batches, each in its own transaction, a row is locked for a moment, VACUUM keeps up, and finished batches stay committed. Run them
outside the migration's transaction: a DO block may COMMIT only if no transaction is open around it.

A script that reads the rows of a table, all or those that are still to be filled, and changes each of them does the same, with a round trip to
the server for each row, and holds all the row locks until its transaction ends: in a loop, with a list of values, or by changing the objects of
a session. So does a FOR loop in a DO block without COMMIT, and a loop there that takes batches with LIMIT until no row is left: without COMMIT,
its batches are one transaction.

A filter does not help if the number of its rows grows with the table: WHERE true, a condition that only joins other tables, IN (SELECT …) or
EXISTS of all their rows, NOT IN (SELECT …) or NOT EXISTS, which only leave out rows that another table has, IS NULL or IS DISTINCT FROM on the
column that is being filled. A key, or a constant on another column, restricts the rows; so does a join with a table that the migration has
created and filled with constants, or with a query that restricts its rows. For a DELETE of every row delete-everything speaks, because it
also loses data.

Unsafe:
    UPDATE orders SET region = 'eu';

Unsafe, because the condition is always true:
    UPDATE users SET active = true WHERE true;

Unsafe, because the condition only finds the rows that are still to be filled:
    UPDATE orders SET region = 'eu' WHERE region IS NULL;

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

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

from msgspec import Struct

from migsafe import expressions
from migsafe.linting.facts.changed_rows import changes_rows_by_key, reads_rows_to_fill, restricts_only_by_limit, unrestricting_filter
from migsafe.linting.facts.few_rows import has_few_rows
from migsafe.linting.facts.filled_columns import with_its_value
from migsafe.linting.facts.ownership import column_added_by_migration, is_created_here
from migsafe.linting.facts.transaction_block import is_in_called_function
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.lock import LockMode
from migsafe.patterns import lazy_pattern
from migsafe.rendering.messages import FOR_EACH_OBJECT, FOR_EACH_ROW
from migsafe.schema.bodies import body_operations, body_text
from migsafe.schema.objects import Relation, RelationKind
from migsafe.sql.batches import batched_by_key, reads_what_it_changes, tokens_of, without_filter
from migsafe.sql.lexer import WORD
from migsafe.sql.operations import Call, Commit, Delete, Do, Merge, Name, Operation, Select, Update


class _State(Struct):
    loops: set[tuple[int, int, str]] = set()
    """The loops with a finding: the statement, the offset of the loop's query, and the command that it runs."""


_STORED = ("table", "partitioned table")
_LOOP_WORDS = lazy_pattern(r"(?is)\bend\s+loop\b|\bloop\b")


@rule(category="locking", severity=Severity.WARNING, fix="unsafe", unsafe_because="a failure leaves the batches that are committed")
def backfill_unbatched(op: Update | Delete | Merge, at: Context) -> Finding | None:
    """Report a change of every row of an existing table."""
    relation = at.catalog.relation(op.table)
    if isinstance(op, Merge):
        if not {"update", "delete"}.intersection(op.actions):
            return None
    elif _is_for_each_row(op, at):
        return _row_by_row(op, relation, at)
    elif changes_rows_by_key(op, at):
        return None
    if relation is not None and has_few_rows(at.catalog, relation):
        return None
    if not isinstance(op, Merge) and (finding := _batches_in_one_transaction(op, relation, at)) is not None:
        return finding
    reasons = unrestricting_filter(op, at)
    changed = _changed(at) if reasons is not None else []
    if reasons is None or not changed or not _has_existing_rows(op.table, relation, changed, at):
        return None
    batches = _merge_in_batches(op) if isinstance(op, Merge) else _in_batches(op, relation, reasons, at)
    return at.finding(
        op,
        f"{_change(op, reasons)} every row of {changed[0]} in one transaction, under {LockMode.ROW_EXCLUSIVE}: "
        "other UPDATEs and DELETEs of these rows wait until it ends",
        help=(with_its_value(at, op) if isinstance(op, Update) else "") or batches,
        fix=batches,
        relations=changed,
        lock=LockMode.ROW_EXCLUSIVE,
    )


def _change(op: Update | Delete | Merge, reasons: "frozenset[expressions.Unrestricting]") -> str:
    """Returns the command, its filter, why that does not restrict the rows, and what it does to them."""
    command, verb = {Update: ("UPDATE", "change"), Delete: ("DELETE", "delete"), Merge: ("MERGE", "change")}[type(op)]
    if isinstance(op, Merge):
        return f"MERGE, whose condition {expressions.Unrestricting.JOIN.value}, may change"
    if op.where is None:
        return f"{command} without WHERE {verb}s"
    if reasons == {expressions.Unrestricting.TRUE}:
        return f"{command} WHERE {op.where.sql}, which is true for every row, {verb}s"
    why = " and ".join(
        reason.value for reason in expressions.Unrestricting if reason in reasons and reason is not expressions.Unrestricting.TRUE
    )
    return f"{command} WHERE {' '.join(op.where.sql.split())}, which {why}, may {verb}"


def _merge_in_batches(op: Merge) -> str:
    return (
        f"-- in batches: put the key range of one batch of {op.table} into ON, such as `id >= 1 AND id < 10001`, and commit each batch in a\n"
        "-- transaction of its own, outside the migration's transaction"
    )


def _changed(at: Context) -> list[Name]:
    """Returns the existing tables whose rows the statement changes."""
    return [
        effect.relation
        for effect in at.effects
        if effect.lock is LockMode.ROW_EXCLUSIVE and effect.kind in _STORED and not is_created_here(at, effect.relation)
    ]


def _is_for_each_row(op: Update | Delete, at: Context) -> bool:
    """Whether a script makes the change once for each row of a query, or a DO block for each row of the whole table."""
    return _repeated(op, at) in (FOR_EACH_ROW, FOR_EACH_OBJECT) or _loop_over_table(op, at) is not None


def _repeated(op: Operation, at: Context) -> str:
    call = at.migration.up.call(op.span.start)
    return call.repeated if call is not None else ""


def _loop_over_table(op: Update | Delete, at: Context) -> int | None:
    """Returns the offset of the query of a FOR loop in this DO block, or in a function that the statement calls, which reads all rows of the
    table, and changes single rows without a COMMIT; None if there is no such loop."""
    first, *operations = at.statement.operations
    if not is_in_called_function(at, op):
        return _loop_around(operations, op, at.text, at) if isinstance(first, Do) else None
    for call in at.statement.operations:
        for name in call.query.calls if isinstance(call, Select) else (call.procedure,) if isinstance(call, Call) else ():
            for function in at.catalog.functions(name):
                body = body_operations(function)
                changes = [each for each in body if type(each) is type(op) and each.table == op.table and each.where == op.where]
                loops = (_loop_around(body, each, partial(_part_of, body_text(function)), at) for each in changes)
                if (loop := next((loop for loop in loops if loop is not None), None)) is not None:
                    return loop
    return None


def _part_of(text: str, start: int, end: int) -> str:
    return text[start:end]


def _loop_around(operations: Sequence[Operation], op: Update | Delete, text: Callable[[int, int], str], at: Context) -> int | None:
    """Returns the offset of the query of the FOR loop over all rows of its table in which a change is, in a body with these operations; `text`
    returns the text between two offsets of the body."""
    if any(isinstance(other, Commit) for other in operations):
        return None
    for query in operations:
        if isinstance(query, Select) and query.span.end <= op.span.start and _reads_all_rows(query, op, at):
            steps = [1 if word.lower() == "loop" else -1 for word in _LOOP_WORDS.findall(text(query.span.end, op.span.start))]
            if steps and min(accumulate(steps)) > 0:
                return query.span.start
    return None


def _row_by_row(op: Update | Delete, relation: Relation | None, at: Context) -> Finding | None:
    """Reports changes of single rows if the script has read all rows of the table, in the same transaction."""
    changed = _changed(at)
    table, transaction = at.resolve(op.table), at.session.transaction
    if table not in changed or transaction is None or not _has_existing_rows(op.table, relation, changed, at):
        return None
    command = "UPDATE" if isinstance(op, Update) else "DELETE"
    offset, loops = _loop_over_table(op, at), at.state(_State).loops
    if offset is None and not _has_read_all_rows(op, at):
        return None
    if offset is not None and (at.statement.index, offset, command) in loops:
        return None  # another branch of the same loop
    loops.add((at.statement.index, offset or 0, command))
    in_sql = "compute the value in SQL" if isinstance(op, Update) else "put the condition into SQL"
    return at.finding(
        op,
        f"{command} runs in a loop over the rows of {table}, all in one transaction, under {LockMode.ROW_EXCLUSIVE}: "
        "other UPDATEs and DELETEs of these rows wait until it ends",
        help=f"-- {in_sql}, in one {command} per batch of rows; or read the rows in batches of 1,000, in the order of the\n"
        "-- primary key, and change and commit each batch in a transaction of its own, outside the migration's transaction",
        relations=[table],
        lock=LockMode.ROW_EXCLUSIVE,
    )


def _batches_in_one_transaction(op: Update | Delete, relation: Relation | None, at: Context) -> Finding | None:
    """Reports a change with LIMIT that a loop of a DO block repeats until all rows are changed, without a COMMIT."""
    first, *operations = at.statement.operations
    if not isinstance(first, Do) or is_in_called_function(at, op) or any(isinstance(other, Commit) for other in operations):
        return None
    if not restricts_only_by_limit(op, at) or not _repeats_until_done(at.text(first.body.start, op.span.start)):
        return None
    changed = _changed(at)
    if not changed or not _has_existing_rows(op.table, relation, changed, at):
        return None
    command, verb = ("UPDATE", "changes") if isinstance(op, Update) else ("DELETE", "deletes")
    return at.finding(
        op,
        f"{command} takes its rows in batches, but the loop has no COMMIT: it {verb} all rows of {changed[0]} in one transaction, "
        f"under {LockMode.ROW_EXCLUSIVE}: other UPDATEs and DELETEs of these rows wait until it ends",
        help="-- COMMIT after each batch, and run the DO block outside the migration's transaction: inside one, PostgreSQL refuses COMMIT",
        relations=changed,
        lock=LockMode.ROW_EXCLUSIVE,
    )


def _repeats_until_done(block: str) -> bool:
    """Whether the start of the string of a DO block ends inside a LOOP or WHILE loop; one with IN has an end of its own."""
    loops: list[bool] = []
    words: list[str] = []
    for token in tokens_of(block.lstrip("$").partition("$")[2] if not block.startswith("$$") else block[2:]):
        word = token.text.lower() if token.kind == WORD or token.text == ";" else ""
        if word == "loop" and words[-1:] == ["end"]:
            del loops[-1:]
        elif word == "loop":
            loops.append("in" not in words)
        words = [*words, word] if word not in ("loop", ";") else []
    return any(loops)


def _has_read_all_rows(op: Update | Delete, at: Context) -> bool:
    """Whether the rows that a script changes are all of their table: those of the last query that does not itself depend on a row."""
    table = at.resolve(op.table)
    queries = (each for done in reversed(at.past) if isinstance(each := done.operation, Select) and not _repeated(each, at))
    query = next((query for query in queries if table in map(at.resolve, query.query.reads)), None)
    return query is not None and _reads_all_rows(query, op, at)


def _reads_all_rows(query: Select, op: Update | Delete, at: Context) -> bool:
    """Whether a query reads all rows of the table of a change, or all that the change has not filled yet."""
    table = at.resolve(op.table)
    if table in map(at.resolve, query.query.whole):
        return True
    if isinstance(op, Delete) or table not in map(at.resolve, query.query.reads) or "null" not in query.query.sql.lower():
        return False
    return reads_rows_to_fill(query.query.sql, op, at)


def _has_existing_rows(table: Name, relation: Relation | None, changed: list[Name], at: Context) -> bool:
    """Whether the table itself has existing rows, and not only tables that foreign key actions or triggers change."""
    if relation is not None and relation.kind is RelationKind.VIEW:
        return True
    below = at.catalog.descendants(relation.oid) if relation is not None else ()
    return not {at.resolve(table), *(child.name for child in below)}.isdisjoint(changed)


def _in_batches(op: Update | Delete, relation: Relation | None, reasons: "frozenset[expressions.Unrestricting]", at: Context) -> str:
    key = _key(op, relation, at)
    guessed = key is None and (relation is None or not relation.complete)
    order = f"-- in the order of {', '.join(key or ['a unique column'])}{', here id' if guessed else ''}, 10,000 rows per transaction"
    if is_in_called_function(at, op) or (key is None and not guessed):
        return f"{order}, outside a function" if is_in_called_function(at, op) else order
    change = without_filter(at.text(*op.span))
    if reads_what_it_changes(at.text(*op.span), op.table, op.columns if isinstance(op, Update) else ()):
        return (
            f"-- it reads other rows of {op.table}, which an earlier batch may have changed: first store what it reads in another table,\n"
            f"-- then read that one, {order.removeprefix('-- ')}"
        )
    if change.with_clause_writes:
        return f"-- first run the changes in WITH once, in a separate statement; then the rest:\n{order}"
    batched = batched_by_key(change, op.table, key or ["id"], filtered=not reasons <= {expressions.Unrestricting.TRUE})
    batches = at.outside_transaction(f"{order}:\n{batched}")
    if isinstance(op, Update) and all(_is_empty(name, op, at) for name in op.columns):
        return f"-- if the value is the same for all rows, use ADD COLUMN … DEFAULT, which takes a moment; otherwise:\n{batches}"
    return batches


def _is_empty(name: str, op: Update, at: Context) -> bool:
    """Whether this migration added a column without a value."""
    column = column_added_by_migration(at, op.table, name)
    return column is not None and not (column.column.default or column.column.identity or column.column.generated)


def _key(op: Update | Delete, relation: Relation | None, at: Context) -> list[str] | None:
    """Returns columns that identify the rows of a table and that the statement does not change."""
    if relation is None:
        return None
    primary = at.catalog.primary_key(relation.oid)
    unique = [index for index in at.catalog.indexes(relation.oid) if index.unique and index.valid and index.predicate is None]
    unique.sort(key=lambda index: (primary is None or index.oid != primary.index, len(index.keys)))
    for index in unique:
        columns = [relation.column_numbered(key.column) for key in index.keys if key.column is not None]
        names = [column.name for column in columns if column is not None and column.not_null]
        if len(names) == len(index.keys) and not (isinstance(op, Update) and set(names) & set(op.columns)):
            return names
    return None
