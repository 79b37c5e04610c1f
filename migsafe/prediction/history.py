"""The migrations of a plan that were selected, each with the database as the migrations before it leave it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from types import TracebackType
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from migsafe.errors import MigsafeError, UnreadableError
from migsafe.prediction.predictor import Predictor
from migsafe.sources import Lineage, MergedState, Migration, Plan, Source, Step, first_difference, unchanged_statements
from migsafe.sources.migration import UnsureNames
from migsafe.text import Script

Steps = Sequence[tuple[Source, Step]]


class SelectedMigration(NamedTuple):
    """A migration to judge, and the database as the migrations before it leave it.

    The caller runs the migration through `predictor` before it asks for the next one. `lineage` says what is unusual about its place in the
    history. `transaction_continues` if the next selected migration runs in the same transaction, `transaction_may_continue` if that depends on
    whether both are deployed together; the caller may then leave the transaction open, and end it before it runs the next migration. One that
    is not `judged` belongs to the history, or is `judged_elsewhere`, by the process with the part before.
    """

    migration: Migration
    predictor: Predictor
    lineage: Lineage = Lineage()
    transaction_continues: bool = False
    transaction_may_continue: bool = False
    judged: bool = True
    judged_elsewhere: bool = False


class HistoryEnd(NamedTuple):
    """The end of the history of a source: its last migration, and the database that it leaves. `is_whole` unless the source has later
    migrations, which were not asked for."""

    migration: Migration
    predictor: Predictor
    is_whole: bool = True


class MigrationRenderer(Protocol):
    """Renders the migrations that are programs. It is entered when the first migration is needed, and closed after the last one."""

    def __enter__(self) -> object:
        """Starts it."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /) -> None:
        """Closes it."""

    def render_migration(self, migration: Migration, predictor: Predictor, /) -> Migration:
        """Returns the migration with its upgrade rendered, on the database as the predictor has it. Raises MigsafeError."""

    def render_down(self, migration: Migration, predictor: Predictor, /) -> Migration:
        """Returns the migration with its downgrade rendered as well. Raises MigsafeError."""


class Resumption(Protocol):
    """Stores how far a run has come, and knows how far an earlier run came."""

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """Returns how many of the steps can be skipped, and the database after them, or before the first step."""

    def wants(self, number: int, /) -> bool:
        """Whether the state after the first `number` steps is to be stored."""

    def save_progress(self, number: int, predictor: Predictor, /) -> None:
        """Stores that the first `number` steps are done, and the database after them."""


class Part(NamedTuple):
    """The steps from `first` to the one before `end`, counted from 0."""

    first: int
    end: int


class Division(Protocol):
    """Divides steps among several processes. At the end of its context, the other processes are ended."""

    def __enter__(self) -> object:
        """Begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /) -> None:
        """Ends the other processes that still run."""

    def begin(self, steps: Steps, /) -> Part:
        """Starts the other processes; returns which steps remain for this one: the last of them."""

    def complete(self) -> None:
        """Waits for the other processes, and takes over their results."""


def selected_migrations(
    plan: Plan,
    pg_version: int,
    renderer: MigrationRenderer,
    *,
    schema: Script | None = None,
    watch: Callable[[Steps], Iterable[tuple[Source, Step]]] = iter,
    resumption: Resumption | None = None,
    with_downgrades: bool = False,
    find_contradictions: bool = False,
    with_neighbours: bool = False,
    part: Part | None = None,
    division: Division | None = None,
    with_ends: bool = False,
) -> Iterator[SelectedMigration | HistoryEnd | MigsafeError]:
    """Yields the migrations to judge, source by source, in the order in which they run; in place of one that cannot be read, the error.

    Each source is a database of its own, which starts with the dump `schema`, if there is one. The migrations of the history are applied
    without being judged. Of the history, too, the errors are yielded. `watch` iterates over the steps, and may show the progress;
    `resumption` may skip the first of them. `renderer` renders the migrations that are programs: their upgrades and, `with_downgrades`, the
    downgrades of the selected ones. `find_contradictions`: the predictor notes what contradicts the history. `with_neighbours`: those of the
    history are yielded, too, in whose transaction a selected one may run. With `part`, only its steps are selected, and the last of them is
    the last step; a `division` may leave a part to this process, if it begins with the first step. `with_ends`: the end of each source is
    yielded, too. Raises UnreadableError for the schema.
    """
    new_predictor = partial(Predictor, pg_version, find_contradictions=find_contradictions)
    with renderer, division or nullcontext():
        steps = [(source, step) for source in plan.sources for step in source.steps()]
        problems: list[MigsafeError] = [*plan.problems]
        yield from problems
        done, resumed = resumption.resume(steps) if resumption is not None and not problems else (0, None)
        current, predictor = (steps[max(done - 1, 0)][0], resumed) if resumed is not None else (None, new_predictor())
        if division is not None and not done:
            part = division.begin(steps)
        first_judged, end = part or Part(0, len(steps))
        for number, (source, step) in enumerate(watch(steps[done:end]), done + 1):
            written, selected = step.migration, step.selected and number > first_judged
            if source is not current:
                if with_ends and current is not None:
                    yield HistoryEnd(steps[number - 2][1].migration, predictor, current.reaches_end)
                current, predictor = source, new_predictor()
                _begin_source(source, written, predictor, schema)
            try:
                migration = renderer.render_migration(written, predictor)
                if selected and with_downgrades:
                    migration = renderer.render_down(migration, predictor)
                predictor.catalog.in_release, predictor.catalog.runs_again = step.in_release, migration.may_change
                predictor.look_ahead(migration.up, same_session=_runs_in_session(steps, number - 1))
            except MigsafeError as error:
                if number > 1 and steps[number - 2][1].transaction_may_continue:
                    predictor.finish()
                # It may have created any relation.
                predictor.begin_history(from_first_migration=False, unsure_names=predictor.catalog.origin.unsure_names)
                if error not in problems:
                    problems.append(error)
                    yield error
                continue
            is_before_part = step.selected and number == first_judged
            if selected or (with_neighbours and step.transaction_may_continue and (is_before_part or not step.selected)):
                lineage = _lineage_of(source, migration, renderer, predictor)
                continuing = step.transaction_continues, step.transaction_may_continue
                yield SelectedMigration(migration, predictor, lineage, *continuing, judged=selected, judged_elsewhere=is_before_part)
            else:
                try:
                    predictor.apply(migration.up)
                except UnreadableError as error:
                    yield error
            if resumption is not None and number > first_judged and resumption.wants(number):
                if division is not None:
                    division.complete()
                resumption.save_progress(number, predictor)
        if division is not None:
            division.complete()
        if with_ends and steps and end == len(steps):
            yield HistoryEnd(steps[-1][1].migration, predictor, steps[-1][0].reaches_end)


def _runs_in_session(steps: Steps, position: int) -> bool | None:
    """Whether the runner sends a migration on the connection of the one before it: in one release, and to a new database, if both are selected;
    None if that depends on whether one run applies both."""
    (source, step), (before, previous) = steps[position], steps[max(position - 1, 0)]
    if position == 0 or source is not before or not source.runner.keeps_session:
        return False
    return True if step.selected and previous.selected else None


def _begin_source(source: Source, first: Migration, predictor: Predictor, schema: Script | None) -> None:
    """Begins the history of a source, with its first migration and the dump that it starts from. Raises UnreadableError."""
    first_lineage = source.lineages.get(first.up.file.path, Lineage())
    lacks = bool(first_lineage.missing_parents) or any(parent.elsewhere for each in source.lineages.values() for parent in each.missing_parents)
    predictor.begin_history(
        from_first_migration=schema is None and not lacks,
        unsure_names=first.up.unsure_names if schema is None else UnsureNames.NONE,
    )
    if schema is not None:
        predictor.load(schema)


def _lineage_of(source: Source, migration: Migration, renderer: MigrationRenderer, predictor: Predictor) -> Lineage:
    lineage = source.lineages.get(migration.up.file.path, Lineage())
    return lineage if lineage.merged is None else _with_edit(lineage, lineage.merged, migration, renderer, predictor)


def _with_edit(lineage: Lineage, merged: MergedState, migration: Migration, renderer: MigrationRenderer, predictor: Predictor) -> Lineage:
    """Returns the lineage with the first place where the migration differs from what its file contained at the revision of git, and with the
    statements that it contained then."""
    try:
        before = [renderer.render_migration(old, predictor) for old in merged.before]
    except MigsafeError:  # it can no longer be read, so nothing is known of it
        return lineage
    unchanged = unchanged_statements(before, migration, is_replacement=bool(merged.gone))
    return replace(lineage, edited=first_difference(before, migration), unchanged=unchanged)
