"""A migration's SQL as steps: its statements with the text around them, and the statements that fixes put in their place."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from migsafe.fixes.edits import ChosenFix, LaterStep, NotFixed
from migsafe.fixes.shapes import shape
from migsafe.fixes.way import Part
from migsafe.fixes.wording import in_own_case, in_own_words
from migsafe.linting.finding import Finding
from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import AlterRelation, Begin, Commit, Operation, PsqlCommand, SessionControl, SetVariable
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

_TERMINATOR = lazy_pattern(r"\s*;(?:[ \t]*--(?!>)[^\r\n]*)?(?:\s*-- \+(?:goose|migrate) StatementEnd[^\r\n]*)?")
"""The end of a statement, with a comment behind it and the directive of a runner that ends a block of statements."""

_ABOVE = lazy_pattern(r"(|.*?\n)((?:[ \t]*--[^\n]*\n)*[ \t]*)", re.DOTALL)
"""The text before a statement, divided before the comments directly above it, which stay there: they may be suppressions, or directives."""

_COMMENT_BEHIND = lazy_pattern(r"\s*;[ \t]*(--(?!>)[^\r\n]*)")

_DIRECTIVES = lazy_pattern(
    r".*^[ \t]*--[ \t]*(?:migrate:up|\+goose[ \t]+(?:up|no transaction)|\+migrate[ \t]+up|atlas:|no-transaction|transactional[ \t]*:"
    r"|depends[ \t]*:|liquibase|changeset|preconditions|validCheckSum"
    r"|migsafe:[ \t]*ignore-file)[^\n]*\n",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
"""The directives at the top of a migration, which stay in its file."""


_NOT_COMPARED = ("if_exists",)
"""A DROP CONSTRAINT of a fix is the one of the statement, with or without IF EXISTS."""


class Control(Enum):
    """What a statement does to the transaction of its script."""

    NONE = ""
    BEGIN = "begin"
    COMMIT = "commit"


class Piece(Struct, frozen=True):
    """One statement. `text` is its SQL with its semicolon, `lead` what stands before it: comments, empty lines, the end of the line before.
    `statement` is the original one, None for a statement of a fix."""

    text: str
    lead: str = "\n"
    control: Control = Control.NONE
    statement: Statement | None = None

    @property
    def statements(self) -> list[Statement]:
        """The statement as operations; several if the text of a fix has them."""
        return [self.statement] if self.statement is not None else list(read(self.text))


class Step(Struct, frozen=True):
    """Statements that run together. An `own` step has a migration of its own, or at least a transaction; one that is not may join its
    neighbours. A step may have to run `outside` a transaction."""

    pieces: tuple[Piece, ...]
    outside: bool = False
    own: bool = False


class Steps(Struct, frozen=True):
    """A migration with its fixes: its steps in order, and what became of the fixes. `head` is the text before its first statement that belongs
    to the file, `tail` the text behind the last one. `removed` are the statements that fixes have removed."""

    head: str
    steps: tuple[Step, ...]
    tail: str
    applied: tuple[Finding, ...]
    refused: tuple[NotFixed, ...]
    later: tuple[LaterStep, ...]
    removed: tuple[Statement, ...] = ()


def fixed_steps(text: str, region: Span, statements: Sequence[Statement], chosen: Sequence[ChosenFix]) -> Steps:
    """Returns the steps of a region of a script after fixes. Of several fixes for one statement only the first is applied, and those that
    replace other actions of the same ALTER TABLE."""
    by_statement: dict[int, list[ChosenFix]] = {}
    for fix in chosen:
        by_statement.setdefault(fix.statement.index, []).append(fix)
    directives = _DIRECTIVES.match(text, region.start, statements[0].span.start)
    first = directives.end() if directives is not None else region.start
    pieces, edge = [], first
    for statement in statements:
        end = end_of(text, statement.span.end, region.end)
        own = text[statement.span.start : end]
        own = own if end > statement.span.end or isinstance(statement.operations[0], PsqlCommand) else f"{own};"
        pieces.append(Piece(own, text[edge : statement.span.start], control_of(statement), statement))
        edge = end
    return _Fixing(text, pieces, by_statement).result(text[region.start : first], text[edge : region.end])


def end_of(text: str, end: int, region_end: int) -> int:
    """Returns where a statement ends, with its semicolon and a comment behind that on its line."""
    match = _TERMINATOR.match(text, end, region_end)
    return match.end() if match is not None else end


def control_of(statement: Statement) -> Control:
    """Returns what a statement does to the transaction of its script."""
    first = statement.operations[0]
    return Control.BEGIN if isinstance(first, Begin) else Control.COMMIT if isinstance(first, Commit) else Control.NONE


def normal(sql: str) -> str:
    """Returns SQL with which equal statements can be found: without comments, in one line, without its semicolon."""
    return " ".join(re.sub(r"--[^\n]*", " ", sql).split()).rstrip("; ")


class _NewAction(Struct, frozen=True):
    """The `text` that a fix puts in place of one action of an ALTER TABLE, which is at `span`, and the other actions that it `moves` to a later
    statement."""

    fix: ChosenFix
    span: Span
    text: str
    moves: tuple[Span, ...] = ()


class _Fixing:
    """Puts the statements of fixes into the pieces of a migration."""

    def __init__(self, text: str, pieces: Sequence[Piece], fixes: Mapping[int, Sequence[ChosenFix]]) -> None:
        self.text = text
        self.pieces = pieces
        self.fixes = fixes
        self.applied: list[Finding] = []
        self.refused: list[NotFixed] = []
        self.later: list[LaterStep] = []
        self.at_end: list[Step] = []
        self.moved: set[str] = set()
        self.removed: set[int] = set()
        self.omitted: list[Statement] = []
        self.split_at: int | None = None

    def result(self, head: str, tail: str) -> Steps:
        done = [(piece, self._fixed(piece)) for piece in self.pieces]
        if self.split_at is not None:
            return Steps(head, tuple(self._divided(self.split_at)), tail, tuple(self.applied), (), ())
        steps = [step for piece, steps in done if steps is not None or not self._is_moved(piece) for step in steps or [Step((piece,))]]
        steps += self.at_end
        return Steps(head, tuple(steps), tail, tuple(self.applied), tuple(self.refused), tuple(self.later), tuple(self.omitted))

    def _divided(self, number: int) -> list[Step]:
        """Returns the statements as they are, with a new transaction or migration that begins at one of them."""
        before, after = self.pieces[:number], self.pieces[number:]
        controls = [piece.control for piece in before if piece.control is not Control.NONE]
        first = [Step((piece,)) for piece in before]
        if controls and controls[-1] is Control.BEGIN:
            between = Piece("COMMIT;", control=Control.COMMIT), Piece("BEGIN;", control=Control.BEGIN), *_settings(before, only_local=True)
            return [*first, *(Step((piece,)) for piece in (*between, *after))]
        return [*first, Step((*_settings(before, only_local=False), *after), own=True)]

    def _splits(self, piece: Piece, fix: ChosenFix) -> bool:
        """Whether a fix divides the migration, which must be the only one of its round: it concerns all the statements after it."""
        if fix.way.splits and self.split_at is None and all(other.way.splits for other, *_ in self.fixes.values()):
            self.split_at = self.pieces.index(piece)
            self.applied.append(fix.finding)
        return fix.way.splits

    def _is_moved(self, piece: Piece) -> bool:
        """Whether a fix contains the statement elsewhere."""
        assert piece.statement is not None
        return piece.statement.index in self.removed or normal(piece.text) in self.moved

    def _fixed(self, piece: Piece) -> list[Step] | None:
        """Returns the steps in place of a statement; None if it has no fix, or it cannot be applied."""
        assert piece.statement is not None
        fix, *others = self.fixes.get(piece.statement.index, (None,))
        if fix is None or self._splits(piece, fix):
            return None
        reason = self._refusal(piece, fix)
        if fix.way.removes and not reason:
            self.removed.add(piece.statement.index)
            self.omitted.append(piece.statement)
            self.applied.append(fix.finding)
            return None
        action = self._new_action(fix) if not reason else None
        inline = [action, *self._other_new_actions(piece, action, others)] if action is not None else None
        before, after = self._other_actions(fix) if not reason and fix.way.instead and inline is None else ("", "")
        if reason or before is None or after is None:
            self.refused.append(NotFixed(fix.finding, reason or "the statement does something else as well"))
            return None
        way = fix.way
        self.applied += [each.finding for each in (fix, *(own.fix for own in inline or () if own.fix is not fix))]
        applied = (way, *(each.fix.way for each in inline or ()))
        self.moved |= {normal(text) for each in applied for text in each.statements if not _is_setting(text)}
        piece = replace(piece, lead=self._lead_without_others(piece, fix))
        self.at_end += _steps(way.end, piece, _in_case_of)
        steps = _steps(way.before, piece, _in_case_of)
        number = len(steps)
        if inline is not None:
            steps.append(Step((Piece(self._with_actions(fix.statement, inline)),)))
            steps += [step for each in inline for step in _steps(self._now(each.fix.way.instead[1:]), piece, _in_case_of)]
            steps += [step for each in inline[1:] for step in _steps(self._now(each.fix.way.after), piece, _in_case_of)]
        elif way.instead:
            steps += [Step((Piece(before),))] if before else []
            steps += _steps(self._now(way.instead), piece, _in_words_of)
            steps += [Step((Piece(after),))] if after else []
        else:
            steps.append(Step((piece,)))
        steps += _steps(self._now(way.after), piece, _in_case_of)
        if not number:
            steps[0] = _with_lead(steps[0], piece.lead)
        else:
            above = _ABOVE.fullmatch(piece.lead)
            lead, own = above.groups() if above is not None else (piece.lead, "")
            gap = "\n\n" if own.strip() else "\n"  # the comments are about the statement
            steps[0], steps[number] = _with_lead(steps[0], lead), _with_lead(steps[number], gap + own)
        return _with_comment(steps, number, piece) if way.instead else steps

    def _now(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Returns the parts of this deployment, and notes the others."""
        number = next((number for number, part in enumerate(parts) if part.after), len(parts))
        self.later += [LaterStep("\n".join(part.statements), part.after or parts[number].after) for part in parts[number:]]
        return parts[:number]

    def _lead_without_others(self, piece: Piece, fix: ChosenFix) -> str:
        """Notes the statements that the fix replaces along with its own, and returns what stands before that, with the comments above them."""
        lead = piece.lead
        for other in self.pieces if fix.way.for_all else ():
            assert other.statement is not None
            index, span = other.statement.index, other.statement.span
            if index == fix.statement.index or not any(span.start <= place.start < span.end for place in fix.finding.replaces):
                continue
            self.removed.add(index)
            if "--" in other.lead or "/*" in other.lead:
                is_before = index < fix.statement.index
                lead = other.lead.rstrip() + (lead or "\n") if is_before else f"{lead}{other.lead.strip()}\n"
        return lead

    def _refusal(self, piece: Piece, fix: ChosenFix) -> str:
        """Returns why a fix cannot be applied at its statement; empty if it can."""
        first = (*fix.way.before, *fix.way.instead, *fix.way.after)[:1]
        if first and first[0].after:
            return f"it needs a deployment first: {first[0].after}"
        if fix.finding.in_body:
            return "the statement is inside a DO block"
        if fix.way.removes and not self._has_others(piece):
            return "the migration would be empty"
        if piece.control is not Control.NONE and fix.way.instead:
            return "it is about the transaction itself"
        return ""

    def _has_others(self, piece: Piece) -> bool:
        """Whether the migration does something beside a statement: settings and the ends of transactions are for others."""
        others = (each.statement for each in self.pieces if each is not piece and each.statement is not None)
        left = (op for statement in others if statement.index not in self.removed for op in statement.operations)
        return any(not isinstance(op, SessionControl) for op in left)

    def _new_action(self, fix: ChosenFix) -> _NewAction | None:
        """Returns the actions that replace one action of an ALTER TABLE; None if the fix is another kind of statement."""
        first, statement = fix.way.instead[:1], fix.statement
        if not first or first[0].outside or not first[0].joined or len(first[0].statements) != 1 or fix.way.for_all:
            return None
        own = [op for op in statement.operations if isinstance(op, AlterRelation)]
        replaced = next((op for op in own if op.span == fix.finding.span), None)
        text = first[0].statements[0]
        new = [op for each in read(text) for op in each.operations if isinstance(op, AlterRelation)]
        if len(own) < 2 or replaced is None or not new or any(op.target.name != replaced.target.name for op in new):
            return None
        # The fix may repeat another action of the statement, for example DROP CONSTRAINT of the name that it uses again.
        others = [shape(op, _NOT_COMPARED) for op in own if op is not replaced]
        head, original = self.text[statement.span.start : own[0].span.start], self.text[slice(*replaced.span)]
        actions = [in_own_words(original, text[slice(*op.span)], head) for op in new if shape(op, _NOT_COMPARED) not in others]
        # Each has a line of its own if the replaced one begins its line.
        line = self.text[self.text.rfind("\n", 0, replaced.span.start) + 1 : replaced.span.start]
        own_lines = not line.strip() and "\n" in self.text[statement.span.start : replaced.span.start]
        moves = tuple(op.span for op in own if op is not replaced and shape(op) in self._actions_after(fix, 1))
        return _NewAction(fix, replaced.span, (f",\n{line}" if own_lines else ", ").join(actions), moves)

    @staticmethod
    def _actions_after(fix: ChosenFix, number: int) -> list[object]:
        """Returns what the actions do that a fix has in its statements after a number of them."""
        statements = [text for part in fix.way.instead for text in part.statements]
        return [shape(op) for text in statements[number:] for each in read(text) for op in each.operations if isinstance(op, AlterRelation)]

    def _other_new_actions(self, piece: Piece, first: _NewAction, fixes: Sequence[ChosenFix]) -> Iterator[_NewAction]:
        """Yields what other fixes put in place of other actions of the same statement, if they do nothing before them."""
        replaced = {first.span}
        for fix in fixes:
            way = fix.way
            if self._refusal(piece, fix) or way.before or way.end or way.removes:
                continue
            action = self._new_action(fix)
            if action is not None and action.span not in replaced:
                replaced.add(action.span)
                yield action

    def _with_actions(self, statement: Statement, actions: Sequence[_NewAction]) -> str:
        """Returns a statement with new actions in place of some of its own, without those that later statements have."""
        new = {action.span: action.text for action in actions}
        moved = {span for action in actions for span in action.moves}
        own = [op.span for op in statement.operations if isinstance(op, AlterRelation)]
        done, end = self.text[statement.span.start : own[0].start], 0
        for number, span in enumerate(own):
            if span in moved:
                continue
            done += (self.text[own[number - 1].end : span.start] if end else "") + new.get(span, self.text[slice(*span)])
            end = span.end
        return f"{done}{self.text[own[-1].end : statement.span.end]};"

    def _other_actions(self, fix: ChosenFix) -> tuple[str, str] | tuple[None, None]:
        """Returns the other actions of the statement, those before and those after the one that the fix replaces, as statements; None if it
        cannot be divided."""
        statement = fix.statement
        actions = [op for op in statement.operations if isinstance(op, AlterRelation)]
        if len(actions) < 2 or fix.way.for_all:
            return "", ""
        number = next((number for number, op in enumerate(actions) if op.span == fix.finding.span), None)
        if number is None:
            return None, None
        head, later = self.text[statement.span.start : actions[0].span.start], self._actions_after(fix, 0)
        before, after = ([op for op in some if shape(op) not in later] for some in (actions[:number], actions[number + 1 :]))
        return self._actions(head, before), self._actions(head, after)

    def _actions(self, head: str, actions: Sequence[Operation]) -> str:
        return f"{head}{', '.join(self.text[slice(*op.span)] for op in actions)};" if actions else ""


def _with_lead(step: Step, lead: str) -> Step:
    first, *others = step.pieces
    return replace(step, pieces=(replace(first, lead=lead), *others))


def _with_comment(steps: Sequence[Step], number: int, piece: Piece) -> list[Step]:
    """Returns steps in which the comment behind a replaced statement is behind the first statement of the step with a number."""
    assert piece.statement is not None
    behind = _COMMENT_BEHIND.match(piece.text, piece.statement.span.end - piece.statement.span.start)
    first, *others = steps[number].pieces
    if behind is None or not first.text.endswith(";"):
        return list(steps)
    commented = replace(steps[number], pieces=(replace(first, text=f"{first.text} {behind[1]}"), *others))
    return [*steps[:number], commented, *steps[number + 1 :]]


def _is_setting(text: str) -> bool:
    """Whether a statement only changes the session: the same one elsewhere is for other statements."""
    return all(isinstance(op, SessionControl) for statement in read(text) for op in statement.operations)


def _settings(pieces: Sequence[Piece], *, only_local: bool) -> list[Piece]:
    """Returns the settings of a transaction, or of all of a migration, for the statements that another one gets."""
    found: list[Piece] = []
    for piece in pieces:
        if piece.control is Control.BEGIN:
            found = [each for each in found if not only_local]
        operations = piece.statement.operations if piece.statement is not None else ()
        if operations and all(isinstance(op, SetVariable) and (op.local or not only_local) for op in operations):
            found.append(Piece(piece.text))
    return found


def _steps(parts: Sequence[Part], original: Piece, written: Callable[[Piece, str], str]) -> list[Step]:
    """Returns the parts of a safe way as steps, each statement `written` as the original one."""

    def piece(text: str) -> Piece:
        return Piece(written(original, text))

    return [Step(tuple(map(piece, part.statements)), outside=part.outside, own=not part.joined) for part in parts]


def _in_case_of(piece: Piece, text: str) -> str:
    """Returns the text of one statement, with the comments around it, in the upper or lower case of the original statement of a piece."""
    return in_own_case(piece.text, text)


def _in_words_of(piece: Piece, text: str) -> str:
    """Returns the text of one statement, with the comments around it, in the words of the original statement of a piece."""
    assert piece.statement is not None
    original = piece.text[: piece.statement.span.end - piece.statement.span.start]
    span = next((statement.span for statement in read(text)), None)
    return f"{text[: span.start]}{in_own_words(original, text[slice(*span)])}{text[span.end :]}" if span is not None else text
