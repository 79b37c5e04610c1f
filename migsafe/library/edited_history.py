"""The history of a file that is being edited: it is read once, and the text in the editor is judged on the database that it leaves."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migsafe.cache.renderings import Renderings
from migsafe.cache.store import usual_store
from migsafe.cache.trace import Signature, Trace, confirmed, signature
from migsafe.cache.watch import Watch
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import MigsafeError, UnreadableError
from migsafe.library.lint import judging_limits
from migsafe.library.plan import plan_of_file, schema_script
from migsafe.library.project import load_rulebook, make_renderer
from migsafe.library.project_queries import read_project_queries
from migsafe.linting.baseline import read, subtract_baseline
from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.verdict import Verdict
from migsafe.prediction.history import HistoryEnd, Part, SelectedMigration, Steps, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.rendering.messages import Answer, Question, RenderRequest, RenderResult
from migsafe.rendering.renderer import MemoryStore, Renderer, Rendering
from migsafe.sources import RUNNERS, Half, Migration, Plan, Source, Step
from migsafe.sources.plain import NUMBERED
from migsafe.text import Script

if TYPE_CHECKING:
    from migsafe.library.fixes import Fixes

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class EditedVerdict(Struct, frozen=True):
    """The verdict on the text of a file. Its `problems` are those of the file and of the rules; `history_problems` are those of the migrations
    before it."""

    verdict: Verdict
    history_problems: tuple[MigsafeError, ...] = ()


class EditedMigration(Struct, frozen=True):
    """A migration of the file, and what its statements do."""

    half: Half
    statements: tuple[StatementPrediction, ...]


class EditedHistory:
    """The history of the migration at a path, with the configuration that is nearest to it, and the database before the migration.

    `path` is that of a file. `no_exec`: no code of the project is run, whatever the configuration says. Reading the history may take seconds.
    Raises MigsafeError, for example for an invalid configuration.
    """

    def __init__(self, path: str, *, no_exec: bool = False) -> None:
        self.path = path
        self.problems: tuple[MigsafeError, ...] = ()
        self.migrates = False
        """Whether the file is a migration."""
        self._renderer: _LastingRenderer | None = None
        self._progress: list[_Progress] = []
        self._parts: list[Source] = []
        self._on_disk = _signature(path)
        store = usual_store()
        # On systems whose files cannot be observed, there is no store either.
        watch = Watch() if store is not None else None
        with ExitStack() as failure, watch or nullcontext():
            failure.callback(self.close)
            settings = read_configuration(start=Path(path).parent)
            self.settings = settings.overridden(no_exec=no_exec or None)
            self._plan = plan_of_file(path, self.settings, "")
            if _is_migration(self._plan, path, self.settings):
                self.migrates = True
                renderings = _HistoryStore(Renderings(store, watch) if store is not None else None)
                self._read_project(renderings)
                self._run_history()
                renderings.finish()
            failure.pop_all()
        self._trace = _without_file(watch.trace(), path) if watch is not None else None

    def _read_project(self, renderings: "_HistoryStore") -> None:
        settings = self.settings
        self.limits = judging_limits(settings)
        self._queries = read_project_queries(settings, self._plan)
        self._book = load_rulebook(settings, ["queries"] if self._queries is not None else [])
        self._baseline = read(settings.baseline) if settings.baseline is not None else []
        self._renderer = _LastingRenderer(make_renderer(settings, renderings))

    def _run_history(self) -> None:
        """Runs the migrations before the file, for each database that receives them."""
        assert self._renderer is not None
        unreadable: dict[str, UnreadableError] = {}
        found: list[MigsafeError] = [*self._plan.problems]
        for source in self._sources():
            history = source.with_text(Script(self.path, None if self._on_disk is not None else ""), unreadable)
            steps = [*history.steps()]
            end = _steps_before(steps)
            progress = _Progress(steps[end].migration.up.file.path if end < len(steps) else self.path)
            selected = selected_migrations(
                Plan([history], (), {}),
                self.settings.pg_version,
                self._renderer,
                schema=schema_script(self.settings.schema),
                resumption=progress,
                part=Part(0, end),
            )
            found += [problem for problem in selected if isinstance(problem, MigsafeError)]
            progress.end()
            self._progress.append(progress)
        self._find_parts()
        found += unreadable.values()
        self.problems = tuple({problem.message: problem for problem in found}.values())

    def _find_parts(self) -> None:
        """Finds the part of each history that is run for each text of the file."""
        self._parts = [source.beginning_at(progress.first) for source, progress in zip(self._sources(), self._progress, strict=True)]

    def _sources(self) -> list[Source]:
        """Returns the histories of the file: usually one."""
        return [source for source in self._plan.sources if self.path in source.selected_paths]

    def is_current(self) -> bool:
        """Whether nothing has changed that the history depends on."""
        if self._trace is not None:
            trace = confirmed(self._trace)
            if trace is None:
                return False
            self._trace = trace
        on_disk = _signature(self.path)
        if on_disk != self._on_disk:
            # The file was saved: it may have another place in the history now.
            plan = plan_of_file(self.path, self.settings, "")
            if _is_migration(plan, self.path, self.settings) != self.migrates or _order(plan) != _order(self._plan):
                return False
            self._plan, self._on_disk = plan, on_disk
            self._find_parts()
        return True

    @property
    def is_observed(self) -> bool:
        """Whether everything that the history depends on is known, so that `is_current` notices each change."""
        return self._trace is not None

    def judge(self, text: str) -> EditedVerdict:
        """Judges a text of the file."""
        unreadable: dict[str, UnreadableError] = {}
        with ExitStack() as stack:
            selected = self._selected(text, unreadable, stack, with_neighbours=True)
            runners = [*RUNNERS, *(source.runner for source in self._plan.sources)]
            verdict = judge(selected, self._book, self.settings.pg_version, runners, self.limits, queries=self._queries)
        known = {problem.message for problem in self.problems}
        problems = [problem for problem in (*unreadable.values(), *verdict.problems) if problem.message not in known]
        verdict = replace(verdict, problems=problems)
        if self.settings.baseline is not None:
            verdict = subtract_baseline(verdict, self._baseline, self.settings.baseline)[0]
        return EditedVerdict(verdict, self.problems)

    def predict(self, text: str) -> list[EditedMigration]:
        """Returns what the statements of a text of the file do."""
        migrations = []
        with ExitStack() as stack:
            for selected in self._selected(text, {}, stack, with_neighbours=False):
                if isinstance(selected, SelectedMigration):
                    half = selected.migration.up
                    predictions = selected.predictor.predict_migration(half, transaction_continues=selected.transaction_continues)
                    migrations.append(EditedMigration(half, tuple(predictions)))
        return migrations

    def fix(self, text: str, finding: Finding) -> "Fixes":
        """Returns what the fix of a finding in a text of the file does, also if it is unsafe. It judges the whole history, which may take
        seconds. Raises MigsafeError."""
        from migsafe.library.fixes import fix_plan  # noqa: PLC0415  # not needed to judge

        plan = plan_of_file(self.path, self.settings, "")
        edited = plan.edited({os.path.abspath(self.path): Script(self.path, text)})  # noqa: PTH100  # links stay

        def is_wanted(other: Finding) -> bool:
            return (other.rule, other.message) == (finding.rule, finding.message)

        return fix_plan(edited, self.settings, unsafe=True, wanted=is_wanted)

    def _selected(
        self, text: str, unreadable: dict[str, UnreadableError], stack: ExitStack, *, with_neighbours: bool
    ) -> Iterator[SelectedMigration | HistoryEnd | MigsafeError]:
        """Returns the migrations of a text of the file, in the order in which they run. The database is as before when the `stack` is left."""
        assert self._renderer is not None
        script = Script(self.path, text)
        for progress in self._progress:
            stack.enter_context(progress.predictor.trial() if progress.predictor is not None else nullcontext())
        return chain.from_iterable(
            selected_migrations(
                Plan([part.with_text(script, unreadable)], (), {}),
                self.settings.pg_version,
                self._renderer,
                schema=schema_script(self.settings.schema),
                resumption=progress,
                with_neighbours=with_neighbours,
                with_ends=with_neighbours and self._queries is not None,
            )
            for part, progress in zip(self._parts, self._progress, strict=True)
        )

    def close(self) -> None:
        """Ends the process that renders the file, if there is one."""
        if self._renderer is not None:
            self._renderer.renderer.close()


class _Progress:
    """The database after the migrations before a file. The rest of the history begins at a file `first`, which is that file, or one in whose
    transaction it may run."""

    def __init__(self, first: str) -> None:
        self.first = first
        self.predictor: Predictor | None = None
        self._is_over = False

    def end(self) -> None:
        """Notes that the migrations before the file have run."""
        self._is_over = True

    def resume(self, steps: Steps) -> tuple[int, Predictor | None]:
        """Returns the database before the rest of the history, of which no step can be skipped."""
        return 0, self.predictor if steps else None

    def wants(self, _: int) -> bool:
        """Whether the database after a step is to be stored."""
        return not self._is_over

    def save_progress(self, _: int, predictor: Predictor) -> None:
        """Stores the database."""
        self.predictor = predictor


class _LastingRenderer:
    """A renderer whose worker process stays for the next text of the file."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer

    def __enter__(self) -> object:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the process as it is."""

    def render_migration(self, migration: Migration, predictor: Predictor) -> Migration:
        """Returns the migration with its upgrade rendered. Raises MigsafeError."""
        return self.renderer.render_migration(migration, predictor)

    def render_down(self, migration: Migration, predictor: Predictor) -> Migration:
        """Returns the migration with its downgrade rendered as well. Raises MigsafeError."""
        return self.renderer.render_down(migration, predictor)


class _HistoryStore(MemoryStore):
    """The stored renderings while the history runs; afterwards nothing is stored, because each text of the file is rendered once or twice."""

    def __init__(self, renderings: Renderings | None) -> None:
        super().__init__()
        self._renderings_of_history = renderings

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """Returns the stored result of the same request, if everything that it depends on is unchanged and `ask` gives the same answers."""
        return self._renderings_of_history.look_up(request, ask) if self._renderings_of_history is not None else None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Stores a rendering of the history."""
        if self._renderings_of_history is not None:
            self._renderings_of_history.store(request, rendering)

    def note_unrepeatable(self) -> None:
        """Records that the history contains something that may be different the next time."""
        if self._renderings_of_history is not None:
            self._renderings_of_history.note_unrepeatable()

    def starting_worker(self) -> AbstractContextManager[None]:
        """Returns a context for the start of the worker, which reads files that are dependencies of the renderings."""
        return self._renderings_of_history.starting_worker() if self._renderings_of_history is not None else nullcontext()

    def finish(self) -> None:
        """Writes the renderings of the history, which has run."""
        if self._renderings_of_history is not None:
            self._renderings_of_history.close()
        self._renderings_of_history = None


def _is_migration(plan: Plan, path: str, settings: Configuration) -> bool:
    """Whether a file is a migration: it is in one of the configuration's folders; without any, a runner recognises it, or it has a number."""
    sources = [source for source in plan.sources if path in source.selected_paths]
    if settings.migrations:
        file = Path(path).resolve()
        return bool(sources) and any(file.is_relative_to(Path(folder).resolve()) for folder in settings.migrations)
    return any(source.runner.name != "plain" or NUMBERED.match(Path(path).name) for source in sources)


def _steps_before(steps: Sequence[Step]) -> int:
    """Returns how many steps precede the selected ones, without those in whose transaction these may run: these are run again each time."""
    number = next((number for number, step in enumerate(steps) if step.selected), len(steps))
    while number and steps[number - 1].transaction_may_continue:
        number -= 1
    while 0 < number < len(steps) and steps[number - 1].migration.up.file.path == steps[number].migration.up.file.path:
        number -= 1
    return number


def _order(plan: Plan) -> list[tuple[str, str, list[str]]]:
    """Returns the histories of a plan, each with its runner and the paths of its files in their order."""
    return [(source.path, source.runner.name, source.paths) for source in plan.sources]


def _signature(path: str) -> Signature | None:
    try:
        return signature(Path(path).stat())
    except OSError:
        return None


def _without_file(trace: Trace | None, path: str) -> Trace | None:
    """Returns a trace without a file, whose text comes from the editor, and without installed packages."""
    if trace is None:
        return None
    files, *others = trace
    name, place = Path(path).name, os.path.realpath(path)

    def remains(other: str) -> bool:
        is_same = other.endswith(name) and os.path.realpath(other) == place
        return not is_same and not any(folder in other for folder in _INSTALLED)

    return [file for file in files if remains(file[0])], *others  # type: ignore[return-value]
