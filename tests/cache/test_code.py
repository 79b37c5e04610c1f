"""A changed engine, a changed rule and a changed version answer anew. The checkout is a copy, so that it can be changed."""

import shutil
from pathlib import Path

import pytest

from tests.cache.conftest import ROOT, Project

pytestmark = pytest.mark.process

PARTS = {
    "the engine": ("migsafe/prediction/effects/catalogue.py", "\n# changed\n"),
    "a rule": ("rules/locking/index_not_concurrent.py", "\n# changed\n"),
    "the version": ("migsafe/__init__.py", '\n__version__ = "0.1.1"\n'),
    "a file of data": ("migsafe/schema/volatility.txt", "\n"),
}


@pytest.fixture
def copied(project: Project, tmp_path: Path) -> Project:
    checkout = tmp_path / "checkout"
    for part in ("migsafe", "rules"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(project.folder, project.compiled, checkout)


@pytest.mark.parametrize(("part", "more"), PARTS.values(), ids=PARTS)
def test_nothing_stale_is_answered_after_a_change_of(copied: Project, part: str, more: str) -> None:
    copied.write("m/0004_call.sql", "ALTER TABLE orders ADD made timestamptz DEFAULT clock_timestamp();")
    copied.lint("m")
    assert not copied.lint("m").worked
    with (copied.checkout / part).open("a") as file:
        file.write(more)
    assert copied.lint("m").worked
    assert not copied.lint("m").worked


def test_a_new_rule_is_asked(copied: Project) -> None:
    copied.lint("m")
    rule = (ROOT / "rules/locking/index_not_concurrent.py").read_text().replace("def index_not_concurrent", "def index_there")
    (copied.checkout / "rules/locking/index_there.py").write_text(rule)
    assert "index-there" in copied.lint("m").out


def test_another_checkout_answers_for_itself(copied: Project, project: Project) -> None:
    project.lint("m")
    assert copied.lint("m").worked
