"""The shop as an Alembic project: it has the same findings as the same migrations written in SQL, rule by rule."""

import re
from pathlib import Path

import pytest

from migsafe import Configuration, Finding, LockMode, Prediction, Verdict, lint, locks
from migsafe.sources import CustomRunner, Transaction
from migsafe.sql.operations import Name

pytestmark = pytest.mark.process

SCRIPTS = Path(__file__).parents[2] / "fixtures" / "shop_alembic"
SQL = Path(__file__).parent / "shop"
IN_SQL = Configuration(
    custom_runner=CustomRunner(files="*.sql", order="number", transaction=Transaction.FILE.value, no_transaction="*.autocommit.sql")
)


@pytest.fixture(scope="module")
def scripts() -> Verdict:
    """Returns the verdict on the Alembic project. All scripts are rendered once for the module."""
    return lint([str(SCRIPTS)])


def test_scripts_have_the_findings_of_the_same_migrations_in_sql(scripts: Verdict) -> None:
    sql = lint([str(SQL)], settings=IN_SQL)
    assert scripts.problems == sql.problems == []
    # Only scripts have findings about the history itself: whether there is a downgrade(). The first migration that sets a lock_timeout is
    # another one, because Alembic orders by branches and SQL by numbers.
    assert [_summary(finding) for finding in scripts.findings if finding.category not in ("history", "timeouts")] == [
        _summary(finding) for finding in sql.findings if finding.category != "timeouts"
    ]
    assert {finding.rule for finding in sql.findings} >= {
        "index-not-concurrent",
        "foreign-key-validates",
        "long-work-under-lock",
    }
    assert scripts.summary.suppressed == sql.summary.suppressed == 1


def _summary(finding: Finding) -> tuple[str, ...]:
    path = Path(finding.script.path).name.partition(".")[0]
    message = re.sub(r"(?:(?: and)? [A-Z ]+ in line \d+)+", " a statement", finding.message)
    return path, finding.rule, finding.severity.word, message, *finding.relations


def test_scripts_have_the_locks_of_the_same_migrations_in_sql() -> None:
    scripts, sql = locks([str(SCRIPTS)]), locks([str(SQL)], settings=IN_SQL)
    assert _locked(scripts) == _locked(sql)
    assert len(_locked(sql)) == len(list(SQL.glob("*.sql")))


def _locked(prediction: Prediction) -> dict[str, list[tuple[Name, LockMode, bool, bool, bool]]]:
    """Returns the effects by file, because Alembic orders by branches and SQL by numbers."""
    return {
        Path(migration.migration.up.file.path).name.partition(".")[0]: [
            (effect.relation, effect.lock, effect.rewrite, effect.scan, effect.new)
            for statement in migration.statements
            for effect in statement.effects
        ]
        for migration in prediction.migrations
    }


def test_findings_are_at_the_calls(scripts: Verdict) -> None:
    for finding in scripts.findings:
        line = finding.script.text.splitlines()[finding.script.position(finding.span.start).line - 1]
        assert re.match(r"\s*(op\.|add_note\(|session\.|def downgrade)", line), (finding.rule, line)
