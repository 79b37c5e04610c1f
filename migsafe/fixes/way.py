"""The safe way of a finding as steps.

A safe way is SQL, with comments that say where it goes. People read it as the help of a finding, and `lint --fix` follows it. Of its comments
these, at the beginning of a line, are instructions:

- `-- next migration` begins the next migration.
- `-- outside a transaction, too:`, and a line with `in a migration that runs outside a transaction:`, begin a migration that runs outside of
  one.
- `-- when …:`, `-- deploy a release …` and `-- then deploy …` begin a migration that needs a deployment before it.
- `-- before this statement…`, `-- after this statement…` and `-- at the end of the migration…`: the flagged statement stays, and what
  follows is added there.
- `-- then the statement as it is:`: the flagged statement stays after what precedes.
- `-- in place of all of them:`: the statements replace all those that the finding names.
- `-- next migration from this statement on`: the flagged statement and those after it become the next migration, unchanged. Where the file
  itself opens the transaction, a COMMIT and a BEGIN before the statement do the same.
- `-- without this statement`: the flagged statement is removed.
- `-- in place of this comment:` in the first line: the finding is about a comment, in whose place the next line stands, or nothing.

Other comments in lines of their own are for people. A safe way that leaves something to fill in or to choose (`…`, `replace …`, `-- or …`)
cannot be applied as a fix, nor can one that suppresses a finding, except after another deployment.
"""

from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from migsafe.linting.finding import leaves_decision
from migsafe.patterns import lazy_pattern
from migsafe.sql.split import RawStatement, split


class Place(Enum):
    """Where a part of a safe way goes."""

    INSTEAD = "instead"
    """In place of the flagged statement."""
    BEFORE = "before"
    AFTER = "after"
    END = "end"
    """After the last statement of the migration, in its transaction."""


class Part(Struct, frozen=True):
    """SQL that belongs into one migration.

    `statements` are its statements, each with a semicolon and the comments behind it. It may have to run `outside` a transaction. `after` is
    what must be deployed before it, as the end of a sentence; empty if nothing must. A part that is not `joined` begins a migration.
    """

    statements: tuple[str, ...] = ()
    outside: bool = False
    after: str = ""
    joined: bool = False


class Way(Struct, frozen=True):
    """A safe way: its parts in order, for each place. If it has none for INSTEAD, the flagged statement stays. `for_all`: it replaces all of
    the statements that the finding names. `splits`: a new migration begins with the flagged statement, and nothing else changes.
    `removes`: the flagged statement is removed. `comment` stands in place of a flagged comment, which is removed if it is empty; None if the
    finding is about a statement."""

    before: tuple[Part, ...] = ()
    instead: tuple[Part, ...] = ()
    after: tuple[Part, ...] = ()
    end: tuple[Part, ...] = ()
    for_all: bool = False
    splits: bool = False
    removes: bool = False
    comment: str | None = None

    @property
    def statements(self) -> tuple[str, ...]:
        """All its statements, in order."""
        return tuple(text for part in (*self.before, *self.instead, *self.after, *self.end) for text in part.statements)


_SPLIT = lazy_pattern(r"next migration from this statement on\b")
_WITHOUT = lazy_pattern(r"without this statement\b")
_NEXT = lazy_pattern(r"next migration\b")
_OUTSIDE = lazy_pattern(r"(?:.*, )?in a migration that runs outside a transaction: |outside a transaction, too:")
_DEPLOYMENT = lazy_pattern(r"(when .*):$|(deploy a release .*?)(?:, then.*)?:?$|then (deploy .*?):?$")
_BEFORE = lazy_pattern(r"(?:or )?before (?:this statement|the first statement)")
_AFTER = lazy_pattern(r"after this statement|after COMMIT")
_END = lazy_pattern(r"at the end of the migration")
_KEEPS = lazy_pattern(r"then the statement as it is:")
_FOR_ALL = lazy_pattern(r"in place of all of them:")
_COMMENT = "-- in place of this comment:\n"
_SUPPRESSION = lazy_pattern(r"migsafe: ignore\[")


def read_way(text: str) -> Way | None:
    """Returns the steps of a safe way; None if it has none, or leaves a decision to the author."""
    if text.startswith(_COMMENT):
        return Way(comment=text.removeprefix(_COMMENT))
    if leaves_decision(text):
        return None
    reader = _Reader()
    for line in text.splitlines():
        reader.read(line)
    return reader.way()


class _Reader:
    """Reads a safe way line by line."""

    def __init__(self) -> None:
        self.parts: dict[Place, list[Part]] = {place: [] for place in Place}
        self.place = Place.INSTEAD
        self.part = Part(joined=True)
        self.lines: list[str] = []
        self.for_all = False
        self.splits = False
        self.removes = False
        self.suppresses = False

    def read(self, line: str) -> None:
        if not line.startswith("--") or (any(self.lines) and not _is_complete(self.lines)):
            self.lines.append(line)
            return
        comment = line.removeprefix("--").strip()
        deployment = _DEPLOYMENT.match(comment)
        if _SUPPRESSION.match(comment):
            self.suppresses |= not self.part.after
            self.lines.append(line)
        elif _SPLIT.match(comment):
            self.splits = True
        elif _WITHOUT.match(comment):
            self.removes = True
        elif _NEXT.match(comment):
            self._begin(Part())
        elif _OUTSIDE.match(comment):
            # “next migration” may stand before it.
            self._begin(replace(self.part, outside=True) if not any(self.lines) else Part(outside=True))
        elif deployment is not None:
            self._begin(Part(after=next(filter(None, deployment.groups()))))
        elif _BEFORE.match(comment):
            self._go_to(Place.BEFORE)
        elif _AFTER.match(comment):
            self._go_to(Place.AFTER)
        elif _END.match(comment):
            self._go_to(Place.END)
        elif _KEEPS.match(comment):
            self._end_part()
            self.parts[Place.BEFORE] += self.parts[Place.INSTEAD]
            self.parts[Place.INSTEAD] = []
            self._go_to(Place.END)
        elif _FOR_ALL.match(comment):
            self.for_all = True

    def _begin(self, part: Part) -> None:
        self._end_part()
        self.part = part

    def _go_to(self, place: Place) -> None:
        self._end_part()
        self.place, self.part = place, Part(joined=True)

    def _end_part(self) -> None:
        statements = _statements("\n".join(self.lines))
        self.lines = []
        if statements:
            self.parts[self.place].append(replace(self.part, statements=statements))
        self.part = Part()

    def way(self) -> Way | None:
        self._end_part()
        found = Way(
            tuple(self.parts[Place.BEFORE]),
            tuple(self.parts[Place.INSTEAD]),
            tuple(self.parts[Place.AFTER]),
            tuple(self.parts[Place.END]),
            self.for_all,
            self.splits,
            self.removes,
        )
        return found if (found.statements or found.splits or found.removes) and not self.suppresses else None


def _is_complete(lines: list[str]) -> bool:
    """Whether the last statement of the lines has ended, so that a comment after them is not inside of it."""
    text = "\n".join(lines).rstrip()
    last = [raw for raw in split(text) if isinstance(raw, RawStatement)]
    return not last or text[last[-1].span.end :].lstrip().startswith(";")


def _statements(text: str) -> tuple[str, ...]:
    """Returns the statements of a text, each with its semicolon, the comment behind it on its last line, and the suppressions before it."""
    found, before = [], 0
    for raw in split(text):
        end = text.find(";", raw.span.end) + 1 or len(text)
        line_end = text.find("\n", end)
        rest = text[end : line_end if line_end >= 0 else len(text)]
        comment = rest if rest.lstrip().startswith("--") else ""
        above = [f"{own}\n" for own in text[before : raw.span.start].splitlines() if own.startswith("-- migsafe: ignore[")]
        found.append(f"{''.join(above)}{text[raw.span.start : raw.span.end]};{comment}")
        before = end
    return tuple(found)
