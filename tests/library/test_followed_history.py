"""The rounds of fixes follow the history before the fixed migration once, and judge the same as a run that follows it each time."""

from pathlib import Path

import pytest

from migsafe.configuration import Configuration
from migsafe.library.fix import fix
from migsafe.library.followed_history import FollowedHistory
from migsafe.prediction.predictor import Predictor
from migsafe.sources import Half

HISTORY = ("CREATE TABLE orders (id bigint PRIMARY KEY, code text);", "CREATE TABLE parts (id bigint PRIMARY KEY, order_id bigint);")
LAST = """SET lock_timeout = '1s';
CREATE INDEX orders_code_idx ON orders (code);
ALTER TABLE parts ADD CONSTRAINT parts_order_fkey FOREIGN KEY (order_id) REFERENCES orders (id);
"""


@pytest.fixture
def last(tmp_path: Path) -> Path:
    for number, text in enumerate((*HISTORY, LAST), 1):
        (tmp_path / f"{number:04}_change.sql").write_text(text)
    return tmp_path / f"{len(HISTORY) + 1:04}_change.sql"


def test_the_history_is_followed_once(last: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply, followed = Predictor.apply, []

    def count(predictor: Predictor, half: Half) -> None:
        followed.append(Path(half.file.path).name)
        apply(predictor, half)

    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "apply", count)
        once = fix([str(last)], settings=Configuration(), unsafe=True)
    monkeypatch.setattr(FollowedHistory, "wants", lambda history, number: False)
    again = fix([str(last)], settings=Configuration(), unsafe=True)
    assert followed == ["0001_change.sql", "0002_change.sql"]
    assert once.applied
    assert once.diff() == again.diff()
    assert [(each.rule, each.span, each.message) for each in once.verdict.findings] == [
        (each.rule, each.span, each.message) for each in again.verdict.findings
    ]
