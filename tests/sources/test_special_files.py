"""FIFOs, sockets and devices, whose content may have no end, are named and never read."""

import os
import socket
import sys
from pathlib import Path

import pytest

from migsafe.errors import UnreadableError
from migsafe.library.lint import lint
from migsafe.text import Script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")


def test_a_fifo_in_a_folder_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "001_pipe.sql")
    (tmp_path / "002_drop.sql").write_text("DROP TABLE orders;")
    verdict = lint([str(tmp_path)])
    assert [problem.message for problem in verdict.problems] == [f"{tmp_path}/001_pipe.sql: is a FIFO (a named pipe), and is not read"]
    assert "drop-table" in [finding.rule for finding in verdict.findings]


def test_a_socket_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("001_a.sql")
        with pytest.raises(UnreadableError, match="is a socket"):
            Script("001_a.sql").head()


def test_a_device_is_not_read() -> None:
    with pytest.raises(UnreadableError, match="is a device"):
        _ = Script("/dev/zero").text
    assert Script(os.devnull).text == ""


def test_the_pipe_that_a_shell_passes_is_read_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"SELECT 1;")
    os.close(writing)
    script = Script(f"/dev/fd/{reading}")
    assert script.head() == script.text == "SELECT 1;"
    os.close(reading)
