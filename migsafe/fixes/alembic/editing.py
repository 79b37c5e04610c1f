"""The edits of a revision, and of the files around it."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import libcst as cst
from msgspec.structs import replace

from migsafe.fixes.alembic.blocks import merge_blocks
from migsafe.fixes.alembic.call_edits import check_pieces, first_line, number_before, pieces_of_place, without_second_replacements
from migsafe.fixes.alembic.children import children_with_parent
from migsafe.fixes.alembic.code import Piece, Style, assemble, step_code, with_comments
from migsafe.fixes.alembic.function_edits import at_beginning, at_end, removals, with_imports
from migsafe.fixes.alembic.places import CallPlace, operations_names, sqlalchemy_name
from migsafe.fixes.alembic.plan import FUNCTION, FixPlan, plan_fix
from migsafe.fixes.alembic.python_source import NotPython, PythonSource
from migsafe.fixes.alembic.revision_names import name_revision
from migsafe.fixes.alembic.revision_text import RevisionBody, revision_text
from migsafe.fixes.alembic.steps import Refused, Step
from migsafe.fixes.alembic.text_edits import TextEdit, apply_edits
from migsafe.fixes.edits import ChosenFix, Edits, FileChange, FixedMigration, NotFixed
from migsafe.fixes.later_uses import later_use
from migsafe.schema.catalog import Catalog
from migsafe.sources.alembic import RevisionFile
from migsafe.sql import operations as sql
from migsafe.text import Span

_REPEATABLE = (sql.ValidateConstraint, sql.SetNotNull)
_SCANS_FIRST: tuple[type[sql.Operation], ...] = (sql.ValidateConstraint, sql.SetNotNull, sql.DropConstraint)
"""Operations that several fixes share in this order: a VALIDATE reads all rows, and a SET NOT NULL holds ACCESS EXCLUSIVE until the commit."""
_COMMIT_BEFORE = Piece(("pass  # commits the revisions before this one",), outside=True)


def edit_revision(fixed: FixedMigration, chosen: Sequence[ChosenFix], catalog: Catalog) -> Edits:
    """Returns what fixes do to a revision, to those that follow it, and which new ones they need."""
    try:
        return _Editor(fixed, catalog).edit(sorted(chosen, key=lambda fix: fix.statement.span.start))
    except NotPython as error:
        return Edits(refused=tuple(NotFixed(fix.finding, f"the script cannot be parsed: {error}") for fix in chosen))


class _Editor:
    """Edits one revision."""

    def __init__(self, fixed: FixedMigration, catalog: Catalog) -> None:
        assert isinstance(fixed.file, RevisionFile)
        self._fixed = fixed
        self._file = fixed.file
        self._migration = fixed.migration
        self._catalog = catalog
        self._source = PythonSource(fixed.migration.up.file.text)
        self._environment = fixed.file.environment.scripts
        names = operations_names(self._source)
        self._style = Style(
            op=names.get("op") or next(iter(names.values()), "op"),
            sa=sqlalchemy_name(self._source),
            indent=self._source.indent,
            newline=self._source.newline,
            final_names=bool(self._environment.naming_convention),
        )
        self._imports_operations = bool(names)

    def edit(self, chosen: Sequence[ChosenFix]) -> Edits:
        """Returns the edits for fixes in the order of their statements."""
        plans: list[FixPlan] = []
        refused: list[NotFixed] = []
        for fix in chosen:
            try:
                if reason := later_use(self._fixed, fix):
                    raise Refused(reason)
                plan = plan_fix(fix, self._migration, self._source, self._style, self._catalog)
                check_pieces(self._source, self._style, plan)
                plans.append(plan)
            except Refused as reason:
                refused.append(NotFixed(fix.finding, str(reason)))
        plans = without_second_replacements(plans)
        # What another fix writes anew, a call is removed from in the next round.
        written = {plan.place.span for plan in plans if not plan.fix.way.removes}
        plans = [plan for plan in plans if not (plan.fix.way.removes and plan.place.span in written)]
        changes, plans, impossible = self._possible_changes(plans)
        refused += impossible
        later = tuple(step for plan in plans for step in plan.steps.later)
        return Edits(changes, tuple(plan.fix.finding for plan in plans), tuple(refused), later)

    def _possible_changes(self, plans: list[FixPlan]) -> tuple[tuple[FileChange, ...], list[FixPlan], list[NotFixed]]:
        """Returns the changes of all files, the fixes that they apply, and those that other parts of the files make impossible."""
        try:
            return self._changes(plans), plans, []
        except Refused:
            possible: list[FixPlan] = []
            refused: list[NotFixed] = []
        for plan in plans:
            try:
                self._changes([*possible, plan])
                possible.append(plan)
            except Refused as reason:
                refused.append(NotFixed(plan.fix.finding, str(reason)))
        return self._changes(possible), possible, refused

    def _changes(self, plans: Sequence[FixPlan]) -> tuple[FileChange, ...]:
        """Returns the changes of all files. Raises Refused."""
        if not plans:
            return ()
        script = self._migration.up.file
        following = list(self._new_revisions(plans))
        return (FileChange(script.path, script.text, self._edited(plans)), *following)

    def _edited(self, plans: Sequence[FixPlan]) -> str:
        """Returns the text of the edited revision."""
        source, style = self._source, self._style
        pieces: list[Piece] = []
        edits: list[TextEdit] = []
        places: dict[Span, list[FixPlan]] = {}
        for plan in plans:
            places.setdefault(plan.place.span, []).append(plan)
        removed = [plan.place.line for plan in plans if plan.fix.way.removes]
        moved = [each.place.line for plan in plans for each in plan.replaced[:-1]]
        edits += removals(source, [*removed, *moved], is_filled=False)
        # With a block that only served these statements, the comments in it are removed already.
        above_removed = [TextEdit(first_line(source, line), source.line_start(source.span(line).start), "") for line in removed]
        edits += [edit for edit in above_removed if not any(other.start <= edit.start < other.end for other in edits)]
        for own in places.values():
            place = own[0].place
            if all(plan.fix.way.removes for plan in own):
                continue
            code = pieces_of_place(source, style, own)
            pieces += code
            indentation, above = source.indentation(place.span.start), first_line(source, place.node)
            # The comments directly above the call stay there: they may be suppressions.
            is_commented = above < source.line_start(place.span.start) and not _is_generated_comment(source, place)
            comments = source.text[above : source.line_start(place.span.start)] if is_commented else ""
            if "migsafe:" in comments and place.batch is None:
                # Suppressions move with the statement, into the block or behind what precedes it.
                edits.append(TextEdit(above, source.line_start(place.span.start), ""))
                code = with_comments(code, [line.strip() for line in comments.splitlines()])
                is_commented = False
            number = number_before(own) if is_commented else 0
            if number:
                before = assemble(code[:number], style, indentation, in_autocommit=place.in_autocommit)
                edits.append(TextEdit(above, above, f"{indentation}{before}{style.newline}"))
            edits.append(TextEdit(*place.span, assemble(code[number:], style, indentation, in_autocommit=place.in_autocommit)))
        ending = [step_code(step, style) for plan in plans for step in plan.steps.end]
        beginning = [piece for plan in plans if not plan.downgrades.removed for piece in plan.downgrades.added]
        edits += [*at_end(source, style, FUNCTION, ending), *at_beginning(source, style, "downgrade", beginning)]
        edits += self._changes_of_downgrade(plans, is_filled=bool(beginning))
        edits += with_imports(
            source,
            operations=not self._imports_operations,
            sqlalchemy=not style.sa and any(piece.needs_sqlalchemy for piece in (*pieces, *ending, *beginning)),
        )
        return merge_blocks(apply_edits(source.text, edits))

    def _changes_of_downgrade(self, plans: Sequence[FixPlan], *, is_filled: bool) -> Iterator[TextEdit]:
        """Yields the edits of the calls that the downgrade no longer makes. In place of the first of a fix it drops what the fix has added."""
        removed: list[cst.BaseStatement] = []
        for plan in plans:
            first, *others = plan.downgrades.removed or (None,)
            if first is not None and plan.downgrades.added:
                indentation = self._source.indentation(first.span.start)
                code = assemble(plan.downgrades.added, self._style, indentation, in_autocommit=first.in_autocommit)
                yield TextEdit(*first.span, code)
                is_filled = True
            elif first is not None:
                removed.append(first.node)
            removed += [place.node for place in others if place is not None]
        yield from removals(self._source, list(dict.fromkeys(removed)), is_filled=is_filled)

    def _new_revisions(self, plans: Sequence[FixPlan]) -> Iterator[FileChange]:
        """Yields the new revisions, and the changes of those that followed the edited one. Raises Refused."""
        parent, taken = self._file.id, set(self._fixed.source.versions)
        longest = max(len(plan.steps.next) for plan in plans)
        style = self._style if self._style.sa else replace(self._style, sa="sa")
        for number in range(longest):
            own = [plan for plan in plans if number < len(plan.steps.next)]
            steps = _scans_first([step for plan in own for step in plan.steps.next[number]])
            undoing = [piece for plan in reversed(own) for piece in plan.downgrades.next[number]]
            name = name_revision(
                "\n".join((parent, *(step.text for step in steps))),
                number + 1,
                self._title,
                self._file.id,
                self._source.text,
                self._file.up.path,
                taken,
                self._environment,
            )
            taken.add(name.version)
            path = str(PurePosixPath(self._file.up.path).with_name(name.file))
            if self._exists(path):
                raise Refused(f"the file of the new revision, {path}, exists already")
            text = revision_text(self._source, style, name, parent, RevisionBody(self._upgrade(steps, style), undoing))
            yield FileChange(path, None, merge_blocks(text))
            parent = name.version
        if longest:
            yield from children_with_parent(self._fixed.source, self._file.id, parent)

    @property
    def _title(self) -> str:
        """The title of the edited revision; its version if its docstring has none."""
        title = self._file.revision.title
        return title if title and not title.startswith(("Revision ID:", "Revises:")) else self._file.id

    def _exists(self, path: str) -> bool:
        return Path(path).exists() or any(file.up.path == path for file in self._fixed.source.files)

    def _upgrade(self, steps: Sequence[Step], style: Style) -> list[Piece]:
        """Returns the code of the upgrade of a new revision. If Alembic applies all revisions in one transaction, it begins with an autocommit
        block, which commits those before it. Its statements have the same effect when they run again after a later revision failed."""
        pieces = [step_code(step, style) for step in steps]
        if self._migration.own_transaction_advice is None:
            return pieces
        first = next((number for number, step in enumerate(steps) if not _can_repeat(step)), len(steps))
        outside = [replace(piece, outside=True) for piece in pieces[:first]]
        return [*(outside or ([] if pieces[0].outside else [_COMMIT_BEFORE])), *pieces[first:]]


def _is_generated_comment(source: PythonSource, place: CallPlace) -> bool:
    """Whether the line above a call is the one with which Alembic begins generated code."""
    start = source.line_start(place.span.start)
    return source.text[source.line_start(start - 1) : start].lstrip().startswith("# ###")


def _can_repeat(step: Step) -> bool:
    return all(isinstance(operation, _REPEATABLE) for operation in step.statement.operations)


def _scans_first(steps: list[Step]) -> list[Step]:
    """Returns the steps of several fixes so that no lock of one is held while another reads all rows, if each only completes a constraint."""
    kinds = [{type(operation) for operation in step.statement.operations} for step in steps]
    if not all(len(kind) == 1 and kind <= set(_SCANS_FIRST) for kind in kinds):
        return steps
    return sorted(steps, key=lambda step: _SCANS_FIRST.index(type(step.statement.operations[0])))
