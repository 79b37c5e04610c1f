"""The shop as an Alembic project: what is found there is what is found in the same migrations written in SQL, rule by rule."""

import re
from pathlib import Path

import pytest

from migsafe import Configuration, Finding, LockMode, Prediction, lint, locks
from migsafe.sources import CustomRunner, Transaction
from migsafe.sql.operations import Name

pytestmark = pytest.mark.process

SCRIPTS = Path(__file__).parents[2] / "fixtures" / "shop_alembic"
SQL = Path(__file__).parent / "shop"
IN_SQL = Configuration(
    custom_runner=CustomRunner(files="*.sql", order="number", transaction=Transaction.FILE.value, no_transaction="*.autocommit.sql")
)


def test_the_findings_are_those_of_the_same_in_sql() -> None:
    scripts, sql = lint([str(SCRIPTS)]), lint([str(SQL)], settings=IN_SQL)
    assert scripts.problems == sql.problems == []
    # What is said about a history itself is about the scripts alone: whether there is a downgrade().
    assert [_said(one) for one in scripts.findings if one.category != "history"] == [_said(one) for one in sql.findings]
    assert {one.rule for one in sql.findings} >= {"index-not-concurrent", "foreign-key-validates", "long-work-under-lock", "many-tables-locked"}
    assert scripts.summary.suppressed == sql.summary.suppressed == 1


def _said(finding: Finding) -> tuple[str, ...]:
    path = Path(finding.script.path).name.partition(".")[0]
    return path, finding.rule, finding.severity.word, finding.message, *finding.relations


def test_the_locks_are_those_of_the_same_in_sql() -> None:
    scripts, sql = locks([str(SCRIPTS)]), locks([str(SQL)], settings=IN_SQL)
    assert _locked(scripts) == _locked(sql)
    assert len(_locked(sql)) == len(list(SQL.glob("*.sql")))


def _locked(prediction: Prediction) -> dict[str, list[tuple[Name, LockMode, bool, bool, bool]]]:
    """By file: Alembic orders by branches, SQL by numbers."""
    return {
        Path(migration.migration.up.file.path).name.partition(".")[0]: [
            (effect.relation, effect.lock, effect.rewrite, effect.scan, effect.new)
            for statement in migration.statements
            for effect in statement.effects
        ]
        for migration in prediction.migrations
    }


def test_findings_stand_at_the_calls() -> None:
    for finding in lint([str(SCRIPTS)]).findings:
        line = finding.script.text.splitlines()[finding.script.position(finding.span.start).line - 1]
        assert re.match(r"\s*(op\.|add_note\(|session\.|def downgrade)", line), (finding.rule, line)
