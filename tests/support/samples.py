"""Verdicts of a few rules, so that tests of reports do not depend on the other rules."""

from typing import Any

from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import shipped_rules
from migsafe.linting.verdict import Verdict
from tests.support.linted import judge_sql

NAMES = ("drop-table", "foreign-key-validates", "index-not-concurrent", "syntax-error", "unparsed-statement")
FEW = [rule for rule in shipped_rules() if rule.name in NAMES]


def judge_with_few_rules(sql: str, rules: list[Rule] | None = None, **options: Any) -> Verdict:
    """Returns the verdict of a few rules on SQL as one migration."""
    return judge_sql(sql, FEW if rules is None else rules, **options)
