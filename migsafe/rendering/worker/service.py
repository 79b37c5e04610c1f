"""The service of the worker: it answers one request after the other."""

import gc
import os
import sys
import threading
import time
from importlib.metadata import version
from typing import BinaryIO

import sqlalchemy

from migsafe.rendering.messages import EXECUTE, Answer, Location, Question, Ready, RenderRequest, RenderResult, read_to_worker, write
from migsafe.rendering.worker.annotations import install_annotations
from migsafe.rendering.worker.dependencies import DependencyTracker
from migsafe.rendering.worker.frames import frame_of_thread
from migsafe.rendering.worker.guards import Guards, Snapshot, watch_parent
from migsafe.rendering.worker.older_alembic import install_older_arguments
from migsafe.rendering.worker.plugins.spatial import install_batch_operations, install_spatial_indexes
from migsafe.rendering.worker.project import ProjectCode
from migsafe.rendering.worker.project_engine import install_engines
from migsafe.rendering.worker.project_finder import ProjectFinder
from migsafe.rendering.worker.relationships import leave_out_unknown_relationships
from migsafe.rendering.worker.script import ScriptResult, render
from migsafe.rendering.worker.script_run import Run
from migsafe.rendering.worker.sqlalchemy_patches import install_patches

_SLOW = 0.5


class Service:
    """The worker's end of the pipes."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._guards = Guards()
        self._dependencies = DependencyTracker()
        self._run: Run | None = None
        self._began = 0.0
        self._main = threading.get_ident()

    def serve(self) -> None:
        """Answers requests until the pipe is closed."""
        install_patches()
        install_older_arguments()
        install_annotations()
        install_spatial_indexes()
        install_batch_operations()
        self._guards.install()
        self._dependencies.install()
        self._guards.adopt(watch_parent(os.getppid(), self._beat))
        pristine = Snapshot()
        project = ProjectCode(self._guards, pristine)
        ProjectFinder(project).install()
        install_engines(project)
        leave_out_unknown_relationships(project.owner)
        gc.freeze()  # what is loaded by now stays, and need not be searched by each collection
        versions = {"alembic": version("alembic"), "sqlalchemy": sqlalchemy.__version__, "python": sys.version.partition(" ")[0]}
        self._write(Ready(versions, self._dependencies.take_new()))
        while True:
            try:
                request = read_to_worker(self._incoming)
            except EOFError:
                return
            if isinstance(request, RenderRequest):
                result = self._rendered(request, project)
                has_threads = self._guards.has_extra_threads()
                needs_restart = result.broken or has_threads or (result.broken is None and pristine.is_changed())
                repeatable = result.repeatable and not has_threads and not self._dependencies.incomplete
                dependencies = self._dependencies.take_new()
                self._write(
                    RenderResult(tuple(result.calls), dependencies, needs_restart, repeatable, tuple(result.paths), result.has_untried_paths)
                )

    def _rendered(self, request: RenderRequest, project: ProjectCode) -> ScriptResult:
        project.configure(request)
        answers: dict[tuple[str, tuple[str | None, ...], tuple[str, ...]], Answer] = {}

        def ask(name: str, arguments: tuple[str | None, ...], sent: tuple[str, ...]) -> Answer:
            key = (name, arguments, sent)
            if key not in answers or name == EXECUTE:
                with self._guards.suspended():
                    self._write(Question(name, arguments, sent))
                    answer = read_to_worker(self._incoming)
                if not isinstance(answer, Answer):
                    raise TypeError(answer)
                answers[key] = answer
            return answers[key]

        with self._dependencies.of_script(request.path):
            return render(request, ask, self._guards, self._watch, project)

    def _watch(self, run: Run | None) -> None:
        self._began = time.monotonic()
        self._run = run

    def _beat(self) -> None:
        """Sends the location of a script that takes long, in case it never replies."""
        run = self._run
        if run is None or time.monotonic() - self._began < _SLOW:
            return
        frame = next(run.file.script_frames(frame_of_thread(self._main)), None)
        if frame is None:
            return
        text_range = run.file.frame_range(frame)
        with self._lock:
            if self._run is run:
                write(self._outgoing, Location(*text_range))

    def _write(self, message: Ready | Question | RenderResult) -> None:
        with self._lock:
            write(self._outgoing, message)
