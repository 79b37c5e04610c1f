"""Comments that suppress findings."""

from pathlib import Path

import pytest

from migsafe.library.lint import lint
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import Rulebook, choose_rules, shipped_rules
from migsafe.linting.suppressions import find_suppressions
from migsafe.sources import Half, Migration, Transaction
from migsafe.text import Script, Span
from tests.support.linted import as_history, judge_sql, reported_rules

SUPPRESSION = "-- migsafe: ignore[drop-table] nobody used it"


def reported_lines(sql: str) -> list[str]:
    """Returns the findings as `line: rule`."""
    return [f"{finding.script.position(finding.span.start).line}: {finding.rule}" for finding in judge_sql(sql).findings]


def test_on_the_line_of_the_statement_or_the_line_above() -> None:
    assert reported_rules(f"{SUPPRESSION}\nDROP TABLE a;") == []
    assert reported_rules(f"DROP TABLE a; {SUPPRESSION}") == []
    assert judge_sql(f"DROP TABLE a; {SUPPRESSION}").summary.suppressed == 1
    assert reported_lines(f"{SUPPRESSION}\n\nDROP TABLE a;") == ["1: suppression-unused", "3: drop-table"]
    assert reported_lines(f"DROP TABLE a; {SUPPRESSION}\nDROP TABLE b;") == ["2: drop-table"]
    assert reported_lines(f"DROP TABLE a;\n{SUPPRESSION}") == ["1: drop-table", "2: suppression-unused"]


def test_comments_stack() -> None:
    assert reported_rules(f"{SUPPRESSION}\n-- the table of 2019\nDROP TABLE a;") == []
    assert reported_rules(f"{SUPPRESSION}\n-- migsafe: ignore[syntax-error] meant\nDROP TABLE a;") == ["suppression-unused"]


def test_several_rules_in_one() -> None:
    both = "-- migsafe: ignore[ drop-table , index-not-concurrent ] before launch"
    assert reported_rules(f"{both}\nDROP TABLE a; CREATE INDEX ON t (a);") == []
    assert reported_rules(f"{both}\nDROP TABLE a;") == ["suppression-unused"]


def test_the_operation_or_the_first_line_of_its_statement() -> None:
    why = "-- migsafe: ignore[foreign-key-validates] small"
    key = "ADD FOREIGN KEY (b) REFERENCES b (id)"

    def keys(sql: str) -> list[str]:
        return [line for line in reported_lines(sql) if line.partition(": ")[2] in ("foreign-key-validates", "suppression-unused")]

    assert keys(f"{why}\nALTER TABLE a\n  {key},\n  {key};") == []
    assert keys(f"ALTER TABLE a {why}\n  {key},\n  {key};") == []
    assert keys(f"ALTER TABLE a\n  {key},\n  {why}\n  {key};") == ["2: foreign-key-validates"]
    assert keys(f"ALTER TABLE a\n  {key}, {why}\n  {key};") == ["3: foreign-key-validates"]
    assert keys(f"ALTER TABLE a\n  {key},\n  ADD FOREIGN KEY (b)\n  REFERENCES b (id); {why}") == ["2: foreign-key-validates"]


def test_in_a_do_block() -> None:
    assert reported_rules(f"DO $$\nBEGIN\n  {SUPPRESSION}\n  DROP TABLE a;\nEND $$;") == []
    assert "3: drop-table" not in reported_lines(two := f"DO $$\nBEGIN\n  DROP TABLE a; {SUPPRESSION}\n  DROP TABLE b;\nEND $$;")
    assert "4: drop-table" in reported_lines(two)
    assert "drop-table" not in reported_rules(f"{SUPPRESSION}\nDO $$\nBEGIN\n  DROP TABLE a;\n  DROP TABLE b;\nEND $$;")


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT '\n{SUPPRESSION}\n'; DROP TABLE a;",
        f"SELECT $x$\n{SUPPRESSION}\n$x$; DROP TABLE a;",
        f"/*\n{SUPPRESSION}\n*/ DROP TABLE a;",
        f"/* /* */\n{SUPPRESSION}\n*/ DROP TABLE a;",
        f"COPY t (a) FROM stdin;\n{SUPPRESSION}\n\\.\nDROP TABLE a;",
        f"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\n{SUPPRESSION}\n$$; DROP TABLE a;",
        f"\\echo it's {SUPPRESSION}\nDROP TABLE a;",
        "-- what migsafe: ignore[drop-table] means is told elsewhere\nDROP TABLE a;",
    ],
)
def test_text_that_is_not_a_comment_suppresses_nothing(sql: str) -> None:
    assert "drop-table" in reported_rules(sql)
    assert "suppression-unused" not in reported_rules(sql)


def test_a_string_before_it_does_not_hide_it() -> None:
    assert reported_rules(f"COPY t (a) FROM stdin;\nit's\n\\.\n{SUPPRESSION}\nDROP TABLE a;") == []
    assert reported_rules(f"INSERT INTO t VALUES ($x$it's$x$, 'it''s');\n{SUPPRESSION}\nDROP TABLE a;") == []


def test_a_suppression_at_the_top_applies_to_the_whole_file() -> None:
    whole = "-- migsafe: ignore-file[drop-table] the service is gone"
    assert reported_rules(f"-- drop what is left\n{whole}\n\nDROP TABLE a;\nSELECT 1;\nDROP TABLE b;") == []
    [late, _] = judge_sql(f"SELECT 1;\n{whole}\nDROP TABLE a;").findings
    assert (late.rule, late.statement) == ("suppression-unused", 2)
    assert late.message == "this suppresses nothing: ignore-file is only valid above the first statement of the file"
    [unused] = judge_sql(f"{whole}\nSELECT 1;").findings
    assert unused.message == "drop-table reports nothing in this file: remove the suppression"


def test_a_reason_is_required() -> None:
    assert reported_rules("-- migsafe: ignore[drop-table]\nDROP TABLE a;") == ["suppression-without-reason", "drop-table"]
    assert reported_rules("-- migsafe: ignore[drop-table]: - \nDROP TABLE a;") == ["suppression-without-reason", "drop-table"]
    assert reported_rules("-- migsafe: ignore[drop-table]: nobody used it\nDROP TABLE a;") == []


@pytest.mark.parametrize("comment", ["ignore", "ignore nobody used it", "ignore[] why", "ignroe[drop-table] why", "", "disable drop-table"])
def test_a_suppression_without_rule_names_is_reported(comment: str) -> None:
    [finding, _] = judge_sql(f"-- migsafe: {comment}\nDROP TABLE a;").findings
    assert (finding.rule, finding.message) == ("suppression-unused", "this suppresses nothing: it must name the rules")


def test_an_unknown_rule_name_is_reported() -> None:
    [finding, _] = judge_sql("-- migsafe: ignore[drop-tabel] why\nDROP TABLE a;").findings
    assert (finding.rule, finding.message) == ("unknown-rule", "there is no rule drop-tabel. Did you mean drop-table?")


def test_a_rule_that_did_not_run_is_not_unused() -> None:
    rules = choose_rules(shipped_rules(), ignore=["drop-table"])
    sql = "-- migsafe: ignore[drop-table] why\nSELECT 1;"
    book = Rulebook(rules, ["drop-table"])
    script = Script("1.sql", sql)
    stops = as_history([Migration("1", "plain", Half(script, (Span(0, len(sql)),), Transaction.FILE))])
    assert judge(stops, book, 17, limits=Limits()).findings == []


def test_suppressions_of_suppressions() -> None:
    top = "-- migsafe: ignore-file[suppression-unused] generated"
    assert reported_rules(f"{top}\n-- migsafe: ignore[drop-table] why\nSELECT 1;") == []


def test_the_down_half_is_not_looked_at() -> None:
    sql = f"-- migsafe: ignore-file[drop-table] top\n-- up\nDROP TABLE a;\n-- down\n{SUPPRESSION}\nSELECT 1;"
    up = Span(sql.index("-- up"), sql.index("-- down"))
    assert [suppression.whole_file for suppression in find_suppressions(Script("1.sql", sql), [up])] == [True]


PYTHON = '''"""add a column

# migsafe: ignore-file[drop-table] in a string
"""
# migsafe: ignore-file[drop-table] the service is gone
from alembic import op

def upgrade():
    # migsafe: ignore[truncate] cache
    op.execute("""
    -- migsafe: ignore[drop-table] a string of Python's
    TRUNCATE a""")  # migsafe: ignore[lock-timeout-missing] small

def downgrade():
    # migsafe: ignore[drop-column] not looked at
    op.drop_column("a", "b")
'''


def test_a_script_in_python() -> None:
    up = Span(PYTHON.index("def upgrade"), PYTHON.index("def downgrade"))
    found = find_suppressions(Script("1.py", PYTHON), [up])
    assert [(suppression.names, suppression.whole_file, suppression.applies) for suppression in found] == [
        (("drop-table",), True, True),
        (("truncate",), False, True),
        (("lock-timeout-missing",), False, True),
    ]
    assert PYTHON[slice(*found[1].span)] == "# migsafe: ignore[truncate] cache"


def test_a_hash_is_no_comment_in_sql() -> None:
    sql = "# migsafe: ignore[drop-table] why\nDROP TABLE a;"
    assert find_suppressions(Script("1.sql", sql), [Span(0, len(sql))]) == []


@pytest.mark.process
@pytest.mark.parametrize(("first", "expected"), [("import os; os._exit(3)", ["opaque-code"]), ("pass", ["suppression-unused"])])
def test_suppressions_are_not_unused_where_the_code_of_a_script_is_unknown(tmp_path: Path, first: str, expected: list[str]) -> None:
    (tmp_path / "env.py").write_text("")
    (tmp_path / "versions").mkdir()
    script = tmp_path / "versions" / "1_one.py"
    statement = 'op.execute("CREATE TABLE orders (id bigint PRIMARY KEY)")'
    script.write_text(
        "from alembic import op\nrevision = '1'\ndown_revision = None\n\ndef upgrade():\n"
        f"    {first}\n    # migsafe: ignore[drop-table] no release reads it\n    {statement}\n"
    )
    findings = lint([str(script)]).findings
    assert [finding.rule for finding in findings if finding.rule in ("opaque-code", "suppression-unused")] == expected
