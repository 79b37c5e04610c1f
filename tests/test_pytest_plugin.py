"""`pytest --migsafe` in a team's project: each migration is a test."""

from importlib.metadata import entry_points

import pytest

from tests.support.servers import any_installation

pytestmark = pytest.mark.process

pytest_plugins = ["pytester"]

MADE = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n"
STOPS_WRITES = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".toml", migsafe='migrations = ["migrations"]\n')
    pytester.mkdir("migrations")
    (pytester.path / "migrations" / "1_orders.sql").write_text(MADE)
    (pytester.path / "migrations" / "2_notes.sql").write_text(STOPS_WRITES)
    pytester.makepyfile(test_shop="def test_shop(): pass")
    return pytester


def is_registered() -> bool:
    """Whether pytest finds the plugin: it does where migsafe is installed; in a bare checkout the tests have to name it."""
    return any(entry_point.value == "migsafe.pytest_plugin" for entry_point in entry_points(group="pytest11"))


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugin = [] if is_registered() else ["-p", "migsafe.pytest_plugin"]
    return project.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", *plugin, *arguments)


def test_each_migration_is_a_test(project: pytest.Pytester) -> None:
    done = run(project, "--migsafe", "-v")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["migsafe[[]migrations/1_orders.sql] PASSED*", "migsafe[[]migrations/2_notes.sql] FAILED*"])
    done.stdout.fnmatch_lines(["migrations/2_notes.sql:2:1 error index-not-concurrent", "*CREATE INDEX takes SHARE on public.orders*"])
    assert "pytest_plugin.py" not in done.stdout.str()


def test_without_the_option_there_are_none(project: pytest.Pytester) -> None:
    run(project).assert_outcomes(passed=1)


def test_tests_can_be_selected_and_distributed(project: pytest.Pytester) -> None:
    run(project, "--migsafe", "-k", "orders").assert_outcomes(passed=1, deselected=2)
    run(project, "--migsafe", "-n", "2").assert_outcomes(passed=2, failed=1)


def test_an_unreadable_migration_fails(project: pytest.Pytester) -> None:
    (project.path / "migrations" / "2_notes.sql").write_bytes(b"\xff\xfe\x00")
    done = run(project, "--migsafe")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["migrations/2_notes.sql: *"])


def test_a_project_without_migrations_is_an_error(project: pytest.Pytester) -> None:
    (project.path / "migsafe.toml").write_text("")
    done = run(project, "--migsafe")
    assert done.ret is pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: migsafe: nothing to judge*"])


@pytest.mark.server
def test_migrations_are_replayed(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    bindir = any_installation().bindir
    monkeypatch.setenv("PATH", str(bindir), prepend=":")
    (project.path / "migrations" / "2_notes.sql").write_text("ALTER TABLE orders ADD COLUMN id bigint;\n")
    done = run(project, "--migsafe-replay", "-k", "migsafe")
    done.assert_outcomes(passed=1, failed=1, deselected=1)
    done.stdout.fnmatch_lines(["migrations/2_notes.sql:1:1 error replay-fails"])
