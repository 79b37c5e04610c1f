"""Which steps of a fixed migration run in which migration, and in which transaction."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.fixes.creations import created_by
from migsafe.fixes.shapes import mentioned_names
from migsafe.fixes.steps import Control, Piece, Step
from migsafe.sql.operations import (
    AddColumn,
    AddConstraint,
    Broken,
    Call,
    Comment,
    ConstraintKind,
    Copy,
    CreateIndex,
    Delete,
    Do,
    Drop,
    Insert,
    Merge,
    OpaqueCode,
    Operation,
    ResetVariable,
    Select,
    SetDefault,
    SetNotNull,
    SetVariable,
    Unparsed,
    Update,
    ValidateConstraint,
)
from migsafe.sql.statements import Statement

_BEGIN = Piece("BEGIN;", control=Control.BEGIN)
_COMMIT = Piece("COMMIT;", control=Control.COMMIT)


class Share(Struct, frozen=True):
    """The statements of one migration, and whether it runs outside a transaction."""

    pieces: tuple[Piece, ...]
    outside: bool = False


def shares(steps: Sequence[Step], *, alone: bool) -> list[Share]:
    """Returns the migrations of a runner that sends each in a transaction. `alone`: one outside a transaction can have one statement only."""
    found: list[Share] = []
    joins = False
    for step in steps_last(steps):
        apart = step.outside
        for number, piece in enumerate(step.pieces):
            if found and found[-1].outside == apart and not (apart and alone) and (number or (joins and not step.own)):
                found[-1] = Share((*found[-1].pieces, piece), apart)
            else:
                found.append(Share((piece,), apart))
        joins = not step.own
    # A setting of the transaction does nothing where the statement that it was for has left.
    return [share for share in found if not _only_sets(share)] or found


def in_block(share: Share) -> Share:
    """Returns the statements of a migration between BEGIN and COMMIT."""
    return replace(share, pieces=(_BEGIN, *share.pieces, _COMMIT))


def _only_sets(share: Share) -> bool:
    statements = _statements([Step(share.pieces)])
    return all(isinstance(op, SetVariable) and op.local for statement in statements for op in statement.operations)


def in_one_file(steps: Sequence[Step], *, begun: bool = False) -> list[Piece]:
    """Returns the statements for one file of which each is sent by itself. A block ends before a step that needs a transaction of its own, or
    none, and begins again after it. `begun`: the runner's own transaction is such a block."""
    done: list[Piece] = []
    closed, by_runner = False, begun
    for step in steps:
        control = step.pieces[0].control
        apart = step.own or step.outside
        if begun and apart and not closed:
            done += [_COMMIT]
            closed = True
        elif closed and not apart and control is not Control.COMMIT:
            done += [_BEGIN]
            closed = False
        if control is not Control.NONE:
            begun = control is Control.BEGIN
        if control is Control.COMMIT and closed:
            closed = False
        elif step.own and not step.outside and closed and len(step.pieces) > 1:
            done += [_BEGIN, *step.pieces, _COMMIT]
        else:
            done += step.pieces
    done = _without_empty_blocks([*done, *([_BEGIN] if closed and begun else [])])
    # The runner ends the last block.
    return done[:-2] if by_runner and done[-2:] == [_COMMIT, _BEGIN] else done


def _without_empty_blocks(pieces: Sequence[Piece]) -> list[Piece]:
    done: list[Piece] = []
    for piece in pieces:
        if done and piece.control is Control.COMMIT and done[-1].control is Control.BEGIN and not piece.lead.strip():
            done.pop()
        else:
            done.append(piece)
    return done


def steps_last(steps: Sequence[Step]) -> list[Step]:
    """Returns the steps with those of fixes at the end on which no later statement depends, so that fewer migrations are needed."""
    stays: list[Step] = []
    moves: list[Step] = []
    for step in reversed(steps):
        moves_on = (step.own or step.outside) and not _depend_on(stays, step)
        (moves if moves_on else stays).append(step)
    return stays[::-1] + _validations_together(moves[::-1])


def _validations_together(steps: Sequence[Step]) -> list[Step]:
    """Returns steps in which neighbours that only validate constraints are one: they block neither reads nor writes."""
    done: list[Step] = []
    for step in steps:
        if done and _only_validates(step) and _only_validates(done[-1]):
            done[-1] = replace(done[-1], pieces=(*done[-1].pieces, *step.pieces))
        else:
            done.append(step)
    return done


def _only_validates(step: Step) -> bool:
    return all("validate constraint" in piece.text.lower() for piece in step.pieces)


def _depend_on(later: Sequence[Step], step: Step) -> bool:
    """Whether later statements need what a step does, change what it needs, or may do so."""
    own = list(_statements([step]))
    names = {name for statement in own for name in mentioned_names(statement)}
    operations = [op for statement in own for op in statement.operations]
    if any(isinstance(op, CreateIndex) for op in operations) and any(_drops_index(op) for each in _statements(later) for op in each.operations):
        return True  # queries need the index until the step has built another one
    dropped = {name.name for op in operations if isinstance(op, Drop) for name in op.names}
    if any(creation.name.name in dropped for each in _statements(later) for creation in created_by(each.operations)):
        return True  # what has the name would be dropped afterwards
    needs_nothing = _ADDS if any(_is_unique(op) or isinstance(op, _CHANGES_ROWS) for op in operations) else (*_ADDS, *_WRITES)
    return any(
        isinstance(op, OpaqueCode | Unparsed | Broken)
        or (not mentioned_names(statement).isdisjoint(names) and not _is_independent(op, needs_nothing, operations))
        for statement in _statements(later)
        for op in statement.operations
    )


def _drops_index(op: Operation) -> bool:
    return isinstance(op, Drop) and op.kind == "index"


_ADDS = (AddColumn, SetDefault, CreateIndex)
"""Operations after which a table has all that a step needs, and which need nothing that a step makes."""

_WRITES = (AddConstraint, Insert, Update, Delete, Select)
"""The same, unless the step makes something unique, to which ON CONFLICT or a foreign key may refer, or changes rows, which they may read."""

_CHANGES_ROWS = (Insert, Update, Delete, Merge, Copy, Do, Call)

_KEEPS_NAMES = (ValidateConstraint, CreateIndex, AddConstraint, SetNotNull, Update, Delete, SetVariable, ResetVariable)
"""Operations that neither rename nor drop what a comment is about."""


def _is_independent(op: Operation, needs_nothing: tuple[type[Operation], ...], operations: Sequence[Operation]) -> bool:
    """Whether an operation may precede those of a step. A key may need its columns to be NOT NULL, and a comment what the step makes."""
    if isinstance(op, Comment):
        made = {creation.name.name for creation in created_by(operations)}
        return op.name is not None and op.name.name not in made and all(isinstance(each, _KEEPS_NAMES) for each in operations)
    return isinstance(op, needs_nothing) and not (isinstance(op, AddConstraint) and _is_unique(op))


def _is_unique(op: Operation) -> bool:
    return (isinstance(op, CreateIndex) and op.unique) or (
        isinstance(op, AddConstraint) and op.constraint.kind in (ConstraintKind.UNIQUE, ConstraintKind.PRIMARY_KEY)
    )


def _statements(steps: Sequence[Step]) -> Iterator[Statement]:
    for step in steps:
        for piece in step.pieces:
            yield from piece.statements
