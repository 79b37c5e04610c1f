"""`migsafe premortem --replay`: what was measured, told apart from what is predicted."""

from pathlib import Path

import pytest

from tests.assessment.conftest import Tell
from tests.support.servers import any_installation

pytestmark = pytest.mark.server

INDEX = "CREATE INDEX orders_qty_idx ON orders (qty);"


def test_what_was_measured_and_what_is_estimated_from_it(tell: Tell) -> None:
    any_installation()
    document = tell(INDEX, "--replay", "--rows", "20000", orders=2_000_000)
    assert "PostgreSQL" in document["replayed_on"]
    [one] = document["migrations"]
    [touched] = one["touched"]
    assert touched["measured"].endswith(("ms", "s"))
    assert any("on 20,000 rows: estimate for production's 2,000,000 rows on this machine: " in said for said in one["measured"])
    held = next(way for way in one["ways"] if "stays locked" in way["title"])
    assert held["lasts"].endswith("by an estimate from what the replay measured")


def test_what_a_migration_leaves_broken(tell: Tell) -> None:
    any_installation()
    # The queries of the concurrent sessions must have time to run before and after the table is dropped.
    migration = "ALTER TABLE orders ADD COLUMN a text;\nSELECT pg_sleep(0.3);\nDROP TABLE customers;\nSELECT pg_sleep(0.3);"
    [one] = tell(migration, "--replay", "--rows", "100")["migrations"]
    assert 'Queries of public.customers that worked before fail now: relation "public.customers" does not exist' in one["measured"]
    assert "Interrupted and run again: after a crash the migration cannot be run again unchanged." in one["measured"]


def test_a_migration_that_fails_closes_the_gate(tell: Tell) -> None:
    any_installation()
    document = tell("ALTER TABLE orders ADD COLUMN id text;", "--replay", "--rows", "100", code=1)
    assert document["forbidden"] == ['0002_change.sql: it failed in the replay: column "id" of relation "orders" already exists']
    assert document["migrations"][0]["ways"][0]["title"] == "It fails"


def test_a_migration_that_fails_on_rows_that_production_may_have_closes_the_gate(tell: Tell) -> None:
    any_installation()
    document = tell("ALTER TABLE orders ADD CONSTRAINT few CHECK (qty < 3);", "--replay", "--rows", "500", code=1)
    message = 'check constraint "few" of relation "orders" is violated by some row'
    assert document["forbidden"] == [f"0002_change.sql: it failed in the replay on generated rows: {message}"]


def test_what_was_held_too_long_in_the_replay_is_forbidden(tell: Tell, tmp_path: Path) -> None:
    any_installation()
    (tmp_path / "migsafe.toml").write_text('[slo]\nhold = "100ms"\n')
    sql = "BEGIN;\nALTER TABLE orders ADD COLUMN a text;\nSELECT pg_sleep(0.3);\nCOMMIT;"
    assert tell(sql)["forbidden"] == []
    assert any("was held for" in said for said in tell(sql, "--replay", "--rows", "100", code=1)["forbidden"])


def test_what_was_not_run_is_not_measured(tell: Tell, tmp_path: Path) -> None:
    any_installation()
    document = tell("ALTER TABLE orders ADD COLUMN id text;", "--replay", "--rows", "0", code=1)
    assert document["migrations"][0]["measured"][0].startswith("It failed at line 1")
    (tmp_path / "0003_next.sql").write_text("ALTER TABLE orders ADD COLUMN b text;")
    document = tell("ALTER TABLE orders ADD COLUMN id text;", "0003_next.sql", "--replay", "--rows", "0", code=1)
    assert document["migrations"][1]["measured"] == ["The replay ran none of its statements: everything about it is predicted."]
