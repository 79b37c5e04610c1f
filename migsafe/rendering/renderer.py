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
from migsafe.rendering.halves import half_of
from migsafe.rendering.inspection import answer
from migsafe.rendering.live import Executed
from migsafe.rendering.messages import EXECUTE, Answer, Died, Looked, Piece, Question, Render, Rendered
from migsafe.rendering.trial import Trial
from migsafe.sources import Half, Migration, Transaction

if TYPE_CHECKING:
    from migsafe.rendering.process import Process


class Rendering(Struct, frozen=True):
    """What a script came to, the questions that it asked with the answers that it got, and all that was looked at by a process that `began`
    at a time: it would come to the same again where all of that is the same."""

    rendered: Rendered
    asked: tuple[tuple[Question, Answer], ...] = ()
    looked: tuple[Looked, ...] = ()
    began: int = 0


class Kept(Protocol):
    """Who remembers renderings by their requests, together with all that they depend on."""

    def recall(self, request: Render, ask: Callable[[Question], Answer]) -> Rendered | None:
        """What the script came to when it was asked the same, and `ask` gave the same answers."""

    def keep(self, request: Render, rendering: Rendering) -> None:
        """Remember what a script came to."""

    def cannot_keep(self) -> None:
        """Something was rendered that may come to something else the next time."""

    def away(self) -> AbstractContextManager[None]:
        """What the block starts is known by its renderings."""

    def close(self) -> None:
        """No more is rendered."""


class Remembered:
    """Remembers for as long as the process lives."""

    def __init__(self) -> None:
        self._found: dict[Render, list[Rendering]] = {}

    def recall(self, request: Render, ask: Callable[[Question], Answer]) -> Rendered | None:
        """What the script came to when it was asked the same, and `ask` gave the same answers."""
        for rendering in self._found.get(request, ()):
            if all(ask(question) == said for question, said in rendering.asked):
                return rendering.rendered
        return None

    def keep(self, request: Render, rendering: Rendering) -> None:
        """Remember what a script came to."""
        self._found.setdefault(request, []).append(rendering)

    def cannot_keep(self) -> None:
        """Do nothing: it is not asked again."""

    def away(self) -> AbstractContextManager[None]:
        """Nobody looks."""
        return nullcontext()

    def close(self) -> None:
        """Forget nothing: the process lives on."""


class Renderer:
    """Renders programs, in one process that is started for the first of them. `run` is False where nothing of a program may be run."""

    def __init__(self, *, run: bool = True, seconds: float = 10.0, kept: Kept | None = None) -> None:
        self._run = run
        self._seconds = seconds
        self._kept = kept or Remembered()
        self._process: Process | None = None
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

    def migration(self, migration: Migration, forecast: Predictor) -> Migration:
        """A migration whose way up is rendered, in a database as the migrations before it have left it. Raises MigsafeError."""
        up = self.half(migration.up, forecast)
        return migration if up is migration.up else msgspec.structs.replace(migration, up=up)

    def half(self, half: Half, forecast: Predictor) -> Half:
        """A half, rendered where it is a program that nobody has rendered yet. Raises MigsafeError."""
        if half.program is None or half.program.calls or half.chunks:
            return half
        return half_of(half, half.program, self._pieces(self.request(half, forecast.catalog.pg_version), forecast))

    def live(self, half: Half, forecast: Predictor, execute: Callable[[str], Executed | list[str]], seconds: float) -> Half:
        """A half that is a program, as it comes out where there is a server: `execute` executes a statement there, and gives its result, or the
        SQLSTATE and message with which it was refused. A program that may not be run is rendered. Raises MigsafeError."""
        if half.program is None or not self._run:
            return self.half(half, forecast)
        request = msgspec.structs.replace(self.request(half, forecast.catalog.pg_version), live=True, seconds=seconds)
        with Trial(forecast.catalog) as trial:

            def ask(question: Question) -> Answer:
                if question.what == EXECUTE:
                    return Answer(execute(question.arguments[0] or ""))
                return answer(trial.after(question.sent), question.what, question.arguments)

            try:
                found = self._worker().render(request, ask)
            except Died as died:
                self._end()
                return half_of(half, half.program, (self._lost(request, died),))
            except BaseException:
                self._end()
                raise
        if found.spoilt:
            self._end()
        return half_of(half, half.program, found.pieces)

    def back(self, migration: Migration, forecast: Predictor) -> Migration:
        """A migration whose way up is rendered, with its way back rendered too: in the database as the way up leaves it, when the migrations
        before have left it as the forecast says. Raises MigsafeError."""
        down = migration.down
        if down is None or down.program is None or down.program.calls or down.chunks:
            return migration
        request = self.request(down, forecast.catalog.pg_version)
        pieces = self._pieces(request, forecast, tuple(_sent(migration.up)))
        return msgspec.structs.replace(migration, down=half_of(down, down.program, pieces))

    def request(self, half: Half, pg_version: int) -> Render:
        """What is asked of the process for a half that is a program. Raises UnreadableError."""
        program = half.program
        assert program is not None
        path = program.script.path
        return Render(
            path=path,
            text=program.script.text,
            function=program.function,
            folders=import_folders(path) if path != "-" and self._run else (),
            in_transaction=half.transaction is Transaction.FILE,
            run=self._run,
            seconds=self._seconds,
            pg_version=pg_version,
        )

    def _pieces(self, request: Render, forecast: Predictor, before: tuple[str, ...] = ()) -> tuple[Piece, ...]:
        with Trial(forecast.catalog) as trial:

            def ask(question: Question) -> Answer:
                return answer(trial.after((*before, *question.sent)), question.what, question.arguments)

            found = self._kept.recall(request, ask)
            if found is None:
                try:
                    found = self._rendered(request, ask)
                except Died as died:
                    self._kept.cannot_keep()
                    return (self._lost(request, died),)
        return found.pieces

    def _rendered(self, request: Render, ask: Callable[[Question], Answer]) -> Rendered:
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
        if found.lasting:
            self._kept.keep(request, Rendering(found, tuple(asked), tuple(process.looked), process.began))
        else:
            self._kept.cannot_keep()
        if found.spoilt:
            self._end()
        return found

    def _worker(self) -> "Process":
        if self._unable is not None:
            raise self._unable
        if self._process is None:
            from migsafe.rendering.process import Process  # noqa: PLC0415  # starting processes takes a good deal of Python's library

            try:
                with self._kept.away():
                    self._process = Process()
            except MigsafeError as error:
                self._unable = error
                raise
        return self._process

    def _lost(self, request: Render, died: Died) -> Piece:
        """What stands for a script that has ended its process."""
        start, end = (died.at.start, died.at.end) if died.at is not None else _head(request)
        return Piece(request.text[start:end], start, end, died.why)


def _sent(half: Half) -> Iterator[str]:
    """What a half sends, piece by piece, as far as it is known."""
    calls = half.program.calls if half.program is not None else ()
    if not calls:
        yield from (half.script.text[span.start : span.end] for span in half.chunks)
    yield from (half.script.text[call.sql_span.start : call.sql_span.end] for call in calls if not call.opaque)


def _head(request: Render) -> tuple[int, int]:
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
