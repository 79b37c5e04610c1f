"""`migsafe lint --fix`, `--diff`, `--unsafe-fixes` and `--prove`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run

Command = Callable[..., Run]
Write = Callable[[str, str], Path]

INDEX = "CREATE INDEX orders_qty_idx ON orders (qty);\n"


@pytest.fixture
def history(write: Write) -> Path:
    """A table in the first migration, an index in the second one, whose runner is golang-migrate."""
    write("migsafe.toml", "select = ['index-not-concurrent', 'unnamed-object']\n")
    write("db/1_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, qty integer);\n")
    return write("db/2_index.up.sql", f"ALTER TABLE orders ADD COLUMN note text;\n{INDEX}")


def test_a_diff_shows_the_changes_and_writes_nothing(migsafe: Command, history: Path) -> None:
    result = migsafe("lint", "--diff", "--unsafe-fixes", "db/2_index.up.sql")
    assert (result.code, result.out) == (
        1,
        "--- a/db/2_index.up.sql\n+++ b/db/2_index.up.sql\n@@ -1,2 +1 @@\n ALTER TABLE orders ADD COLUMN note text;\n"
        f"-{INDEX}--- /dev/null\n+++ b/db/3_create_orders_qty_idx.up.sql\n@@ -0,0 +1 @@\n+{INDEX.replace('INDEX', 'INDEX CONCURRENTLY')}",
    )
    assert "can fix 1 finding: index-not-concurrent" in result.err
    assert history.read_text().endswith(INDEX)


def test_fixes_are_written_and_the_rest_is_reported(migsafe: Command, history: Path) -> None:
    result = migsafe("lint", "--fix", "--unsafe-fixes", "db/2_index.up.sql")
    assert (result.code, result.out) == (0, "Nothing found in 2 files, 2 statements.\n")
    assert (
        "  1 file edited, 1 file new: db/3_create_orders_qty_idx.up.sql\n  a new migration is for statements that must run in a later "
        "transaction than those before, or outside any transaction\n"
    ) in result.err
    assert history.read_text() == "ALTER TABLE orders ADD COLUMN note text;\n"
    assert migsafe("lint", "--fix", "--unsafe-fixes", "db/2_index.up.sql").err == "migsafe: nothing to fix\n"


def test_a_runner_that_sends_one_statement_outside_gets_a_migration_for_each(migsafe: Command, history: Path) -> None:
    history.write_text(f"{history.read_text()}CREATE INDEX orders_id_qty_idx ON orders (id, qty);\n")
    assert "outside any transaction (there, one for each statement)\n" in migsafe("lint", "--diff", "--unsafe-fixes", "db/2_index.up.sql").err


def test_a_fix_that_only_adds_a_migration_edits_no_file(migsafe: Command, write: Write, history: Path) -> None:
    write("migsafe.toml", "select = ['statistics-lost']\n")
    history.write_text("ALTER TABLE orders ALTER COLUMN qty TYPE bigint;\n")
    assert "statistics-lost\n  1 file new: db/3_index_2.up.sql\n" in migsafe("lint", "--fix", "--unsafe-fixes", "db/2_index.up.sql").err


def test_a_report_says_how_many_findings_can_be_fixed(migsafe: Command, history: Path) -> None:
    history.write_text(f"{INDEX}ALTER TABLE orders ADD COLUMN note text;\n")
    chosen = "--select", "index-not-concurrent,lock-timeout-missing"
    hint = "1 finding can be fixed with `--fix`, 1 more with `--fix --unsafe-fixes`.\n"
    assert migsafe("lint", "db/2_index.up.sql", *chosen).out.endswith(f"\n{hint}")
    # Migrations that a database has applied are not edited.
    assert hint not in migsafe("lint", "db", *chosen).out


def test_a_suppression_stays_above_its_statement_and_an_unused_one_is_removed(migsafe: Command, write: Write, history: Path) -> None:
    chosen = "index-not-concurrent,drop-table,suppression-unused,lock-timeout-missing"
    write("migsafe.toml", f"select = {chosen.split(',')}\n")
    history.write_text(
        "-- migsafe: ignore-file[drop-table] there is none\n-- migsafe: ignore-file[index-not-concurrent, drop-table] none\n"
        f"-- migsafe: ignore[drop-table, index-not-concurrent] it is small\n{INDEX.rstrip()} -- migsafe: ignore[drop-table] no\n"
    )
    result = migsafe("lint", "--fix", "db/2_index.up.sql")
    assert (result.code, "new" in result.err) == (0, False)
    assert history.read_text() == (
        "-- migsafe: ignore-file[index-not-concurrent] none\nSET LOCAL lock_timeout = '2s';\n\n"
        f"-- migsafe: ignore[index-not-concurrent] it is small\n{INDEX}"
    )


def test_an_unsafe_fix_is_named_but_not_applied(migsafe: Command, history: Path) -> None:
    result = migsafe("lint", "--fix", "db/2_index.up.sql")
    assert result.code == 1
    assert "--unsafe-fixes" in result.err
    assert history.read_text().endswith(INDEX)


def test_fixes_that_a_server_proves_are_written(migsafe: Command, history: Path) -> None:
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "--pg-version", "14", "db/2_index.up.sql")
    assert result.code == 0
    assert "the schema and the rows at the end are the same, and no lock is stronger" in result.err
    assert "PostgreSQL 14 (`pg-version`) is not installed here" in result.err
    assert "ACCESS EXCLUSIVE for a time that grows with its rows before; ACCESS EXCLUSIVE for a moment now" in result.err
    assert history.with_name("3_create_orders_qty_idx.up.sql").exists()


def test_an_index_that_a_fix_adds_is_no_other_schema(migsafe: Command, write: Write, history: Path) -> None:
    write("migsafe.toml", "select = ['foreign-key-without-index', 'redundant-index']\n")
    parent = "ALTER TABLE orders ADD COLUMN parent bigint REFERENCES orders;\n"
    history.write_text(f"{parent}CREATE INDEX twice ON orders (id);\n")
    assert migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql").code == 0
    assert history.read_text() == parent
    assert (
        history.with_name("3_create_orders_parent_idx.up.sql").read_text()
        == "CREATE INDEX CONCURRENTLY orders_parent_idx ON orders (parent);\n"
    )


def test_a_column_that_takes_the_place_of_another_has_its_comment_and_grants(migsafe: Command, write: Write, history: Path) -> None:
    write("migsafe.toml", "select = ['type-change-rewrites']\n")
    write(
        "db/1_orders.up.sql",
        """
        CREATE TABLE orders (id bigint PRIMARY KEY, "Qty" integer);
        COMMENT ON COLUMN orders."Qty" IS 'it''s 100 %';
        GRANT SELECT ("Qty") ON orders TO PUBLIC;
    """,
    )
    history.write_text('ALTER TABLE orders ALTER COLUMN "Qty" TYPE bigint;\n')
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql")
    assert "the schema and the rows at the end are the same" in result.err
    assert "GRANT %s" in result.err


def test_rows_that_the_migration_rejects_leave_the_duration_of_locks_open(migsafe: Command, write: Write, history: Path) -> None:
    write("migsafe.toml", "select = ['check-validates']\n")
    history.write_text("ALTER TABLE orders ADD CONSTRAINT none CHECK (qty < 0 AND id < 0);\n")
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql")
    assert "the schema at the end is the same" in result.err
    assert "how long public.orders would be locked is not proved, because generated rows are rejected: check constraint" in result.err
    assert "the rows at the end are not compared, because generated rows are rejected" in result.err
    assert history.read_text().endswith("NOT VALID;\n")


def test_fixes_that_cannot_be_proved_are_not_written(migsafe: Command, history: Path) -> None:
    history.write_text(f"SELECT nobody_knows();\n{INDEX}")
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql")
    assert result.code == 1
    assert "index-not-concurrent is not fixed: it is not proved: the migrations as they are fail on the server" in result.err
    assert history.read_text().endswith(INDEX)


def test_a_history_that_needs_a_superuser_can_be_proved(migsafe: Command, history: Path) -> None:
    first = next(history.parent.glob("1_*.up.sql"))
    first.write_text(first.read_text() + "CREATE PUBLICATION everything FOR ALL TABLES;\n")
    arguments = ("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql")
    refused = migsafe(*arguments)
    assert "must be superuser to create FOR ALL TABLES publication" in refused.err
    assert "--superuser" in refused.err
    assert "proved on PostgreSQL" in migsafe(*arguments, "--superuser").err


def test_a_reason_of_many_findings_is_told_once(migsafe: Command, write: Write, history: Path) -> None:
    write("migsafe.toml", "select = ['index-not-concurrent', 'check-validates', 'unique-builds-index']\n")
    history.write_text("SELECT nobody_knows();\n" + INDEX + "\nALTER TABLE orders ADD CHECK (id > 0);\nALTER TABLE orders ADD UNIQUE (id);\n")
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "db/2_index.up.sql")
    assert result.err.count("it is not proved") == 1
    assert "3 findings are not fixed: it is not proved: the migrations as they are fail on the server" in result.err
    assert "  db/2_index.up.sql:2: index-not-concurrent\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--fix", "db"), "it is not known which migrations are new"),
        (("--fix", "--write-baseline", "db/2_index.up.sql"), "--write-baseline cannot be used with --fix or --diff"),
        (("--prove", "db/2_index.up.sql"), "--prove needs --fix or --diff"),
        (("--fix", "--superuser", "db/2_index.up.sql"), "--superuser needs --prove"),
    ],
)
def test_what_makes_no_sense_is_refused(migsafe: Command, history: Path, arguments: tuple[str, ...], error: str) -> None:
    result = migsafe("lint", *arguments)
    assert (result.code, result.out) == (2, "")
    assert error in result.err
    assert history.read_text().endswith(INDEX)


FIRST_REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "a1", None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("qty", sa.Integer(), unique=True))
"""
SECOND_REVISION = """
from alembic import op

revision, down_revision = "b2", "a1"


def upgrade():
    op.create_index(op.f("ix_orders_qty"), "orders", ["qty"], unique=False)
"""


def test_an_index_that_a_script_omits_is_no_other_schema(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['redundant-index']\n")
    write("env.py", "from alembic import context\ncontext.configure(connection=connection)\ncontext.run_migrations()\n")
    write("versions/a1.py", FIRST_REVISION)
    second = write("versions/b2.py", SECOND_REVISION)
    result = migsafe("lint", "--fix", "--unsafe-fixes", "--prove", "versions/b2.py")
    assert "the schema at the end is the same" in result.err
    assert "create_index" not in second.read_text()


def test_an_index_that_a_later_migration_names_is_not_omitted(migsafe: Command, write: Write) -> None:
    write("migsafe.toml", "select = ['redundant-index']\n")
    write("env.py", "from alembic import context\ncontext.configure(connection=connection)\ncontext.run_migrations()\n")
    write("versions/a1.py", FIRST_REVISION)
    write("versions/b2.py", SECOND_REVISION)
    third = SECOND_REVISION.replace('"b2", "a1"', '"c3", "b2"').partition("op.create_index")[0]
    write("versions/c3.py", f'{third}op.drop_index("ix_orders_qty", "orders")\n')
    result = migsafe("lint", "--diff", "--unsafe-fixes", "versions/b2.py")
    assert (result.out, "redundant-index is not fixed: a later migration, c3, names what it creates" in result.err) == ("", True)
    write("db/1_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, qty integer UNIQUE);\n")
    write("db/2_index.up.sql", "CREATE INDEX twice ON orders (qty);\nCREATE INDEX thrice ON orders (qty);\n")
    write("db/3_drop.up.sql", "DROP INDEX twice;\n")
    result = migsafe("lint", "--diff", "--unsafe-fixes", "db/2_index.up.sql")
    assert "redundant-index is not fixed: a later migration, 3, names what it creates" in result.err
    assert "-CREATE INDEX thrice" in result.out
    assert "-CREATE INDEX twice" not in result.out
