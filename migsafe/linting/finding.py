"""What rules report."""

from enum import IntEnum

from msgspec import Struct

from migsafe.lock import LockMode
from migsafe.text import Script, Span


class Severity(IntEnum):
    """How bad a finding is; a greater one is worse."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """`info`, `warning` or `error`."""
        return self.name.lower()


class Finding(Struct, frozen=True, kw_only=True):
    """One hazard that a rule found.

    `message` says what happens and why it lasts, `help` is the safe way: SQL to paste, its comments saying how. `span` is where the
    offending operation stands in `script`, `statement` which statement of the migration holds it, counted from 1. `relations` are the
    ones concerned, as `schema.name`; `lock` the strongest lock that the operation takes on one of them, None where locks are not the
    hazard.
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
