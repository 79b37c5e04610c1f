"""Which locks are held when: one model for findings, text, page and JSON."""

import json
import re
from typing import Any

import pytest

from migsafe.library.replay import Replay
from migsafe.library.replay_verdict import replay_verdict
from migsafe.lock import LockMode
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.recording.held_locks import held_locks
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import replay_reporter
from migsafe.sql.operations import Name
from migsafe.terminal.display import Display
from tests.support.replays import FinishedReplay, replay_files

pytestmark = pytest.mark.server

TABLES = """
CREATE TABLE customer (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, qty int);
CREATE INDEX orders_qty ON orders (qty);
"""
WEAKER = """
BEGIN;
ALTER TABLE orders ADD total int;
UPDATE orders SET total = 1;
SELECT count(*) FROM orders;
COMMIT;
"""
SAVEPOINTS = """
BEGIN;
LOCK TABLE orders IN SHARE MODE;
SAVEPOINT a;
ALTER TABLE orders ADD b int;
ALTER TABLE customer ADD b int;
SELECT pg_sleep(0.05);
ROLLBACK TO a;
UPDATE customer SET name = 'x';
SELECT pg_sleep(0.05);
COMMIT;
"""
AUTOCOMMIT = "ALTER TABLE orders ADD c int;\nSELECT pg_sleep(0.05);\nALTER TABLE orders ADD d int;\nCREATE INDEX CONCURRENTLY ON orders (c);\n"
RENAMED = """
BEGIN;
ALTER TABLE customer RENAME TO client;
UPDATE client SET name = 'y';
CREATE TABLE customer (id int);
INSERT INTO customer VALUES (1);
COMMIT;
"""
FILES = {"1.sql": TABLES, "2.sql": WEAKER, "3.sql": SAVEPOINTS, "4.sql": AUTOCOMMIT, "5.sql": RENAMED}
AE, SUE, SHARE, RE = LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE_UPDATE_EXCLUSIVE, LockMode.SHARE, LockMode.ROW_EXCLUSIVE
ORDERS, CUSTOMER = Name("orders", "public"), Name("customer", "public")


@pytest.fixture(scope="module")
def done(host: PrivateHost, tmp_path_factory: pytest.TempPathFactory) -> FinishedReplay:
    return replay_files(host, tmp_path_factory.mktemp("shop"), FILES)


def locks(done: FinishedReplay, migration: int) -> dict[Name, list[tuple[LockMode, int]]]:
    """Returns the locks of a migration in the order of time, with the statements that took them."""
    held = held_locks(done.replayed[migration - 1].recording.statements)
    return {relation: [(lock.lock, lock.statement) for lock in held] for relation, held in held.items()}


def test_a_weaker_lock_does_not_hide_a_stronger_one(done: FinishedReplay) -> None:
    assert locks(done, 2) == {ORDERS: [(AE, 2)]}
    _, alter, update, select, commit = done.replayed[1].recording.statements
    assert [(touch.effect.lock, touch.takes_lock, touch.effect.scan) for touch in update.measured_effects] == [(RE, True, True)]
    assert [(touch.effect.lock, touch.takes_lock) for touch in select.measured_effects] == [(LockMode.ACCESS_SHARE, True)]
    [lock] = held_locks(done.replayed[1].recording.statements)[ORDERS]
    assert (lock.started, lock.ended) == (alter.started, commit.ended)


def test_rollback_to_a_savepoint_releases_locks(done: FinishedReplay) -> None:
    assert locks(done, 3) == {ORDERS: [(SHARE, 2), (AE, 4), (SHARE, 2)], CUSTOMER: [(AE, 5), (RE, 8)]}
    statements = done.replayed[2].recording.statements
    [touch] = statements[4].measured_effects
    assert 50 < touch.held_ms < 1000 * (statements[-1].ended - statements[4].started) - 50


def test_autocommit_and_concurrently(done: FinishedReplay) -> None:
    assert locks(done, 4) == {ORDERS: [(AE, 1), (AE, 3), (SUE, 4)]}
    first, second, build = held_locks(done.replayed[3].recording.statements)[ORDERS]
    assert second.started - first.ended > 0.05
    assert build.started >= second.ended


def test_a_lock_follows_a_renamed_relation(done: FinishedReplay) -> None:
    assert locks(done, 5) == {CUSTOMER: [(AE, 2)]}


@pytest.fixture(scope="module")
def replay(done: FinishedReplay, host: PrivateHost) -> Replay:
    verdict = replay_verdict(done.replayed, Budgets(), [], host.major)
    return Replay(host=host.title, pg_version=host.major, replayed=tuple(done.replayed), verdict=verdict)


BAR = re.compile(r'<div class="name">(.*?)</div>\s*<div class="track"[^>]*>(.*?)</div>')
PIECE = re.compile(r'<i class="blocks-(\w+)" style="left:([\d.]+)%;width:([\d.]+)%" title="([A-Z ]+), ')
STRENGTH = {"nothing": 0, "writes": 1, "reads": 2}
MARKS = "░▓█"


def in_json(replay: Replay) -> list[dict[str, list[dict[str, Any]]]]:
    document = json.loads(replay_reporter("json")(replay, Display()))
    migrations = []
    for migration in document["migrations"]:
        held: dict[str, list[dict[str, Any]]] = {}
        for lock in migration["held"]:
            held.setdefault(lock["relation"], []).append(lock)
        migrations.append(held)
    return migrations


def test_the_page_and_json_show_the_same_locks(replay: Replay) -> None:
    sections = replay_reporter("html")(replay, Display()).split("<section>")[1:]
    for section, replayed, held in zip(sections, replay.replayed, in_json(replay), strict=True):
        drawn = {relation: PIECE.findall(bars) for relation, bars in BAR.findall(section)}
        assert drawn.keys() == held.keys()
        for relation, bars in drawn.items():
            percent = replayed.recording.duration_ms / 100
            # The page rounds to hundredths of a percent, JSON to thousandths of a millisecond.
            rounding = 0.01 * percent + 0.001
            in_document = [(len(lock["blocks"]), lock["lock"]) for lock in held[relation]]
            assert [(STRENGTH[strength], LockMode(name).pg_locks) for strength, _, _, name in bars] == in_document
            for (_, left, width, _), lock in zip(bars, held[relation], strict=True):
                assert float(left) * percent == pytest.approx(lock["from_ms"], abs=rounding)
                assert (float(left) + float(width)) * percent == pytest.approx(lock["to_ms"], abs=rounding)


def test_text_and_json_show_the_same_locks(replay: Replay) -> None:
    pieces = re.split(r"^\S+\.sql · .*\n", replay_reporter("text")(replay, Display()), flags=re.MULTILINE)[1:]
    compared = 0
    for piece, replayed, held in zip(pieces, replay.replayed, in_json(replay), strict=True):
        rows = dict(re.findall(rf"^ +(\S+) +([{MARKS}·]+)$", piece, flags=re.MULTILINE))
        assert rows.keys() == held.keys()
        for relation, marks in rows.items():
            part = replayed.recording.duration_ms / len(marks)
            for number, mark in enumerate(marks):
                expected = {strongest(held[relation], number * part + shift, (number + 1) * part - shift) for shift in (-0.002, 0.002)}
                assert MARKS.find(mark) in expected
                compared += 1
    assert compared > 100


def strongest(held: list[dict[str, Any]], start: float, end: float) -> int:
    """Returns how many kinds of access the strongest lock in a time blocks; -1 without a lock."""
    return max((len(lock["blocks"]) for lock in held if lock["from_ms"] < end and lock["to_ms"] > start), default=-1)


def test_a_statement_names_the_lock_in_force(replay: Replay) -> None:
    text = replay_reporter("text")(replay, Display())
    assert re.search(r"public\.orders +ACCESS EXCLUSIVE +since line 3 +blocks reads and writes; takes ROW EXCLUSIVE, too", text)
    assert ">ACCESS EXCLUSIVE</span>, since line 3, blocks reads and writes; takes ROW EXCLUSIVE, too" in replay_reporter("html")(
        replay, Display()
    )
    document = json.loads(replay_reporter("json")(replay, Display()))
    [update] = document["migrations"][1]["statements"][2]["effects"]
    assert (update["lock"], update["takes_lock"]) == ("RowExclusiveLock", True)
    force = update["in_force"]
    assert (force["lock"], force["blocks"], force["statement"]) == ("AccessExclusiveLock", ["reads", "writes"], 2)
