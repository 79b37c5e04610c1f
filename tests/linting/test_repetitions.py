"""One finding for a call that is made several times."""

import pytest

from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import Rulebook, shipped_rules
from tests.support.linted import as_history, judge_sql, migration

HEAD = """
# 5b1_first.py
import sqlalchemy as sa
from alembic import op

revision = "5b1"
down_revision = None


def drop(table):
    op.drop_table(table)


def upgrade():
"""


def findings(body: str) -> list[Finding]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return judge_sql(f"{HEAD}{lines}\n\n\ndef downgrade():\n    op.execute('SELECT 1')\n").findings


@pytest.mark.process
def test_a_loop_has_one_finding_that_names_the_objects() -> None:
    [finding] = [each for each in findings("for table in ('a', 'b', 'c'):\n    op.drop_table(table)") if each.rule == "drop-table"]
    assert finding.message.endswith("; this call does so 3 times, for public.a, public.b, public.c")
    assert finding.relations == ("public.a", "public.b", "public.c")
    assert finding.help.startswith("# first deploy a release that does not use it;")


@pytest.mark.process
def test_many_objects_are_counted() -> None:
    [finding] = [each for each in findings("for number in range(9):\n    op.drop_table(f't{number}')") if each.rule == "drop-table"]
    assert finding.message.endswith("9 times, for public.t0, public.t1, public.t2, public.t3, public.t4 and 4 more")
    assert len(finding.relations) == 9


@pytest.mark.process
def test_a_function_of_the_script_has_one_finding() -> None:
    [finding] = [each for each in findings("drop('a')\ndrop('b')") if each.rule == "drop-table"]
    assert finding.message.endswith("2 times, for public.a, public.b")


@pytest.mark.process
def test_columns_of_one_table_are_named() -> None:
    [finding] = [each for each in findings("for column in ('x', 'y'):\n    op.drop_column('t', column)") if each.rule == "drop-column"]
    assert finding.message.endswith("2 times, for x, y")
    assert finding.relations == ("public.t",)


@pytest.mark.process
def test_different_places_stay_apart() -> None:
    assert len([each for each in findings("op.drop_table('a')\nop.drop_table('b')") if each.rule == "drop-table"]) == 2


def test_sql_files_are_as_before() -> None:
    assert len(judge_sql("DROP TABLE a; DROP TABLE b").findings) == 2


def about(rule: str, sql: str) -> list[Finding]:
    return [finding for finding in judge_sql(sql, shipped_rules()).findings if finding.rule == rule]


def test_actions_of_one_statement_have_one_finding() -> None:
    [finding] = about("drop-column", "ALTER TABLE shelves\n    DROP COLUMN color,\n    DROP COLUMN width,\n    DROP COLUMN height;")
    assert finding.message.endswith("; the same is true of width (line 3), height (line 4)")
    assert finding.script.position(finding.span.start).line == 2
    assert "-- for the first of 3, and likewise for the others:" in finding.help


def test_few_safe_ways_are_shown_together() -> None:
    [finding] = about(
        "foreign-key-without-index",
        "CREATE TABLE loans (id bigint PRIMARY KEY, book bigint REFERENCES books, reader bigint REFERENCES readers);",
    )
    assert finding.relations == ("public.loans", "public.books", "public.readers")
    assert [line.split(" ON ")[1] for line in finding.help.splitlines()] == ["loans (book);", "loans (reader);"]


def test_statements_of_a_block_stay_apart() -> None:
    assert len(about("drop-table", "DO $$ BEGIN\n    DROP TABLE shelves;\n    DROP TABLE readers;\nEND $$;")) == 2


def test_an_informational_rule_lists_the_places_of_a_migration() -> None:
    columns = ", ".join(f"at_{number} timestamp" for number in range(9))
    sql = f"CREATE TABLE loans (id bigint PRIMARY KEY, {columns});\nALTER TABLE readers\n    ADD COLUMN born timestamp;"
    [finding] = about("timestamp-without-time-zone", sql)
    assert finding.message.endswith("; the same is true of at_1, at_2, at_3, at_4, at_5 and 4 more")
    assert finding.relations == ("public.loans", "public.readers")
    [two] = about("serial-column", "CREATE TABLE loans (id serial PRIMARY KEY);\nCREATE TABLE readers (id serial PRIMARY KEY);")
    assert two.message.endswith("; the same is true of id of public.readers (line 2)")


def test_each_place_can_be_suppressed() -> None:
    first = "CREATE TABLE loans (id serial PRIMARY KEY); -- migsafe: ignore[serial-column] as the others\n"
    second = "CREATE TABLE readers (id serial PRIMARY KEY);"
    [finding] = about("serial-column", first + second)
    assert finding.message.startswith("id of public.readers")
    assert "the same is true" not in finding.message
    assert about("serial-column", first + f"{second} -- migsafe: ignore[serial-column] as the others") == []
    assert about("suppression-unused", first + second) == []


def test_a_cause_is_reported_once_in_a_run() -> None:
    texts = (
        "ALTER TABLE loans ADD COLUMN a text;\nALTER TABLE loans ADD COLUMN b text;",
        "ALTER TABLE loans ADD COLUMN c text;",
        "SET lock_timeout = '2s';",
        "ALTER TABLE loans ADD COLUMN d text;",
    )
    history = as_history(migration(text, f"{number}.sql") for number, text in enumerate(texts))
    rules = [rule for rule in shipped_rules() if rule.name == "lock-timeout-missing"]
    project, own = judge(history, Rulebook(rules), 17, limits=Limits()).findings
    assert project.script.position(project.span.start).line == 1
    assert project.message.endswith("sets one; the same is true of 1 more statement in this migration; the same is true of 1 other migration")
    assert "-- once for the project: in the environment of psql" in project.help
    assert "the project" not in own.message + own.help


def test_one_unknown_value_is_reported_once_in_a_run() -> None:
    function = "FOR t IN SELECT relname FROM pg_class LOOP EXECUTE 'ALTER TABLE ' || t || ' ADD note text'; END LOOP;"
    texts = (
        f"CREATE FUNCTION annotate(kind text) RETURNS void LANGUAGE plpgsql AS $$ DECLARE t text; BEGIN {function} END $$;",
        "SELECT annotate('a');\nSELECT annotate('b');\nCALL tidy();\nSELECT annotate('c');",
        "SELECT annotate('d');\nCALL tidy();",
    )
    history = as_history(migration(text, f"{number}.sql") for number, text in enumerate(texts))
    rules = [rule for rule in shipped_rules() if rule.name == "opaque-code"]
    called, procedure = judge(history, Rulebook(rules), 17, limits=Limits()).findings
    assert called.message.endswith(", in the function public.annotate; the same is true of lines 2, 4 and of 1 other migration")
    assert procedure.message.endswith("creates the procedure tidy; the same is true of 1 other migration")


@pytest.mark.process
def test_one_environment_variable_is_reported_once() -> None:
    call = """op.execute("DO $$ BEGIN UPDATE a SET b = '" + os.environ["STAGE"] + "'; END $$")"""
    asked = """op.execute("DO $$ BEGIN DROP TABLE " + op.get_bind().scalar(sa.text("SELECT t FROM u")) + "; END $$")"""
    reported = [each for each in findings(f"import os\n{call}\n{call}\n{asked}\n{asked}") if each.rule == "opaque-code"]
    assert [each.script.position(each.span.start).line for each in reported] == [16, 18, 19]
    assert reported[0].message.endswith("STAGE is an environment variable that is not set here; the same is true of line 17")


def test_migrations_have_findings_of_their_own() -> None:
    sql = "CREATE TABLE loans (id serial PRIMARY KEY);\n-- next migration\nCREATE TABLE readers (id serial PRIMARY KEY);"
    assert len(about("serial-column", sql)) == 2


@pytest.mark.process
def test_a_finding_about_the_file_does_not_depend_on_a_path() -> None:
    body = "if op.get_bind().scalar(sa.text('SELECT count(*) FROM a')):\n    op.execute('LOCK TABLE a')\n    op.execute('LOCK TABLE b')"
    text = judge_sql(f"{HEAD}    {body.replace(chr(10), chr(10) + '    ')}\n\n\ndef downgrade():\n    pass\n", shipped_rules()).findings
    [finding] = [each for each in text if each.rule == "downgrade-missing"]
    assert finding.message.endswith("the changes of upgrade() remain")


def test_what_a_dump_lacks_many_times_is_one_finding() -> None:
    def tables(number: int) -> str:
        return "\n".join(f"CREATE TABLE t{each} (id integer PRIMARY KEY);" for each in range(number))

    assert len([each for each in judge_sql(tables(10), shipped_rules()).findings if each.rule == "int-primary-key"]) == 10
    [finding] = [each for each in judge_sql(tables(12), shipped_rules()).findings if each.rule == "int-primary-key"]
    assert finding.message.endswith(
        "; the same is true of public.t1 (line 2), public.t2 (line 3), public.t3 (line 4), public.t4 (line 5), public.t5 (line 6) and 6 more"
    )
    assert len(finding.places) == 12


@pytest.mark.process
def test_what_the_transaction_holds_grows_with_the_calls() -> None:
    body = (
        "for table in ('a', 'b', 'c', 'd', 'e'):\n"
        "    op.execute(f\"ALTER TABLE {table} ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC'\")"
    )
    [finding] = [each for each in findings(body) if each.rule == "type-change-rewrites"]
    assert "; the transaction also holds" not in finding.message
    assert finding.message.endswith("; this call does so 5 times, for public.a, public.b, public.c, public.d, public.e")
