"""What the README shows is what the command prints."""

import re
import shlex
from pathlib import Path

import pytest

from migsafe.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


SHOWN = re.findall(r"```console\n\$ migsafe ([^\n]*)\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command.split()[0] for command, _ in SHOWN])
def test_the_output_is_real(command: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    main(shlex.split(command))
    assert capsys.readouterr().out == shown
