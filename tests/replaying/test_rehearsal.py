"""A rehearsal runs the phases of a rollout, each with the queries of the releases that run in it."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from migsafe.assessment.rehearsal import PhaseResult
from migsafe.configuration import Configuration
from migsafe.library.rehearse import Rehearsal, rehearse_plan
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.replay import ReplayOptions
from migsafe.replaying.seeding import same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.reports.rehearsal import rehearsal_reporter
from migsafe.sources import SourceSettings, find_migrations
from migsafe.sources.git import Comparison
from migsafe.terminal.display import Display
from tests.replaying.test_reports import Tags
from tests.support.queries import split_queries

pytestmark = pytest.mark.server

TABLE = {"0001_customers.sql": "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);"}
RUNNING = """
-- running queries: v1.sql
-- name: by_email
SELECT id FROM customers WHERE email = $1;
-- name: register
INSERT INTO customers (email) VALUES ($1);
"""
NEW = """
-- new queries: v2.sql
-- name: by_mail
SELECT id FROM customers WHERE mail = $1;
-- name: enter
INSERT INTO customers (mail) VALUES ($1);
"""
RENAME = {"0012_rename_email.sql": "ALTER TABLE customers RENAME COLUMN email TO mail;"}
EXPAND_AND_CONTRACT = {
    "0012_add_mail.sql": (
        "ALTER TABLE customers ADD COLUMN mail text;\nALTER TABLE customers ALTER COLUMN email DROP NOT NULL;\n"
        "CREATE INDEX CONCURRENTLY customers_mail_idx ON customers (mail);"
    ),
    "0013_copy_mail.sql": "UPDATE customers SET mail = email WHERE mail IS NULL;",
    "0014_require_mail.sql": "ALTER TABLE customers ALTER COLUMN mail SET NOT NULL;",
    "0015_drop_email.sql": "ALTER TABLE customers DROP COLUMN email;",
}

PAGE = Path(__file__).parents[2] / "docs" / "rehearse.md"
AUTHOR = ("-c", "user.name=author", "-c", "user.email=author@example.com")
TIME = re.compile(r"· [\d.]+ m?s\b")
TIMES = re.compile(r"Here it took.*?same\s+rows\n", re.DOTALL)

Rehearse = Callable[..., Rehearsal]


@pytest.fixture
def rehearse(any_host: PrivateHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearse:
    """Rehearses migrations after TABLE, with the queries at the end of a text."""
    monkeypatch.chdir(tmp_path)
    folder = Path("migrations")
    folder.mkdir()

    def rehearsed(files: dict[str, str], queries: str, *, rows: int = 100, load: int = 0) -> Rehearsal:
        """Without files, the release has no migrations."""
        for name, text in {**TABLE, **files}.items():
            (folder / name).write_text(text)
        plan = find_migrations([str(folder / name) for name in files] or ["migrations"], SourceSettings())
        if not files:
            for arguments in (["init", "-q"], ["add", "."], [*AUTHOR, "commit", "-qm", "first", "--allow-empty"]):
                subprocess.run(["git", *arguments], check=True)
            plan = plan.compared_with(Comparison(None, [str(folder)]), to_end=True)
        workload = split_queries(queries).workload
        options = ReplayOptions(
            experiments=(),
            rows=same_for_every_table(rows),
            probes=False,
            load=load,
            queries=ProjectQueries(workload) if workload.queries or workload.running else None,
        )
        return rehearse_plan(plan, any_host, options, Budgets(), Configuration())

    return rehearsed


def table(rehearsal: Rehearsal) -> list[tuple[str, str, str, bool | None]]:
    """Returns each phase with the answers of both releases."""
    return [(phase.phase.name.lower(), phase.running.answer.value, phase.new.answer.value, phase.passed) for phase in rehearsal.phases]


def failures(phase: PhaseResult) -> list[str]:
    return [f"{failure.rule}:{failure.line} {', '.join(query.name for query in failure.queries)}" for failure in phase.failures]


def assert_shown(text: str) -> None:
    """Asserts that docs/rehearse.md shows this report, apart from the times and from what it leaves out."""
    text, page = (TIMES.sub("", TIME.sub("·", each)) for each in (text, PAGE.read_text()))
    first = text.splitlines()[2:5]
    [shown] = [block for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) if block.splitlines()[:3] == first]
    assert re.search("(?:.*\n)*?".join(map(re.escape, re.split(r"^…\n", shown, flags=re.MULTILINE))), text), text


def test_a_rename_fails_before_and_at_the_deployment(rehearse: Rehearse) -> None:
    rehearsal = rehearse(RENAME, RUNNING + NEW, load=1)
    assert table(rehearsal) == [("expand", "fails", "not running", False), ("deploy", "fails", "works", False)]
    assert failures(rehearsal.phases[0]) == ["replay-query-breaks:1 by_email, register"]
    text = rehearsal_reporter("text")(rehearsal, Display())
    assert "    load of 1 session, p50 / p99 / max: " in text
    assert_shown("\n".join(line for line in text.splitlines() if not line.startswith("    load of")) + "\n")
    markdown = rehearsal_reporter("markdown")(rehearsal, Display())
    assert "### Rehearsal: failed: expand, deploy\n" in markdown
    assert "| deploy | – | fails (2 of 2 queries) | works (2 queries) | 🔴 failed |" in markdown
    document = json.loads(rehearsal_reporter("json")(rehearsal, Display()))
    assert (document["result"], [phase["phase"] for phase in document["phases"]]) == ("failed", ["expand", "deploy"])
    assert document["phases"][0]["migrations"][0]["load"]["sessions"] == 1
    assert document["phases"][0]["running_release"]["failing"][0]["name"] == "by_email"
    page = rehearsal_reporter("html")(rehearsal, Display())
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.loaded) == ([], [])
    assert "fails (2 of 2 queries)" in page


def test_expand_and_contract_passes(rehearse: Rehearse) -> None:
    rehearsal = rehearse(EXPAND_AND_CONTRACT, RUNNING + NEW)
    assert table(rehearsal) == [
        ("expand", "works", "not running", True),
        ("deploy", "works", "works", True),
        ("backfill", "works", "works", True),
        ("validate", "not running", "works", True),
        ("contract", "not running", "works", True),
    ]
    assert [query.name for query in rehearsal.phases[3].running.failing] == ["register"]
    assert_shown(rehearsal_reporter("text")(rehearsal, Display()))
    steps = rehearsal_reporter("steps")(rehearsal, Display()).splitlines()
    assert [line.split("\t")[0] for line in steps] == ["expand", "deploy", "backfill", "validate", "contract"]
    assert rehearsal.passed is True


def test_an_index_that_is_created_after_the_deployment(rehearse: Rehearse) -> None:
    in_time = rehearse(EXPAND_AND_CONTRACT, RUNNING + NEW, rows=60_000)
    assert (in_time.passed, in_time.replay.indexes[0].judged) == (True, 2)
    add, index = EXPAND_AND_CONTRACT["0012_add_mail.sql"].rsplit("\n", 1)
    unique = index.replace("CREATE INDEX", "CREATE UNIQUE INDEX")  # it would refuse two equal rows, so the running release must be gone
    files = {**EXPAND_AND_CONTRACT, "0012_add_mail.sql": add, "0014_require_mail.sql": EXPAND_AND_CONTRACT["0014_require_mail.sql"] + unique}
    late = rehearse(files, RUNNING + NEW, rows=60_000)
    assert [phase.passed for phase in late.phases] == [True, False, True, True, True]
    assert failures(late.phases[1]) == ["rehearse-index-too-late:1 by_mail"]
    assert [query.name for query in late.phases[1].new.slow] == ["by_mail"]
    [failure] = late.phases[1].failures
    assert "until migrations/0014_require_mail.sql has run" in failure.message
    assert "reads all of public.customers (60,000 rows) each time" in failure.message
    # A query that the running release sends, too, was as slow before.
    both = RUNNING + "-- name: by_mail\nSELECT id FROM customers WHERE mail = $1;\n" + NEW
    assert "rehearse-index-too-late" not in str(rehearse(files, both, rows=60_000).phases[1].failures)


def test_a_query_of_the_new_release_that_breaks_in_the_contract_phase(rehearse: Rehearse) -> None:
    new = NEW + "-- name: both\nSELECT email, mail FROM customers;\n-- name: wrong\nSELECT post FROM customers;\n"
    later = {"0016_later.sql": "ALTER TABLE customers ADD COLUMN later text;"}
    rehearsal = rehearse({**EXPAND_AND_CONTRACT, **later}, RUNNING + new)
    assert [phase.phase.name for phase in rehearsal.phases] == ["EXPAND", "DEPLOY", "BACKFILL", "VALIDATE", "CONTRACT"]
    assert rehearsal.untried == ()
    assert failures(rehearsal.phases[1]) == ["rehearse-query-fails:7 wrong"]
    assert failures(rehearsal.phases[-1]) == ["rehearse-query-fails:1 both"]
    assert rehearsal.phases[-1].failures[0].sqlstate == "42703"
    assert rehearsal.passed is False


@pytest.mark.parametrize(("value", "compared"), [("email", True), ("gen_random_uuid()", False)])
def test_a_change_of_all_rows_is_tried_in_batches(rehearse: Rehearse, value: str, compared: bool) -> None:
    files = {"0012_add.sql": "ALTER TABLE customers ADD mail text;", "0013_copy.sql": f"\nUPDATE customers SET mail = {value};"}
    rehearsal = rehearse(files, RUNNING, rows=25_000)
    [change] = rehearsal.phases[-1].backfills
    assert (change.path, change.line) == ("migrations/0013_copy.sql", 2)
    assert change.in_batches is not None
    tried = change.in_batches
    assert (tried.transactions, tried.differences, tried.compared, tried.failure) == (3, (), compared, "")
    assert "needs 3 transactions of" in " ".join(rehearsal_reporter("text")(rehearsal, Display()).split())
    document = json.loads(rehearsal_reporter("json")(rehearsal, Display()))
    assert document["phases"][-1]["backfills"][0]["in_batches"]["transactions"] == 3
    assert "All rows in one transaction" in rehearsal_reporter("html")(rehearsal, Display())


def test_a_contract_migration_names_the_queries_that_the_new_release_still_sends(rehearse: Rehearse) -> None:
    new = "-- new queries: v2.sql\n-- name: by_email\nSELECT id FROM customers WHERE email = $1;\n"
    rehearsal = rehearse({"0012_drop_email.sql": "ALTER TABLE customers DROP COLUMN email;"}, RUNNING + new)
    contract = rehearsal.phases[-1]
    assert failures(contract) == ["replay-query-breaks:1 by_email"]
    assert contract.failures[0].message.startswith("the running and the new release's query by_email (v2.sql:1) no longer works: PostgreSQL")
    assert [query.name for query in contract.running.failing] == ["by_email", "register"]


def test_a_required_column_that_the_new_release_leaves_out_is_dropped_in_two_steps(rehearse: Rehearse) -> None:
    new = "-- new queries: v2.sql\n-- name: enter\nINSERT INTO customers (phone) VALUES ($1);\n"
    files = {"0011_phone.sql": "ALTER TABLE customers ADD phone text;", "0012_drop.sql": "ALTER TABLE customers DROP COLUMN email;"}
    rehearsal = rehearse(files, RUNNING + new)
    assert table(rehearsal) == [("expand", "fails", "not running", False), ("deploy", "fails", "works", False)]
    assert rehearsal.phases[0].notes[-1] == (
        "No order is safe for the column email of customers: the new release's query enter (v2.sql:1) leaves it out, and the running release "
        "needs it. In this release, only `ALTER TABLE customers ALTER COLUMN email DROP NOT NULL`, or a default; remove it in the next one."
    )


def test_a_change_that_could_also_be_a_default_is_tried_in_batches(rehearse: Rehearse) -> None:
    text = "ALTER TABLE customers ADD mail text;\nUPDATE customers SET mail = lower('X');"
    [change] = rehearse({"0012_mail.sql": text}, RUNNING, rows=25_000).phases[0].backfills
    assert change.help.startswith("-- if the value is the same for all rows, use ADD COLUMN … DEFAULT")
    assert change.in_batches is not None
    assert (change.in_batches.transactions, change.in_batches.differences, change.in_batches.failure) == (3, (), "")


def test_a_change_that_fails_on_generated_rows_is_not_tried_in_batches(rehearse: Rehearse) -> None:
    rehearsal = rehearse({"0012_mail.sql": "UPDATE customers SET email = (SELECT c.email FROM customers AS c WHERE c.id > 3);"}, RUNNING)
    [change] = rehearsal.phases[-1].backfills
    assert (change.duration_ms, change.in_batches) == (None, None)
    assert "In batches, it was not tried: the migration fails on the generated rows" in " ".join(
        rehearsal_reporter("text")(rehearsal, Display()).split()
    )


def test_what_was_not_tried_is_not_a_pass(rehearse: Rehearse) -> None:
    drop = {"0002_drop.sql": "ALTER TABLE customers DROP COLUMN email;"}
    assert table(rehearse(drop, "")) == [("deploy", "not tried", "not tried", None), ("contract", "not running", "not tried", None)]
    only_new = rehearse(drop, "-- queries: v2.sql\n-- name: all\nSELECT id FROM customers;\n")
    assert table(only_new) == [("deploy", "not tried", "works", None), ("contract", "not running", "works", True)]
    fails = rehearse(
        {"0002_fails.sql": "ALTER TABLE missing DROP COLUMN a;", "0003_add.sql": "ALTER TABLE customers ADD a int;"}, RUNNING + NEW
    )
    assert table(fails)[0] == ("expand", "not tried", "not running", False)
    assert fails.phases[0].untried[0].endswith("0003_add.sql did not run")


def test_a_release_without_migrations(rehearse: Rehearse) -> None:
    new = "-- new queries: v2.sql\n-- name: likes\nSELECT id, email FROM customers WHERE email = $1;\n"
    rehearsal = rehearse({}, RUNNING + new, rows=60_000)
    assert table(rehearsal) == [("deploy", "works", "works", False)]
    assert failures(rehearsal.phases[0]) == ["replay-query-without-index:1 likes"]
    assert "CREATE INDEX CONCURRENTLY customers_email_idx" in rehearsal.phases[0].failures[0].help
    with_index = rehearse({"0012_index.sql": rehearsal.phases[0].failures[0].help}, RUNNING + new, rows=60_000)
    assert table(with_index) == [("expand", "works", "not running", True), ("deploy", "works", "works", True)]
    assert with_index.replay.indexes[0].judged == 1
    (Path("migrations") / "0012_index.sql").unlink()
    unchanged = rehearse({}, RUNNING.replace("running queries", "queries") + "-- new queries: v2.sql\n")
    assert table(unchanged) == [("deploy", "works", "works", True)]
    assert "nothing is new" in unchanged.phases[0].notes[0]
