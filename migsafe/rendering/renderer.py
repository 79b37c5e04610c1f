"""The renderer of the migrations of a run; each is rendered when it is needed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
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
from migsafe.rendering.second_runs import may_stop_between, with_skipped_calls
from migsafe.rendering.tentative_schema import TentativeSchema
from migsafe.sources import Half, ImportPath, Migration, Transaction
from migsafe.sources.migration import definition_line

if TYPE_CHECKING:
    from migsafe.rendering.process import WorkerProcess


class Rendering(Struct, frozen=True):
    """The result of rendering a script, with all that it depends on: the answers to its questions, and the files that the worker has read since
    it started. With the same answers and files the result would be the same."""

    result: RenderResult
    answers: tuple[tuple[Question, Answer], ...] = ()
    dependencies: tuple[Dependencies, ...] = ()
    worker_started_ns: int = 0


class RenderingStore(Protocol):
    """A store of renderings by their requests, with all that they depend on."""

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """Returns the stored result for the same request, if its dependencies are unchanged and `ask` gives the same answers."""

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Stores a rendering."""

    def note_unrepeatable(self) -> None:
        """Records that the run has rendered something that may be different the next time."""

    def starting_worker(self) -> AbstractContextManager[None]:
        """Returns a context for the start of the worker, which reads files that are dependencies of the renderings."""

    def close(self) -> None:
        """Closes the store; nothing more is rendered."""


class MemoryStore:
    """A store in memory, for one run."""

    def __init__(self) -> None:
        self._renderings: dict[RenderRequest, list[Rendering]] = {}

    def look_up(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult | None:
        """Returns the stored result for the same request, if its dependencies are unchanged and `ask` gives the same answers."""
        for rendering in self._renderings.get(request, ()):
            if all(ask(question) == answer for question, answer in rendering.answers):
                return rendering.result
        return None

    def store(self, request: RenderRequest, rendering: Rendering) -> None:
        """Stores a rendering."""
        self._renderings.setdefault(request, []).append(rendering)

    def note_unrepeatable(self) -> None:
        """Does nothing."""

    def starting_worker(self) -> AbstractContextManager[None]:
        """Returns a context without effect."""
        return nullcontext()

    def close(self) -> None:
        """Does nothing."""


class Renderer:
    """Renders programs in one worker process, which is started for the first of them. `run` is False if programs must not be run."""

    def __init__(self, *, run: bool = True, seconds: float = 10.0, store: RenderingStore | None = None) -> None:
        self._run = run
        self._seconds = seconds
        self._store = store or MemoryStore()
        self._process: WorkerProcess | None = None
        self._start_error: MigsafeError | None = None

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker, and saves the renderings."""
        self._end()
        self._store.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def render_migration(self, migration: Migration, predictor: Predictor) -> Migration:
        """Returns the migration with its upgrade rendered, on the database as the migrations before have left it. Raises MigsafeError."""
        up = self.render_half(migration.up, predictor)
        return migration if up is migration.up else msgspec.structs.replace(migration, up=up)

    def render_half(self, half: Half, predictor: Predictor) -> Half:
        """Returns the half, rendered if it is a program that has not been rendered yet. Raises MigsafeError."""
        if half.program is None or half.program.calls or half.chunks:
            return half
        request = self.request(half, predictor.catalog.pg_version)
        result, has_asked = self._render(request, predictor, half.setup)
        if has_asked and may_stop_between(result, in_transaction=request.in_transaction):
            result = with_skipped_calls(result, lambda sent: self._render(request, predictor, (*half.setup, *sent))[0])
        return rendered_half(half, half.program, result)

    def render_live(self, half: Half, predictor: Predictor, execute: Callable[[str], ExecutionResult | list[str]], seconds: float) -> Half:
        """Returns the half with the SQL that the program sends when a server answers its queries.

        `execute` executes a statement on the server, and returns its result, or the SQLSTATE and message of its error. A program that must not
        be run is rendered without the server. Raises MigsafeError.
        """
        if half.program is None or not self._run:
            return self.render_half(half, predictor)
        request = msgspec.structs.replace(self.request(half, predictor.catalog.pg_version), live=True, seconds=seconds)
        with TentativeSchema(predictor.catalog) as schema:

            def ask(question: Question) -> Answer:
                if question.name == EXECUTE:
                    return Answer(execute(question.arguments[0] or ""))
                return answer_question(schema.after((*half.setup, *question.sent)), question.name, question.arguments)

            try:
                result = self._worker().render(request, ask)
            except WorkerFailed as failure:
                self._end()
                return rendered_half(half, half.program, self._failed(request, failure))
            except BaseException:
                self._end()
                raise
        if result.needs_restart:
            self._end()
        return rendered_half(half, half.program, result)

    def render_down(self, migration: Migration, predictor: Predictor) -> Migration:
        """Returns the migration, whose upgrade has been rendered, with its downgrade rendered too, on the database as the upgrade leaves it,
        and with the upgrade that follows, on the database as the downgrade leaves it: it may ask what exists.

        `predictor` has the database before the upgrade. Raises MigsafeError.
        """
        down = migration.down
        if down is None or down.program is None or down.program.calls or down.chunks:
            return migration
        request = self.request(down, predictor.catalog.pg_version)
        before = (*migration.up.setup, *_sent_sql(migration.up))
        rendered = rendered_half(down, down.program, self._render(request, predictor, before)[0])
        again = self._render_again(migration.up, predictor, (*before, *down.setup, *_sent_sql(rendered)))
        return msgspec.structs.replace(migration, down=rendered, again=again)

    def _render_again(self, up: Half, predictor: Predictor, before: tuple[str, ...]) -> Half | None:
        if up.program is None:
            return None
        result, _ = self._render(self.request(up, predictor.catalog.pg_version), predictor, before)
        return rendered_half(up, up.program, result)

    def request(self, half: Half, pg_version: int) -> RenderRequest:
        """Returns the request to the worker for a half that is a program. Raises UnreadableError."""
        program = half.program
        assert program is not None
        path = program.script.path
        imports = program.import_path if self._run else ImportPath()
        return RenderRequest(
            path=path,
            text=program.script.text,
            function=program.function,
            folders=imports.first,
            last_folders=imports.last,
            packages=imports.packages,
            root=imports.root,
            in_transaction=half.transaction is Transaction.FILE,
            run=self._run,
            seconds=self._seconds,
            pg_version=pg_version,
            environment=program.environment,
        )

    def _render(self, request: RenderRequest, predictor: Predictor, before: tuple[str, ...] = ()) -> tuple[RenderResult, bool]:
        """Returns what the program sends on the database after the SQL `before`, and whether that depends on the schema."""
        has_asked = False
        with TentativeSchema(predictor.catalog) as schema:

            def ask(question: Question) -> Answer:
                nonlocal has_asked
                has_asked = True
                return answer_question(schema.after((*before, *question.sent)), question.name, question.arguments)

            result = self._store.look_up(request, ask)
            if result is None:
                try:
                    result = self._render_in_worker(request, ask)
                except WorkerFailed as failure:
                    self._store.note_unrepeatable()
                    return self._failed(request, failure), False
        return result, has_asked

    def _render_in_worker(self, request: RenderRequest, ask: Callable[[Question], Answer]) -> RenderResult:
        process = self._worker()
        answers: list[tuple[Question, Answer]] = []

        def note(question: Question) -> Answer:
            answer = ask(question)
            answers.append((question, answer))
            return answer

        try:
            result = process.render(request, note)
        except BaseException:
            self._end()
            raise
        if result.repeatable:
            self._store.store(request, Rendering(result, tuple(answers), tuple(process.dependencies), process.started_ns))
        else:
            self._store.note_unrepeatable()
        if result.needs_restart:
            self._end()
        return result

    def _worker(self) -> "WorkerProcess":
        if self._start_error is not None:
            raise self._start_error
        if self._process is None:
            from migsafe.rendering.process import WorkerProcess  # noqa: PLC0415  # imports much of Python's library

            try:
                with self._store.starting_worker():
                    self._process = WorkerProcess()
            except MigsafeError as error:
                self._start_error = error
                raise
        return self._process

    def _failed(self, request: RenderRequest, failure: WorkerFailed) -> RenderResult:
        """Returns the opaque call that replaces the calls of a script whose worker failed."""
        location = failure.location
        start, end = (location.start, location.end) if location is not None else definition_line(request.text, request.function)
        return RenderResult((RenderedCall(request.text[start:end], start, end, failure.reason),))


def _sent_sql(half: Half) -> Iterator[str]:
    """Yields the known SQL that a half sends, chunk by chunk."""
    calls = half.program.calls if half.program is not None else ()
    if not calls:
        yield from (half.script.text[span.start : span.end] for span in half.chunks)
    yield from (half.script.text[call.sql_span.start : call.sql_span.end] for call in calls if not call.opaque)
