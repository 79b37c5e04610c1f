"""Rows of unusual tables satisfy every constraint of PostgreSQL, which is asked again after the tables were filled."""

from collections.abc import Iterator
from typing import Any

import pytest

from migsafe.replaying.seeding import Seeder, same_for_every_table
from migsafe.replaying.seeding.documents import documents_for
from migsafe.replaying.seeding.matching_texts import values_matching
from migsafe.replaying.servers.private import PrivateHost

pytestmark = pytest.mark.server

ROWS = 200

FULL = {
    "a foreign key with MATCH FULL within the table": """
        CREATE TABLE node (tenant int, id int, parent_tenant int, parent int, PRIMARY KEY (tenant, id),
            FOREIGN KEY (parent_tenant, parent) REFERENCES node (tenant, id) MATCH FULL, CHECK (parent IS NULL OR parent_tenant = tenant))""",
    "a foreign key with MATCH FULL to another table": """
        CREATE TABLE place (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE visit (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES place MATCH FULL, CHECK (a > 0 OR b IS NULL))""",
    "a foreign key to a partitioned table": """
        CREATE TABLE event (id bigint, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
        CREATE TABLE event_north PARTITION OF event FOR VALUES IN ('no', 'se') PARTITION BY HASH (id);
        CREATE TABLE event_north_0 PARTITION OF event_north FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE event_north_1 PARTITION OF event_north FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE event_rest PARTITION OF event DEFAULT;
        CREATE TABLE comment (id int PRIMARY KEY, event bigint NOT NULL, region text NOT NULL, FOREIGN KEY (event, region) REFERENCES event)""",
    "times of whole hours, days, weeks, months and years": """
        CREATE TABLE times (a timestamptz NOT NULL UNIQUE CHECK (a = date_trunc('hour', a)),
            b timestamp NOT NULL CHECK (date_trunc('day', b) = b),
            c date NOT NULL CHECK (extract(day FROM c) = 1), d date NOT NULL CHECK (extract(isodow FROM d) = 1),
            e date NOT NULL CHECK (e = date_trunc('year', e)))""",
    "regular expressions": r"""
        CREATE DOMAIN code AS varchar(12) CHECK (VALUE ~ '^[A-Z]{3}-\d{4}$');
        CREATE TABLE named (slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
            colour text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
            phone text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{7,14}$'), country char(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
            address text NOT NULL CHECK (address ~* '^0x[a-f0-9]{40}$'), version text NOT NULL CHECK (version ~ '^(v|r)?\d+\.\d+(\.\d+)?$'),
            bits text NOT NULL CHECK (bits ~ '^[01]{10}$'),
            other text NOT NULL CHECK (other ~ '^[[:upper:]_]{3,}[^[:space:]]:$'), c code NOT NULL UNIQUE)""",
    "members of JSON documents": """
        CREATE TABLE doc (a jsonb NOT NULL CHECK (jsonb_typeof(a) = 'object' AND a ? 'name' AND a ? 'kind'),
            b jsonb CHECK (b ->> 'v' = '1') NOT NULL, c jsonb NOT NULL CHECK ((c ->> 'size')::int > 10),
            d jsonb NOT NULL CHECK (jsonb_typeof(d -> 'tags') = 'array' AND d ?& ARRAY['tags', 'x']))""",
    "byte strings of fixed length": """
        CREATE TABLE bytes (a bytea NOT NULL UNIQUE CHECK (octet_length(a) = 20), b bytea NOT NULL CHECK (length(b) = 64))""",
}
SMALL = {
    "CREATE TABLE t (day smallint PRIMARY KEY CHECK (day BETWEEN 1 AND 7), name text)": 7,
    "CREATE TABLE t (day date PRIMARY KEY CHECK (day >= '2024-02-01' AND day < '2024-02-11'))": 10,
}


@pytest.fixture
def connection(host: PrivateHost) -> Iterator[Any]:
    host.create_database("shapes")
    with host.connect("shapes") as connection:
        yield connection
    host.drop_database("shapes")


def fill(connection: Any, tables: str) -> dict[str, str]:
    """Fills the tables; returns the reasons for those with fewer rows than wanted."""
    connection.execute(tables)
    seeder = Seeder(same_for_every_table(ROWS))
    seeder.seed(connection)
    return seeder.unfilled


def validate(connection: Any) -> int:
    """Lets PostgreSQL check every row again; returns the number of constraints. Raises psycopg.Error for one that rows violate."""
    own = "contype IN ('c', 'f') AND conrelid <> 0 AND conparentid = 0 AND connamespace = 'public'::regnamespace"
    connection.execute(f"UPDATE pg_constraint SET convalidated = false WHERE {own}")
    constraints = connection.execute(f"SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint WHERE {own}").fetchall()
    for table, constraint in constraints:
        connection.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
    return len(constraints)


@pytest.mark.parametrize("tables", FULL.values(), ids=FULL)
def test_every_row_satisfies_every_constraint(connection: Any, tables: str) -> None:
    assert fill(connection, tables) == {}
    assert validate(connection) > 0


@pytest.mark.parametrize(("table", "rows"), SMALL.items(), ids=SMALL)
def test_a_key_with_few_possible_values_has_all_of_them(connection: Any, table: str, rows: int) -> None:
    assert fill(connection, table) == {"public.t": f"has room for {rows} rows only"}
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (rows,)


def test_values_that_are_different_are_so_in_all_partitions(connection: Any) -> None:
    fill(
        connection,
        """
        CREATE TABLE message (id bigint GENERATED ALWAYS AS IDENTITY, sent date NOT NULL, slug text NOT NULL, token uuid NOT NULL,
            PRIMARY KEY (id, sent)) PARTITION BY RANGE (sent);
        CREATE TABLE message_1 PARTITION OF message FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
        CREATE TABLE message_2 PARTITION OF message FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
        """,
    )
    counts = "SELECT count(*), count(DISTINCT slug), count(DISTINCT token), count(DISTINCT id), count(DISTINCT sent) > 50 FROM message"
    assert connection.execute(counts).fetchone() == (ROWS, ROWS, ROWS, ROWS, True)


@pytest.mark.parametrize("pattern", [r"^(a)\1$", "^(?=x)y$", "a{x}", "[[:odd:]]", "(a", "*a"])
def test_a_regular_expression_that_is_not_supported_gives_no_value(pattern: str) -> None:
    assert list(values_matching(f"(a ~ '{pattern}'::text)")) == []


def test_documents_are_made_for_json_only() -> None:
    assert list(documents_for(["(a ? 'x'::text)"], "a", "text")) == []
    assert list(documents_for(["(a IS NOT NULL)"], "a", "jsonb")) == []
