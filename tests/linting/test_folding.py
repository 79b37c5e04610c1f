"""Equal findings of a file: the first ten, and one for the others."""

import json

import pytest

from migsafe.linting.rulebook import choose_rules, shipped_rules
from migsafe.linting.verdict import Verdict
from migsafe.reports import FORMATS, reporter
from migsafe.terminal.display import Display
from tests.support.linted import judge_sql

RULES = choose_rules(shipped_rules(), select=["delete-everything"])


def verdict(statements: int, last: str = "DELETE FROM customers;\n") -> Verdict:
    return judge_sql("DELETE FROM orders;\n" * statements + last, RULES)


def test_after_ten_equal_findings_the_others_are_one() -> None:
    judged = verdict(500)
    orders = [finding for finding in judged.findings if "public.orders" in finding.relations]
    assert len(orders) == 11
    assert [finding.more for finding in orders] == [0] * 10 + [489]
    assert orders[10].message.endswith("; 489 more findings like this one, up to line 500")
    assert len(judged.findings) == 12
    assert judged.summary.errors + judged.summary.warnings == 12
    assert len(judged.unreduced) >= 501


def test_eleven_findings_are_all_shown() -> None:
    assert [finding.more for finding in verdict(11, last="").findings] == [0] * 11


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_how_many(name: str) -> None:
    assert "489 more findings like this one" in " ".join(reporter(name)(verdict(500), Display()).split())


def test_json_has_the_number_and_the_first_places() -> None:
    findings = json.loads(reporter("json")(verdict(500), Display()))["findings"]
    folded = [finding for finding in findings if "more" in finding]
    assert [(finding["more"], len(finding["places"]), finding["places"][0]) for finding in folded] == [(489, 100, {"line": 11, "column": 1})]


def indexes(number: int) -> Verdict:
    names = [chr(97 + each % 26) * (1 + each // 26) for each in range(number)]
    creations = "".join(f"CREATE INDEX {name}_idx ON {name} (a);\n" for name in names)
    return judge_sql(f"{creations}DROP TABLE a;\n", choose_rules(shipped_rules(), select=["index-not-concurrent", "drop-table"]))


def test_findings_of_one_rule_about_different_objects_are_folded_too() -> None:
    judged = indexes(60)
    found = [finding for finding in judged.findings if finding.rule == "index-not-concurrent"]
    assert [finding.more for finding in found] == [0] * 10 + [49]
    assert "; 49 more findings of this rule: public.l (line 12), public.m (line 13)," in found[-1].message
    assert found[-1].message.endswith("public.u (line 21) and 39 more")
    assert [finding.rule for finding in judged.findings if finding.rule != "index-not-concurrent"] == ["drop-table"]
    assert len(judged.unreduced) == 61
    results = json.loads(reporter("sarif")(judged, Display()))["runs"][0]["results"]
    assert [len(result.get("relatedLocations", ())) for result in results if result["ruleId"] == "index-not-concurrent"] == [0] * 10 + [49]


def test_eleven_findings_about_different_objects_are_all_shown() -> None:
    assert [finding.more for finding in indexes(11).findings] == [0] * 12  # with that of the DROP TABLE
