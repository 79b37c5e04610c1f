"""Timeouts that a script sets, wherever they stand: as SQL, or in the calls of an Alembic script."""

from msgspec import Struct

TIMEOUTS = ("lock_timeout", "statement_timeout")
"""The settings that fixes set and reset."""


class Timeout(Struct, frozen=True):
    """A statement that sets a timeout, for the transaction if it is `local`, or resets it: then `value` is empty."""

    name: str
    value: str
    local: bool

    def is_replaced_by(self, following: "Timeout | None") -> bool:
        """Whether the next statement sets the same timeout, so that this one has no effect."""
        return following is not None and following.name == self.name and (self.local or not following.local)
