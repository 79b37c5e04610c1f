"""Safe ways say how the migration's runner runs a statement outside a transaction, and what else that needs."""

import pytest

from migsafe.sources import RUNNERS
from tests.rules.runner_files import Kind, migrations_of
from tests.support.linted import judge_sql

TABLE = "CREATE TABLE loans (id bigint PRIMARY KEY, due date, day date);\n-- next migration\n"


def help_of(sql: str, runner: str, rule: str, before: str = TABLE) -> str:
    return next(finding.help for finding in judge_sql(before + sql, runner=runner).findings if finding.rule == rule)


@pytest.mark.parametrize("runner", [each.name for each in RUNNERS if each.one_statement_outside])
def test_an_index_is_built_alone_where_a_file_is_one_query(runner: str) -> None:
    """A DROP INDEX in a migration before would have run already when the build is tried again."""
    assert help_of("CREATE UNIQUE INDEX loans_key ON loans (due);", runner, "index-not-concurrent").splitlines()[1:] == [
        "CREATE UNIQUE INDEX CONCURRENTLY loans_key ON loans (due);",
        "-- a build that fails leaves loans_key INVALID: drop it before the next run",
    ]


@pytest.mark.parametrize("runner", [each.name for each in RUNNERS if each.one_statement_outside])
def test_each_statement_has_its_own_migration_where_a_file_is_one_query(runner: str) -> None:
    before = TABLE.replace("-- next", "CREATE INDEX loans_due_idx ON loans (due);\n-- next")
    rebuilt = "DROP INDEX loans_due_idx;\nCREATE INDEX loans_due_day_idx ON loans (due, day);"
    first, second = help_of(rebuilt, runner, "index-not-concurrent", before).split("-- next migration\n")
    assert first.splitlines()[1:] == ["CREATE INDEX CONCURRENTLY loans_due_day_idx ON loans (due, day);"]
    assert second.splitlines() == ["-- outside a transaction, too:", "-- when it is built:", "DROP INDEX CONCURRENTLY loans_due_idx;"]


def test_an_index_under_flyway_needs_another_kind_of_lock() -> None:
    needed = "flyway.postgresql.transactional.lock=false"
    assert needed in help_of("CREATE INDEX loans_due_idx ON loans (due);", "flyway", "index-not-concurrent")
    assert needed in help_of("REINDEX TABLE loans;", "flyway", "reindex-not-concurrent")
    assert needed not in help_of("UPDATE loans SET due = now();", "flyway", "backfill-unbatched")


def test_what_flyway_must_be_told_runs_outside_a_transaction() -> None:
    batches = help_of("UPDATE loans SET due = now();", "flyway", "backfill-unbatched")
    assert "`executeInTransaction=false` in a file of its name and `.conf`" in batches
    (sent,) = migrations_of(batches, Kind.FLYWAY)
    assert sent.up.transaction.value == "none"


def test_an_index_is_built_on_the_partitions_of_partitions() -> None:
    tables = """
    CREATE TABLE days (id bigint, day date, code text) PARTITION BY RANGE (day);
    CREATE TABLE days_2026 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (code);
    CREATE TABLE days_2026_a PARTITION OF days_2026 FOR VALUES IN ('a');
    -- next migration
    """
    expected = [
        "CREATE INDEX days_id ON ONLY days (id);",
        "CREATE INDEX days_2026_id_idx ON ONLY public.days_2026 (id);",
        "CREATE INDEX CONCURRENTLY days_2026_a_id_idx ON public.days_2026_a (id);",
        "ALTER INDEX public.days_2026_id_idx ATTACH PARTITION public.days_2026_a_id_idx;",
        "ALTER INDEX days_id ATTACH PARTITION public.days_2026_id_idx;",
    ]
    for sql, rule in (
        ("CREATE INDEX days_id ON days (id);", "index-not-concurrent"),
        ("CREATE INDEX CONCURRENTLY days_id ON days (id);", "index-on-partitioned-concurrently"),
    ):
        lines = help_of(sql, "plain", rule, tables).splitlines()
        assert [line for line in lines if not line.startswith("--")] == expected


def test_the_sequence_of_a_new_column_is_in_the_schema_of_its_table() -> None:
    table = "CREATE SCHEMA app; CREATE TABLE app.loans (id bigint PRIMARY KEY); CREATE SEQUENCE app.loans_number_seq;\n-- next migration\n"
    help_ = help_of("ALTER TABLE app.loans ADD COLUMN number bigserial;", "plain", "add-column-rewrites", table)
    assert "CREATE SEQUENCE IF NOT EXISTS app.loans_number_seq1;" in help_
    assert "ALTER SEQUENCE app.loans_number_seq1 OWNED BY app.loans.number;" in help_


@pytest.mark.parametrize(("sql", "rule"), [("RENAME due TO ends", "rename-column"), ("ALTER due TYPE timestamp", "type-change-rewrites")])
def test_what_a_replaced_column_has_is_named(sql: str, rule: str) -> None:
    tables = "CREATE TABLE loans (id bigint PRIMARY KEY, due date NOT NULL DEFAULT now(), CONSTRAINT late CHECK (due > '2020-01-01'));"
    tables += "CREATE INDEX loans_due_idx ON loans (due);\n-- next migration\n"
    assert "what due has: DEFAULT now(), NOT NULL, the index loans_due_idx, the constraint late" in help_of(
        f"ALTER TABLE loans {sql};", "plain", rule, tables
    )


def test_a_sequence_whose_default_is_gone_may_be_dropped() -> None:
    table = "CREATE SEQUENCE others; CREATE SEQUENCE numbers;"
    table += "CREATE TABLE loans (id bigint PRIMARY KEY, number bigint DEFAULT nextval('numbers'));\n-- next migration\n"
    drop = "DROP SEQUENCE numbers;"

    def reported(sql: str) -> bool:
        return any(finding.rule == "drop-object" for finding in judge_sql(table + sql).findings)

    assert not reported(f"ALTER TABLE loans ALTER number DROP DEFAULT; {drop}")
    assert not reported(f"ALTER TABLE loans ALTER number SET DEFAULT 1; {drop}")
    assert reported("DROP SEQUENCE others;")
