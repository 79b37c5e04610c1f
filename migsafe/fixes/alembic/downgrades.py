"""The downgrades of the edited revision and of the new ones, so that each undoes what its upgrade does."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from migsafe.fixes.alembic.code import Piece, Style, kept_code, step_code
from migsafe.fixes.alembic.keywords import with_keywords
from migsafe.fixes.alembic.places import CallPlace, find_place, operations_names, sqlalchemy_name
from migsafe.fixes.alembic.python_source import PythonSource, called_name, names_in
from migsafe.fixes.alembic.steps import Refused, Step, Steps, read_step
from migsafe.fixes.alembic.undo import defined_constraints, indexes_of_constraints, needs_no_undo, undo
from migsafe.fixes.creations import Creation, created_by, drop, dropped_by
from migsafe.schema.catalog import Catalog
from migsafe.sources.migration import Half
from migsafe.sql import operations as sql
from migsafe.sql.operations import Operation
from migsafe.sql.statements import Statement, read

_FUNCTION = "downgrade"
_NEVER_UNDONE = (sql.DropConstraint, sql.SetDefault, sql.DropDefault)
"""Operations of a fix in the edited revision on what it replaces, or on a column that it adds."""

Key = tuple[str, str, str]


class DowngradeChanges(Struct, frozen=True):
    """What a fix does to downgrades: calls that the edited revision no longer makes, and those that it makes first; for each new revision, the
    code of its downgrade."""

    removed: tuple[CallPlace, ...] = ()
    added: tuple[Piece, ...] = ()
    next: tuple[tuple[Piece, ...], ...] = ()


class Downgrade:
    """The downgrade of a revision before it is edited; `half` is None if it does nothing."""

    def __init__(self, source: PythonSource, half: Half | None, style: Style, catalog: Catalog) -> None:
        self._source = source
        self._half = half
        self._style = style
        self._catalog = catalog

    def changes(self, flagged: Statement, steps: Steps) -> DowngradeChanges:
        """Returns what the steps of a fix of the flagged statement change. Raises Refused."""
        everything = [*steps.here, *steps.end, *steps.moved]
        if self._half is None:
            return DowngradeChanges(next=tuple(tuple(self._generated(group, everything)) for group in steps.next))
        here = [creation for step in (*steps.here, *steps.end) for creation in self._creations(step, flagged)]
        edited = [op for step in (*steps.here, *steps.end) for op in step.statement.operations]
        moved = {creation.key for creation in created_by(flagged.operations)} - {creation.key for creation in here}
        # What the statement drops, downgrade() creates again.
        moved |= _dropped_keys(flagged.operations) - _dropped_keys(edited)
        calls = {key: undoing for key in sorted(moved) if (undoing := self._find(key)) is not None}
        return DowngradeChanges(
            tuple(undoing.place for undoing in calls.values()),
            tuple(self._extra(steps, flagged, here)),
            tuple(tuple(self._of_revision(group, everything, calls)) for group in steps.next),
        )

    def _creations(self, step: Step, flagged: Statement) -> list[Creation]:
        """Returns what a step in the edited revision creates. Raises Refused if it is not known what undoes the step."""
        operations = step.statement.operations
        if step.kept or needs_no_undo(step):
            return list(created_by(operations))
        others = [op for op in operations if not isinstance(op, _NEVER_UNDONE) and not _is_alike(op, flagged)]
        if len(list(created_by(others))) != len(others):
            raise Refused("it is not known what undoes all of its steps, so the downgrade cannot be completed")
        return list(created_by(operations))

    def _find(self, key: Key) -> "_Undoing | None":
        """Returns the call that drops something, or creates it again. Raises Refused if it cannot be removed by itself, or is not known."""
        assert self._half is not None
        program = self._half.program
        calls = program.calls if program is not None else ()
        if not calls and not self._half.chunks:
            raise Refused("its downgrade has not been rendered")
        for call in calls:
            statements = list(read(self._half.script.text, [call.sql_span]))
            operations = [operation for statement in statements for operation in statement.operations]
            if key in _dropped_keys(operations) | {creation.key for creation in created_by(operations)}:
                try:
                    place = find_place(self._source, call, _FUNCTION)
                except Refused as reason:
                    raise Refused(f"the call in downgrade() that undoes it cannot be moved: {reason}") from reason
                if len(operations) > 1 or sum(each.file_span == call.file_span for each in calls) > 1:
                    raise Refused("the call in downgrade() that undoes it does something else as well")
                if place.conditional:
                    raise Refused("downgrade() undoes it on a condition")
                if place.batch is not None and len(place.batch.body.body) > 1:
                    raise Refused("the call in downgrade() that undoes it is one of several in a batch")
                return _Undoing(place, self._half.script.text[slice(*statements[0].span)])
        if any(call.opaque or not call.certain for call in calls):
            raise Refused("it is not known what downgrade() does")
        return None

    def _extra(self, steps: Steps, flagged: Statement, here: Sequence[Creation]) -> Iterator[Piece]:
        """Yields the code that drops what the edited revision creates in addition, for the steps that follow."""
        known = {creation.key for creation in created_by(flagged.operations)}
        # A constraint that the flagged statement defines may have got its name only now; downgrade() already removes it in some way.
        defined = {constraint.kind for constraint in defined_constraints(flagged.operations)}
        edited = [*steps.here, *steps.end]
        owned = indexes_of_constraints(edited)
        left: dict[Key, tuple[Creation, Step]] = {}
        for step in edited:
            for op in step.statement.operations:
                if (dropped := dropped_by(op)) is not None:
                    left.pop(dropped.key, None)
                left |= {creation.key: (creation, step) for creation in created_by([op]) if creation in here}
        for creation, step in reversed(left.values()):
            is_index, name = creation.kind == "index", creation.name.name
            # With a table goes what belongs to it.
            contained = ("table", name if creation.kind == "partition" else creation.table.name if creation.table else "", "") in known
            if creation.key not in known and creation.of_kind not in defined and not contained and not (is_index and name in owned):
                text = drop(creation, concurrently=step.outside)
                yield step_code(read_step(text, self._catalog), self._style)

    def _of_revision(self, group: Sequence[Step], everything: Sequence[Step], calls: "dict[Key, _Undoing]") -> Iterator[Piece]:
        """Yields the code of the downgrade of a new revision."""
        for step in reversed(group):
            operations = step.statement.operations
            keys = [*(creation.key for creation in created_by(operations)), *_dropped_keys(operations)]
            undoing = calls.get(keys[0]) if len(keys) == len(operations) == 1 else None
            if undoing is not None:
                yield self._moved(undoing, step)
            else:
                yield from self._undo(step, everything)
            yield from self._rebuilt(step, group, everything)

    def _rebuilt(self, step: Step, group: Sequence[Step], everything: Sequence[Step]) -> Iterator[Piece]:
        """Yields the code that builds the index of a constraint again if an earlier revision has built it: dropping the constraint drops it."""
        lost = indexes_of_constraints([step])
        for other in everything:
            if other not in group and lost & {each.name.name for each in created_by(other.statement.operations) if each.kind == "index"}:
                yield step_code(other, self._style)

    def _generated(self, group: Sequence[Step], everything: Sequence[Step]) -> Iterator[Piece]:
        """Yields the code of the downgrade of a new revision beside one that has none; nothing for a step that cannot be undone."""
        for step in reversed(group):
            try:
                yield from self._undo(step, everything)
                yield from self._rebuilt(step, group, everything)
            except Refused:
                continue

    def _undo(self, step: Step, everything: Sequence[Step]) -> Iterator[Piece]:
        for text in undo(step, everything):
            yield step_code(read_step(text, self._catalog), self._style)

    def _moved(self, undoing: "_Undoing", step: Step) -> Piece:
        """Returns the code of a call that moves to the downgrade of a new revision."""
        place = undoing.place
        text = self._source.source(place.line)
        usable = {*operations_names(self._source), sqlalchemy_name(self._source), "True", "False", "None"}
        is_usable = names_in(place.call) <= usable and self._source.indentation(place.span.start) == self._style.indent
        if is_usable and place.batch is None and not step.outside:
            return kept_code(text, outside=False)
        if is_usable and place.batch is None and called_name(place.call.func).endswith(("drop_index", "create_index")):
            return kept_code(with_keywords(text, {"postgresql_concurrently": "True"}, self._source.newline), outside=True)
        sent = read_step(undoing.text, self._catalog)
        dropped = dropped_by(sent.statement.operations[0])
        if step.outside and dropped is not None and dropped.kind == "index":
            sent = read_step(drop(dropped, concurrently=True), self._catalog)
        return step_code(sent, self._style)


class _Undoing(Struct, frozen=True):
    """A call in downgrade(), and the statement that it sends."""

    place: CallPlace
    text: str


def _dropped_keys(operations: Sequence[Operation]) -> set[Key]:
    return {dropped.key for op in operations if (dropped := dropped_by(op)) is not None}


def _is_alike(operation: Operation, flagged: Statement) -> bool:
    """Whether an operation does to the schema what one of the flagged statement does, so that the same undoes it."""
    return type(operation) in {type(each) for each in flagged.operations}
