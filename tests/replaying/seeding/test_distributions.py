"""Generated rows resemble those of production: NULLs, repeated values, spread references, and what PostgreSQL estimates from them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from migsafe.replaying.seeding import Requirements, Seeder, same_for_every_table
from migsafe.replaying.servers.private import PrivateHost
from migsafe.schema.statistics import ColumnStatistics, Statistics
from migsafe.sql.operations import Name

pytestmark = pytest.mark.server

MANY = 2000


@pytest.fixture
def connection(host: PrivateHost) -> Iterator[Any]:
    host.create_database("shop")
    with host.connect("shop") as connection:
        yield connection
    host.drop_database("shop")


def fill(connection: Any, tables: str, statistics: Statistics | None = None, requirements: Requirements | None = None) -> None:
    connection.execute(tables)
    seeder = Seeder(same_for_every_table(MANY), statistics=statistics)
    seeder.requirements = requirements or Requirements()
    seeder.seed(connection)
    assert seeder.unfilled == {}


def estimates(connection: Any, table: str) -> Mapping[str, ColumnStatistics]:
    """What ANALYZE found."""
    rows = connection.execute(
        "SELECT attname, null_frac, n_distinct, most_common_freqs, correlation FROM pg_stats WHERE tablename = %s AND NOT inherited", (table,)
    ).fetchall()
    return {
        name: ColumnStatistics(null_frac=nulls, n_distinct=distinct, frequencies=tuple(frequencies or ()), correlation=correlation)
        for name, nulls, distinct, frequencies, correlation in rows
    }


KNOWN = {
    "id": ColumnStatistics(n_distinct=-1, correlation=0.4),
    "customer": ColumnStatistics(null_frac=0.2, n_distinct=100, frequencies=(0.3, 0.1), correlation=0.1),
    "state": ColumnStatistics(n_distinct=4, frequencies=(0.7, 0.2, 0.08, 0.02), correlation=0.55),
    "paid": ColumnStatistics(null_frac=0.5, n_distinct=-0.25, correlation=0.9),
    "archived": ColumnStatistics(n_distinct=2, frequencies=(0.95, 0.05)),
    "note": ColumnStatistics(null_frac=1.0),
    "amount": ColumnStatistics(n_distinct=50, correlation=-0.7),
}


def test_estimates_resemble_the_statistics(connection: Any) -> None:
    tables = """CREATE TABLE customer (id int PRIMARY KEY);
        CREATE TABLE orders (id bigint PRIMARY KEY, customer int REFERENCES customer, state text NOT NULL, paid date, archived boolean NOT NULL,
            note text, amount int NOT NULL, number int NOT NULL, UNIQUE (customer, number), CHECK (paid IS NULL OR state <> ''))"""
    fill(connection, tables, Statistics({}, {"public.orders": KNOWN}))
    found = estimates(connection, "orders")
    for name, known in KNOWN.items():
        assert found[name].null_frac == pytest.approx(known.null_frac, abs=0.03), name
        assert found[name].distinct(MANY) == pytest.approx(known.distinct(MANY), rel=0.1), name
        if known.frequencies:
            assert found[name].frequencies[0] == pytest.approx(known.frequencies[0], abs=0.04), name
        if known.correlation is not None:
            assert found[name].correlation == pytest.approx(known.correlation, abs=0.15), name


WITHOUT_STATISTICS = """
    CREATE TABLE person (id int PRIMARY KEY, email text UNIQUE, "accountStatus" text, born date, code text NOT NULL, made timestamptz);
    CREATE TABLE visit (id uuid PRIMARY KEY, person int REFERENCES person, earlier uuid REFERENCES visit,
        seen boolean NOT NULL, starts timestamptz NOT NULL, ends timestamptz, CHECK (ends >= starts));
    CREATE TABLE place (id int, "deletedAt" timestamptz, is_archived boolean NOT NULL,
        deleted boolean NOT NULL GENERATED ALWAYS AS ("deletedAt" IS NOT NULL) STORED, EXCLUDE (id WITH =));
"""


def test_rows_without_statistics(connection: Any) -> None:
    fill(connection, WITHOUT_STATISTICS)
    person, visit = estimates(connection, "person"), estimates(connection, "visit")
    nullable = [person[name] for name in ("email", "accountStatus", "born", "made")] + [visit[name] for name in ("person", "earlier", "ends")]
    for column in nullable:
        assert column.null_frac == pytest.approx(0.1, abs=0.03)
    assert estimates(connection, "place")["id"].null_frac == 0
    # Most rows are in use, so an index of these is about as large as the table.
    assert estimates(connection, "place")["deletedAt"].null_frac == pytest.approx(0.9, abs=0.03)
    [(archived,)] = connection.execute("SELECT count(*) FILTER (WHERE is_archived)::float8 / count(*) FROM place").fetchall()
    assert archived == pytest.approx(0.1, abs=0.03)
    assert (person["accountStatus"].n_distinct, person["code"].n_distinct, visit["seen"].n_distinct) == (10, -1, 2)
    assert person["made"].correlation == pytest.approx(1)
    assert visit["person"].distinct(MANY) > MANY * 0.8
    [(parents, cycles)] = connection.execute("""
        SELECT count(DISTINCT earlier), count(*) FILTER (WHERE v.id = v.earlier OR v.starts <= (SELECT starts FROM visit WHERE id = v.earlier))
        FROM visit AS v
    """).fetchall()
    assert (parents > MANY / 3, cycles) == (True, 0)
    digest = "SELECT md5(string_agg(v::text || p::text, '' ORDER BY v.ctid)) FROM visit AS v LEFT JOIN person AS p ON p.id = v.person"
    before = connection.execute(digest).fetchone()
    connection.execute("TRUNCATE person, visit")
    Seeder(same_for_every_table(MANY)).seed(connection)
    assert connection.execute(digest).fetchone() == before


def test_generated_rows_satisfy_what_migrations_require(connection: Any) -> None:
    orders = Name("orders", "public")
    requirements = Requirements(frozenset({(orders, "email")}), frozenset({(orders, ("state",)), (Name("orders"), ("kind", "region"))}))
    fill(connection, "CREATE TABLE orders (email text, state text, kind text, region text, role text)", None, requirements)
    connection.execute("ALTER TABLE orders ALTER email SET NOT NULL, ADD UNIQUE (state), ADD UNIQUE (kind, region)")
    assert estimates(connection, "orders")["role"].n_distinct == 10


BEGUN = """
    CREATE TABLE tenant (id serial PRIMARY KEY, name text NOT NULL UNIQUE); INSERT INTO tenant (name) VALUES ('default');
    CREATE TABLE person (id uuid PRIMARY KEY, tenant int NOT NULL REFERENCES tenant, boss uuid REFERENCES person);
    INSERT INTO person VALUES ('00000000-0000-0000-0000-000000000001', 1);
    CREATE TABLE country (code text PRIMARY KEY); INSERT INTO country VALUES ('de'), ('fr');
    CREATE TABLE settings (id int PRIMARY KEY, theme text); INSERT INTO settings VALUES (1);
    CREATE TABLE role (id int PRIMARY KEY); INSERT INTO role VALUES (1);
    CREATE TABLE home (id int PRIMARY KEY, person uuid NOT NULL REFERENCES person, country text REFERENCES country, role int REFERENCES role);
"""
COUNTS = "SELECT " + ", ".join(f"(SELECT count(*)::int FROM {table})" for table in ("tenant", "person", "country", "settings", "role", "home"))


def test_tables_with_a_few_rows_are_filled_up(connection: Any) -> None:
    connection.execute(BEGUN)
    seeder = Seeder(same_for_every_table(MANY))
    seeder.requirements = Requirements(written=frozenset({Name("role")}))
    seeder.seed(connection)
    # Lists, tables that none references, and those into which the migrations insert rows keep their rows.
    assert connection.execute(COUNTS).fetchone() == (MANY, MANY, 2, 1, 1, MANY)
    assert connection.execute("SELECT count(DISTINCT person) > 1000, count(DISTINCT country) FROM home").fetchone() == (True, 2)
    assert connection.execute("SELECT count(DISTINCT tenant) > 1000 FROM person").fetchone() == (True,)
    connection.execute("INSERT INTO tenant (name) VALUES ('next')")
    # What the seeder did not make remains: other tables may reference it.
    seeder.empty(connection, {Name("tenant", "public")})
    assert connection.execute(COUNTS).fetchone() == (1, 1, 2, 1, 1, 0)
    seeder.seed(connection)
    assert connection.execute(COUNTS).fetchone() == (MANY, MANY, 2, 1, 1, MANY)
