"""Findings and their severities."""

from enum import IntEnum

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.text import Script, Span


class Severity(IntEnum):
    """How severe a finding is; a greater value is worse."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """`info`, `warning` or `error`."""
        return self.name.lower()


class Finding(Struct, frozen=True, kw_only=True):
    """One hazard that a rule found.

    `message` says what happens and why it lasts. `help` is the safe way: SQL to paste, with instructions in its comments. `span` is the place
    of the operation in `script`, `statement` the number of its statement in the migration, counted from 1. `relations` are the affected ones,
    as `schema.name`; `lock` is the strongest lock that the operation takes on one of them, None if locks are not the hazard.
    """

    rule: str
    category: str
    severity: Severity
    message: str
    help: str
    script: Script
    span: Span
    migration: str
    statement: int
    relations: tuple[str, ...] = ()
    lock: LockMode | None = None
