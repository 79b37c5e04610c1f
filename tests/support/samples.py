"""Verdicts of a few rules: what reports look like does not depend on which others there are."""

from typing import Any

from migsafe.linting.judge import Verdict
from migsafe.linting.rule import Rule
from migsafe.linting.rulebook import shipped_rules
from tests.support import linted as all_rules

NAMES = ("drop-table", "foreign-key-validates", "index-not-concurrent", "syntax-error", "unparsed-statement")
FEW = [rule for rule in shipped_rules() if rule.name in NAMES]


def judged(sql: str, rules: list[Rule] | None = None, **more: Any) -> Verdict:
    """The verdict on SQL as one migration."""
    return all_rules.judge_sql(sql, FEW if rules is None else rules, **more)
