import re

import pytest

from migsafe.errors import UnreadableError
from migsafe.library.locks import PredictedMigration, Prediction
from migsafe.lock import LockMode
from migsafe.reports.locks import reporter
from migsafe.sources import Transaction
from migsafe.terminal.display import Display
from migsafe.terminal.width import columns
from tests.support.predicted import Row, effect, predicted_migration

LONG = "a_table_whose_name_somebody_made_as_long_as_postgresql_lets_him"
INDEX = "CREATE INDEX ON orders (qty);"
BUILT = effect("orders", LockMode.SHARE, scan=True, why="the index is built")
ADDED = effect("orders", LockMode.ACCESS_EXCLUSIVE)
CHANGED = effect("items", LockMode.ACCESS_EXCLUSIVE, rewrite=True, rebuilt=("items_pkey", "items_sku_idx"), why="clock_timestamp() is volatile")


def report(*migrations: PredictedMigration, width: int | None = None, colour: bool = False) -> str:
    return reporter("text")(Prediction(migrations=migrations, pg_version=17), Display(colour=colour, width=width))


def below(sql: str, *rows: Row, width: int | None = None) -> list[str]:
    """Returns the lines between the heading and the summary."""
    return report(predicted_migration(sql, *rows), width=width).partition("\n\n")[0].splitlines()[1:]


def test_a_migration() -> None:
    sql = "CREATE TABLE items (id bigint);\n\nINSERT INTO items VALUES (1);\nCREATE INDEX i\n    ON orders (qty); -- why\nSELECT 1;\n"
    assert report(predicted_migration(sql, (), [effect("items", LockMode.ROW_EXCLUSIVE, new=True)], [BUILT])) == (
        "db/0001_change.sql · each statement in its own transaction\n"
        "   1  CREATE TABLE items (id bigint)\n"
        "   3  INSERT INTO items VALUES (1)\n"
        "      public.items   ROW EXCLUSIVE  blocks nothing: it is new\n"
        "   4  CREATE INDEX i ON orders (qty)\n"
        "      public.orders  SHARE          blocks writes              reads all of it: the index is built\n"
        "   6  SELECT 1\n"
        "\n"
        "4 statements in 1 migration on PostgreSQL 17: 1 blocks writes, 1 reads all of a table.\n"
    )


def test_statements_that_block_nothing() -> None:
    assert report(predicted_migration("SELECT 1;")).endswith("1 statement in 1 migration on PostgreSQL 17: nothing is blocked.\n")


@pytest.mark.parametrize(
    ("sql", "sent", "manner"),
    [
        ("SELECT 1; SELECT 2;", Transaction.STATEMENT, "each statement in its own transaction"),
        ("SELECT 1; SELECT 2;", Transaction.NONE, "each statement in its own transaction"),
        ("SELECT 1; SELECT 2;", Transaction.FILE, "one transaction: it holds its locks until it ends"),
        ("SELECT 1;", Transaction.FILE, "one transaction"),
        ("SELECT 1; SELECT 2;", Transaction.QUERY, "one transaction: it holds its locks until it ends"),
        ("SELECT 1;", Transaction.QUERY, "each statement in its own transaction"),
        ("BEGIN; SELECT 2; COMMIT;", Transaction.STATEMENT, "one transaction: it holds its locks until it ends"),
        ("SELECT 1; BEGIN; SELECT 2; COMMIT;", Transaction.STATEMENT, "2 transactions: each holds its locks until it ends"),
        ("SELECT 1; COMMIT; VACUUM;", Transaction.FILE, "2 transactions: each holds its locks until it ends"),
    ],
)
def test_the_heading_describes_the_transactions(sql: str, sent: Transaction, manner: str) -> None:
    assert report(predicted_migration(sql, sent=sent)).splitlines()[0] == f"db/0001_change.sql · {manner}"


def test_migrations_of_one_file_have_different_headings() -> None:
    assert report(predicted_migration("SELECT 1", path="changes.sql")).startswith("changes.sql 0001 · each")
    assert report(predicted_migration("SELECT 1", path="00-01-change/up.sql")).startswith("00-01-change/up.sql · each")


def test_rewrites_and_scans_are_shown_with_reasons() -> None:
    reindexed = effect("orders", LockMode.SHARE, index_lock=LockMode.ACCESS_EXCLUSIVE, rebuilt=("orders_pkey",))
    concurrently = effect("orders", LockMode.SHARE_UPDATE_EXCLUSIVE, kind="materialized view", waits=True)
    rows = below("SELECT 1; SELECT 2; SELECT 3", [CHANGED], [reindexed], [concurrently])
    assert [row.split("  ")[-1].strip() for row in rows if "public." in row] == [
        "rewrites it and rebuilds items_pkey, items_sku_idx: clock_timestamp() is volatile",
        "rebuilds orders_pkey; ACCESS EXCLUSIVE on an index: planning any query on the table waits for it",
        "materialized view; waits for transactions that use it",
    ]
    assert "blocks reads and writes" in rows[3]


def test_refused_and_unparsed_statements() -> None:
    rows = below(
        "VACUUM; CREATE TABEL a; DO $$ BEGIN EXECUTE built; END $$",
        {"effects": (), "refused": "VACUUM cannot run inside a transaction block"},
        {"effects": (), "understood": False, "unknown": ('expected a kind of object, found "TABEL"',)},
        {"effects": (ADDED,), "understood": False, "unknown": ("EXECUTE runs SQL that is built from variables or query results",)},
    )
    assert rows == [
        "   1  VACUUM",
        "      PostgreSQL refuses it: VACUUM cannot run inside a transaction block",
        "   1  CREATE TABEL a",
        '      its locks are unknown: expected a kind of object, found "TABEL"',
        "   1  DO $$ BEGIN EXECUTE built; END $$",
        "      it may lock more: EXECUTE runs SQL that is built from variables or query results",
        "      public.orders  ACCESS EXCLUSIVE  blocks reads and writes",
    ]


def test_details_that_do_not_fit_are_on_the_next_line() -> None:
    assert below(INDEX, [BUILT], width=60) == [
        "   1  CREATE INDEX ON orders (qty)",
        "      public.orders  SHARE  blocks writes",
        "        reads all of it: the index is built",
    ]


def test_a_long_name_has_its_own_line() -> None:
    long = effect(LONG, LockMode.SHARE_ROW_EXCLUSIVE)
    assert below(INDEX, [BUILT, long], width=100)[1:] == [
        "      public.orders  SHARE                blocks writes  reads all of it: the index is built",
        f"      public.{LONG}",
        "        SHARE ROW EXCLUSIVE, blocks writes",
    ]


@pytest.mark.parametrize("width", [50, 60, 80, 100, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    wide = effect("表" * 30, LockMode.ACCESS_EXCLUSIVE, scan=True, why="a CHECK is added")
    text = report(
        predicted_migration(f"ALTER TABLE {LONG} ADD CHECK ({'qty > 0 AND ' * 30} true); {INDEX}", [CHANGED, wide], [BUILT]), width=width
    )
    assert max(columns(line) for line in text.splitlines()[1:]) <= width


def test_a_statement_is_cut_on_one_line_without_its_comments() -> None:
    sql = "ALTER TABLE t -- first\n  ADD CHECK (a <> '--' /* then */),\n\tADD \x1b[31m text" + " " * 5000
    assert below(sql) == ["   1  ALTER TABLE t ADD CHECK (a <> '--' ), ADD ␛[31m text"]
    assert below("SELECT '表表表表表表表表表表表表'", width=30) == ["   1  SELECT '表表表表表表表…"]


def test_many_relations_with_equal_effects_share_a_line() -> None:
    partitions = [effect(f"p{number}", LockMode.ACCESS_EXCLUSIVE, scan=True, why="a CHECK is added") for number in range(20)]
    reads = [effect(f"r{number}", LockMode.ACCESS_SHARE) for number in range(3)]
    assert below("SELECT 1", [*partitions, *reads])[1:] == [
        "      ACCESS EXCLUSIVE, blocks reads and writes: public.p0, public.p1, public.p2, public.p3, public.p4, public.p5, public.p6, "
        "public.p7, public.p8, public.p9 and 10 more",
        "        reads all of it: a CHECK is added",
        "      public.r0   ACCESS SHARE      blocks nothing",
        "      public.r1   ACCESS SHARE      blocks nothing",
        "      public.r2   ACCESS SHARE      blocks nothing",
    ]


def test_only_some_of_many_indexes_are_named() -> None:
    rebuilt = effect("t", LockMode.SHARE, rebuilt=tuple(f"i{number}" for number in range(6)))
    assert below("SELECT 1", [rebuilt])[1].endswith("  rebuilds i0, i1, i2 and 3 more")


def test_colours_show_what_is_blocked() -> None:
    text = report(predicted_migration(f"SELECT 1; {INDEX} {INDEX}", (), [BUILT], [ADDED]), colour=True)
    assert "\x1b[35mSHARE" in text
    assert "\x1b[1;31mACCESS EXCLUSIVE" in text
    assert "\x1b[2mSELECT 1\x1b[0m" in text
    assert "\x1b[1;31m1 blocks reads and writes\x1b[0m, \x1b[35m1 blocks writes\x1b[0m" in text


def test_the_summary_counts() -> None:
    migrations = (
        predicted_migration(INDEX, [BUILT]),
        predicted_migration(INDEX * 3, [ADDED, BUILT], [CHANGED], {"effects": (CHANGED,), "refused": "no"}),
    )
    prediction = Prediction(migrations=migrations, problems=(UnreadableError("a"), UnreadableError("b")), pg_version=15)
    assert reporter("text")(prediction, Display()).splitlines()[-1] == (
        "4 statements in 2 migrations on PostgreSQL 15: 2 block reads and writes, 1 blocks writes, 1 rewrites a table, "
        "2 read all of a table, 1 refused, 2 files could not be read."
    )


def test_no_line_ends_with_spaces() -> None:
    text = report(predicted_migration(f"SELECT 1; {INDEX} {INDEX} {INDEX}", (), [BUILT], [ADDED], [CHANGED]), width=70, colour=True)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
    assert [line for line in plain if line != line.rstrip()] == []
