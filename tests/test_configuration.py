import re
from pathlib import Path

import pytest

from migsafe.configuration import Configuration, PerPath, Slo, read_configuration
from migsafe.errors import ConfigError
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Limits
from migsafe.sources import CustomRunner, Transaction


def project(folder: Path, toml: str, name: str = "pyproject.toml") -> Path:
    path = folder / name
    path.write_text(toml)
    return path


def test_the_nearest_file_with_settings_is_read(tmp_path: Path) -> None:
    project(tmp_path, "[tool.migsafe]\npg-version = 15")
    below = tmp_path / "service" / "db"
    below.mkdir(parents=True)
    project(tmp_path / "service", "[tool.black]\nline-length = 100")
    assert read_configuration(start=below).pg_version == 15
    project(below, "pg-version = 16", "migsafe.toml")
    assert read_configuration(start=below).pg_version == 16


def test_every_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = project(
        tmp_path,
        """
        [tool.migsafe]
        migrations = ["db/migrations"]
        runner = "dbmate"
        transaction = "file"
        pg-version = 14
        select = ["drop-table"]
        ignore = ["syntax-error"]
        fail-on = "error"

        start-after = "0042"
        lock-timeout = "2s"
        longest-lock-timeout = "1min"
        small-table = 500
        schema = "db/schema.sql"
        stats = "../stats.json"
        baseline = "baseline.json"
        rules = "tools/rules"

        [tool.migsafe.severity]
        drop-table = "warning"

        [[tool.migsafe.per-path]]
        paths = ["legacy/**"]
        ignore = ["drop-table"]
        severity = { syntax-error = "info" }

        [tool.migsafe.custom-runner]
        files = "*.up.sql"
        no-transaction = "*.autocommit.*"
        """,
    )
    settings = read_configuration(path)
    assert (settings.migrations, settings.pg_version, settings.fail_on) == (("db/migrations",), 14, "error")
    assert (settings.select, settings.ignore) == (("drop-table",), ("syntax-error",))
    assert (settings.start_after, settings.small_table) == ("0042", 500)
    assert settings.limits == Limits(lock_timeout=2000, longest_lock_timeout=60_000, small_table=500)
    assert (settings.schema, settings.stats, settings.baseline, settings.rules) == (
        "db/schema.sql",
        "../stats.json",
        "baseline.json",
        "tools/rules",
    )
    assert settings.severities == {"drop-table": Severity.WARNING}
    [legacy] = settings.per_path
    assert (legacy.paths, legacy.ignore, legacy.severities) == (("legacy/**",), ("drop-table",), {"syntax-error": Severity.INFO})
    assert (settings.sources.runner, settings.sources.transaction) == ("dbmate", Transaction.FILE)
    assert settings.sources.custom is not None
    assert (settings.sources.custom.files, settings.sources.custom.no_transaction) == ("*.up.sql", "*.autocommit.*")


def test_lock_timeouts_follow_postgresql(tmp_path: Path) -> None:
    settings = read_configuration(project(tmp_path, "lock-timeout = '2000'\nslo.blocked = '0'", "migsafe.toml"))
    assert (settings.limits.lock_timeout, settings.slo.budgets[0]) == (2000, 0)


def test_paths_start_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, 'migrations = ["db"]', "migsafe.toml")
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    assert read_configuration().migrations == ("../db",)


def test_without_a_file_the_defaults_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_configuration(project(tmp_path, "")) == Configuration()


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("pg-versoin = 17", "pg-versoin: unknown key\n  Did you mean pg-version?"),
        ("fail_on = 'error'", "fail_on: unknown key\n  Did you mean fail-on?"),
        ("select = 'drop-table'", "select: expected a list, got a string"),
        ("select = [1]", "select[1]: expected a string, got a whole number"),
        ("runner = true", "runner: expected a string, got true or false"),
        ("pg-version = 9", "pg-version: invalid value: 9\n  Use 14, 15, 16, 17, 18 or 19."),
        ("fail-on = 'sometimes'", "fail-on: invalid value: sometimes\n  Use error, info, never or warning."),
        ("severity.drop-table = 'bad'", "severity.drop-table: invalid value: bad\n  Use error, info or warning."),
        ("lock-timeout = '2x'", "lock-timeout: invalid duration: 2x\n  Examples: 500ms, 2s, 1min."),
        ("slo.blocked = '5'", "slo.blocked: a duration needs a unit: 5\n  Write 5s for seconds, or 5ms for milliseconds."),
        ("slo.hold = 5", 'slo.hold: expected a string, got a whole number\n  Write a duration in quotes, with its unit: "5s" or "5ms".'),
        ("script-timeout = '10'", "script-timeout: a duration needs a unit: 10"),
        ("start-after = 42", "start-after: expected a string, got a whole number"),
        ("per-path = [{ ignore = [] }]", "per-path[1].paths: the key is missing"),
        ("per-path = [{ paths = [], ignor = [] }]", "per-path[1].ignor: unknown key\n  Did you mean ignore?"),
        ("folder = '.'", "folder: unknown key\n"),
        ("custom-runner.file = '*'", "custom-runner.file: unknown key\n  Did you mean files?"),
        ("custom-runner.order = 'date'", "custom-runner.order: invalid value: date\n  Use file-name, file-number, name or number."),
        ("custom-runner.up-marker = '('", "custom-runner.up-marker: invalid regular expression: "),
        ("small-table = -1", "small-table: invalid value: -1\n  It must be 0 or more."),
        ("small-table = '9'", "small-table: expected a whole number, got a string"),
        ("migrations = [[]]", "migrations[1]: expected a string, got a list"),
        ("severity = 'error'", "severity: expected a table, got a string"),
        ("slo.rows-lost = -1", "slo.rows-lost: invalid value: -1"),
        ("slo = []", "slo: expected a table, got a list"),
        ("per-path = [1]", "per-path[1]: expected a table, got a whole number"),
        ("no-exec = 1", "no-exec: expected true or false, got a whole number"),
    ],
)
def test_an_invalid_setting_is_an_error(tmp_path: Path, toml: str, complaint: str) -> None:
    path = project(tmp_path, toml, "migsafe.toml")
    with pytest.raises(ConfigError) as refused:
        read_configuration(path)
    assert str(refused.value).startswith(f"{path}: {complaint}")


def test_invalid_toml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not valid TOML: .*line 1"):
        read_configuration(project(tmp_path, "runner = migsafe"))


def test_the_configuration_in_the_readme_is_valid(tmp_path: Path) -> None:
    shown, *_ = re.findall(r"```toml\n(.*?)```", (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(), re.DOTALL)
    settings = read_configuration(project(tmp_path, shown))
    assert (settings.start_after, settings.lock_timeout, settings.small_table) == ("0042", "2s", 10_000)


def test_the_page_names_every_key() -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
    tables = (Configuration, PerPath, Slo, CustomRunner)
    keys = {name.replace("_", "-") for table in tables for name in table.__struct_fields__} - {"folder"}
    assert {key for key in keys if not re.search(rf"(?<![\w-]){key}(?![\w-])", page)} == set()
