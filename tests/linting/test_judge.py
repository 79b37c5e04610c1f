from pathlib import Path

from msgspec import Struct

from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import judge
from migsafe.linting.rule import Context, Rule, rule
from migsafe.linting.rulebook import Rulebook
from migsafe.sources import Half, Migration, Transaction
from migsafe.sql.operations import Drop
from migsafe.text import Script, Span
from tests.support.linted import as_history, judge_sql, migration, usual_rules


def test_findings_are_sorted_by_path_place_and_rule() -> None:
    sql = "DROP TABLE a;\nCREATE INDEX ON t (a);\nDROP TABLE b;"
    verdict = judge([*as_history([migration(sql, "b.sql")]), *as_history([migration(sql, "a.sql")])], Rulebook(usual_rules()), 17)
    assert [(finding.script.path, finding.script.position(finding.span.start).line) for finding in verdict.findings] == [
        (path, line) for path in ("a.sql", "b.sql") for line in (1, 2, 3)
    ]


def test_the_summary_counts() -> None:
    summary = judge_sql("DROP TABLE a; SELECT 1; DO $$ BEGIN EXECUTE x; END $$; ALTER TABLE {{ .Any }} {{ .Thing }};").summary
    assert (summary.files, summary.statements, summary.errors, summary.warnings, summary.unparsed) == (1, 4, 1, 2, 1)


def test_a_table_of_one_migration_is_not_new_in_the_next() -> None:
    assert [finding.rule for finding in judge_sql("CREATE TABLE t (a int);\n-- next migration\nCREATE INDEX ON t (a);").findings] == [
        "index-not-concurrent"
    ]


@rule(category="ours", severity=Severity.INFO)
def no_dropping(op: Drop, at: Context) -> Finding | None:
    raise ZeroDivisionError("out of luck")


def test_a_rule_that_raises_is_named_and_does_not_affect_the_others() -> None:
    verdict = judge_sql("DROP TABLE a;\nDROP TABLE b;", [no_dropping, *usual_rules()])
    [problem] = verdict.problems
    assert problem.message == "the rule no-dropping failed at 0001_change.sql:1:1: ZeroDivisionError: out of luck"
    assert problem.hint == "It failed 2 times; the other rules were not affected."
    assert [finding.rule for finding in verdict.findings] == ["drop-table", "drop-table"]


def test_a_rule_may_report_several_things_about_an_operation() -> None:
    def several(op: Drop, at: Context) -> list[Finding]:
        return [at.finding(op, str(name)) for name in op.names]

    both = Rule("several", "ours", Severity.INFO, "", (Drop,), several)
    assert [finding.message for finding in judge_sql("DROP TABLE a, b", [both]).findings] == ["a", "b"]


def test_an_unreadable_script_does_not_affect_the_others(tmp_path: Path) -> None:
    missing = Migration("1", "plain", Half(Script(str(tmp_path / "missing.sql")), (Span(0, 0),), Transaction.FILE))
    verdict = judge(as_history([missing, migration("DROP TABLE a")]), Rulebook(usual_rules()), 17)
    assert [problem.message for problem in verdict.problems] == [f"{tmp_path}/missing.sql: cannot be read: no such file or directory"]
    assert len(verdict.findings) == verdict.summary.files == 1


class Seen(Struct):
    names: list[str] = []


def test_a_rule_has_one_state_per_migration_and_shares_it_with_no_other_rule() -> None:
    def counting(op: Drop, at: Context) -> Finding:
        at.state(Seen).names.extend(map(str, op.names))
        return at.finding(op, " ".join(at.state(Seen).names))

    rules = [Rule(name, "ours", Severity.INFO, "", (Drop,), counting) for name in ("first", "second")]
    messages = [finding.message for finding in judge_sql("DROP TABLE a; DROP TABLE b;\n-- next migration\nDROP TABLE c", rules).findings]
    assert sorted(messages) == ["a", "a", "a b", "a b", "c", "c"]
