"""Where a migration stands in its history."""

from typing import NamedTuple

from msgspec import Struct

from migsafe.text import Span


class MigrationReference(NamedTuple):
    """Another migration of the same history: its version, the path of its file, and what it says that it is about."""

    version: str
    path: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.version} “{self.title}” ({self.path})" if self.title else f"{self.version} ({self.path})"


class MissingParent(NamedTuple):
    """A version that a migration comes after and that no file has, and where its file names it."""

    version: str
    span: Span


class Lineage(Struct, frozen=True, kw_only=True):
    """What is odd about a migration's place in its history.

    `twin` has the same version. `rivals` are the other ends of a history that should have one. `circle` are the versions that come after each
    other in a circle, beginning and ending with its own. `one_way` says why it cannot be taken back although its runner has a way for that,
    and what becomes of it, as a sentence without its full stop. `names`, `follows` and `returns` are the pieces of the file in which it says
    its version, what it comes after, and how it is taken back; None where a file has no such place.
    """

    duplicate: MigrationReference | None = None
    other_heads: tuple[MigrationReference, ...] = ()
    missing_parents: tuple[MissingParent, ...] = ()
    cycle: tuple[str, ...] = ()
    irreversible_reason: str = ""
    version_span: Span | None = None
    parents_span: Span | None = None
    downgrade_span: Span | None = None
