"""Tables are filled with rows that satisfy their constraints, and tables that cannot be filled are reported."""

from collections.abc import Iterator
from typing import Any

import pytest

from migsafe.replaying.seeding import Seeder, same_for_every_table
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import Name

pytestmark = pytest.mark.server

MANY = 250


@pytest.fixture
def connection(any_server: Server) -> Iterator[Any]:
    any_server.create_database("shop")
    with any_server.connect("shop") as connection:
        yield connection
    any_server.drop_database("shop")


def filled(connection: Any, tables: str, rows: int = MANY) -> tuple[dict[str, int], dict[str, str]]:
    """Returns the number of rows of each table after filling, and the reasons for tables with fewer rows than wanted."""
    connection.execute(tables)
    filler = Seeder(same_for_every_table(rows))
    filler.seed(connection)
    names = connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}, filler.unfilled


# Each creates a table `t`, after the objects that it needs.
TABLES = {
    "usual types": """CREATE TABLE t (a smallint, b int, c bigint, d numeric(10, 2), e real, f float8, g text, h varchar(20), i char(3),
        j boolean, k date, l time, m timestamp, n timestamptz, o interval, p uuid, q json, r jsonb, s bytea, u money)""",
    "unusual types": """CREATE TABLE t (a inet, b cidr, c macaddr, d bit(8), e varbit, f point, g box, h tsvector, i tsquery, j int4range,
        k tstzrange, l numrange, m pg_lsn, n oid, o name, p "char", q circle, r timetz, s jsonpath, u int4multirange)""",
    "nothing null": "CREATE TABLE t (a int NOT NULL, b text NOT NULL, c jsonb NOT NULL, d timestamptz NOT NULL, e uuid NOT NULL)",
    "arrays": "CREATE TABLE t (a int[] NOT NULL, b text[], c varchar(5)[] NOT NULL, d uuid[], e jsonb[] CHECK (cardinality(e) > 0))",
    "enums": "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (a mood NOT NULL, b mood[])",
    "domains": """CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0); CREATE DOMAIN code AS text CHECK (VALUE ~ '^[a-f0-9]{32}$');
        CREATE TABLE t (a positive, b code NOT NULL)""",
    "composite types": "CREATE TYPE place AS (street text, number int); CREATE TABLE t (a place NOT NULL)",
    "keys that number themselves": "CREATE TABLE t (a bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b serial UNIQUE, c int)",
    "generated columns": "CREATE TABLE t (a int NOT NULL, b int GENERATED ALWAYS AS (a * 2) STORED)",
    "nothing but defaults": "CREATE TABLE t (a serial)",
    "no columns": "CREATE TABLE t ()",
    "unique columns": "CREATE TABLE t (a text UNIQUE, b uuid UNIQUE, c varchar(8) UNIQUE, d timestamptz UNIQUE, e inet UNIQUE)",
    "unique expressions": "CREATE TABLE t (a text NOT NULL); CREATE UNIQUE INDEX ON t (lower(a))",
    "partly unique": "CREATE TABLE t (a int NOT NULL, b boolean NOT NULL); CREATE UNIQUE INDEX ON t (a) WHERE b",
    "deferrable": "CREATE TABLE t (a int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED)",
    "exclusion": "CREATE TABLE t (a int4range NOT NULL, EXCLUDE USING gist (a WITH &&))",
    "lists": "CREATE TABLE t (a text NOT NULL CHECK (a IN ('new', 'paid')), b int CHECK (b = ANY (ARRAY[3, 5, 8])))",
    "bounds": """CREATE TABLE t (a int NOT NULL CHECK (a BETWEEN 10 AND 99), b numeric(3, 1) NOT NULL CHECK (b > 0),
        c text CHECK (length(c) <= 5))""",
    "columns together": """CREATE TABLE t (a timestamptz NOT NULL, b timestamptz NOT NULL, c int, d int,
        CHECK (b >= a), CHECK ((c IS NULL) <> (d IS NULL)))""",
    "addresses": "CREATE TABLE t (a text NOT NULL CHECK (a ~ '^[^@]+@[^@]+$'), b text NOT NULL CHECK (b LIKE 'https://%'))",
    "a foreign key": "CREATE TABLE s (a int PRIMARY KEY); CREATE TABLE t (a int NOT NULL REFERENCES s)",
    "foreign keys of two columns": """CREATE TABLE s (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE t (a int NOT NULL, b int NOT NULL, FOREIGN KEY (a, b) REFERENCES s)""",
    "between two": """CREATE TABLE r (a int PRIMARY KEY); CREATE TABLE s (a int PRIMARY KEY);
        CREATE TABLE t (a int REFERENCES r, b int REFERENCES s, PRIMARY KEY (a, b))""",
    "in the wrong order": "CREATE TABLE t (a int NOT NULL); CREATE TABLE s (a int PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s",
    "to itself": "CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t)",
    "to itself always": "CREATE TABLE t (id int PRIMARY KEY, parent int NOT NULL REFERENCES t)",
    "in a circle": """CREATE TABLE s (id int PRIMARY KEY, t int); CREATE TABLE t (id int PRIMARY KEY, s int NOT NULL REFERENCES s);
        ALTER TABLE s ADD FOREIGN KEY (t) REFERENCES t""",
    "in a circle always": """CREATE TABLE s (id int PRIMARY KEY, t int NOT NULL);
        CREATE TABLE t (id int PRIMARY KEY, s int NOT NULL REFERENCES s);
        ALTER TABLE s ADD FOREIGN KEY (t) REFERENCES t DEFERRABLE INITIALLY DEFERRED""",
    "keys of several columns that share one": """CREATE TABLE tenant (id int PRIMARY KEY);
        CREATE TABLE project (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE member (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE t (tenant int NOT NULL REFERENCES tenant, project int NOT NULL, member int NOT NULL,
            FOREIGN KEY (tenant, project) REFERENCES project, FOREIGN KEY (tenant, member) REFERENCES member)""",
    "a shared column that can be null": """CREATE TABLE project (tenant int, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE member (tenant int, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE t (tenant int NOT NULL, project int NOT NULL, member int,
            FOREIGN KEY (tenant, project) REFERENCES project, FOREIGN KEY (tenant, member) REFERENCES member)""",
    "one of two": """CREATE TABLE r (a int PRIMARY KEY); CREATE TABLE s (a int PRIMARY KEY);
        CREATE TABLE t (r int REFERENCES r, s int REFERENCES s, CHECK (num_nonnulls(r, s) = 1))""",
    "two different rows": """CREATE TABLE s (a int PRIMARY KEY);
        CREATE TABLE t (a int REFERENCES s, b int REFERENCES s, UNIQUE (a, b), CHECK (a <> b))""",
    "between three": """CREATE TABLE r (a text PRIMARY KEY); CREATE TABLE s (a uuid PRIMARY KEY); CREATE TABLE other (a int PRIMARY KEY);
        CREATE TABLE t (other int REFERENCES other, s uuid REFERENCES s, r text REFERENCES r, PRIMARY KEY (r, s))""",
    "a key that can be null": "CREATE TABLE s (a int UNIQUE, b int); CREATE TABLE t (a int NOT NULL REFERENCES s (a))",
    "to itself within a tenant": """CREATE TABLE tenant (id int PRIMARY KEY);
        CREATE TABLE t (tenant int NOT NULL REFERENCES tenant, id bigint GENERATED ALWAYS AS IDENTITY, parent bigint NOT NULL,
            PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, parent) REFERENCES t)""",
    "a circle of three": """CREATE TABLE r (id uuid PRIMARY KEY, t uuid NOT NULL);
        CREATE TABLE s (id bigserial PRIMARY KEY, r uuid NOT NULL REFERENCES r);
        CREATE TABLE t (id uuid PRIMARY KEY, s bigint NOT NULL REFERENCES s); ALTER TABLE r ADD FOREIGN KEY (t) REFERENCES t""",
    "after a circle": """CREATE TABLE later (s int NOT NULL); CREATE TABLE s (id int PRIMARY KEY, t int NOT NULL);
        CREATE TABLE t (id int PRIMARY KEY, s int NOT NULL REFERENCES s); ALTER TABLE s ADD FOREIGN KEY (t) REFERENCES t;
        ALTER TABLE later ADD FOREIGN KEY (s) REFERENCES s""",
    "many columns together": """CREATE TABLE t (kind text NOT NULL CHECK (kind IN ('card', 'bank', 'cash')),
        card text, month int, year int, iban text, bic text,
        paid date, due date NOT NULL, net numeric(8, 2) NOT NULL, tax numeric(8, 2) NOT NULL, gross numeric(8, 2) NOT NULL,
        CHECK ((kind = 'card') = (card IS NOT NULL)), CHECK ((card IS NULL) = (month IS NULL) AND (card IS NULL) = (year IS NULL)),
        CHECK ((kind = 'bank') = (iban IS NOT NULL AND bic IS NOT NULL)), CHECK (paid >= due), CHECK (gross >= net AND net >= tax),
        CHECK (month BETWEEN 1 AND 12 AND year > 2000))""",
    "one of two shapes": """CREATE TABLE t (kind text NOT NULL, state text NOT NULL, a text, b text, c text, d int, e int, f int,
        g date, h date, i timestamptz, j timestamptz, k numeric, l numeric, token bytea NOT NULL CHECK (length(token) = 32),
        CHECK ((kind = 'x' AND a IS NOT NULL AND b IS NULL AND c = 'on' AND d > e AND g < h AND state IN ('p', 'q'))
            OR (kind = 'y' AND a IS NULL AND b IS NOT NULL AND d < e AND e < f AND i < j AND k < l AND state IN ('r', 's'))))""",
    "columns generated from a document": """CREATE TABLE t (key text PRIMARY KEY, "Value" jsonb NOT NULL,
        deleted boolean NOT NULL GENERATED ALWAYS AS (("Value" ->> 'deleted')::boolean) STORED,
        size int NOT NULL GENERATED ALWAYS AS (("Value" ->> 'size')::int) STORED,
        name text NOT NULL GENERATED ALWAYS AS ("Value" ->> 'it''s') STORED)""",
    "a generated column": """CREATE TABLE t (a int NOT NULL, b int NOT NULL, c int GENERATED ALWAYS AS (a - b) STORED, CHECK (c >= 0))""",
    "beyond the sample": "CREATE TABLE t (a int NOT NULL CHECK (a <> 299 AND a <> 311), b int)",
    "indexes": """CREATE TABLE t (a int, b jsonb, c text); CREATE INDEX ON t (a); CREATE INDEX ON t USING gin (b);
        CREATE INDEX ON t (lower(c)) WHERE a > 5""",
    "strange names": 'CREATE TABLE "Some table" ("a b" int PRIMARY KEY); CREATE TABLE t ("Of" int NOT NULL REFERENCES "Some table")',
    "triggers": """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TABLE t (a int); CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()""",
}


@pytest.mark.parametrize("tables", TABLES.values(), ids=TABLES)
def test_every_table_gets_its_rows(connection: Any, tables: str) -> None:
    rows, unfilled = filled(connection, tables)
    assert unfilled == {}
    assert set(rows.values()) == {MANY}
    assert_all_constraints_hold(connection)


def assert_all_constraints_hold(connection: Any) -> None:
    """Checks every row again, and that every index is usable."""
    constraints = connection.execute(
        "UPDATE pg_constraint SET convalidated = false WHERE contype IN ('c', 'f') AND conrelid <> 0 "
        "RETURNING conrelid::regclass::text, conname"
    ).fetchall()
    for table, name in constraints:
        connection.execute(f'ALTER TABLE {table} VALIDATE CONSTRAINT "{name}"')
    assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)").fetchone() == (0,)


def test_a_partition_that_is_added_later_does_not_repeat_values(connection: Any) -> None:
    connection.execute(
        """
        CREATE TABLE events (id bigint NOT NULL, code text NOT NULL, day date NOT NULL, PRIMARY KEY (id, day), UNIQUE (code, day))
            PARTITION BY RANGE (day);
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        """
    )
    filler = Seeder(same_for_every_table(MANY))
    filler.seed(connection)
    for year in (2025, 2026):
        connection.execute(f"CREATE TABLE events_{year} PARTITION OF events FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')")
        filler.seed(connection, touched=[Name("events")])
    assert filler.unfilled == {}
    assert connection.execute("SELECT count(*), count(DISTINCT id), count(DISTINCT code) FROM events").fetchone() == (3 * MANY,) * 3
    connection.execute("CREATE TABLE all_events (id bigint PRIMARY KEY, code text UNIQUE); INSERT INTO all_events SELECT id, code FROM events")


def test_partitions_share_the_rows(connection: Any) -> None:
    rows, unfilled = filled(
        connection,
        """
        CREATE TABLE events (day date NOT NULL, kind text) PARTITION BY RANGE (day);
        CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE events_b PARTITION OF events FOR VALUES FROM ('2021-01-01') TO (MAXVALUE);
        CREATE TABLE regions (region text NOT NULL) PARTITION BY LIST (region);
        CREATE TABLE regions_eu PARTITION OF regions FOR VALUES IN ('de', 'fr');
        CREATE TABLE regions_rest PARTITION OF regions DEFAULT;
        CREATE TABLE parcels (id int NOT NULL) PARTITION BY HASH (id);
        CREATE TABLE parcels_0 PARTITION OF parcels FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parcels_1 PARTITION OF parcels FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        """,
    )
    assert unfilled == {}
    assert set(rows.values()) == {MANY // 2}


def test_unfillable_tables_are_reported_with_the_reason(connection: Any) -> None:
    rows, unfilled = filled(
        connection,
        """
        CREATE TABLE never (a int NOT NULL CHECK (a > 5 AND a < 3));
        CREATE TABLE after (a int NOT NULL, never int NOT NULL);
        ALTER TABLE never ADD PRIMARY KEY (a);
        ALTER TABLE after ADD FOREIGN KEY (never) REFERENCES never;
        CREATE TABLE few (a boolean PRIMARY KEY);
        """,
    )
    assert rows == {"never": 0, "after": 0, "few": 2}
    assert unfilled == {
        "public.never": "no generated value fits its column a",
        "public.after": "its foreign key references never, which is empty",
        "public.few": "has room for 2 rows only",
    }


def test_tables_with_rows_are_unchanged_and_others_filled_once(connection: Any) -> None:
    connection.execute("CREATE TABLE seeds (a int); INSERT INTO seeds VALUES (1); CREATE TABLE empty (a int)")
    filler = Seeder(same_for_every_table(MANY))
    filler.seed(connection)
    assert list(filler.made) == [Name("empty", "public")]
    connection.execute("TRUNCATE empty")
    filler.seed(connection)
    assert connection.execute("SELECT (SELECT count(*) FROM seeds), (SELECT count(*) FROM empty)").fetchone() == (1, 0)


def test_generated_rows_can_be_removed(connection: Any) -> None:
    connection.execute("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a); CREATE TABLE c (x int)")
    filler = Seeder(same_for_every_table(MANY))
    filler.seed(connection)
    filler.empty(connection, {Name("a", "public")})
    counts = "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c)"
    assert connection.execute(counts).fetchone() == (0, 0, MANY)
    filler.seed(connection)
    assert connection.execute(counts).fetchone() == (MANY, MANY, MANY)


SLOW = "CREATE FUNCTION slow(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN a; END $$;"


def test_a_table_that_takes_too_long_is_given_up(connection: Any) -> None:
    connection.execute(f"{SLOW} CREATE TABLE t (a int NOT NULL, CHECK (slow(a) > 0)); CREATE TABLE other (a int)")
    seeder = Seeder(same_for_every_table(MANY), limit=1.0)
    seeder.seed(connection)
    assert seeder.unfilled == {"public.t": "given up: 250 rows take longer than 1.0 s, the time limit for a table (--seed-limit)"}
    assert list(seeder.made) == [Name("other", "public")]


def test_a_table_that_takes_too_long_gets_fewer_rows_if_possible(connection: Any) -> None:
    connection.execute(f"{SLOW} CREATE TABLE t (a int NOT NULL); CREATE INDEX ON t (slow(a))")
    seeder = Seeder(same_for_every_table(MANY), limit=1.0)
    seeder.seed(connection)
    assert seeder.unfilled == {"public.t": "has 3 rows only: 250 rows take longer than 1.0 s, the time limit for a table (--seed-limit)"}
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)
    assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    assert_all_constraints_hold(connection)


def test_only_touched_tables_and_what_they_depend_on_get_rows(connection: Any) -> None:
    connection.execute("""
        CREATE TABLE country (id int PRIMARY KEY); CREATE TABLE city (id int PRIMARY KEY, country int REFERENCES country);
        CREATE TABLE street (city int REFERENCES city); CREATE TABLE person (city int REFERENCES city);
        CREATE VIEW streets AS SELECT * FROM street;
        CREATE TABLE visit (day date, person int) PARTITION BY RANGE (day);
        CREATE TABLE visit_a PARTITION OF visit FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
        CREATE SCHEMA old; CREATE TABLE old.person (a int);
    """)
    seeder = Seeder(same_for_every_table(MANY))
    seeder.seed(connection, touched={Name("streets", "public"), Name("visit", "public")})
    assert {name.name for name in seeder.made} == {"country", "city", "street", "visit_a"}
    seeder.seed(connection, touched={Name("streets", "public")})
    assert not seeder.filled
    seeder.seed(connection, touched={Name("person", "public")})
    assert Name("person", "public") in seeder.made
    assert Name("person", "old") not in seeder.made
    seeder.seed(connection, touched={Name("person")})
    assert Name("person", "old") in seeder.made


class CountingConnection:
    """A connection that counts the queries which contain a text."""

    def __init__(self, connection: Any, text: str) -> None:
        self._connection = connection
        self._text = text
        self.count = 0

    def execute(self, query: str | bytes, *parameters: Any) -> Any:
        self.count += self._text in (query.decode() if isinstance(query, bytes) else query)
        return self._connection.execute(query, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_the_search_for_values_reads_referenced_rows_once(connection: Any) -> None:
    connection.execute("""
        CREATE TABLE tenant (id int PRIMARY KEY); CREATE TABLE project (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE member (tenant int REFERENCES tenant, id int, PRIMARY KEY (tenant, id));
        CREATE TABLE t (tenant int NOT NULL, project int NOT NULL, member int NOT NULL, a int, b int, c date, d date, e text, f text,
            FOREIGN KEY (tenant, project) REFERENCES project, FOREIGN KEY (tenant, member) REFERENCES member,
            CHECK (project > 0 AND member > 0 AND a < b AND c > d AND e <> f));
    """)
    counting = CountingConnection(connection, "FROM member")
    Seeder(same_for_every_table(MANY)).seed(counting)  # type: ignore[arg-type]
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (MANY,)
    assert_all_constraints_hold(connection)
    # Their number, the sample, the rows.
    assert counting.count == 3


def test_tables_are_analysed_before_others_reference_them(connection: Any) -> None:
    connection.execute("CREATE TABLE s (id int PRIMARY KEY); CREATE TABLE t (s int NOT NULL REFERENCES s)")
    analysed = {}

    def note(text: str) -> None:
        analysed[text.split()[1]] = connection.execute("SELECT relname FROM pg_class WHERE relname IN ('s', 't') AND reltuples > 0").fetchall()

    Seeder(same_for_every_table(MANY)).seed(connection, note)
    assert analysed == {"public.s": [], "public.t": [("s",)]}


def test_a_circle_without_room_is_emptied(connection: Any) -> None:
    rows, unfilled = filled(
        connection,
        """CREATE TABLE s (id int PRIMARY KEY, t int NOT NULL);
        CREATE TABLE t (id int PRIMARY KEY, flag boolean NOT NULL UNIQUE, s int NOT NULL REFERENCES s);
        ALTER TABLE s ADD FOREIGN KEY (t) REFERENCES t; CREATE TABLE alone (a int)""",
    )
    assert rows == {"s": 0, "t": 0, "alone": MANY}
    reason = "the foreign keys of public.t form a cycle, and it cannot get 250 rows"
    assert unfilled == {"public.s": reason, "public.t": reason}
