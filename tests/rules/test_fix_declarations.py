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


def test_a_single_fix_of_a_rule_may_be_safe() -> None:
    named = {rule.name: rule for rule in RULES}
    found = {
        name: [finding.fix_is_safe for example in unsafe_examples(named[name], 17) for finding in FollowedExample(example, Kind.PSQL).found]
        for name in ("not-rerunnable", "partition-of-locks-parent", "index-not-concurrent", "lock-timeout-missing")
    }
    assert found == {
        "not-rerunnable": [True, False, False],  # IF NOT EXISTS; a decision; DROP INDEX and CREATE INDEX
        "partition-of-locks-parent": [True],
        "index-not-concurrent": [False],
        "lock-timeout-missing": [True],
    }


@pytest.mark.parametrize(
    "text", ["-- migsafe: ignore[drop-column] unused\nALTER TABLE a DROP COLUMN b;", "SELECT …;", "-- or, later:\nSELECT 1;"]
)
def test_a_decision_is_no_fix(text: str) -> None:
    assert read_way(text) is None


def test_a_suppression_belongs_to_a_later_deployment() -> None:
    way = read_way("SELECT 1;\n-- when no release names b:\n-- migsafe: ignore[drop-column] unused\nALTER TABLE a DROP COLUMN b;")
    assert way is not None
    assert [(part.after, part.statements) for part in way.instead] == [
        ("", ("SELECT 1;",)),
        ("when no release names b", ("-- migsafe: ignore[drop-column] unused\nALTER TABLE a DROP COLUMN b;",)),
    ]


@pytest.mark.parametrize("wrong", [{"fix": "sure"}, {"fix": "safe", "no_fix": "it has one"}])
def test_an_own_rule_with_a_wrong_declaration_is_refused(wrong: dict[str, str]) -> None:
    def no_drops(op: DropColumn, at: object) -> Finding | None:
        return None

    with pytest.raises(TypeError, match='fix="safe", fix="unsafe", or a reason'):
        rule(category="ours", severity=Severity.INFO, **wrong)(no_drops)  # type: ignore[arg-type]
