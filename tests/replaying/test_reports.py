"""The reports of a replay."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from migsafe.library.replay import Replay
from migsafe.library.replay_verdict import replay_verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import OWN, replay_reporter
from migsafe.terminal.display import Display
from tests.reports.test_sarif import VALIDATOR
from tests.support.replays import replay_files

pytestmark = pytest.mark.server

HISTORY = {"0001_orders.sql": "CREATE TABLE orders (id bigint PRIMARY KEY, qty int);\n"}
CHANGE = 'CREATE INDEX orders_qty_idx ON orders (qty);\nALTER TABLE orders ADD COLUMN "<b>" text;\nALTER TABLE gone ADD COLUMN a text;\n'


@pytest.fixture(scope="module")
def replay(any_host: PrivateHost, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    files = {**HISTORY, "0002_change.sql": CHANGE}
    done = replay_files(any_host, tmp_path_factory.mktemp("shop"), files, "agreement", only="0002_change.sql", rows=5000)
    verdict = replay_verdict(done.replayed, Budgets(wal=1), [], any_host.major)
    return Replay(host=any_host.title, pg_version=any_host.major, replayed=tuple(done.replayed), verdict=verdict)


class Tags(HTMLParser):
    """The tags of a page, and the files that it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_loads_no_other_files(replay: Replay) -> None:
    page = replay_reporter("html")(replay, Display())
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.loaded) == ([], [])
    assert "<b>&#34; text" not in page
    assert "&lt;b&gt;" in page
    assert "relation &#34;gone&#34; does not exist" in page


def test_json_has_the_keys_of_locks_and_measurements(replay: Replay) -> None:
    [migration] = json.loads(replay_reporter("json")(replay, Display()))["migrations"]
    index, column, failed = migration["statements"]
    [effect] = index["effects"]
    assert (effect["relation"], effect["lock"], effect["blocks"], effect["scan"]) == ("public.orders", "ShareLock", ["writes"], True)
    assert (effect["tuples_read"], effect["rows"], effect["grows"]) == (5000, 5000, True)
    assert effect["held_ms"] >= index["duration_ms"] > 0
    assert column["wal_bytes"] > 0
    assert failed["failed"] == migration["failed"] == 'relation "gone" does not exist'


def test_text_shows_locks_and_failures(replay: Replay) -> None:
    text = replay_reporter("text")(replay, Display())
    assert re.search(r"public\.orders +SHARE +held +[\d.]+ m?s +blocks writes", text)
    assert 'PostgreSQL refuses it: relation "gone" does not exist' in text
    narrow = replay_reporter("text")(replay, Display(width=80)).splitlines()
    # An excerpt of a finding is as wide as the linter makes it.
    assert [line for line in narrow if len(line) > 80 and not line.startswith("/")] == []


@pytest.mark.parametrize("format", ["sarif", "github", "gitlab", "junit", "markdown"])
def test_findings_are_written_in_the_linter_s_formats(replay: Replay, format: str) -> None:
    assert {finding.rule for finding in replay.verdict.findings} == {"replay-fails", "replay-wal-over-budget"}
    assert "replay-fails" in replay_reporter(format)(replay, Display())


def test_sarif_is_valid(replay: Replay) -> None:
    document = json.loads(replay_reporter("sarif")(replay, Display()))
    VALIDATOR.validate(document)
    [run] = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert {rules[result["ruleIndex"]] for result in run["results"] if "ruleIndex" in result} <= {"replay-fails", "replay-wal-over-budget"}
    assert {result["ruleId"] for result in run["results"]} == {"replay-fails", "replay-wal-over-budget"}


def test_every_format_of_replay_is_listed() -> None:
    assert {Path(path).stem for path in Path("migsafe/reports/replay").glob("[a-z]*.py")} >= set(OWN)
