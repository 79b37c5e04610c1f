import json

from migsafe import __version__
from migsafe.linting.rulebook import shipped_rules
from migsafe.reports import reporter
from migsafe.terminal.display import Display
from tests.support.linted import judge_sql

SQL = """\
SELECT 'première';
ALTER TABLE app.orders
    ADD COLUMN note text,
    ADD CONSTRAINT fk FOREIGN KEY (customer_id)
        REFERENCES customers (id);
"""


def test_the_contract() -> None:
    rules = [rule for rule in shipped_rules() if rule.category == "locking"]
    document = json.loads(reporter("json")(judge_sql(SQL, rules, path="migrations/0001_x.sql"), Display()))
    [finding] = document["findings"]
    assert document == {
        "version": 1,
        "tool": {"name": "migsafe", "version": __version__},
        "pg_version": 17,
        "summary": {"files": 1, "statements": 2, "errors": 1, "warnings": 0, "infos": 0, "suppressed": 0, "unparsed": 0},
        "findings": [finding],
    }
    assert finding == {
        "rule": "foreign-key-validates",
        "category": "locking",
        "severity": "error",
        "message": finding["message"],
        "help": finding["help"],
        "path": "migrations/0001_x.sql",
        "migration": "0001",
        "start": {"line": 4, "column": 5},
        "end": {"line": 5, "column": 34},
        "statement": 2,
        "places": [{"line": 4, "column": 5}],
        "relations": ["app.orders", "public.customers"],
        # That of the whole ALTER TABLE, which its ADD COLUMN takes.
        "lock": "AccessExclusiveLock",
        "blocks": ["reads", "writes"],
    }


def test_a_finding_has_all_places_that_it_covers() -> None:
    verdict = judge_sql("ALTER TABLE orders\n    DROP COLUMN qty,\n    DROP COLUMN note;", shipped_rules())
    [finding] = [found for found in json.loads(reporter("json")(verdict, Display()))["findings"] if found["rule"] == "drop-column"]
    assert finding["places"] == [{"line": 2, "column": 5}, {"line": 3, "column": 5}]


def test_a_finding_without_a_lock_blocks_nothing() -> None:
    [finding] = json.loads(reporter("json")(judge_sql("SELEC 1;"), Display()))["findings"]
    assert (finding["lock"], finding["blocks"], finding["relations"]) == (None, [], [])


def test_a_path_that_is_not_unicode_does_not_stop_it() -> None:
    document = json.loads(reporter("json")(judge_sql("DROP TABLE a", path="\udcff.sql"), Display()))
    assert document["findings"][0]["path"] == "\ufffd.sql"
