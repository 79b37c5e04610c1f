"""The help of every unsafe example, applied as each kind of runner sends it, is clean at warning and above for all rules."""

import pytest

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.rule import Rule
from tests.rules.help_as_migrations import KINDS, applied_helps, judged
from tests.rules.test_examples import RULES, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_help_is_clean(rule: Rule, kind: str) -> None:
    for applied in applied_helps(rule, kind):
        remaining = [_text(finding) for finding in judged(applied, kind) if finding.severity > Severity.INFO]
        assert remaining == [], "\n-- next migration\n".join(applied.migrations)


def _text(finding: Finding) -> str:
    return f"{finding.rule}: {finding.message}"
