import json
from typing import Any

import pytest

from migsafe.library.locks import PredictedMigration, Prediction
from migsafe.lock import LockMode
from migsafe.reports.locks import reporter
from migsafe.sources import Half, Transaction
from migsafe.terminal.display import Display
from migsafe.text import Script, Span
from tests.support.predicted import effect, predicted_migration


def document(*migrations: PredictedMigration) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(reporter("json")(Prediction(migrations=migrations, pg_version=17), Display()))
    return result


def test_the_contract() -> None:
    built = effect("orders", LockMode.SHARE, scan=True, why="the index is built")
    assert document(predicted_migration("SELECT 1;\n  CREATE INDEX ON orders\n (qty);", (), [built])) == {
        "version": 1,
        "pg_version": 17,
        "migrations": [
            {
                "id": "0001",
                "path": "db/0001_change.sql",
                "transaction": "statement",
                "statements": [
                    {
                        "index": 1,
                        "start": {"line": 1, "column": 1},
                        "sql": "SELECT 1",
                        "transaction": 1,
                        "understood": True,
                        "reason": None,
                        "refused": None,
                        "condition": None,
                        "effects": [],
                    },
                    {
                        "index": 2,
                        "start": {"line": 2, "column": 3},
                        "sql": "CREATE INDEX ON orders\n (qty)",
                        "transaction": 2,
                        "understood": True,
                        "reason": None,
                        "refused": None,
                        "condition": None,
                        "effects": [
                            {
                                "relation": "public.orders",
                                "kind": "table",
                                "lock": "ShareLock",
                                "index_lock": None,
                                "final_lock": None,
                                "blocks": ["writes"],
                                "rewrite": False,
                                "scan": True,
                                "rebuilt": [],
                                "waits": False,
                                "new": False,
                                "why": "the index is built",
                            }
                        ],
                    },
                ],
            }
        ],
    }


def test_other_keys_of_statements_and_effects() -> None:
    reindexed = effect("a b", LockMode.SHARE, index_lock=LockMode.ACCESS_EXCLUSIVE, rebuilt=("i",), waits=True, new=True)
    row = {"effects": (reindexed,), "understood": False, "unknown": ("of that",), "refused": "of this"}
    [statement] = document(predicted_migration("SELECT 1", row))["migrations"][0]["statements"]
    [only_effect] = statement["effects"]
    assert (statement["understood"], statement["reason"], statement["refused"]) == (False, "of that", "of this")
    assert (only_effect["relation"], only_effect["index_lock"], only_effect["blocks"]) == (
        'public."a b"',
        "AccessExclusiveLock",
        ["reads", "writes"],
    )
    assert (only_effect["rebuilt"], only_effect["waits"], only_effect["new"]) == (["i"], True, True)


@pytest.mark.parametrize(
    ("sql", "sent", "transaction", "numbers"),
    [
        ("SELECT 1; SELECT 2", Transaction.FILE, "file", [1, 1]),
        ("SELECT 1; SELECT 2", Transaction.STATEMENT, "statement", [1, 2]),
        ("SELECT 1; SELECT 2", Transaction.NONE, "none", [1, 2]),
        ("SELECT 1; SELECT 2", Transaction.QUERY, "file", [1, 1]),
        ("SELECT 1", Transaction.QUERY, "statement", [1]),
        ("\\echo a\nBEGIN; SELECT 1; COMMIT", Transaction.STATEMENT, "statement", [None, 1, 1, 1]),
    ],
)
def test_transactions(sql: str, sent: Transaction, transaction: str, numbers: list[int | None]) -> None:
    [migration] = document(predicted_migration(sql, sent=sent))["migrations"]
    assert migration["transaction"] == transaction
    assert [statement["transaction"] for statement in migration["statements"]] == numbers


def test_several_queries_are_not_one_transaction() -> None:
    migration = predicted_migration("SELECT 1; SELECT 2", sent=Transaction.QUERY)
    script = migration.migration.up.script
    half = Half(Script("a.sql", script.text), (Span(0, 9), Span(9, 18)), Transaction.QUERY)
    apart = PredictedMigration(type(migration.migration)("1", "plain", half), migration.statements)
    assert document(apart)["migrations"][0]["transaction"] == "statement"


def test_a_path_that_is_not_unicode_does_not_stop_it() -> None:
    assert document(predicted_migration("SELECT 1", path="\udcff.sql"))["migrations"][0]["path"] == "\ufffd.sql"
