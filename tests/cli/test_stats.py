"""Row counts: read from a server, and used by the linter."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.server import Server
from migsafe.schema.statistics import ColumnStatistics, read_row_counts, read_statistics
from tests.cli.conftest import Run
from tests.support.servers import each_installation

Command = Callable[..., Run]
Write = Callable[[str, str], Path]

TABLES = """
    CREATE TABLE orders (id int);
    INSERT INTO orders SELECT generate_series(1, 1234);
    CREATE TABLE invoices (id int, state text, paid date, "Note" text, document json);
    INSERT INTO invoices SELECT n, CASE WHEN n % 10 < 7 THEN 'secret' ELSE 'open' END, CASE WHEN n % 4 = 0 THEN date '2020-01-01' + n END
        FROM generate_series(1, 1000) AS n;
    CREATE INDEX ON invoices (lower(state));
    CREATE SCHEMA "Odd";
    CREATE TABLE "Odd"."Table" (id int);
    CREATE TABLE never_analyzed (id int);
    CREATE TABLE events (day int) PARTITION BY RANGE (day);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (100);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (100) TO (200);
    INSERT INTO events SELECT n FROM generate_series(1, 150) AS n;
    CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
    CREATE VIEW seen AS SELECT * FROM orders;
    ANALYZE orders, invoices, "Odd"."Table", events_1, events_2, sums;
"""


STATEMENTS = """
    CREATE VIEW pg_stat_statements AS
    SELECT oid AS dbid, query, calls::bigint, total::float8 AS total_exec_time
    FROM pg_database, (VALUES
        ('select * from orders where id = $1', 3, 9),
        ('select * from orders -- secret' || chr(10) || 'where id = 17', 1, 1),
        ('update orders set note = ''secret'' where id = $1', 1, 3),
        ('alter role shop password ''secret''', 1, 1),
        ('select $$secret$$ from orders', 1, 1),
        ('select * from pg_class where relname = $1', 1, 1),
        ('<insufficient privilege>', 1, 1)
    ) AS statements(query, calls, total)
    WHERE datname = current_database()
"""


@pytest.fixture(scope="module", params=each_installation())
def dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    installation: Installation = request.param
    with Server(installation) as server:
        with server.connect() as connection:
            connection.execute(TABLES)
        yield f"host={server.folder} user=postgres dbname=postgres sslmode=disable"


@pytest.mark.server
def test_the_rows_are_counted(migsafe: Command, dsn: str, tmp_path: Path) -> None:
    assert migsafe("stats", dsn, "--output", "stats.json") == Run(0, "", "")
    document = json.loads((tmp_path / "stats.json").read_text())
    assert document["version"] == 1
    relations = document["relations"]
    assert (relations["public.orders"], relations['"Odd"."Table"'], relations["public.sums"]) == (1234, 0, 1)
    assert [relations[f"public.{name}"] for name in ("events", "events_1", "events_2")] == [150, 99, 51]
    # Up to PostgreSQL 13, a table that was never analyzed has 0 rows in pg_class; migsafe calls its count unknown.
    assert "public.never_analyzed" not in relations
    assert "public.seen" not in relations


@pytest.mark.server
def test_the_columns_are_described_without_their_values(migsafe: Command, dsn: str, tmp_path: Path) -> None:
    assert migsafe("stats", dsn, "--output", "stats.json").code == 0
    text = (tmp_path / "stats.json").read_text()
    assert "secret" not in text
    assert "2020-" not in text
    invoices = read_statistics(str(tmp_path / "stats.json")).of_columns("public.invoices")
    assert invoices["id"] == ColumnStatistics(null_frac=0, n_distinct=-1, correlation=1, width=4)
    state = invoices["state"]
    assert (state.null_frac, state.n_distinct, state.frequencies, state.width) == (0, 2, (0.7, 0.3), 6)
    assert (invoices["paid"].null_frac, invoices["paid"].distinct(1000), invoices["Note"].null_frac) == (0.75, 250, 1)
    # A partitioned table that was never analyzed has the statistics of its largest partition; columns of indexes are none of a table.
    assert sorted(json.loads(text)["columns"]) == ["public.events", "public.invoices", "public.orders"]
    assert json.loads(text)["columns"]["public.events"]["day"]["n_distinct"] == -1


@pytest.mark.server
def test_a_role_without_rights_gets_the_row_counts(migsafe: Command, dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE ROLE counter LOGIN; CREATE ROLE reader LOGIN; GRANT SELECT ON orders, invoices TO reader")
    assert migsafe("stats", dsn.replace("user=postgres", "user=counter"), "--output", "stats.json").err == (
        "migsafe: note: the role may not read 4 tables, so the file has only the number of rows there\n"
        "  To add the statistics of the columns: GRANT pg_read_all_data TO the role.\n"
    )
    assert len(json.loads((tmp_path / "stats.json").read_text())["relations"]) > 4
    migsafe("stats", dsn.replace("user=postgres", "user=reader"), "--output", "stats.json")
    assert list(read_statistics(str(tmp_path / "stats.json")).columns) == ["public.orders", "public.invoices"]


@pytest.mark.server
def test_queries_are_added(migsafe: Command, dsn: str, tmp_path: Path) -> None:
    result = migsafe("stats", dsn, "--queries")
    assert result.err.startswith("migsafe: the database does not have pg_stat_statements\n  Set shared_preload_libraries")
    with psycopg.connect(dsn) as connection:
        connection.execute(STATEMENTS)
        document = connection.execute(migsafe("stats", "--query", "--queries").out.encode()).fetchone()
        assert document is not None
        assert json.loads(document[0])["relations"]["public.orders"] == 1234
        assert "secret" not in document[0]
        connection.commit()
        result = migsafe("stats", dsn, "--queries", "--output", "stats.json")
        connection.execute("DROP VIEW pg_stat_statements")
    assert result == Run(
        0, "", "migsafe: note: 1 statement of other roles cannot be seen\n  To see them: GRANT pg_read_all_stats TO the role.\n"
    )
    expected = [
        {"text": "SELECT * FROM orders WHERE id = $1", "calls": 4, "mean_ms": 2.5},
        {"text": "UPDATE orders SET note = $1 WHERE id = $2", "calls": 1, "mean_ms": 3},
    ]
    assert json.loads((tmp_path / "stats.json").read_text())["queries"] == expected
    assert read_row_counts(str(tmp_path / "stats.json"))["public.orders"] == 1234
    listed = json.loads(migsafe("queries", "stats.json", "--format", "json").out)
    assert [(query["text"], query["calls"]) for query in listed["queries"]] == [(each["text"], each["calls"]) for each in expected]


def test_an_unreachable_database_is_an_error(migsafe: Command) -> None:
    result = migsafe("stats", "host=/nowhere dbname=shop")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("migsafe: cannot read the statistics: ")
    assert migsafe("stats").err.startswith("migsafe: no server is named\n  Name a server")
    assert migsafe("stats", "--query").out.startswith("SELECT jsonb_pretty(")


def finding(migsafe: Command, rule: str, *options: str) -> dict[str, str]:
    result = migsafe("lint", "1.sql", "--format", "json", "--select", rule, *options)
    [only_finding] = json.loads(result.out)["findings"]
    return {str(key): str(value) for key, value in only_finding.items()}


def test_slow_work_is_not_reported_on_a_small_table(migsafe: Command, write: Write) -> None:
    write("1.sql", "CREATE INDEX ON orders (id);")
    write("stats.json", '{"version": 1, "relations": {"public.orders": 120}}')
    small = finding(migsafe, "index-not-concurrent", "--stats", "stats.json")
    assert small["severity"] == "info"
    assert small["message"].endswith(" waits (public.orders has about 120 rows: fewer than 10,000 take a negligible time)")
    write("stats.json", '{"version": 1, "relations": {"public.orders": 1200000}}')
    large = finding(migsafe, "index-not-concurrent", "--stats", "stats.json")
    assert large["severity"] == "error"
    assert large["message"].endswith(" waits (public.orders has about 1,200,000 rows)")


def test_the_threshold_and_the_file_are_configured(migsafe: Command, write: Write) -> None:
    write("1.sql", "CREATE INDEX ON orders (id);")
    write("stats.json", '{"version": 1, "relations": {"public.orders": 1}}')
    write("migsafe.toml", "stats = 'stats.json'\nsmall-table = 2")
    assert finding(migsafe, "index-not-concurrent")["message"].endswith("(public.orders has about 1 row: fewer than 2 take a negligible time)")
    write("migsafe.toml", "stats = 'stats.json'\nsmall-table = 1")
    assert finding(migsafe, "index-not-concurrent")["severity"] == "error"


def test_a_table_without_a_row_count_is_not_small(migsafe: Command, write: Write) -> None:
    write("stats.json", '{"version": 1, "relations": {"public.customers": 120}}')
    write("1.sql", "CREATE INDEX ON orders (id);")
    assert finding(migsafe, "index-not-concurrent", "--stats", "stats.json")["severity"] == "error"


def test_breaking_changes_are_reported_on_a_small_table_too(migsafe: Command, write: Write) -> None:
    write("stats.json", '{"version": 1, "relations": {"public.orders": 1}}')
    write("1.sql", "DROP TABLE orders;")
    assert finding(migsafe, "drop-table", "--stats", "stats.json")["severity"] == "error"


REFRESHING = """
from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import RefreshMaterializedView

@rule(category="ours", severity=Severity.ERROR, harm="time")
def refreshing(op: RefreshMaterializedView, at: Context) -> Finding:
    return at.finding(op, "it takes long")
"""


def test_refreshing_a_materialized_view_counts_the_rows_of_its_tables(migsafe: Command, write: Write) -> None:
    write("stats.json", '{"version": 1, "relations": {"public.totals": 3}}')
    write("migsafe.toml", "rules = 'rules'")
    write("rules/refreshing.py", REFRESHING)
    write("1.sql", "REFRESH MATERIALIZED VIEW totals;")
    reported = finding(migsafe, "refreshing", "--stats", "stats.json")
    assert (reported["severity"], reported["message"]) == ("error", "it takes long (public.totals has about 3 rows)")


def test_names_with_quotes(migsafe: Command, write: Write) -> None:
    write("stats.json", """{"version": 1, "relations": {"public.\\"Order\\"": 120, "public.\\"order\\"": 1}}""")
    write("1.sql", 'CREATE INDEX ON "Order" (id);')
    assert "has about 120 rows" in finding(migsafe, "index-not-concurrent", "--stats", "stats.json")["message"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "stats.json: cannot be read: no such file or directory"),
        ("[]", "stats.json: not a file of statistics: Expected `object`, got `array`\n  `migsafe stats DSN` writes such a file."),
        ('{"version": 2, "relations": {}}', "stats.json: unsupported version 2 of the statistics; this migsafe reads version 1"),
    ],
)
def test_invalid_row_counts_are_an_error(migsafe: Command, write: Write, content: str | None, complaint: str) -> None:
    write("1.sql", "SELECT 1;")
    if content is not None:
        write("stats.json", content)
    assert migsafe("lint", "1.sql", "--stats", "stats.json") == Run(2, "", f"migsafe: {complaint}\n")
