"""SARIF, checked with its schema and the rules that only the standard's text has (§: SARIF 2.1.0 errata 01)."""

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import jsonschema
import pytest

from migsafe.linting.finding import Severity
from migsafe.linting.rule import Context, Finding, rule
from migsafe.linting.verdict import Verdict
from migsafe.reports import reporter
from migsafe.reports.paths import uri
from migsafe.sql.operations import Drop
from migsafe.terminal.display import Display
from tests.support.samples import judge_with_few_rules

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)
SQL = """\
SELECT 'première';
ALTER TABLE app.orders
    ADD CONSTRAINT fk FOREIGN KEY (customer_id)
        REFERENCES customers (id);
SELEC 1;
"""


def log(verdict: Verdict) -> dict[str, Any]:
    """Returns the report, after validating it."""
    document: dict[str, Any] = json.loads(reporter("sarif")(verdict, Display()))
    VALIDATOR.validate(document)
    return document


def run(sql: str, **more: Any) -> dict[str, Any]:
    [only] = log(judge_with_few_rules(sql, **more))["runs"]
    return dict(only)


def test_a_result_has_the_properties_of_the_standard() -> None:
    sarif_run = run(SQL, path="migrations/0001 x.sql")
    first, second = sarif_run["results"]
    assert (first["ruleId"], first["level"], second["ruleId"]) == ("foreign-key-validates", "error", "syntax-error")
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "migrations/0001%20x.sql", "uriBaseId": "%SRCROOT%", "index": 0},
                "region": {"startLine": 3, "startColumn": 5, "endLine": 4, "endColumn": 34},
            }
        }
    ]
    assert first["message"]["text"].startswith("ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on app.orders")
    assert "\n\nSafe:\nALTER TABLE app.orders ADD CONSTRAINT fk" in first["message"]["text"]
    assert "```sql\nALTER TABLE app.orders ADD CONSTRAINT fk" in first["message"]["markdown"]
    assert sarif_run["artifacts"] == [
        {"location": {"uri": "migrations/0001%20x.sql", "uriBaseId": "%SRCROOT%"}, "sourceLanguage": "sql"}  # §3.24.10
    ]
    assert (sarif_run["columnKind"], sarif_run["properties"]) == ("unicodeCodePoints", {"pgVersion": 17})


def test_results_link_to_the_documentation_of_their_rules() -> None:
    sarif_run = run(SQL)
    rules = sarif_run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["foreign-key-validates", "syntax-error"]  # those that fired
    for result in sarif_run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]  # §3.27.5, §3.27.6
    listed = next(rule for rule in rules if rule["id"] == "foreign-key-validates")
    assert listed["shortDescription"]["text"] == "ADD FOREIGN KEY checks every row while writes are blocked."
    assert listed["defaultConfiguration"] == {"level": "error", "enabled": True}
    assert listed["helpUri"].startswith("https://www.postgresql.org/docs/")
    assert "NOT VALID" in listed["help"]["text"]
    assert listed["help"]["markdown"].startswith("# foreign-key-validates\n")


def test_code_of_a_script_is_marked_as_python() -> None:
    sarif_run = run("CREATE INDEX i ON orders (qty);", path="versions/1.py")
    assert [artifact["sourceLanguage"] for artifact in sarif_run["artifacts"]] == ["python"]
    assert "Safe:\n\n```python\n" in sarif_run["results"][0]["message"]["markdown"]


def test_a_rule_unknown_to_the_verdict_is_listed() -> None:
    verdict = judge_with_few_rules("DROP TABLE a")
    verdict.rules = ()
    [only] = log(verdict)["runs"]
    assert only["tool"]["driver"]["rules"] == [{"id": "drop-table"}]


def test_levels() -> None:
    assert {severity: _level(severity) for severity in Severity} == {
        Severity.ERROR: "error",
        Severity.WARNING: "warning",
        Severity.INFO: "note",
    }  # §3.27.10


def _level(severity: Severity) -> str:
    [result] = run("DROP TABLE a", rules=[_says("x", severity)])["results"]
    return str(result["level"])


def _says(message: str, severity: Severity = Severity.WARNING) -> Any:
    @rule(category="design", severity=severity)
    def says(op: Drop, at: Context) -> Finding:
        """Says something."""
        return at.finding(op, message)

    return says


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("a default of '{}'", "a default of '{{}}'"),  # §3.11.5
        ("ARRAY[1](x)", r"ARRAY\[1](x)"),  # §3.11.6
        ("ARRAY[1] (x)", "ARRAY[1] (x)"),
    ],
)
def test_messages_contain_neither_placeholders_nor_links(message: str, text: str) -> None:
    [result] = run("DROP TABLE a", rules=[_says(message)])["results"]
    assert result["message"]["text"] == text


def prints(sql: str, **more: Any) -> list[str]:
    return [print_ for result in run(sql, **more)["results"] for print_ in result["partialFingerprints"].values()]


def test_fingerprints_survive_moved_lines_and_other_findings() -> None:
    first, second = "DROP TABLE a;", "DROP TABLE b;"
    assert prints("SELECT 1;\n\n-- why\nDROP   TABLE\n a;") == prints(first)
    assert prints(f"{second}\n{first}") == [*prints(second), *prints(first)]
    assert prints(first, path="another.sql") != prints(first)


def test_equal_findings_have_different_fingerprints() -> None:
    twins = prints("CREATE INDEX ON a (b);\nCREATE INDEX ON a (b);")
    assert len(set(twins)) == 2
    assert twins[:1] == prints("CREATE INDEX ON a (b);")


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        (PurePosixPath("/repo/db/a b#?%.sql"), PurePosixPath("/repo"), "db/a%20b%23%3F%25.sql"),
        (PurePosixPath("/repo/é:\udcff.sql"), PurePosixPath("/repo"), "%C3%A9%3A%FF.sql"),
        (PurePosixPath("/repo/a\\b.sql"), PurePosixPath("/repo"), "a%5Cb.sql"),
        (PurePosixPath("/else/a b.sql"), PurePosixPath("/repo"), "file:///else/a%20b.sql"),
        (PureWindowsPath(r"C:\repo\db\a b.sql"), PureWindowsPath(r"c:\Repo"), "db/a%20b.sql"),
        (PureWindowsPath(r"D:\else\a b.sql"), PureWindowsPath(r"C:\repo"), "file:///D:/else/a%20b.sql"),
        (PureWindowsPath(r"\\host\share\a.sql"), PureWindowsPath(r"C:\repo"), "file://host/share/a.sql"),
    ],
)
def test_uris(path: Any, root: Any, expected: str) -> None:
    assert uri(path, root) == expected


def test_a_file_outside_of_the_repository_has_an_absolute_uri_and_no_base(tmp_path: Path) -> None:
    [result] = run("DROP TABLE a", path=str(tmp_path / "x.sql"))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": (tmp_path / "x.sql").as_uri(), "index": 0}


def test_paths_are_relative_to_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop" / "db").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")
    for path in ("db/x.sql", "../shop/db/x.sql", str(tmp_path / "shop/db/x.sql")):
        [result] = run("DROP TABLE a", path=path)["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "shop/db/x.sql"


@pytest.mark.parametrize("path", ["-", "\udcff.sql", "a\nb.sql"])
def test_any_path_is_valid(path: str) -> None:
    assert run(SQL, path=path)["results"]


def test_files_that_could_not_be_judged_are_notifications() -> None:
    @rule(category="design", severity=Severity.WARNING)
    def fails(op: Drop, at: Context) -> None:
        """Fails."""
        raise ValueError("no {reason}")

    [invocation] = run("DROP TABLE a", rules=[fails])["invocations"]
    [notification] = invocation["toolExecutionNotifications"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert notification["associatedRule"] == {"id": "fails"}
    assert "no {{reason}}" in notification["message"]["text"]


def test_a_clean_run_is_successful_and_has_no_results() -> None:
    sarif_run = run("SELECT 1;")
    assert sarif_run["results"] == []  # §3.14.23: without the key it would mean that no analysis ran
    assert sarif_run["invocations"] == [{"executionSuccessful": True}]
