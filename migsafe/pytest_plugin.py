"""`pytest --migsafe`: each migration is a test, which fails with the findings of `migsafe lint`.

The project's configuration names the migrations and the rules. `pytest --migsafe-record FILE` records the queries that the application sends.
Without an option nothing is loaded.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from migsafe import Configuration, Finding, Verdict
    from migsafe.sources import Plan


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("migsafe", "PostgreSQL migrations")
    group.addoption("--migsafe", action="store_true", help="check each migration of the project's migsafe configuration, as a test")
    group.addoption("--migsafe-replay", action="store_true", help="run each migration on a disposable PostgreSQL, as a test")
    group.addoption("--migsafe-record", metavar="FILE", help="record the queries that the application sends during the tests, for migsafe lint")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begins to record before the project's conftest.py is imported."""
    if early_config.known_args_namespace.migsafe_record:
        from migsafe.workload.recording.plugin import NAME, RecordingPlugin  # noqa: PLC0415  # not needed without the option

        early_config.pluginmanager.register(RecordingPlugin(early_config), NAME)


@pytest.hookimpl(tryfirst=True)  # so that -k and -m see them
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds a test for each migration."""
    if not (config.getoption("migsafe") or config.getoption("migsafe_replay")):
        return
    from migsafe import MigsafeError  # noqa: PLC0415  # not needed without the options

    try:
        migrations = _Migrations.from_parent(session, name="migsafe", nodeid="migsafe")
        if config.getoption("migsafe"):
            items.extend(migrations.collect())
        if config.getoption("migsafe_replay"):
            items.extend(_Replays.from_parent(session, name="migsafe-replay", nodeid="migsafe-replay").collect())
    except MigsafeError as error:
        raise pytest.UsageError(f"migsafe: {error}") from error


class _Failed(Exception):
    """The findings, as text."""


class _Item(pytest.Item):
    """The test of one file of migrations."""

    path_of: str
    """The path of the file; for a file that cannot be read, the error."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Returns only the findings, without a traceback into this plugin."""
        if excinfo.errisinstance(_Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        """Returns the heading of the failure."""
        return self.name, None, self.name


class _Migrations(pytest.Collector):
    """The migrations to judge. All are judged together when the first of their tests runs."""

    _verdict: "Verdict | None" = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        from migsafe import read_configuration  # noqa: PLC0415
        from migsafe.library.plan import find_plan  # noqa: PLC0415

        self.settings: Configuration = read_configuration()
        self._plan: Plan = find_plan(None, self.settings, "judge")

    def collect(self) -> Iterator[pytest.Item]:
        """Yields a test for each file."""
        paths = dict.fromkeys(migration.up.file.path for source in self._plan.sources for migration in source.selected())
        for path in paths:
            item = self._item(path)
            item.path_of = path
            yield item
        for problem in self._plan.problems:
            name = f"migsafe[{problem.message.partition(':')[0]}]"
            unreadable = _Unreadable.from_parent(self, name=name, nodeid=name)
            unreadable.path_of = str(problem)
            yield unreadable

    def _item(self, path: str) -> _Item:
        return _Judged.from_parent(self, name=(name := f"migsafe[{path}]"), nodeid=name)

    def verdict(self) -> "Verdict":
        """Returns the verdict on all migrations."""
        if self._verdict is None:
            from migsafe import lint  # noqa: PLC0415

            self._verdict = lint(settings=self.settings)
        return self._verdict


class _Unreadable(_Item):
    def runtest(self) -> None:
        """Fails with the reason."""
        raise _Failed(self.path_of)


class _Judged(_Item):
    def runtest(self) -> None:
        """Fails with the findings and the problems of the file."""
        assert isinstance(self.parent, _Migrations)
        verdict = self.parent.verdict()
        problems = [str(problem) for problem in verdict.problems if self.path_of in problem.message]
        findings = [finding for finding in verdict.findings if finding.script.path == self.path_of]
        if problems or _fails(findings, self.parent.settings):
            raise _Failed("\n".join((*problems, _text(verdict, findings))))


class _Replays(_Migrations):
    def _item(self, path: str) -> _Item:
        return _Replayed.from_parent(self, name=(name := f"migsafe-replay[{path}]"), nodeid=name)


class _Replayed(_Item):
    def runtest(self) -> None:
        """Fails with the findings of the replay."""
        from migsafe import MigsafeError, replay  # noqa: PLC0415

        assert isinstance(self.parent, _Migrations)
        try:
            verdict = replay([self.path_of], settings=self.parent.settings).verdict
        except MigsafeError as error:
            raise _Failed(str(error)) from error
        if verdict.problems or _fails(verdict.findings, self.parent.settings):
            raise _Failed("\n".join((*map(str, verdict.problems), _text(verdict, verdict.findings))))


def _fails(findings: "list[Finding]", settings: "Configuration") -> bool:
    from migsafe import Severity  # noqa: PLC0415

    return settings.fail_on != "never" and any(finding.severity >= Severity[settings.fail_on.upper()] for finding in findings)


def _text(verdict: "Verdict", findings: "list[Finding]") -> str:
    from msgspec.structs import replace  # noqa: PLC0415

    from migsafe.reports.text import findings_text  # noqa: PLC0415
    from migsafe.terminal.display import Display  # noqa: PLC0415

    return findings_text(replace(verdict, findings=findings), Display())
