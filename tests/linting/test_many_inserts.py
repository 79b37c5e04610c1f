"""A dump's INSERTs: the first ones are judged, and stand for the others."""

import pytest

from migsafe.linting.rulebook import shipped_rules
from migsafe.linting.verdict import Verdict
from migsafe.prediction import equal_inserts
from migsafe.prediction.equal_inserts import EqualInserts
from migsafe.session import SentStatement
from migsafe.sql.statements import read
from tests.support.linted import judge_sql

TABLES = "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);\nCREATE TABLE notes (id bigint PRIMARY KEY);\n"
ROWS = "INSERT INTO items (id) VALUES (1);\nINSERT INTO notes VALUES (1) ON CONFLICT DO NOTHING;\n" * 150
DUMP = f"{TABLES}{ROWS}ALTER TABLE notes ADD COLUMN body text;\n{ROWS}"


def texts(verdict: Verdict) -> list[tuple[str, str, int]]:
    return [(finding.message, finding.help, finding.script.position(finding.span.start).line) for finding in verdict.findings]


def test_the_report_of_a_dump_is_that_of_all_its_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judge_sql(DUMP, shipped_rules())
    monkeypatch.setattr(equal_inserts, "_ENOUGH", 20)
    verdict = judge_sql(DUMP, shipped_rules())
    assert len(verdict.unreduced) < 150 < len(whole.unreduced)
    assert texts(verdict) == texts(whole)
    assert verdict.summary == whole.summary
    assert any("more findings like this one, up to line 602" in finding.message for finding in verdict.findings)


def test_a_suppression_belongs_to_one_insert_of_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_inserts, "_ENOUGH", 20)
    row = "INSERT INTO items (id) VALUES (1); -- migsafe: ignore[statement-fails] the row exists\n"
    assert judge_sql(f"{TABLES}{ROWS}{row}", shipped_rules()).summary.suppressed == 1


@pytest.mark.parametrize(
    "other",
    ["INSERT INTO notes VALUES (2)", "INSERT INTO items VALUES (2)", "DELETE FROM items", "INSERT INTO items (id) SELECT id FROM notes"],
)
def test_an_insert_is_skipped_only_after_equal_ones(other: str) -> None:
    inserts = EqualInserts()
    for statement in read("INSERT INTO items (id) VALUES (1);" * 200):
        assert not inserts.skips(SentStatement(statement, first=False, last=False))
    same, unlike = read(f"INSERT INTO items (id) VALUES (7); {other}")
    assert inserts.skips(SentStatement(same, first=False, last=False))
    assert not inserts.skips(SentStatement(same, first=False, last=True))
    assert not inserts.skips(SentStatement(unlike, first=False, last=False))
