"""Where a migration stands in its history."""

from typing import NamedTuple

from msgspec import Struct

from migsafe.text import Span


class Other(NamedTuple):
    """Another migration of the same history: its version, and the path of its file."""

    version: str
    path: str


class Missing(NamedTuple):
    """A version that a migration comes after and that no file has, and where its file names it."""

    version: str
    place: Span


class Standing(Struct, frozen=True, kw_only=True):
    """What is odd about a migration's place in its history.

    `twin` has the same version. `rivals` are the other ends of a history that should have one. `circle` are the versions that come after each
    other in a circle, beginning and ending with its own. `one_way` says why it cannot be taken back although its runner has a way for that,
    as a sentence without its full stop. `names`, `follows` and `returns` are the pieces of the file in which it says its version, what it
    comes after, and how it is taken back; None where a file has no such place.
    """

    twin: Other | None = None
    rivals: tuple[Other, ...] = ()
    missing: tuple[Missing, ...] = ()
    circle: tuple[str, ...] = ()
    one_way: str = ""
    names: Span | None = None
    follows: Span | None = None
    returns: Span | None = None
