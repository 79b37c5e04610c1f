"""Rendering the migrations of a run, each when its turn comes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct

from migsafe.errors import MigsafeError
from migsafe.prediction.predictor import Predictor
from migsafe.rendering.halves import rendered_half
from migsafe.rendering.live_results import ExecutionResult
from migsafe.rendering.messages import EXECUTE, Answer, Dependencies, Question, RenderedCall, RenderRequest, RenderResult, WorkerFailed
from migsafe.rendering.schema_answers import answer_question
from migsafe.rendering.tentative_schema import TentativeSchema
from migsafe.sources import Half, Migration, Transaction

if TYPE_CHECKING:
    from migsafe.rendering.process import WorkerProcess


class Rendering(Struct, frozen=True):
    """What a script came to, the questions that it asked with the answers that it got, and all that was looked at by a process that `began`
    at a time: it would come to the same again where all of that is the same."""

    result: RenderResult
    answers: tuple[tuple[Question, Answer], ...] = ()
    dependencies: tuple[Dependencies, ...] = ()
    worker_started_ns: int = 0


class RenderingStore(Protocol):
    """Who remembers renderings by their requests, together with all that they depend on."""

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """What the script came to when it was asked the same, and `ask` gave the same answers."""

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Remember what a script came to."""

    def note_unrepeatable(self) -> None:
        """Something was rendered that may come to something else the next time."""

    def starting_worker(self) -> AbstractContextManager[None]:
        """What the block starts is known by its renderings."""

    def close(self) -> None:
        """No more is rendered."""


class MemoryStore:
    """Remembers for as long as the process lives."""

    def __init__(self) -> None:
        self._found: dict[RenderRequest, list[Rendering]] = {}

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """What the script came to when it was asked the same, and `ask` gave the same answers."""
        for rendering in self._found.get(request, ()):
            if all(ask(question) == said for question, said in rendering.answers):
                return rendering.result
        return None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Remember what a script came to."""
        self._found.setdefault(request, []).append(rendering)

    def note_unrepeatable(self) -> None:
        """Do nothing: it is not asked again."""

    def starting_worker(self) -> AbstractContextManager[None]:
        """Nobody looks."""
        return nullcontext()

    def close(self) -> None:
        """Forget nothing: the process lives on."""


class Renderer:
    """Renders programs, in one process that is started for the first of them. `run` is False where nothing of a program may be run."""

    def __init__(self, *, run: bool = True, seconds: float = 10.0, store: RenderingStore | None = None) -> None:
        self._run = run
        self._seconds = seconds
        self._kept = store or MemoryStore()
        self._process: WorkerProcess | None = None
        self._unable: MigsafeError | None = None

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one, and keep what it came to."""
        self._end()
        self._kept.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def render_migration(self, migration: Migration, predictor: Predictor) -> Migration:
        """A migration whose way up is rendered, in a database as the migrations before it have left it. Raises MigsafeError."""
        up = self.render_half(migration.up, predictor)
        return migration if up is migration.up else msgspec.structs.replace(migration, up=up)

    def render_half(self, half: Half, predictor: Predictor) -> Half:
        """A half, rendered where it is a program that nobody has rendered yet. Raises MigsafeError."""
        if half.program is None or half.program.calls or half.chunks:
            return half
        return rendered_half(half, half.program, self._pieces(self.request(half, predictor.catalog.pg_version), predictor))

    def render_live(self, half: Half, predictor: Predictor, execute: Callable[[str], ExecutionResult | list[str]], seconds: float) -> Half:
        """A half that is a program, as it comes out where there is a server: `execute` executes a statement there, and gives its result, or the
        SQLSTATE and message with which it was refused. A program that may not be run is rendered. Raises MigsafeError."""
        if half.program is None or not self._run:
            return self.render_half(half, predictor)
        request = msgspec.structs.replace(self.request(half, predictor.catalog.pg_version), live=True, seconds=seconds)
        with TentativeSchema(predictor.catalog) as trial:

            def ask(question: Question) -> Answer:
                if question.name == EXECUTE:
                    return Answer(execute(question.arguments[0] or ""))
                return answer_question(trial.after(question.sent), question.name, question.arguments)

            try:
                found = self._worker().render(request, ask)
            except WorkerFailed as died:
                self._end()
                return rendered_half(half, half.program, (self._lost(request, died),))
            except BaseException:
                self._end()
                raise
        if found.needs_restart:
            self._end()
        return rendered_half(half, half.program, found.calls)

    def render_down(self, migration: Migration, predictor: Predictor) -> Migration:
        """A migration whose way up is rendered, with its way back rendered too: in the database as the way up leaves it, when the migrations
        before have left it as the forecast says. Raises MigsafeError."""
        down = migration.down
        if down is None or down.program is None or down.program.calls or down.chunks:
            return migration
        request = self.request(down, predictor.catalog.pg_version)
        pieces = self._pieces(request, predictor, tuple(_sent(migration.up)))
        return msgspec.structs.replace(migration, down=rendered_half(down, down.program, pieces))

    def request(self, half: Half, pg_version: int) -> RenderRequest:
        """What is asked of the process for a half that is a program. Raises UnreadableError."""
        program = half.program
        assert program is not None
        path = program.script.path
        return RenderRequest(
            path=path,
            text=program.script.text,
            function=program.function,
            folders=import_folders(path) if path != "-" and self._run else (),
            in_transaction=half.transaction is Transaction.FILE,
            run=self._run,
            seconds=self._seconds,
            pg_version=pg_version,
        )

    def _pieces(self, request: RenderRequest, predictor: Predictor, before: tuple[str, ...] = ()) -> tuple[RenderedCall, ...]:
        with TentativeSchema(predictor.catalog) as trial:

            def ask(question: Question) -> Answer:
                return answer_question(trial.after((*before, *question.sent)), question.name, question.arguments)

            found = self._kept.look_up(request, ask)
            if found is None:
                try:
                    found = self._rendered(request, ask)
                except WorkerFailed as died:
                    self._kept.note_unrepeatable()
                    return (self._lost(request, died),)
        return found.calls

    def _rendered(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult:
        process = self._worker()
        asked: list[tuple[Question, Answer]] = []

        def note(question: Question) -> Answer:
            said = ask(question)
            asked.append((question, said))
            return said

        try:
            found = process.render(request, note)
        except BaseException:
            self._end()
            raise
        if found.repeatable:
            self._kept.store(request, Rendering(found, tuple(asked), tuple(process.dependencies), process.started_ns))
        else:
            self._kept.note_unrepeatable()
        if found.needs_restart:
            self._end()
        return found

    def _worker(self) -> "WorkerProcess":
        if self._unable is not None:
            raise self._unable
        if self._process is None:
            from migsafe.rendering.process import WorkerProcess  # noqa: PLC0415  # starting processes takes a good deal of Python's library

            try:
                with self._kept.starting_worker():
                    self._process = WorkerProcess()
            except MigsafeError as error:
                self._unable = error
                raise
        return self._process

    def _lost(self, request: RenderRequest, died: WorkerFailed) -> RenderedCall:
        """What stands for a script that has ended its process."""
        start, end = (died.location.start, died.location.end) if died.location is not None else _head(request)
        return RenderedCall(request.text[start:end], start, end, died.reason)


def _sent(half: Half) -> Iterator[str]:
    """What a half sends, piece by piece, as far as it is known."""
    calls = half.program.calls if half.program is not None else ()
    if not calls:
        yield from (half.script.text[span.start : span.end] for span in half.chunks)
    yield from (half.script.text[call.sql_span.start : call.sql_span.end] for call in calls if not call.opaque)


def _head(request: RenderRequest) -> tuple[int, int]:
    """The line of a script in which its function begins; its first one where that cannot be found."""
    start = max(request.text.find(f"def {request.function}"), 0)
    end = request.text.find("\n", start)
    return start, end if end >= 0 else len(request.text)


def import_folders(path: str) -> tuple[str, ...]:
    """The folders from which a script may import what is not installed: those of the settings above it, as Alembic's `prepend_sys_path`
    usually says."""
    script = Path(path).absolute()
    for folder in list(script.parents)[:8]:
        if any((folder / name).is_file() for name in ("alembic.ini", "pyproject.toml", "setup.py", "setup.cfg")):
            return (str(folder), *(str(inner) for inner in (folder / "src",) if inner.is_dir()))
        if (folder / ".git").exists():
            return (str(folder),)
    return ()
