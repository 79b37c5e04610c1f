"""`migsafe server` without its extra."""

import sys

import pytest

from migsafe.cli import main


def test_without_pygls_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.startswith(("migsafe.editor", "pygls"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    assert main(["server"]) == 2
    assert "pip install 'migsafe-cli[server]'" in capsys.readouterr().err
