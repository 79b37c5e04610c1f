"""The safe way of every finding, pasted into migrations of a table that no migration created, is not reported by the rule that gives it."""

from pathlib import Path
from textwrap import dedent

import pytest

from migsafe import lint
from migsafe.linting.finding import Finding
from migsafe.linting.rule import Limits, Rule
from tests.rules.followed_helps import pieces
from tests.rules.test_examples import examples, name
from tests.support.linted import NAMED_SCRIPT, NEXT_MIGRATION, judge_sql

SAME_AGAIN = frozenset(
    (
        *("lock-timeout-missing", "statement-timeout-missing", "lock-timeout-too-long"),
        *("lock-timeout-on-concurrent", "statement-timeout-on-concurrent"),
    )
)
"""Rules whose help is a setting that goes before the statement."""


def advice() -> list[object]:
    """Returns each rule with the history before its unsafe examples, and the example."""
    cases = [case for case in examples("Unsafe") if not NAMED_SCRIPT.match(str(case.values[1]))]
    return [case for case in cases if isinstance(case.values[0], Rule) and case.values[0].name not in SAME_AGAIN]


def found(sql: str, rule: Rule, pg_version: int) -> list[Finding]:
    limits = Limits() if rule.category == "timeouts" else None
    return [finding for finding in judge_sql(sql, [rule], limits=limits, pg_version=pg_version).findings if finding.help]


@pytest.mark.parametrize(("rule", "sql", "pg_version"), advice(), ids=name)
def test_the_sql_of_a_safe_way_is_safe(rule: Rule, sql: str, pg_version: int) -> None:
    history = NEXT_MIGRATION.split(dedent(sql))[:-1]
    for finding in found(sql, rule, pg_version):
        migrations = pieces(finding.help)
        text = "\n-- next migration\n".join((*history, *migrations))
        assert [(other.rule, other.message) for other in found(text, rule, pg_version) if other.script.text not in history] == [], migrations


def test_a_second_statement_is_not_advised_where_it_makes_a_transaction(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://localhost/shop?options=-c%20lock_timeout%3D2s\n")
    (tmp_path / "1_a.up.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n")
    (tmp_path / "1_a.down.sql").write_text("DROP TABLE orders;\n")
    (tmp_path / "2_b.up.sql").write_text("CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n")
    [finding] = [finding for finding in lint([str(tmp_path)]).findings if finding.rule == "lock-timeout-on-concurrent"]
    assert "connection that does not set lock_timeout" in finding.help
    assert "SET lock_timeout" not in finding.help
