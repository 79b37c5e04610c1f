"""Alembic's scripts are replayed as the SQL that they send: recorded at their calls, in their transactions; what only rows decide is left out,
and said."""

from pathlib import Path

import pytest

from migsafe import Options, Place, Replay, replay
from migsafe.lock import LockMode
from migsafe.replaying.recording import Played
from tests.replay.servers import any_installation

SHOP = Path(__file__).parents[2] / "fixtures" / "shop_alembic" / "migrations" / "versions"
HEAD = "import sqlalchemy as sa\nfrom alembic import op\nrevision = {!r}\ndown_revision = {!r}\n"


def replayed(path: Path, *checks: str) -> Replay:
    place = Place(pg_bin=str(any_installation().bindir))
    return replay([str(path)], place=place, options=Options(checks=checks, rows=lambda table: 300))


def lines(done: Replay) -> list[tuple[str, int]]:
    """The lines of the statements' calls, with the words that they begin with."""
    return [(" ".join(one.sql.split()[:2]), _line(done, one)) for one in done.replayed[-1].recording.statements]


def _line(done: Replay, one: Played) -> int:
    half = done.replayed[-1].migration.up
    return half.file.position(half.place(one.statement.span).start).line


def test_a_script_is_recorded_at_its_calls() -> None:
    done = replayed(SHOP / "0004_find_items_by_sku.py", "agreement", "round trip")
    assert done.verdict.problems == []
    assert lines(done) == [("CREATE INDEX", 10)]
    [touch] = done.replayed[-1].recording.statements[0].touches
    assert (touch.effect.relation.name, touch.effect.lock, touch.rows) == ("items", LockMode.SHARE, 300)
    assert [outcome.passed for outcome in done.replayed[-1].outcomes] == [True, True]


def test_an_autocommit_block_is_outside_of_the_transaction() -> None:
    done = replayed(SHOP / "0005_find_orders_by_date.py", "crash")
    index = done.replayed[-1].recording.statements[1]
    assert (index.outside, index.touches[0].effect.lock) == (True, LockMode.SHARE_UPDATE_EXCLUSIVE)
    assert [finding.rule for finding in done.verdict.findings] == ["replay-crash-leaves-it-stuck"]
    assert done.verdict.findings[0].script.position(done.verdict.findings[0].span.start).line == 11


def test_a_way_back_that_loses_values_is_found() -> None:
    done = replayed(SHOP / "0009_notes_and_states.py", "round trip")
    [outcome] = done.replayed[-1].outcomes
    assert not outcome.passed
    assert "the values of quantity" in outcome.steps[0].text


@pytest.mark.parametrize(
    "body",
    [
        "    for (name,) in op.get_bind().execute(sa.text('SELECT note FROM orders')):\n        op.execute(f'DROP TABLE {name}')\n",
        "    import os\n    if os.environ['SHOP']:\n        op.execute('DROP TABLE orders')\n",
    ],
)
def test_what_only_rows_or_the_environment_decide_is_left_out_and_said(tmp_path: Path, body: str) -> None:
    made = "def upgrade():\n    op.create_table('orders', sa.Column('note', sa.Text()))\n"
    (tmp_path / "1_made.py").write_text(HEAD.format("1", None) + made)
    (tmp_path / "2_change.py").write_text(HEAD.format("2", "1") + "def upgrade():\n" + body)
    done = replayed(tmp_path / "2_change.py")
    statements = done.replayed[-1].recording.statements
    assert sum(bool(one.left_out) for one in statements) == 1
    assert {finding.rule for finding in done.verdict.findings} == {"replay-left-out"}
    assert any("left out" in note for note in done.notes)
