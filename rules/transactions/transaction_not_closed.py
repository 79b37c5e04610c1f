"""A BEGIN without a COMMIT, or a script that commits the connection of Alembic.

The migration ends inside its transaction. PostgreSQL rolls it back when the connection ends, without an error: the runner records the
migration as done, although none of its changes exist. If the runner keeps the connection, the locks remain too, and its next statements are
rolled back as well. If PostgreSQL refuses the grammar of a statement after the BEGIN, only that is reported: the migration fails there.

`op.get_bind().commit()` in an Alembic revision ends Alembic's transaction, and SQLAlchemy begins another with the next statement. Without
`transaction_per_migration`, Alembic does not commit the second transaction: it is rolled back without an error, and with it the record that
the revision is done. Leave the commit out, or use `autocommit_block()`.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;

Safe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-begin.html
"""

from collections.abc import Sequence

from migsafe.linting.facts.transaction_block import find_opening, is_sent_by_runner
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.sources import Transaction
from migsafe.sql.operations import Begin, Broken, Commit


@rule(category="transactions", severity=Severity.ERROR, fix="unsafe", unsafe_because="the statements, which were rolled back, are committed")
def transaction_not_closed(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the statement that opened the transaction that is open when the migration ends. The runner commits its own transactions."""
    if at.migration.up.commit_ends_all:
        return _committed_by_script(at)
    if at.migration.up.transaction is Transaction.FILE or not at.session.in_transaction_block:
        return None
    opened = find_opening(at)
    if opened is None or _is_broken_after(at, opened):
        return None
    command = "BEGIN" if isinstance(opened.operation, Begin) else "AND CHAIN"
    return at.finding(
        opened,
        f"no COMMIT follows this {command}: PostgreSQL rolls back everything after it when the connection ends, without an error",
        help="-- at the end of the migration:\nCOMMIT;",
    )


def _is_broken_after(at: Context, opened: PastOperation) -> bool:
    """Whether a statement of the transaction has a syntax error: it fails, and may be the COMMIT."""
    return any(isinstance(done.operation, Broken) and done.transaction == opened.transaction for done in at.past)


def _committed_by_script(at: Context) -> Finding | None:
    """Report the last commit, if it is one of Alembic's connection: SQLAlchemy begins another transaction by itself."""
    commits = (
        number for number, done in enumerate(at.past) if isinstance(done.operation, Commit) and not is_sent_by_runner(at, done.operation)
    )
    last = max(commits, default=None)
    if last is None or not _begins_another(at, at.past[last : last + 2]):
        return None
    return at.finding(
        at.past[last],
        "this commit() ends Alembic's transaction, and Alembic commits no other: what follows, and Alembic's record of the migration, are "
        "rolled back when the connection closes",
        help="-- leave it out; a statement that must run outside the transaction: `with op.get_context().autocommit_block():`",
        fix="",
    )


def _begins_another(at: Context, pair: Sequence[PastOperation]) -> bool:
    """Whether one call, which the script certainly makes, has sent a COMMIT and the BEGIN after it."""
    calls = [at.migration.up.call(done.operation.span.start) for done in pair]
    if len(calls) != 2 or not isinstance(pair[1].operation, Begin):
        return False
    commit, begin = calls
    return commit is not None and begin is not None and commit.certain and begin.by_runner and commit.file_span == begin.file_span
