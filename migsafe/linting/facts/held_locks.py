"""The locks that a transaction holds from its earlier statements."""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.sql.operations import Do, Name


def held_blocking_locks(at: Context) -> dict[Name, LockMode]:
    """Returns the locks on existing relations that the transaction held before the statement and that block reads or writes."""
    # A DO block is one statement with several operations.
    held = at.session.locks if isinstance(at.statement.operations[0], Do) else at.held
    return {name: lock for name, lock in held.items() if isinstance(name, Name) and lock.blocks and not is_created_here(at, name)}
