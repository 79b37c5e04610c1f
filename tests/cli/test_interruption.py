"""A signal before the server of a replay is ready."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Self

import pytest

from migsafe.cli import main, running_host
from migsafe.replaying.servers.unready import UnreadyHost


class _Interrupted(UnreadyHost):
    """A server during whose start a signal comes."""

    def __enter__(self) -> Self:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()  # the handler raises an exception
        raise AssertionError("the signal did not end the start")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGTERM")
@pytest.mark.parametrize("command", ["replay", "rehearse"])
def test_the_report_names_what_did_not_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(running_host, "choose_host", lambda options, version: _Interrupted(version))
    monkeypatch.setattr(running_host, "is_quick_to_start", lambda options: False)
    monkeypatch.chdir(tmp_path)
    Path("0001.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);")
    assert main([command, "--format", "json", "--report", "report.html", "0001.sql"]) == 130
    output, complaints = capfd.readouterr()
    report = json.loads(output)
    if command == "replay":
        assert report["not_run"] == ["0001.sql"]
    assert report["server"] == "no server: the run was interrupted before it was ready"
    assert "the run was interrupted" in complaints
    assert "Traceback" not in complaints
    assert "did not run" in Path("report.html").read_text()
