"""The reports of a replay."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from migsafe.library.replay import Replay
from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.finding import NamedQuery
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.recording.load_times import LoadPhase, LoadTimes, UnusedQuery
from migsafe.replaying.recording.records import Wait
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.replay import OWN, replay_reporter
from migsafe.sql.operations import Name
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
    assert column["understood"]
    assert failed["failed"] == migration["failed"] == 'relation "gone" does not exist'


def test_the_documentation_names_every_key(replay: Replay) -> None:
    document = json.loads(replay_reporter("json")(replay, Display()))
    [migration] = document["migrations"]
    statement = migration["statements"][0]
    parts = (document, document["rows"], document["verdict"], migration, migration["canaries"], statement, statement["effects"][0])
    parts += (migration["held"][0], migration["experiments"][0])
    documented = set(re.findall(r"`(\w+)(?:\[\])?`", (Path(__file__).parents[2] / "docs" / "replay.md").read_text()))
    assert {key for part in parts for key in part} - documented == set()


def test_waits_and_load_name_queries(replay: Replay) -> None:
    recording = replay.replayed[0].recording
    query, other = NamedQuery("1a", "list_orders", "app/orders.py", 12), NamedQuery("2b", "<count>", "app/orders.py", 30)
    orders = Name("orders", "public")
    waits = (
        Wait(relation=orders, access="writes", started=0.0, ms=40.0, statement=1, query=other),
        Wait(relation=orders, access="writes", started=0.0, ms=90.0, statement=1, query=query),
    )
    phase = LoadPhase(seconds=1.0, queries=1200, p50=0.5, p99=7.0, slowest=90.0, slowest_query=query)
    load = LoadTimes(
        sessions=4,
        interval_ms=20.0,
        queries=2,
        unused=(UnusedQuery(other, "it writes, or locks rows"), UnusedQuery(query, "no such column (42703)", is_refused=True)),
        before=phase,
        during=replace(phase, errors={"42703": 12}),
    )
    replayed = replace(replay.replayed[0], recording=replace(recording, waits=waits, load=load))
    changed = replace(replay, replayed=(replayed,))
    text = replay_reporter("text")(changed, Display())
    waited = "writes of public.orders waited up to 90 ms for the lock of line 1"
    assert f"blocked: {waited}: list_orders (app/orders.py:12) and <count> (app/orders.py:30)" in " ".join(text.split())
    assert re.search(r"during +1,200 +0\.5 ms +7\.0 ms +90 ms +list_orders \(app/orders\.py:12\); 12 failed with 42703\n", text)
    assert re.search(r"after +0 +– +– +–\n", text)
    assert "1 SELECT that PostgreSQL refuses before the migration" in text
    assert max(map(len, replay_reporter("text")(changed, Display(width=60)).split("load: ")[1].split("not part")[0].splitlines())) <= 60
    page = replay_reporter("html")(changed, Display())
    assert "&lt;count&gt; (app/orders.py:30)" in page
    assert "12 failed with 42703" in page
    [migration] = json.loads(replay_reporter("json")(changed, Display()))["migrations"]
    assert migration["canaries"]["waits"][1]["query"] == {"name": "list_orders", "path": "app/orders.py", "line": 12}
    assert (migration["load"]["during"]["p99_ms"], migration["load"]["during"]["errors"]) == (7.0, {"42703": 12})


def test_text_shows_locks_and_failures(replay: Replay) -> None:
    text = replay_reporter("text")(replay, Display())
    assert re.search(r"public\.orders +SHARE +held +[\d.]+ m?s +blocks writes", text)
    assert 'PostgreSQL refuses it: relation "gone" does not exist' in text
    narrow = replay_reporter("text")(replay, Display(width=80)).splitlines()
    # An excerpt of a finding is as wide as the linter makes it.
    assert [line for line in narrow if len(line) > 80 and not line.startswith("/")] == []


@pytest.mark.parametrize("format", ["sarif", "github", "gitlab", "junit", "markdown", "gcc"])
def test_findings_are_written_in_the_linter_s_formats(replay: Replay, format: str) -> None:
    assert {finding.rule for finding in replay.verdict.findings} == {"replay-fails", "replay-wal-over-budget"}
    assert "replay-fails" in replay_reporter(format)(replay, Display())


def test_a_comment_has_the_verdict_a_table_and_the_findings(replay: Replay) -> None:
    wait = Wait(relation=Name("orders", "public"), access="writes", started=0.0, ms=90.0, statement=1)
    replayed = replace(replay.replayed[0], recording=replace(replay.replayed[0].recording, waits=(wait,)))
    facts = replace(replay.facts, reasons=("1 migration failed",))
    comment = replay_reporter("markdown")(replace(replay, replayed=(replayed,), facts=facts), Display())
    head, table, waits, *findings = comment.split("\n\n")
    assert head == "### Replay: not passed: 1 migration failed"
    [row] = [line for line in table.splitlines() if "0002_change.sql" in line]
    assert ": failed: the statements after the failure did not run | – | – | – | 🟢 yes |" in row
    assert waits.endswith("writes of public.orders waited up to 90 ms for the lock of line 1")
    assert any("**error** `replay-fails`, line 3" in finding for finding in findings)
    assert f"- server: {replay.host}" in comment


def test_sarif_is_valid(replay: Replay) -> None:
    document = json.loads(replay_reporter("sarif")(replay, Display()))
    VALIDATOR.validate(document)
    [run] = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert {rules[result["ruleIndex"]] for result in run["results"] if "ruleIndex" in result} <= {"replay-fails", "replay-wal-over-budget"}
    assert {result["ruleId"] for result in run["results"]} == {"replay-fails", "replay-wal-over-budget"}


def test_every_format_of_replay_is_listed() -> None:
    assert {Path(path).stem for path in Path("migsafe/reports/replay").glob("[a-z]*.py")} >= set(OWN)
