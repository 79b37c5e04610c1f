"""The place of a migration in its history."""

from enum import Enum
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from migsafe.sources.migration import Migration
from migsafe.text import Span


class LateHandling(Enum):
    """What a runner does with a new migration that sorts before one that a database has applied."""

    APPLIES = "applies"
    SKIPS = "skips"
    REFUSES = "refuses"
    UNKNOWN = "unknown"


class MigrationReference(NamedTuple):
    """Another migration of the same history: its version, the path of its file, and the title that the file gives it."""

    version: str
    path: str
    title: str = ""

    def __str__(self) -> str:
        return f"{self.version} “{self.title}” ({self.path})" if self.title else f"{self.version} ({self.path})"


class MissingParent(NamedTuple):
    """A parent version that no file has, and where the migration names it. `elsewhere` says why it may be in a folder that is not known here,
    as a sentence without its full stop; empty if it does not exist."""

    version: str
    span: Span
    elsewhere: str = ""


class LatePlace(Struct, frozen=True, kw_only=True):
    """A new migration that sorts before one that stands at a revision of git.

    `later` is that one. `handling` says what the runner does with the new one. `reason` is how they are related: by the order of versions, by
    the `same` version, by `inserted` parents (the later one depends on the new one), or by a `branch` (both have the same parent).
    """

    revision: str
    later: MigrationReference
    handling: LateHandling
    runner: str
    reason: Literal["order", "same", "inserted", "branch"] = "order"
    parent: str = ""


class MergedState(Struct, frozen=True, kw_only=True):
    """What a file contains at a revision of git.

    `before` are its migrations then, or those that it replaces. `renamed_from` is its path then, if the runner takes it for another migration
    now. `gone` are the migrations of the history that no longer exist, in the order in which they ran. `lost` are those of the file itself,
    which has others still; `first` is the version of the first one that it has. `refuses`: the runner does not run then. `runs_again`: it
    applies a renamed one a second time. `runner` is its title, empty if it is not known.
    """

    revision: str
    runner: str
    before: tuple[Migration, ...] = ()
    renamed_from: str = ""
    gone: tuple[MigrationReference, ...] = ()
    lost: tuple[MigrationReference, ...] = ()
    first: str = ""
    refuses: bool = False
    runs_again: bool = False


class Lineage(Struct, frozen=True, kw_only=True):
    """What is wrong with a migration's place in its history, and where its file declares that place.

    `duplicate` is a migration with the same version. `other_heads` are the other heads of a history that should have one. `cycle` are the
    versions of a cycle of parents; it begins and ends with the migration's own. `irreversible_reason` says, as a sentence without its full
    stop, why the migration cannot be undone although its runner can undo migrations, and what follows; `downgrade_fails`: its runner reports an
    error then; `without_downgrades`: the migrations just before it cannot be undone either. `version_span`, `parents_span` and `downgrade_span`
    are the parts of the file that declare its version, its parents and its downgrade; None where a file has no such part. `version_too_long`:
    the table in which the runner records versions refuses this one. `without_up`: only a down file has the version, and the runner takes it for
    a migration without SQL.

    With a revision of git to compare with: `late` says that it is new and comes too late, `merged` what its file contained then, and `edited`
    is the first place in the file with other SQL, `unchanged` where the statements begin that it sent then, too.
    """

    duplicate: MigrationReference | None = None
    other_heads: tuple[MigrationReference, ...] = ()
    missing_parents: tuple[MissingParent, ...] = ()
    cycle: tuple[str, ...] = ()
    irreversible_reason: str = ""
    downgrade_fails: bool = False
    without_downgrades: bool = False
    version_span: Span | None = None
    parents_span: Span | None = None
    downgrade_span: Span | None = None
    version_too_long: bool = False
    without_up: bool = False
    late: LatePlace | None = None
    merged: MergedState | None = None
    edited: Span | None = None
    unchanged: frozenset[int] = frozenset()

    def with_places_of(self, other: "Lineage") -> "Lineage":
        """Returns the lineage with the places in the file that another one has."""
        return replace(self, version_span=other.version_span, parents_span=other.parents_span, downgrade_span=other.downgrade_span)
