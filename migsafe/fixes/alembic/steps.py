"""The steps of a fix in an Alembic script: at the place of the statement, at the end of the revision, in new revisions."""

from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from migsafe.fixes.edits import ChosenFix, LaterStep
from migsafe.fixes.way import Part, Place
from migsafe.rendering.op_calls import runs_outside
from migsafe.schema.catalog import Catalog
from migsafe.sql import operations as sql
from migsafe.sql.statements import Statement, read
from migsafe.text import MARK_START


class Refused(Exception):
    """A fix that cannot be applied; the text is the reason, as the end of a sentence."""


class Step(Struct, frozen=True):
    """A statement of a fix, without its semicolon. It may have to run `outside` a transaction. `kept`: it is the flagged statement itself, and
    stays where it is. `unchanged`: it is that statement, in another block."""

    text: str
    statement: Statement
    outside: bool = False
    kept: bool = False
    unchanged: bool = False


class Steps(Struct, frozen=True):
    """The steps of a fix: `here` in place of the flagged statement and next to it, at the `end` of the revision, in the `next` revisions, and
    after a `later` deployment."""

    here: tuple[Step, ...]
    end: tuple[Step, ...] = ()
    next: tuple[tuple[Step, ...], ...] = ()
    later: tuple[LaterStep, ...] = ()

    @property
    def moved(self) -> list[Step]:
        """The steps that other revisions have."""
        return [step for steps in self.next for step in steps]


class _Numbered(Struct, frozen=True):
    """A step with the number of its revision, counted from the edited one, and what must be deployed before it."""

    revision: int
    step: Step
    after: str
    at_end: bool


def steps_of(fix: ChosenFix, text: str, catalog: Catalog) -> Steps:
    """Returns the steps of a fix of a statement in the SQL `text` of a revision. Raises Refused."""
    if fix.way.removes:
        return Steps(())
    numbered = list(_number(fix, text, catalog))
    if numbered[0].after or (numbered[0].revision and not numbered[0].at_end):
        raise Refused("it needs a deployment of its own, before which the statement must not run")
    done = [each for each in numbered if not each.after]
    later: dict[str, list[str]] = {}
    for each in numbered:
        if each.after:
            later.setdefault(each.after, []).append(f"{each.step.text};")
    here = [each for each in done if not each.revision]
    ending = [each.step for each in here if each.at_end]
    # A build that fails would leave the rest of the revision committed, and the next run would begin with that.
    builds = tuple(step for step in ending if step.outside and isinstance(step.statement.operations[0], sql.CreateIndex))
    following = groupby((each for each in done if each.revision), key=lambda each: each.revision)
    revisions = [tuple(each.step for each in group) for _, group in following]
    if builds:
        revisions[:1] = [(*(revisions[0] if revisions else ()), *builds)]
    return Steps(
        tuple(each.step for each in here if not each.at_end),
        tuple(step for step in ending if step not in builds),
        tuple(revisions),
        tuple(LaterStep("\n".join(statements), after) for after, statements in later.items()),
    )


def _number(fix: ChosenFix, text: str, catalog: Catalog) -> Iterator[_Numbered]:
    way = fix.way
    flagged = replace(read_step(text[slice(*fix.statement.span)], catalog), kept=all(part.joined for part in way.before))
    if way.splits:
        if MARK_START in flagged.text:
            raise Refused("a part of the statement is not known")
        # An autocommit block commits what is before it, and a new transaction begins after it.
        yield _Numbered(0, replace(flagged, outside=True, kept=False, unchanged=True), "", at_end=False)
        return
    revision, after = 0, ""
    places = {Place.BEFORE: way.before, Place.INSTEAD: way.instead, Place.AFTER: way.after, Place.END: way.end}
    for place, parts in places.items():
        if place is Place.INSTEAD and not parts:
            yield _Numbered(revision, flagged, after, at_end=False)
        for part in parts:
            if not part.joined:
                revision += 1
                # What follows a deployment must not run before it.
                after = part.after or after
            for step in _read(part, catalog):
                yield _Numbered(revision, step, after, at_end=place is Place.END)


def _read(part: Part, catalog: Catalog) -> Iterator[Step]:
    for text in part.statements:
        for statement in read(text):
            if any(isinstance(operation, sql.Begin | sql.Commit | sql.Rollback) for operation in statement.operations[:1]):
                raise Refused("it begins or ends a transaction, which Alembic does itself")
            if MARK_START in text:
                raise Refused("a part of the statement is not known")
            step = read_step(text[slice(*statement.span)], catalog)
            yield replace(step, outside=True) if part.outside else step


def read_step(text: str, catalog: Catalog) -> Step:
    """Returns a step that is one statement."""
    statement = next(read(text))
    return Step(text, statement, runs_outside(statement, catalog))
