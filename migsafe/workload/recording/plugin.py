"""`pytest --migsafe-record FILE`: the plugin that pytest gets with this option."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from migsafe.errors import MigsafeError
from migsafe.workload.query import Query
from migsafe.workload.recording.journal import Recording
from migsafe.workload.recording.listeners import DRIVERS
from migsafe.workload.recording.session import Heard, Session, summary

NAME = "migsafe-record"


class RecordingPlugin:
    """Records while tests run, in each process of pytest-xdist.

    It is made before the project's conftest.py is imported, so that all connections are recorded. The process that the user started creates the
    file and sorts it at the end.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._given = str(config.known_args_namespace.migsafe_record)
        self._path = Path(config.invocation_params.dir, self._given)
        self._session = Session(config.rootpath)
        self._recording: Recording | None = None
        self._heard = Heard(unused=[driver.NAME for driver in DRIVERS])
        self._queries: list[Query] | None = None
        self._error = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Creates the file, or opens the one of the process that started this one."""
        try:
            if (worker := getattr(config, "workerinput", None)) is not None:
                self._path = Path(worker["migsafe_record"])
            else:
                self._recording = Recording(self._path)
            self._session.open(self._path)
        except MigsafeError as error:
            self._session.close()
            raise pytest.UsageError(f"--migsafe-record: {error}") from error

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a worker of pytest-xdist which file it is."""
        node.workerinput["migsafe_record"] = str(self._path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Reads what a worker of pytest-xdist has heard."""
        if heard := getattr(node, "workeroutput", {}).get("migsafe_record"):
            self._heard.merge(msgspec.convert(heard, Heard))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Counts for each test apart."""
        self._session.recorder.start_test()
        try:
            return (yield)
        finally:
            self._session.recorder.end_test()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Ends the recording, after pytest-xdist has stopped its workers."""
        result = yield
        self._session.close()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["migsafe_record"] = msgspec.to_builtins(self._session.heard())
        if self._recording is not None:
            self._finish(session)
        return result

    def _finish(self, session: pytest.Session) -> None:
        assert self._recording is not None
        self._heard.merge(self._session.heard())
        try:
            self._queries = self._recording.finish()
        except MigsafeError as error:
            self._error = str(error)
        if not self._queries and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:  # not public in pytest 7
        """Says what was recorded."""
        lines = [self._error] if self._error else summary(self._queries or [], self._given, self._heard)
        terminalreporter.section("migsafe", sep="-")
        for line in lines:
            terminalreporter.write_line(line, green=bool(self._queries), red=not self._queries)

    def pytest_unconfigure(self) -> None:
        """Restores the packages, if the run ended before its tests."""
        self._session.close()
