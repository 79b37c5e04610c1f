"""The statements of PostgreSQL 19, for machines without a server of 19: `effects/cases/release_19.sql` has what one shows."""

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.sources import Transaction
from migsafe.sql.operations import Bound, Name
from migsafe.sql.statements import read

SETUP = """
CREATE TABLE item (id bigint PRIMARY KEY, note text, CONSTRAINT filled CHECK (note <> '') NOT ENFORCED);
CREATE DOMAIN code AS text;
ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(value) < 9) NOT VALID;
CREATE TABLE coded (c code);
CREATE TABLE parts (a int) PARTITION BY RANGE (a);
CREATE TABLE one PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE two PARTITION OF parts FOR VALUES FROM (10) TO (20);
"""


def predicted(sql: str, pg_version: int = 19) -> tuple[Predictor, set[tuple[str, str, bool, bool]]]:
    predictor = Predictor(pg_version)
    for script in (SETUP, sql):
        predictor.begin(Transaction.STATEMENT)
        *_, last = [predictor.predict_statement(statement) for statement in read(script)]
        predictor.finish()
    return predictor, {(effect.relation.name, str(effect.lock), effect.rewrite, effect.scan) for effect in last.effects}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("REPACK item", {("item", "ACCESS EXCLUSIVE", True, True)}),
        ("REPACK (CONCURRENTLY) item", {("item", "SHARE UPDATE EXCLUSIVE", True, True)}),
        ("REPACK (CONCURRENTLY off) item USING INDEX item_pkey", {("item", "ACCESS EXCLUSIVE", True, True)}),
        ("REPACK USING INDEX", set()),
        ("ALTER TABLE item ALTER CONSTRAINT filled ENFORCED", {("item", "ACCESS EXCLUSIVE", False, True)}),
        ("ALTER DOMAIN code VALIDATE CONSTRAINT short", {("coded", "SHARE", False, True)}),
        (
            "ALTER TABLE parts MERGE PARTITIONS (one, two) INTO whole",
            {
                ("parts", "ACCESS EXCLUSIVE", False, False),
                ("one", "ACCESS EXCLUSIVE", False, True),
                ("two", "ACCESS EXCLUSIVE", False, True),
            },
        ),
        ("WAIT FOR LSN '0/1'", set()),
    ],
)
def test_effects(sql: str, expected: set[tuple[str, str, bool, bool]]) -> None:
    assert predicted(sql)[1] == expected


def test_repack_requests_a_stronger_lock_at_its_end() -> None:
    predictor = Predictor(19)
    predictor.begin(Transaction.STATEMENT)
    *_, last = [predictor.predict_statement(statement) for statement in read("CREATE TABLE item (); REPACK (CONCURRENTLY) item")]
    assert [(effect.lock.name, effect.strongest_lock.name) for effect in last.effects] == [("SHARE_UPDATE_EXCLUSIVE", "ACCESS_EXCLUSIVE")]


def test_merged_and_split_partitions() -> None:
    catalog = predicted("ALTER TABLE parts MERGE PARTITIONS (two, one) INTO one")[0].catalog
    merged = catalog.relation(Name("one"))
    assert merged is not None
    assert merged.bound == Bound("range", ("0",), ("20",))
    assert merged.may_have_rows
    assert catalog.relation(Name("two")) is None
    split = "ALTER TABLE parts SPLIT PARTITION one INTO (PARTITION a FOR VALUES FROM (0) TO (5), PARTITION b FOR VALUES FROM (5) TO (10))"
    catalog = predicted(split)[0].catalog
    parts = catalog.relation(Name("parts"))
    assert parts is not None
    assert {child.name.name for child in catalog.children(parts.oid)} == {"a", "b", "two"}
