"""The help of every unsafe example, applied as each kind of runner sends it, is clean at warning and above for all rules."""

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import judge
from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from tests.rules.help_as_migrations import KINDS, applied_helps, as_sent, judged
from tests.rules.test_examples import RULES, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_help_is_clean(rule: Rule, kind: str) -> None:
    for applied in applied_helps(rule, kind):
        remaining = [_text(finding) for finding in judged(applied, kind) if finding.severity > Severity.INFO]
        assert remaining == [], "\n-- next migration\n".join(applied.migrations)


def _text(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message}"


@pytest.mark.parametrize(
    ("kind", "first_line"), [("file", "-- in a migration that runs outside a transaction: "), ("statement", "DROP INDEX ")]
)
def test_the_named_index_is_built_outside_the_runners_transaction(kind: str, first_line: str) -> None:
    sent = [as_sent(sql, kind) for sql in ("CREATE TABLE loans (id bigint, due date);", "CREATE INDEX CONCURRENTLY ON loans (due);")]
    predictor = Predictor(18)
    verdict = judge([SelectedMigration(each, predictor) for each in sent], Rulebook(shipped_rules()), 18)
    (help_,) = [finding.help for finding in verdict.findings if finding.rule == "unnamed-object"]
    assert help_.startswith(first_line)
    assert help_.endswith("DROP INDEX CONCURRENTLY IF EXISTS loans_due_idx;\nCREATE INDEX CONCURRENTLY loans_due_idx ON loans (due);")
