"""Every rule says which fix it has, and why it is unsafe or why there is none."""

import pytest

from migsafe.fixes.way import read_way
from migsafe.linting.rule import Finding, Rule, Severity, rule
from migsafe.sql.operations import DropColumn
from tests.rules.followed_helps import FollowedExample, unsafe_examples
from tests.rules.runner_files import Kind
from tests.rules.test_examples import RULES, name


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_has_a_fix_or_a_reason(rule: Rule) -> None:
    reasons = {"": rule.no_fix, "unsafe": rule.unsafe_because, "safe": "no reason"}
    assert reasons[rule.fix] != ""
    assert [rule.no_fix != "", rule.unsafe_because != ""] == [rule.fix == "", rule.fix == "unsafe"]
    reason = rule.no_fix or rule.unsafe_because
    assert not reason.endswith("."), "the reason is the end of a sentence"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fix], ids=lambda rule: rule.name)
def test_an_unsafe_example_has_a_fix(rule: Rule) -> None:
    findings = [finding for example in unsafe_examples(rule, 17) for kind in Kind for finding in FollowedExample(example, kind).found]
    assert any(finding.fix and read_way(finding.fix) is not None for finding in findings)


@pytest.mark.parametrize("wrong", [{"fix": "sure"}, {"fix": "safe", "no_fix": "it has one"}])
def test_an_own_rule_with_a_wrong_declaration_is_refused(wrong: dict[str, str]) -> None:
    def no_drops(op: DropColumn, at: object) -> Finding | None:
        return None

    with pytest.raises(TypeError, match='fix="safe", fix="unsafe", or a reason'):
        rule(category="ours", severity=Severity.INFO, **wrong)(no_drops)  # type: ignore[arg-type]
