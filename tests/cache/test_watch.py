"""What changes during a run, which makes its result unfit for another one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.cache import trace
from migsafe.cache.trace import Trace
from migsafe.cache.watch import Watch


@pytest.fixture(autouse=True)
def _believed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "TICK", 0)


def _traced(*looks: Callable[[], object]) -> Trace | None:
    with Watch() as watch:
        for look in looks:
            look()
    return watch.trace()


def test_a_run_is_traced_while_nothing_changes(tmp_path: Path) -> None:
    assert _traced(lambda: os.path.exists(tmp_path / "a"), lambda: os.path.exists(tmp_path / "a")) is not None


@pytest.mark.parametrize("check", [os.path.exists, os.path.isdir, os.path.lexists])
def test_a_path_that_appears_between_two_checks(tmp_path: Path, check: Callable[[Path], bool]) -> None:
    path = tmp_path / "a"
    assert _traced(lambda: check(path), path.mkdir, lambda: check(path)) is None


def test_a_path_that_disappears_between_two_checks(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    assert _traced(path.is_dir, path.rmdir, path.is_dir) is None


def test_a_fork_that_saw_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with Watch() as fork:
        path.exists()
    path.mkdir()
    with Watch() as watch:
        path.exists()
        watch.include(fork.record(0))
    assert watch.trace() is None
    with Watch() as same:
        path.exists()
        same.include((*watch.record(0)[:-1], False))
    assert same.trace() is not None
