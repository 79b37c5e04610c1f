"""Every example in a rule's documentation is judged: an unsafe example reports that rule and no other, a safe one reports nothing."""

import re
from textwrap import dedent

import pytest
from _pytest.mark import ParameterSet

from migsafe.linting.rule import Limits, Rule, Severity
from migsafe.linting.rulebook import choose_rules, shipped_rules
from tests.support.linted import NAMED_SCRIPT, judge_sql

EXAMPLE = re.compile(r"^(Unsafe|Safe)([^\n]*):\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
VERSION = re.compile(r"(?<!before )PostgreSQL (\d\d)")
RULES = shipped_rules()


def examples(kind: str) -> list[ParameterSet]:
    """Returns the examples of the rules as parameters; those with Alembic scripts start a rendering worker."""
    return [
        pytest.param(rule, dedent(sql), pg_version(words), marks=[pytest.mark.process] if NAMED_SCRIPT.match(dedent(sql)) else [])
        for rule in RULES
        for heading, words, sql in EXAMPLE.findall(rule.documentation + "\n")
        if heading == kind
    ]


def pg_version(heading: str) -> int:
    """Returns the release for which an example is written."""
    match = VERSION.search(heading)
    return 17 if match is None else int(match[1])


def name(value: object) -> str:
    return value.name if isinstance(value, Rule) else ""


def judging(rule: Rule) -> list[Rule]:
    """Returns the rules that are on. Most examples omit the transaction that a runner opens, so the category idempotency is only judged in its
    own examples."""
    chosen = [other for other in choose_rules(RULES) if other.category != "idempotency" or rule.category == "idempotency"]
    return [*chosen, rule] if rule.off else chosen


def limits(rule: Rule) -> Limits | None:
    """Returns the limits of an example: the runner sets a lock_timeout, except in the examples about timeouts."""
    return Limits() if rule.category == "timeouts" else None


@pytest.mark.parametrize(("rule", "sql", "version"), examples("Unsafe"), ids=name)
def test_an_unsafe_example_reports_its_rule(rule: Rule, sql: str, version: int) -> None:
    verdict = judge_sql(sql, judging(rule), limits=limits(rule), pg_version=version)
    findings = verdict.findings
    assert [str(problem) for problem in verdict.problems] == []
    assert {finding.rule for finding in findings if finding.severity > Severity.INFO or finding.rule == rule.name} == {rule.name}


@pytest.mark.parametrize(("rule", "sql", "version"), examples("Safe"), ids=name)
def test_a_safe_example_reports_nothing(rule: Rule, sql: str, version: int) -> None:
    verdict = judge_sql(sql, judging(rule), limits=limits(rule), pg_version=version)
    findings = verdict.findings
    assert [str(problem) for problem in verdict.problems] == []
    assert [finding.rule for finding in findings if finding.severity > Severity.INFO] == []
    assert rule.name not in [finding.rule for finding in findings]


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_says_what_it_finds_and_shows_both_ways(rule: Rule) -> None:
    kinds = [kind for kind, _, _ in EXAMPLE.findall(rule.documentation + "\n")]
    assert rule.summary.endswith(".")
    assert {"Unsafe", "Safe"} <= set(kinds)
