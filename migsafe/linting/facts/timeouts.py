"""The timeout that is in effect when an operation runs."""

from collections.abc import Mapping
from typing import Literal

from migsafe.linting.rule import Context
from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.sources import Transaction
from migsafe.sql.operations import Operation


def timeout_in_effect(at: Context, name: Literal["lock_timeout", "statement_timeout"]) -> int | None:
    """Returns the timeout in milliseconds, 0 without one; None if it is set to a value that is unknown, such as a placeholder."""
    settings = at.session.settings
    if settings.value(name) is None:
        return (at.limits.lock_timeout or 0) if name == "lock_timeout" else 0
    return settings.duration_ms(name)


def setting_before(at: Context, operation: Operation, name: str, value: str, *, in_block: bool) -> str:
    """Returns the fix that sets a parameter before an operation, and resets it at the end if no transaction does. Empty if the script is sent
    as one query, which a second statement makes a transaction, and the operation cannot run in one."""
    one_query = is_one_query(at)
    if one_query and refused_in_transaction_block(operation, at.catalog) is not None:
        return ""
    if in_block or one_query:
        return f"-- before this statement:\nSET LOCAL {name} = {value};"
    return f"-- before this statement:\nSET {name} = {value};\n-- at the end of the migration:\nRESET {name};"


def without_timeouts(at: Context, timeouts: Mapping[str, int]) -> str:
    """Returns the fix that switches timeouts off for the current statement, which runs outside a transaction. Empty if the script is sent as
    one query, to which no statement can be added then."""
    if is_one_query(at):
        return ""
    before = (f"SET {name} = 0;" for name in timeouts)
    after = (f"SET {name} = '{format_timeout(timeout)}';" for name, timeout in timeouts.items())
    return "\n".join(("-- before this statement:", *before, "-- after this statement:", *after))


def advice_without_timeouts(at: Context, timeouts: Mapping[str, int]) -> str:
    """Returns the safe way of a statement outside a transaction that a timeout may cancel."""
    if is_one_query(at):
        return (
            f"-- apply this migration with a connection that does not set {' or '.join(timeouts)}: in its file, a second statement would\n"
            "-- make a transaction of both"
        )
    return "\n".join(("-- before this statement:", *(f"SET {name} = 0;" for name in timeouts)))


def is_one_query(at: Context) -> bool:
    """Whether the runner sends the script as one query, which several statements make a transaction."""
    return at.migration.up.transaction is Transaction.QUERY or at.migration.up.one_query


def format_timeout(ms: int) -> str:
    """Returns a time in the form that SET accepts."""
    for size, unit in ((60_000, "min"), (1000, "s")):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"
