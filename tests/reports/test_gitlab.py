"""GitLab's Code Quality report, against the fields that its documentation asks for."""

import json
from typing import Any

import jsonschema
import pytest

from migsafe.reports import reporter
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    # "The location must be relative to the root of the repository", without ./
                    "path": {"type": "string", "pattern": r"^(?!/|\./)."},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}, "end": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
SQL = "CREATE INDEX ON a (b);\nDROP TABLE\n  c;\nCREATE INDEX ON a (b);\nCREATE TABLE t {{ x }};"


def issues(sql: str, **more: Any) -> list[dict[str, Any]]:
    document: list[dict[str, Any]] = json.loads(reporter("gitlab")(judge_with_few_rules(sql, **more), Display()))
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    return document


def test_an_issue() -> None:
    [issue] = issues("SELECT 1;\nDROP TABLE\n  c;", path="./db/0001_x.sql")
    assert issue == {
        "description": issue["description"],
        "check_name": "drop-table",
        "fingerprint": issue["fingerprint"],
        "severity": "critical",
        "location": {"path": "db/0001_x.sql", "lines": {"begin": 2, "end": 3}},
    }
    assert issue["description"].startswith("DROP TABLE takes ACCESS EXCLUSIVE on public.c")


def test_no_two_issues_share_a_fingerprint() -> None:
    all_issues = issues(SQL)
    assert len(all_issues) == 4
    assert len({issue["fingerprint"] for issue in all_issues}) == 4


def test_a_clean_run_is_an_empty_array() -> None:
    assert issues("SELECT 1;") == []


@pytest.mark.parametrize(("path", "expected"), [("-", "stdin"), ("\udcff.sql", "\ufffd.sql"), ("a\\b.sql", "a\\b.sql")])
def test_any_path(path: str, expected: str) -> None:
    assert issues("DROP TABLE a", path=path)[0]["location"]["path"] == expected
