"""Progress: a line that is replaced on a terminal, and a line every few seconds elsewhere."""

import os
import sys

import pytest

from migsafe.terminal.progress import Status


def test_elsewhere_a_line_appears_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 1.0, 6.0, 6.0, 7.0, 12.0, 12.0])
    status = Status(lambda: next(times))
    for text in ("one", "two", "three", "four", ""):
        status.show(text)
    assert capsys.readouterr().err == "two\nfour\n"


def test_on_a_terminal_the_line_is_replaced_and_cut(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("migsafe.terminal.progress.get_terminal_size", lambda: os.terminal_size((20, 24)))
    status = Status()
    status.show("filling public.a_table_with_a_long_name")
    status.show("")
    written = capsys.readouterr().err
    first, second = written.split("\r\x1b[K")[1:]
    assert first.startswith("filling public.a_t")
    assert len(first) <= 19
    assert second == ""
