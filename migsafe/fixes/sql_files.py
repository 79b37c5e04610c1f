"""Fixes of migrations in SQL: edits of their files, and new migrations with the runner's names."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from msgspec.structs import replace

from migsafe.fixes.creations import created_by
from migsafe.fixes.division import Share, in_block, in_one_file, shares, steps_last
from migsafe.fixes.downs import Downgrade, downgrade_of, operations_of, undoing
from migsafe.fixes.edits import ChosenFix, Edits, FileChange, FixedMigration, NotFixed
from migsafe.fixes.later_uses import later_use
from migsafe.fixes.layouts import LAYOUTS, Layout, marked_once
from migsafe.fixes.lines import EMPTY_LINES, with_line_ends, without_statements
from migsafe.fixes.names import NoVersion, VersionedName, is_later, next_version, read_name, slug_for
from migsafe.fixes.session_settings import MissingSetting, with_settings
from migsafe.fixes.steps import Control, Piece, Step, Steps, control_of, end_of, fixed_steps
from migsafe.patterns import lazy_pattern
from migsafe.sources import Half, Transaction
from migsafe.sources.runner import MigrationFile
from migsafe.sql.operations import Broken, Copy, Drop, Operation, PsqlCommand
from migsafe.sql.statements import Statement, read
from migsafe.text import Span

_REPLACED = "the text of its file is not what the runner sends: templates have values, or `;;` stands for a semicolon"
_GAP = lazy_pattern(r"\n(?:[ \t]*\r?\n){2,}")
"""Several empty lines, where the statements between them have moved away."""
_NOTHING_TO_UNDO = "-- nothing to undo"


class CannotDivide(Exception):
    """The fixes need what the runner, or this migration, cannot have; the text is the reason, as the end of a sentence."""


def edit_sql(fixed: FixedMigration, chosen: Sequence[ChosenFix]) -> Edits:
    """Returns the edits that apply fixes to a migration in SQL. Each is applied if it can be; two that need different migrations may be applied
    one after the other, in two calls."""
    migration = fixed.migration
    if migration.up.script.text != fixed.file.up.text:
        return Edits(refused=tuple(NotFixed(fix.finding, _REPLACED) for fix in chosen))
    needed = {fix.finding: reason for fix in chosen if (reason := later_use(fixed, fix))}
    if needed:
        done = edit_sql(fixed, [fix for fix in chosen if fix.finding not in needed]) if len(needed) < len(chosen) else Edits()
        return replace(done, refused=(*done.refused, *(NotFixed(finding, reason) for finding, reason in needed.items())))
    editor = _Editor(fixed)
    try:
        return editor.edits(chosen)
    except (CannotDivide, NoVersion) as reason:
        if len(chosen) == 1:
            return Edits(refused=(NotFixed(chosen[0].finding, str(reason)),))
    # One of them cannot be applied: find out which.
    refused: list[NotFixed] = []
    possible: list[ChosenFix] = []
    for fix in chosen:
        try:
            editor.edits([*possible, fix])
            possible.append(fix)
        except (CannotDivide, NoVersion) as reason:
            refused.append(NotFixed(fix.finding, str(reason)))
    done = editor.edits(possible) if possible else Edits()
    return replace(done, refused=(*done.refused, *refused))


class _Editor:
    """Edits the files of one migration."""

    def __init__(self, fixed: FixedMigration) -> None:
        self.fixed = fixed
        self.half: Half = fixed.migration.up
        self.text = self.half.script.text
        self.runner = fixed.source.runner
        self.layout: Layout = LAYOUTS.get(self.runner.name, Layout(in_place=True))
        self.whole = Span(self.half.chunks[0].start, self.half.chunks[-1].end)
        self.region = self.whole
        """The text that the fixes concern: all of the migration, or what its only block contains."""
        self.block: Span | None = None
        query = self.half.transaction is Transaction.QUERY
        self.outside = query and self.runner.default_transaction is not Transaction.QUERY
        """Whether a directive, or the file's name, keeps the migration out of the runner's transaction."""
        self.renamed: tuple[tuple[str, str], ...] = ()
        self.by_statement = self.half.transaction in (Transaction.STATEMENT, Transaction.NONE)

    def edits(self, chosen: Sequence[ChosenFix]) -> Edits:
        statements = list(read(self.text, self.half.chunks))
        if any(isinstance(op, Broken) for statement in statements for op in statement.operations):
            raise CannotDivide("the migration has a syntax error")
        statements = self._in_own_block(statements, chosen)
        steps = fixed_steps(self.text, self.region, statements, chosen)
        if not steps.applied:
            return Edits(refused=steps.refused)
        try:
            divided = with_settings(self._divided(steps), alone=self.runner.one_statement_outside)
        except MissingSetting as reason:
            raise CannotDivide(str(reason)) from reason
        parts, steps = self._unblocked(divided, steps)
        self.renamed = ()
        changes = tuple(self._changes(parts, steps))
        return Edits(changes, steps.applied, steps.refused, steps.later, self.renamed)

    def _in_own_block(self, statements: list[Statement], chosen: Sequence[ChosenFix]) -> list[Statement]:
        """Returns the statements inside the only block of a migration that opens its transaction itself, where the runner opens none: each
        file that gets some of them has such a block. Returns all statements of other migrations."""
        self.region, self.block = self.whole, None
        controls = [number for number, statement in enumerate(statements) if control_of(statement) is not Control.NONE]
        last = len(statements) - 1
        is_one = controls == [0, last] and [control_of(statements[0]), control_of(statements[last])] == [Control.BEGIN, Control.COMMIT]
        on_control = any(fix.statement.index in (statements[0].index, statements[last].index) for fix in chosen)
        if not is_one or on_control or self.half.transaction is not Transaction.QUERY:
            return statements
        self.block = Span(statements[0].span.start, end_of(self.text, statements[last].span.end, self.whole.end))
        inner = end_of(self.text, statements[0].span.end, self.whole.end)
        self.region = Span(inner, end_of(self.text, statements[last - 1].span.end, self.whole.end))
        return statements[1:last]

    def _divided(self, steps: Steps) -> list[Share]:
        """Returns the statements of each migration; the first one keeps the file. Raises CannotDivide."""
        apart = any(step.own or step.outside for step in steps.steps)
        blocks = any(piece.control is not Control.NONE for step in steps.steps for piece in step.pieces)
        if apart and self._has_more_than_sql(steps):
            raise CannotDivide("the file has commands of psql, rows of COPY, or delimiters of its own")
        if self.layout.in_place:
            return [Share(tuple(in_one_file(steps_last(steps.steps), begun=not self.by_statement)))]
        if self.by_statement:
            return self._divided_by_step(steps.steps, new_files=self.runner.name == "plain" and _has_version(self.fixed))
        if not apart:
            return [Share(tuple(piece for step in steps.steps for piece in step.pieces))]
        if blocks:
            raise CannotDivide("the migration has BEGIN and COMMIT beside the transaction of its runner")
        if self.runner.name == "custom" and self.region != Span(0, len(self.text)):
            raise CannotDivide("it needs another file, whose sections only your runner knows")
        found = shares(steps.steps, alone=self.runner.one_statement_outside)
        if self.layout.none_outside and any(share.outside for share in found) and not self.outside:
            raise CannotDivide(self.layout.none_outside)
        if self.block is None or self.outside:
            return found
        return [found[0], *(part if part.outside else in_block(part) for part in found[1:])]

    def _has_more_than_sql(self, steps: Steps) -> bool:
        """Whether the text between the statements matters, so that they cannot be moved."""
        statements = (piece.statement for step in steps.steps for piece in step.pieces if piece.statement is not None)
        found = any(
            isinstance(op, PsqlCommand) or (isinstance(op, Copy) and op.endpoint == "stdin") for each in statements for op in each.operations
        )
        return found or (self.runner.name == "liquibase" and len(self.half.chunks) > 1)

    def _unblocked(self, parts: list[Share], steps: Steps) -> tuple[list[Share], Steps]:
        """Returns the statements of divided migrations in blocks of their own, if they need them: a block may have been around several."""
        lines = self.layout.block_lines
        if len(parts) == 1 or lines is None:
            return parts, steps

        def unblocked(piece: Piece) -> Piece:
            text = self.layout.statement(lines.sub("", piece.text))
            return replace(piece, text=text, lead=lines.sub("", piece.lead))

        shares_ = [Share(tuple(map(unblocked, part.pieces)), part.outside) for part in parts]
        return shares_, replace(steps, head=lines.sub("", steps.head), tail=lines.sub("", steps.tail))

    @staticmethod
    def _divided_by_step(steps: Sequence[Step], *, new_files: bool) -> list[Share]:
        """Returns the migrations of a runner that sends each statement by itself: only the last steps need migrations of their own."""
        ordered = steps_last(steps) if new_files else list(steps)
        last = len(ordered)
        while new_files and last and ordered[last - 1].own:
            last -= 1
        return [Share(tuple(in_one_file(ordered[:last]))), *(Share(step.pieces) for step in ordered[last:])]

    def _changes(self, parts: Sequence[Share], steps: Steps) -> Iterator[FileChange]:
        """Yields the edited files and the new ones. Raises NoVersion."""
        names = self._names(parts[1:])
        down = self.fixed.migration.down
        gone = self._undone(steps, down)
        added: list[tuple[str, str]] = []
        section = ""
        for number, (part, name) in enumerate(zip(parts[1:], names, strict=True)):
            undone = self._downgrade(part, down, parts)
            gone += undone.moved
            if self.runner.name == "liquibase":
                section += self._changeset(part, undone, number + 2)
            else:
                added += self._new_files(part, undone, name, str(names[number - 1]) if number else self._own_name)
        yield from self._original(parts[0], steps, section, down, gone)
        for path, text in added:
            if os.path.exists(path) and path not in dict(self.renamed):
                raise NoVersion(f"it needs a new file, and {path} exists already")
            yield FileChange(path, None, with_line_ends(text, self.text))

    @staticmethod
    def _undone(steps: Steps, down: Half | None) -> list[Statement]:
        """Returns the statements of a downgrade that undo those that fixes have removed."""
        removed = [op for statement in steps.removed for op in statement.operations]
        return undoing(list(read(down.script.text, down.chunks)), removed) if down is not None and removed else []

    def _downgrade(self, part: Share, down: Half | None, parts: Sequence[Share]) -> Downgrade:
        if down is None:
            return Downgrade()
        original = list(read(down.script.text, down.chunks))
        made = {creation.name.name for other in parts for creation in created_by(operations_of(piece.text for piece in other.pieces))}
        # What makes room for an index that another of the migrations builds is not undone.
        operations = [op for op in operations_of(piece.text for piece in part.pieces) if not _makes_room(op, made) or len(part.pieces) > 1]
        done = downgrade_of(operations, original, down.script.text, outside=part.outside)
        if part.outside and len(done.statements) > 1:  # they run in a transaction
            done = downgrade_of(operations, original, down.script.text, outside=False)
        return replace(done, statements=tuple(map(self.layout.statement, done.statements)))

    # The original file

    def _original(self, part: Share, steps: Steps, section: str, down: Half | None, gone: Sequence[Statement]) -> Iterator[FileChange]:
        around = self.block if self.block is not None and part.outside else self.region
        head, rest = self.text[: around.start] + steps.head, self.text[around.end :]
        if down is not None and down.script.path == self.half.script.path:
            rest = self.text[around.end : self.whole.end] + without_statements(self.text, gone, self.whole.end)
        elif down is not None and gone:
            left = without_statements(down.script.text, gone, 0)
            # Diesel refuses an empty file.
            yield FileChange(down.script.path, down.script.text, left.lstrip("\r\n") if left.strip() else f"{_NOTHING_TO_UNDO}\n")
        text, path = head + self._joined(part.pieces, head), self.fixed.file.up.path
        if not self.text.startswith(("\n", "\r")):
            text = text.lstrip("\r\n")  # what was above the first statement may have moved
        if part.outside and self.half.transaction is Transaction.FILE:
            if self.layout.leave is None:
                raise CannotDivide(self.layout.none_outside or "its runner cannot send it outside a transaction")
            text = self.layout.leave(text)
            if self.layout.settings is not None and not self._leaves_by_itself(part):
                yield self._settings(path)
        yield FileChange(path, self.text, with_line_ends(text + steps.tail + section + rest, self.text))

    def _leaves_by_itself(self, part: Share) -> bool:
        """Whether Flyway recognises that the statements cannot run in a transaction."""
        if self.runner.name != "flyway":
            return False
        words = re.compile(r"(?:CREATE|DROP)(?: UNIQUE)? INDEX CONCURRENTLY\b|VACUUM\b", re.IGNORECASE)
        return any(words.match(piece.text) for piece in part.pieces)

    def _settings(self, path: str) -> FileChange:
        assert self.layout.settings is not None
        name, text = self.layout.settings
        folder, _, own = path.rpartition("/")
        where = f"{folder}/{name.format(name=own)}" if folder else name.format(name=own)
        existing = self.fixed.file.settings_file
        before = existing.text if existing is not None and path == self.fixed.file.up.path else None
        return FileChange(where, before, f"{before or ''}{text}")

    # New files

    @property
    def _own_name(self) -> str:
        return self._name_of(self.fixed.file)

    def _name_of(self, file: MigrationFile) -> str:
        """Returns the name of a file, or of its folder."""
        folder, _, name = file.up.path.rpartition("/")
        return folder.rpartition("/")[2] if self._in_folder else name

    @property
    def _in_folder(self) -> bool:
        return bool(self.layout.folder) and self.fixed.file.up.path.endswith(f"/{self.layout.folder}")

    def _names(self, parts: Sequence[Share]) -> list[VersionedName]:
        if not parts or self.runner.name == "liquibase":
            return [VersionedName("", "", "", "", "") for _ in parts]
        name = read_name(self._own_name, self.runner.name)
        files = self.fixed.source.files
        position = next(number for number, file in enumerate(files) if file.up.path == self.fixed.file.up.path)
        made = list(takewhile(self._is_created, files[position + 1 :]))
        following = next((file.id for file in files[position + 1 + len(made) :] if not file.repeatable), None)
        used = {file.id for file in files} - {file.id for file in made}
        names: list[VersionedName] = []
        for number, part in enumerate(parts, 2):
            version = next_version(names[-1] if names else name, following, used)
            used.add(version)
            names.append(name.with_version(version, self._slug(part, name, number)))
        self.renamed = self._renamed(names[-1], made, following, used)
        return names

    def _slug(self, part: Share, name: VersionedName, number: int) -> str:
        """Returns the words for the name of a new migration, which no other one of this run has."""
        own = re.sub(r"_\d+$", "", name.slug) if self._is_created(self.fixed.file) else name.slug
        slug = slug_for(operations_of(piece.text for piece in part.pieces), own, number)
        others = {read_name(self._name_of(file), self.runner.name).slug for file in self.fixed.source.files if self._is_created(file)}
        while slug in others:
            number += 1
            slug = f"{re.sub(r'_[0-9]+$', '', slug)}_{number}"
        return slug

    def _is_created(self, file: MigrationFile) -> bool:
        return os.path.abspath(file.up.path) in self.fixed.created  # noqa: PTH100  # as the plan names it: links are not followed

    def _renamed(
        self, last: VersionedName, made: Sequence[MigrationFile], following: str | None, used: set[str]
    ) -> tuple[tuple[str, str], ...]:
        """Returns the new files of earlier fixes that must make room for those up to the last name, each with its next path."""
        renamed: list[tuple[str, str]] = []
        for file in made:
            own = read_name(self._name_of(file), self.runner.name)
            version = own.version if is_later(own, last) else next_version(last, following, used)
            used.add(version)
            last = own.with_version(version, own.slug)
            if version != own.version:
                scripts = (script for script in (file.up, file.down, file.settings_file) if script is not None)
                renamed += [(script.path, _with_name(script.path, own, last)) for script in scripts]
        if renamed and self.runner.name == "yoyo":
            raise NoVersion("it needs another migration before those of other fixes: run the command again")
        return tuple(renamed)

    def _new_files(self, part: Share, undone: Downgrade, name: VersionedName, parent: str) -> Iterator[tuple[str, str]]:
        layout, old = self.layout, self.fixed.file
        folder = old.up.path.rpartition("/")[0]
        outer = folder.rpartition("/")[0] if self._in_folder else folder
        place = (lambda inner: _joined_path(outer, str(name), inner)) if self._in_folder else None
        up = place(layout.folder) if place is not None else _joined_path(folder, str(name))
        leaves = part.outside and self.half.transaction is not Transaction.QUERY
        stem = parent.removesuffix(".sql")
        head = (layout.up_outside if part.outside else layout.up).format(parent=stem)
        text = head + self._joined(part.pieces).strip("\r\n") + "\n"
        down_outside = part.outside and len(undone.statements) == 1
        has_down = self.fixed.migration.down is not None
        undo = "".join(f"{line}\n" for line in (*undone.statements, *_remark(undone)))
        if has_down and layout.down:
            text += f"\n{layout.down_outside if down_outside else layout.down}{undo}"
        yield up, text
        if leaves and layout.settings is not None and not self._leaves_by_itself(part):
            change = self._settings(up)
            yield change.path, change.after
        if has_down and not layout.down and old.down is not None:
            down_folder, _, down_name = old.down.path.rpartition("/")
            path = place(down_name) if place is not None else _joined_path(down_folder, name.beside(down_name))
            yield path, (layout.down_outside if down_outside else "") + undo

    def _changeset(self, part: Share, undone: Downgrade, number: int) -> str:
        """Returns a changeset of Liquibase that follows the edited one."""
        outside = " runInTransaction:false" if part.outside else ""
        lines = [f"\n--changeset {self.fixed.migration.id}-{number}{outside}", self._joined(part.pieces).strip("\r\n")]
        return "\n".join((*lines, *(f"--rollback {each}" for each in undone.statements))) + "\n"

    def _joined(self, pieces: Iterable[Piece], head: str = "") -> str:
        """Returns the text of statements that follow a head, without an empty line between."""
        done, was_new = "", False
        for piece in pieces:
            new, lead = piece.statement is None, marked_once(piece.lead, self.layout.mark, is_first=not done)
            if not done:
                lead = self._first_lead(head, lead)
            elif self.layout.mark and self.layout.mark not in lead:
                lead = f"\n{self.layout.mark}\n{lead.lstrip()}"
            elif not lead.startswith(("\n", "\r\n")) and new != was_new:
                lead = f"\n{lead.lstrip()}"
            was_new = new
            lead = _GAP.sub("\n\n", lead) if not head else lead
            done += lead + (self.layout.statement(piece.text) if new else piece.text)
        return done

    def _first_lead(self, head: str, lead: str) -> str:
        """Returns what stands before the first statement after a head: the empty lines that were there, and its comments."""
        if head and not head.endswith("\n"):
            return lead
        is_at_top = bool(head) and self.text.startswith(head)
        empty = EMPTY_LINES.match(self.text, len(head)) if is_at_top else None
        return empty[0] + lead.lstrip("\r\n") if empty is not None else lead.removeprefix("\r").removeprefix("\n")


def _makes_room(op: Operation, made: set[str]) -> bool:
    return isinstance(op, Drop) and op.if_exists and made.issuperset(name.name for name in op.names)


def _remark(downgrade: Downgrade) -> list[str]:
    """Returns what a downgrade says instead of, or beside, its statements."""
    if not downgrade.complete:
        return ["-- not everything that this migration does is undone here"]
    return [] if downgrade.statements else [_NOTHING_TO_UNDO]


def _has_version(fixed: FixedMigration) -> bool:
    """Whether the file is one of several whose names begin with versions."""
    name = fixed.file.up.path.rpartition("/")[2]
    return name[:1].isdigit() and len(fixed.source.files) > 1


def _with_name(path: str, old: VersionedName, new: VersionedName) -> str:
    """Returns the path of a file with another version in its name, or in that of its folder."""
    folder, _, name = path.rpartition("/")
    if str(old) == folder.rpartition("/")[2]:
        return _joined_path(folder.rpartition("/")[0], str(new), name)
    return _joined_path(folder, name.replace(old.number, new.number, 1))


def _joined_path(*parts: str) -> str:
    return "/".join(part for part in parts if part)
