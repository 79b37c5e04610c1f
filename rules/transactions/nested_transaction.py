"""A BEGIN inside a transaction, or a COMMIT or ROLLBACK that ends the runner's.

PostgreSQL has no transactions inside transactions. A second BEGIN opens nothing and only warns; the first COMMIT then ends the transaction that
was opened first, and what comes after it, the runner's own note that the migration is done included, is no longer one with what came
before: when it fails, half of the migration stays. A ROLLBACK takes everything back that the migration has done, and the runner records it
as done all the same. Leave transactions to the runner that opens them; for a part that can be undone by itself there is SAVEPOINT. A COMMIT
around something that cannot run in a transaction, or cannot be used in the one that made it, is meant, and not reported where a BEGIN
opens the transaction again.

Unsafe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    BEGIN;
    ALTER TABLE orders ADD COLUMN returned boolean;
    COMMIT;

Safe:
    BEGIN;
    ALTER TABLE orders ADD COLUMN delivered boolean;
    COMMIT;
    BEGIN;
    ALTER TABLE orders ADD COLUMN returned boolean;
    COMMIT;

See: https://www.postgresql.org/docs/current/sql-begin.html#id-1.9.3.10.7
"""

from collections.abc import Iterator

from migsafe.linting.facts.transaction_block import is_runner_transaction, is_sent_by_runner, line_of, runner_title, transaction_block_around
from migsafe.linting.rule import Context, Finding, MigrationEnd, PastOperation, Severity, rule
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.sql.operations import AddEnumValue, Begin, Commit, Rollback


@rule(category="transactions", severity=Severity.WARNING)
def nested_transaction(op: Begin | Commit | Rollback | MigrationEnd, at: Context) -> Iterator[Finding]:
    """Note each BEGIN inside a transaction and each end of the runner's, and report them when the migration ends."""
    match op:
        case MigrationEnd():
            yield from _reported(at)
        case Begin() if not is_sent_by_runner(at, op):
            around = transaction_block_around(at)
            if around is not None and (around.begin is not None or is_runner_transaction(at)):
                at.notes.append((len(at.past), around.reason))
        case Commit() | Rollback() if op is at.statement.operations[0] and not is_sent_by_runner(at, op) and is_runner_transaction(at):
            at.notes.append((len(at.past), ""))


def _reported(at: Context) -> Iterator[Finding]:
    begun = {at.past[position].transaction for position, why in at.notes if why}
    for position, why in at.notes:
        done = at.past[position]
        if why:
            yield _begun(at, position, why)
        elif done.transaction not in begun:
            meant, again = _is_meant(at, position)
            if not (meant and again):
                yield _ended(at, done, meant)


def _begun(at: Context, position: int, why: str) -> Finding:
    done = at.past[position]
    end = _end(at, position)
    if end is None:
        after = "PostgreSQL only warns"
    elif isinstance(end.operation, Rollback):
        after = f"the ROLLBACK in line {line_of(at, end.operation.span)} takes back all that came before this BEGIN, too"
    else:
        after = f"the COMMIT in line {line_of(at, end.operation.span)} ends that one, and what comes after it runs outside"
    said = f"this BEGIN opens no transaction, because {why}: {after}"
    return at.finding(done, said, help="-- leave it out, and the COMMIT that belongs to it")


def _end(at: Context, position: int) -> PastOperation | None:
    """What ends the transaction in which an operation has run."""
    for done in at.past[position:]:
        if isinstance(done.operation, Commit | Rollback) and done.transaction == at.past[position].transaction:
            return done
    return None


def _ended(at: Context, done: PastOperation, meant: bool) -> Finding:
    if isinstance(done.operation, Rollback):
        return at.finding(
            done,
            f"this ROLLBACK takes back all that the migration has done so far, because {runner_title(at)} runs it in a transaction; "
            f"{runner_title(at)} records it as done all the same",
            help="-- leave it out",
        )
    if meant:
        return at.finding(
            done,
            f"this COMMIT ends the transaction in which {runner_title(at)} runs the migration, and no BEGIN opens it again: what comes after it, "
            f"{runner_title(at)}'s own note that the migration is done included, runs outside",
            help=f"-- for what cannot run in it: {at.how_to_run_outside}",
        )
    return at.finding(
        done,
        f"this COMMIT ends the transaction in which {runner_title(at)} runs the migration: if what comes after it fails, what came before stays",
        help="-- leave it out; what must be committed first goes into a migration of its own",
    )


def _is_meant(at: Context, position: int) -> tuple[bool, bool]:
    """Whether a COMMIT steps out of the runner's transaction for something that cannot be in it, and whether a BEGIN steps in again."""
    again = next((place for place, done in enumerate(at.past) if place > position and isinstance(done.operation, Begin)), None)
    number = at.past[position].transaction
    made = [done.operation for done in at.past[:again] if done.transaction == number]
    between = [done.operation for done in at.past[position + 1 : again]]
    meant = any(isinstance(one, AddEnumValue) for one in (*made, *between)) or any(
        refused_in_transaction_block(one, at.catalog) is not None for one in between
    )
    return meant, again is not None
