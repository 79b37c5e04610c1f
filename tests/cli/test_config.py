"""`migsafe config`: the settings that apply, and where each comes from."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Run

PROJECT = """\
[project]
description = '''
[tool.migsafe]
'''

[tool.migsafe] # ours
migrations = [
    "db",  # ] = [
    "other",
]
# pg-version = 14
slo.blocked = "2s"
"lock-timeout" = "5s"
severity = { drop-table = "warning" }

[[tool.migsafe.per-path]]
paths = ["a"]

[[tool.migsafe.per-path]]
paths = ["b"]
ignore = ["drop-column"]
[tool.migsafe.per-path.severity]
truncate = "info"
"""


def test_each_setting_has_its_origin(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("pyproject.toml", PROJECT)
    run = migsafe("config", "--format", "json", "--pg-version", "16", "--ignore", "drop-table,truncate")
    assert run.code == 0
    document = json.loads(run.out)
    assert document["file"] == "pyproject.toml"
    origins = {each["key"]: (each["value"], each["origin"].get("line") or each["origin"].get("option")) for each in document["settings"]}
    set_here = {key: origin for key, origin in origins.items() if origin[1] is not None}
    assert set_here == {
        "migrations": (["db", "other"], 7),
        "pg-version": (16, "--pg-version"),
        "ignore": (["drop-table", "truncate"], "--ignore"),
        "severity.drop-table": ("warning", 14),
        "per-path[1].paths": (["a"], 17),
        "per-path[2].paths": (["b"], 20),
        "per-path[2].ignore": (["drop-column"], 21),
        "per-path[2].severity.truncate": ("info", 23),
        "slo.blocked": ("2s", 12),
        "lock-timeout": ("5s", 13),
    }
    assert origins["fail-on"] == ("warning", None)


def test_the_list_for_people(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    write("migsafe.toml", 'migrations = ["db"]\nper-path = [{ paths = ["a"] }]\n')
    lines = [line.split() for line in migsafe("config", "--fail-on", "error").out.splitlines()]
    assert lines[0] == ["Configuration:", "migsafe.toml"]
    for line in (
        ["migrations", "migsafe.toml:1", '["db"]'],
        ["per-path[1].paths", "migsafe.toml:2", '["a"]'],
        ["fail-on", "--fail-on", '"error"'],
        ["pg-version", "default", "17"],
    ):
        assert line in lines


def test_without_a_configuration_all_are_defaults(migsafe: Callable[..., Run]) -> None:
    run = migsafe("config")
    assert (run.code, run.out.splitlines()[0]) == (0, "Configuration: none: all settings are defaults")


def test_an_invalid_configuration_is_reported(migsafe: Callable[..., Run], write: Callable[..., Path]) -> None:
    path = write("migsafe.toml", "pg-versoin = 17")
    assert migsafe("config") == Run(2, "", "migsafe: migsafe.toml: pg-versoin: unknown key\n  Did you mean pg-version?\n")
    path.write_text('ignore = ["drop-tabel"]')
    run = migsafe("config")
    assert (run.code, run.err) == (2, "migsafe: there is no rule drop-tabel\n  Did you mean drop-table?\n")
