"""Replays without an extension that the server does not have."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from migsafe.cli.application import application
from migsafe.replaying.refusals import hint_for
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.untried import untried_reason
from migsafe.text import Script
from tests.support.replays import FinishedReplay, replay_files

HISTORY = """
    CREATE EXTENSION IF NOT EXISTS no_such_extension;
    CREATE TABLE documents (id bigint PRIMARY KEY, title text);
    CREATE TABLE items (id bigint PRIMARY KEY, vector no_such_type(3));
    CREATE INDEX items_vector ON items USING no_such_method (vector no_such_ops);
"""
MORE = """
    ALTER TABLE documents ADD summary text;
    ALTER TABLE items ADD note text;
    ALTER TABLE documents ADD vector no_such_type, ADD amount int;
    CREATE INDEX documents_amount ON documents (amount);
    DO $$ BEGIN PERFORM no_such_function(1); END $$;
    CREATE INDEX documents_title ON documents (title);
"""


def left_out(done: FinishedReplay) -> dict[int, str]:
    return {record.statement.index: record.skip_reason for record in done.statements if record.skip_reason}


def test_without_the_option_the_message_names_it(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, {"0001.sql": HISTORY, "0002.sql": MORE}, only="0002.sql")
    [problem] = done.run.problems
    assert 'extension "no_such_extension" is not available' in problem.message
    assert problem.hint is not None
    assert "--without-extension no_such_extension" in problem.hint


@pytest.mark.parametrize("transaction", ["", "BEGIN;"])
def test_what_depends_on_the_extension_is_left_out(host: PrivateHost, tmp_path: Path, transaction: str) -> None:
    end = "COMMIT;" if transaction else ""
    files = {"0001.sql": transaction + HISTORY + end, "0002.sql": MORE, "0003.sql": "ALTER TABLE documents ADD at timestamp;"}
    extensions = ["no_such_extension", "another"]
    done = replay_files(host, tmp_path, files, "agreement", "rerun", only="0002.sql", without_extensions=extensions)
    assert (done.problems, done.recording.failure) == ([], None)
    assert sorted(left_out(done)) == [2, 3, 4, 5]
    assert left_out(done)[4] == 'PostgreSQL refuses it without the extension no_such_extension: column "amount" does not exist'
    assert done.outcome("agreement").summary == "2 of 2 statements had the predicted effects"
    assert done.run.notes[0] == "--without-extension another: no migration creates this extension."
    assert done.run.notes[1].startswith("Without the extension no_such_extension, 6 statements that need it were left out: ")
    done = replay_files(host, tmp_path, files, "rerun", "agreement", only="0003.sql", without_extensions=extensions)
    assert (done.problems, left_out(done), done.outcome("agreement").passed) == ([], {}, True)


def test_a_view_of_the_extension_is_in_a_schema_that_no_migration_uses(host: PrivateHost, tmp_path: Path) -> None:
    views = """
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM no_such_information.chunks) THEN PERFORM 1; END IF; END $$;
        CREATE VIEW all_calls AS SELECT * FROM no_such_extension;
        ALTER INDEX documents_made_by_a_function RENAME TO documents_by_function;
    """
    update = "UPDATE no_such_information.chunks SET size = 0; ALTER TABLE documents ADD note text;"
    misspelled = "ALTER INDEX documents_misspelled RENAME TO documents_right;"
    files = {"0001.sql": HISTORY, "0002.sql": views, "0003.sql": update, "0004.sql": misspelled}
    done = replay_files(host, tmp_path, files, only="0003.sql", without_extensions=["no_such_extension"])
    assert (done.problems, list(left_out(done)), done.recording.failure) == ([], [1], None)
    done = replay_files(host, tmp_path, files, only="0004.sql", without_extensions=["no_such_extension"])
    failure = done.recording.failure
    assert (done.problems, failure and failure.message) == ([], 'relation "documents_misspelled" does not exist')


def test_no_experiment_passes_without_the_statements_that_are_left_out(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": HISTORY,
        "2_b.up.sql": "CREATE INDEX IF NOT EXISTS documents_title ON documents (title); CREATE TABLE more (vector no_such_type);",
        "2_b.down.sql": "DROP INDEX documents_title; DROP TABLE more;",
    }
    done = replay_files(host, tmp_path, files, "rerun", "round trip", only="2_b.up.sql", without_extensions=["no_such_extension"])
    assert (done.problems, sorted(left_out(done))) == ([], [2])
    for name in ("rerun", "round trip"):
        assert (done.outcome(name).passed, done.outcome(name).summary.partition(";")[0]) == (
            None,
            "not tried with the statements that are left out",
        )


def test_a_migration_of_which_nothing_is_left_was_not_tried(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": HISTORY, "0002.sql": "ALTER TABLE items ADD note text;"}
    done = replay_files(host, tmp_path, files, "rerun", only="0002.sql", without_extensions=["no_such_extension"])
    assert done.replayed[0].untried == untried_reason(done.recording.migration.up)
    assert done.problems == [f"{tmp_path}/0002.sql: the migration was not tried: {done.replayed[0].untried}"]
    assert done.outcome("rerun").passed is None


def test_other_failures_are_not_left_out(host: PrivateHost, tmp_path: Path) -> None:
    for wrong, message in (
        ("SELECT * FROM no_such_table;", 'relation "no_such_table" does not exist'),
        ("ALTER TABLE documents DROP CONSTRAINT no_such_constraint;", 'constraint "no_such_constraint" of relation "documents" does not exist'),
    ):
        done = replay_files(host, tmp_path, {"0001.sql": HISTORY, "0002.sql": wrong}, only="0002.sql", without_extensions=["no_such_extension"])
        assert done.recording.failure is not None
        assert done.recording.failure.message == message
    done = replay_files(host, tmp_path, {"0001.sql": "CREATE TABLE t (a no_such_type);"}, without_extensions=["no_such_extension"])
    assert done.recording.failure is not None
    assert hint_for(done.recording.failure, host.major) == ""


def test_an_extension_that_no_migration_creates_is_left_out(host: PrivateHost, tmp_path: Path) -> None:
    files = {"0001.sql": "CREATE TABLE towns (id int, at box2d); CREATE TABLE roads (id int);", "0002.sql": "ALTER TABLE roads ADD a int;"}
    done = replay_files(host, tmp_path, files, only="0002.sql")
    [problem] = done.run.problems
    assert problem.hint is not None
    assert problem.hint.startswith("It is an object of the extension postgis, which no migration creates. Install the extension's package")
    assert problem.hint.endswith("--without-extension postgis")
    done = replay_files(host, tmp_path, files, only="0002.sql", without_extensions=["postgis"])
    assert (done.problems, done.recording.failure) == ([], None)
    assert done.run.notes[0].startswith("Without the extension postgis, 1 statement that needs it was left out: ")


def test_a_dump_without_an_extension(host: PrivateHost, tmp_path: Path) -> None:
    dump = Script("production.sql", HISTORY + "COMMENT ON EXTENSION no_such_extension IS 'x';")
    done = replay_files(host, tmp_path, {"0002.sql": MORE}, "agreement", schema=dump, without_extensions=["no_such_extension"])
    assert (done.problems, sorted(left_out(done)), done.outcome("agreement").passed) == ([], [2, 3, 4, 5], True)


def test_the_configuration_names_extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migsafe.toml").write_text('without-extensions = ["no_such_extension"]\n')
    (tmp_path / "0001.sql").write_text(HISTORY)
    (tmp_path / "0002.sql").write_text("CREATE INDEX ON documents (title);")
    result = CliRunner().invoke(application(), ["replay", "0002.sql", "--rows", "10", "--check", "agreement"])
    assert (result.exit_code, "0001.sql:4" in result.stdout) == (0, True)


def test_a_history_that_assumes_tables_is_told_how_to_begin_with_them(host: PrivateHost, tmp_path: Path) -> None:
    done = replay_files(host, tmp_path, {"0001.sql": "ALTER TABLE of_another_program ADD a int;", "0002.sql": "SELECT 1;"}, only="0002.sql")
    [problem] = done.run.problems
    assert problem.hint is not None
    assert "pg_dump --schema-only" in problem.hint


def test_a_downgrade_that_fails_does_not_bring_back_what_the_upgrade_needs(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "1_a.up.sql": HISTORY,
        "1_a.down.sql": "DROP TABLE documents;",
        "2_b.up.sql": "SELECT no_such_function('documents'); ALTER TABLE documents ADD note text;",
        "2_b.down.sql": "ALTER TABLE documents DROP COLUMN misspelled;",
    }
    done = replay_files(host, tmp_path, files, only="2_b.up.sql", without_extensions=["no_such_extension"])
    assert (done.problems, list(left_out(done)), done.recording.failure) == ([], [1], None)


def test_only_the_tables_that_migrations_touch_are_filled(host: PrivateHost, tmp_path: Path) -> None:
    dynamic = "SELECT no_such_function('documents'); DO $$ BEGIN EXECUTE 'ALTER TABLE documents ADD note ' || 'text'; END $$;"
    files = {"0001.sql": HISTORY + "CREATE TABLE others (id int PRIMARY KEY);", "0002.sql": dynamic}
    done = replay_files(host, tmp_path, files, only="0002.sql", without_extensions=["no_such_extension"])
    assert (done.problems, set(map(str, done.run.filled))) == ([], {"public.documents"})


def test_what_is_left_out_is_found_again_after_the_tables_were_emptied(host: PrivateHost, tmp_path: Path) -> None:
    cast = "ALTER TABLE documents ALTER COLUMN title TYPE int USING title::int; SELECT no_such_function('documents');"
    files = {"0001.sql": HISTORY, "0002.sql": cast}
    done = replay_files(host, tmp_path, files, only="0002.sql", without_extensions=["no_such_extension"])
    assert (done.problems, list(left_out(done)), done.recording.failure) == ([], [2], None)
    assert done.replayed[-1].emptying is not None


def test_a_function_of_an_extension_that_no_migration_creates_can_be_left_out(host: PrivateHost, tmp_path: Path) -> None:
    files = {"1.sql": "CREATE TABLE readings (at timestamptz NOT NULL);", "2.sql": "SELECT create_hypertable('readings', 'at');"}
    failure = replay_files(host, tmp_path, files, only="2.sql").recording.failure
    assert failure is not None
    assert hint_for(failure, host.major).startswith("It is an object of the extension timescaledb, which no migration creates.")
    done = replay_files(
        host, tmp_path, {**files, "3.sql": "ALTER TABLE readings ADD n int;"}, only="3.sql", without_extensions=("timescaledb",)
    )
    assert (done.problems, done.recording.failure) == ([], None)
