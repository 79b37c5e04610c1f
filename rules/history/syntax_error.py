"""A statement that violates PostgreSQL's grammar.

The migration fails there; whether earlier statements stay depends on the transaction of the runner. The other statements of the file are
still judged. The rest of a broken statement, after a semicolon in it, is not reported again: a body after `$ $` instead of `$$`, for example,
is divided at its semicolons.

Unsafe:
    CREATE TABLE orders (id bigint PRIMARY KEY, placed_at );

Safe:
    CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz);

See: https://www.postgresql.org/docs/current/sql-syntax.html
"""

from migsafe.linting.facts.function_bodies import invalid_body
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import Broken, Do


@rule(category="history", severity=Severity.ERROR, no_fix="only the author knows what the statement was meant to be")
def syntax_error(op: Broken, at: Context) -> Finding | None:
    """Report the token at which PostgreSQL would fail, and what it expects there."""
    block = at.statement.operations[0]
    if isinstance(block, Do) and invalid_body(block, at) is not None:
        return None  # invalid-function-body reports it
    if op.is_no_statement and _follows_broken_statement(at):
        return None
    return at.finding(op, f"expected {op.expected}, found {op.found}")


def _follows_broken_statement(at: Context) -> bool:
    """Whether an earlier statement of the migration is broken after its beginning, so that this one may be the rest of it."""
    return any(isinstance(done.operation, Broken) and not done.operation.is_no_statement for done in at.past)
