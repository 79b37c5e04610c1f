"""JUnit's XML, against the schema of Jenkins."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from migsafe.errors import UnreadableError
from migsafe.linting.finding import Severity
from migsafe.linting.rule import Context, Finding, rule
from migsafe.linting.verdict import Verdict
from migsafe.reports import reporter
from migsafe.sql.operations import Drop
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

SCHEMA = xmlschema.XMLSchema10(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))
SQL = "CREATE INDEX ON a (b); CREATE INDEX ON a (b);\nDROP TABLE c;"


def suites(verdict: Verdict) -> Element:
    """Returns the report, after validating it."""
    text = reporter("junit")(verdict, Display())
    SCHEMA.validate(text)
    return ElementTree.fromstring(text.encode())


def says(message: str, severity: Severity = Severity.WARNING) -> Any:
    @rule(category="design", severity=severity)
    def says(op: Drop, at: Context) -> Finding:
        """Says something."""
        return at.finding(op, message)

    return says


def test_a_finding_is_a_failed_test_of_its_file() -> None:
    root = suites(judge_with_few_rules("DROP TABLE c;", path="db/0001_x.sql"))
    [suite] = root
    [case] = suite
    [failure] = case
    assert root.attrib == {"name": "migsafe", "tests": "1", "failures": "1", "errors": "0"}
    assert suite.attrib == {"name": "db/0001_x.sql", "tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
    assert case.attrib == {"name": "drop-table at 1:1", "classname": "db/0001_x.sql"}
    assert failure.attrib["type"] == "error: drop-table"
    assert failure.attrib["message"].startswith("DROP TABLE takes ACCESS EXCLUSIVE on public.c")
    assert str(failure.text).startswith("db/0001_x.sql:1:1 error drop-table\nDROP TABLE takes")


def test_tests_of_a_file_have_different_names() -> None:
    twice = [says("one"), says("two")]
    root = suites(judge_with_few_rules("DROP TABLE a;", rules=twice))
    assert [case.attrib["name"] for case in root.iter("testcase")] == ["says at 1:1", "says at 1:1 (1)"]


def test_a_file_without_findings_is_a_passed_test() -> None:
    root = suites(judge_with_few_rules("SELECT 1;", path="db/0001_x.sql"))
    assert [(case.attrib["classname"], len(case)) for case in root.iter("testcase")] == [("db/0001_x.sql", 0)]
    assert root.attrib["failures"] == "0"


def test_an_info_does_not_fail() -> None:
    [case] = suites(judge_with_few_rules("DROP TABLE a", rules=[says("so", Severity.INFO)])).iter("testcase")
    assert [(child.tag, child.attrib) for child in case] == [("skipped", {"message": "so"})]


def test_unreadable_files_fail_and_empty_runs_pass() -> None:
    verdict = judge_with_few_rules("SELECT 1;")
    verdict.problems.append(UnreadableError("x.sql: cannot be read", "Why not?"))
    [failure] = suites(verdict).iter("failure")
    assert (failure.attrib["type"], failure.attrib["message"]) == ("UnreadableError", "x.sql: cannot be read")
    verdict.problems.clear()
    verdict.paths = ()
    assert suites(verdict).attrib == {"name": "migsafe", "tests": "1", "failures": "0", "errors": "0"}


@pytest.mark.parametrize(("path", "expected"), [("-", "stdin"), ("\udcff.sql", "\ufffd.sql"), ("<a&b>\x01.sql", "<a&b>\ufffd.sql")])
def test_any_path(path: str, expected: str) -> None:
    assert suites(judge_with_few_rules("DROP TABLE a", path=path))[0].attrib["name"] == expected


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_message_is_well_formed(message: str) -> None:
    [failure] = suites(judge_with_few_rules("DROP TABLE a", rules=[says(message)])).iter("failure")
    if message.isprintable():
        assert failure.attrib["message"] == message
