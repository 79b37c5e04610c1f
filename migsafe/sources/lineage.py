"""The place of a migration in its history."""

from typing import NamedTuple

from msgspec import Struct

from migsafe.text import Span


class MigrationReference(NamedTuple):
    """Another migration of the same history: its version, the path of its file, and the title that the file gives it."""

    version: str
    path: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.version} “{self.title}” ({self.path})" if self.title else f"{self.version} ({self.path})"


class MissingParent(NamedTuple):
    """A parent version that no file has, and where the migration names it."""

    version: str
    span: Span


class Lineage(Struct, frozen=True, kw_only=True):
    """What is wrong with a migration's place in its history, and where its file declares that place.

    `duplicate` is a migration with the same version. `other_heads` are the other heads of a history that should have one. `cycle` are the
    versions of a cycle of parents; it begins and ends with the migration's own. `irreversible_reason` says, as a sentence without its full
    stop, why the migration cannot be undone although its runner can undo migrations, and what follows. `version_span`, `parents_span` and
    `downgrade_span` are the parts of the file that declare its version, its parents and its downgrade; None where a file has no such part.
    """

    duplicate: MigrationReference | None = None
    other_heads: tuple[MigrationReference, ...] = ()
    missing_parents: tuple[MissingParent, ...] = ()
    cycle: tuple[str, ...] = ()
    irreversible_reason: str = ""
    version_span: Span | None = None
    parents_span: Span | None = None
    downgrade_span: Span | None = None
