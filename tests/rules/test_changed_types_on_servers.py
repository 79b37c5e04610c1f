"""Changes of type: a time that USING takes for UTC keeps its bytes, and the values that do not fit a new type are found."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import oldest_and_newest

TABLE = """CREATE TABLE visits (
    id bigint PRIMARY KEY, "seenAt" timestamp NOT NULL DEFAULT now(), gone timestamptz, at timestamp, exact timestamp(3)
);
"""
BEFORE = TABLE + "CREATE INDEX visits_at_idx ON visits (at);\n-- next migration\n"
ROWS = "INSERT INTO visits VALUES (1, '2026-03-08 02:30', '2026-11-01 01:30-04', '2026-01-01'), (2, '2026-07-01', '2026-07-01', NULL)"
ALL = "SELECT \"seenAt\" AT TIME ZONE 'UTC', gone AT TIME ZONE 'UTC' FROM visits ORDER BY id"
CHANGES = [
    'ALTER TABLE visits ALTER COLUMN "seenAt" TYPE timestamptz USING "seenAt" AT TIME ZONE \'UTC\'',
    "ALTER TABLE visits ALTER gone TYPE timestamp USING (visits.gone at time zone 'Etc/UTC')",
    "ALTER TABLE visits ALTER gone TYPE timestamp USING timezone('utc', gone)",
]
OTHERS = [
    "ALTER TABLE visits ALTER exact TYPE timestamptz(3) USING exact AT TIME ZONE 'UTC'",
    "ALTER TABLE visits ALTER gone TYPE timestamp USING gone AT TIME ZONE 'Europe/Paris'",
    "ALTER TABLE visits ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC'",
    "ALTER TABLE visits ALTER gone TYPE timestamp USING \"seenAt\" AT TIME ZONE 'UTC'",
]


@pytest.fixture(scope="module", params=oldest_and_newest())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param, {"timezone": "America/New_York"}) as server:
        yield server


def help_for(change: str) -> str:
    [finding] = [finding for finding in judge_sql(BEFORE + change).findings if finding.rule == "type-change-rewrites"]
    return finding.help


def times_after(server: Server, change: str) -> tuple[list[Any], bool]:
    """Returns all times after a change, and whether it rewrites the table."""
    with server.connect(autocommit=False) as connection:
        connection.execute(BEFORE.encode())
        connection.execute(ROWS.encode())
        file = file_of(connection)
        connection.execute(change.encode())
        found = connection.execute(ALL.encode()).fetchall(), file_of(connection) != file
        connection.rollback()
    return found


def file_of(connection: "psycopg.Connection[Any]") -> int:
    [(file,)] = connection.execute("SELECT pg_relation_filenode('visits')").fetchall()
    return file


@pytest.mark.server
@pytest.mark.parametrize("change", CHANGES)
def test_the_help_keeps_the_times_without_a_rewrite(server: Server, change: str) -> None:
    times, is_rewritten = times_after(server, change)
    assert is_rewritten
    assert times_after(server, help_for(change)) == (times, False)


@pytest.mark.parametrize("change", CHANGES)
def test_the_help_is_clean(change: str) -> None:
    assert "type-change-rewrites" not in [finding.rule for finding in judge_sql(BEFORE + help_for(change)).findings]


@pytest.mark.parametrize("change", OTHERS)
def test_other_times_and_indexed_columns_get_a_new_column(change: str) -> None:
    assert "ADD COLUMN" in help_for(change)


MISFITS = [
    ("bigint", "integer", ["7", "2147483647", "2147483648", "-2147483649"], ["2147483648", "-2147483649"]),
    ("numeric", "integer", ["1.0", "1.50"], ["1.50"]),
    ("numeric(8, 2)", "numeric(6, 1)", ["1.50", "1.25"], ["1.25"]),
    ("timestamptz", "date", ["2026-01-01 00:00", "2026-01-01 01:00"], ["2026-01-01 01:00:00-05"]),
    ("timestamp", "timestamptz(3)", ["2026-01-01 00:00:00.123", "2026-01-01 00:00:00.1234"], ["2026-01-01 00:00:00.1234"]),
    ("text", "varchar(3)", ["abc", "abcd"], ["abcd"]),
    ("text", "integer USING size::integer", ["12", "twelve"], ["twelve"]),
    ("text", "sizes USING size::sizes", ["small", "huge"], ["huge"]),
]


@pytest.mark.server
@pytest.mark.parametrize(("old", "new", "values", "misfits"), MISFITS)
def test_the_values_that_do_not_fit_are_found(server: Server, old: str, new: str, values: list[str], misfits: list[str]) -> None:
    table = f"CREATE TYPE sizes AS ENUM ('small', 'large'); CREATE TABLE parcels (id bigint PRIMARY KEY, size {old});\n"
    change = f"ALTER TABLE parcels ALTER COLUMN size TYPE {new};"
    version = server.installation.major
    if "::integer" in new and version < 16:
        pytest.skip("before 16, the query ends at the first text that does not fit")
    findings = judge_sql(f"{table}-- next migration\n{change}", pg_version=version).findings
    [finding] = [each for each in findings if each.rule == "type-narrowed"]
    query = next(line for line in finding.help.splitlines() if line.startswith("SELECT"))
    with server.connect(autocommit=False) as connection:
        connection.execute(table.encode())
        for number, value in enumerate(values):
            connection.execute("INSERT INTO parcels VALUES (%s, %s)", (number, value))
        found = connection.execute(f"SELECT size::text FROM ({query.rstrip(';')}) AS found (size)".encode()).fetchall()
        connection.rollback()
    assert [size for (size,) in found] == misfits


def test_a_conversion_by_a_function_is_tried() -> None:
    history = "CREATE TABLE parcels (id bigint PRIMARY KEY, size text);\n-- next migration\n"
    findings = judge_sql(f"{history}ALTER TABLE parcels ALTER COLUMN size TYPE integer USING length(size);").findings
    assert "SELECT count(length(size)) FROM parcels;" in next(finding.help for finding in findings if finding.rule == "type-narrowed")
