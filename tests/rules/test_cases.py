"""The cases next to this file: SQL with `-- expect: rule` on each line where a rule of the folder's category reports something, and nowhere
else. Migrations are separated by `-- next migration`. A name such as `enums.file.16.sql` says how the runner sends them (like psql by default)
and the version of PostgreSQL. The cases in `.revisions` are Alembic scripts, each beginning with its name; their expectations are Python
comments."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import SelectedMigration
from migsafe.prediction.predictor import Predictor
from migsafe.sources import Migration, Transaction
from tests.support.linted import NEXT_MIGRATION, judge_sql, migration

HERE = Path(__file__).parent
CASES = sorted(HERE.rglob("*.sql"))
EXPECT = re.compile(r"-- expect: (\S+)")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_findings_are_where_they_are_expected(case: Path) -> None:
    # A rule that is off runs only in the cases that mention it.
    rules = [rule for rule in shipped_rules() if rule.category == case.parent.name and (not rule.off or rule.name in case.read_text())]
    migrations = case.read_text().split("-- next migration\n")
    words = case.name.split(".")[1:-1]
    version = next((int(word) for word in words if word.isdecimal()), 17)
    forecast, book = Predictor(version), Rulebook(rules)
    for number, sql in enumerate(migrations, 1):
        expected = [(at, rule) for at, line in enumerate(sql.splitlines(), 1) for rule in EXPECT.findall(line)]
        limits = Limits() if case.parent.name == "timeouts" else Limits(lock_timeout=2000)
        sent = as_sent(migration(sql, f"{number:04}_change.sql"), words)
        verdict = judge([SelectedMigration(sent, forecast)], book, version, limits=limits)
        findings = verdict.findings
        assert [str(problem) for problem in verdict.problems] == []
        assert [(finding.script.position(finding.span.start).line, finding.rule) for finding in findings] == expected, sql


def as_sent(migration: Migration, words: list[str]) -> Migration:
    """Returns the migration as the runner sends it that the words describe."""
    for word in words:
        if not word.isdecimal():
            migration = replace(migration, up=replace(migration.up, transaction=Transaction(word)))
    return migration


@pytest.mark.process
@pytest.mark.parametrize("case", sorted(HERE.rglob("*.revisions")), ids=lambda case: str(case.relative_to(HERE)))
def test_findings_are_where_they_are_expected_in_revisions(case: Path) -> None:
    # A rule that is off runs only in the cases that mention it.
    rules = [rule for rule in shipped_rules() if rule.category == case.parent.name and (not rule.off or rule.name in case.read_text())]
    text = case.read_text()
    expected = {
        (script.split()[1], at, rule)
        for script in NEXT_MIGRATION.split(text)
        for at, line in enumerate(script.splitlines(), 1)
        for rule in re.findall(r"# expect: (\S+)", line)
    }
    findings = judge_sql(text, rules).findings
    reported = [(Path(finding.script.path).name, finding.script.position(finding.span.start).line, finding.rule) for finding in findings]
    assert sorted(reported) == sorted(expected)
