"""What a transaction holds from its earlier statements."""

from migsafe.linting.facts.ownership import is_created_here
from migsafe.linting.rule import Context
from migsafe.lock import LockMode
from migsafe.sql.operations import Do, Name


def held_blocking_locks(at: Context) -> dict[Name, LockMode]:
    """The locks that the transaction held before the statement, as far as they stop somebody: on relations that others can know."""
    # A DO block is one statement, with many in it.
    held = at.session.locks if isinstance(at.statement.operations[0], Do) else at.held
    return {name: lock for name, lock in held.items() if isinstance(name, Name) and lock.blocks and not is_created_here(at, name)}
