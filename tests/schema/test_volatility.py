"""Volatile defaults, and the recorded volatility of functions compared with the servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import Connection

from migsafe.replaying.servers.server import Server
from migsafe.schema import volatility
from migsafe.schema.volatility import VolatileCall, is_volatile, volatility_of
from migsafe.sql.operations import AddColumn, Expression, Name
from migsafe.sql.statements import read
from tests.support.servers import each_installation

VOLATILE = {
    "float DEFAULT random()": "random",
    "uuid DEFAULT gen_random_uuid()": "gen_random_uuid",
    "uuid DEFAULT pg_catalog.gen_random_uuid()": "pg_catalog.gen_random_uuid",
    "timestamptz DEFAULT clock_timestamp()": "clock_timestamp",
    "text DEFAULT timeofday()": "timeofday",
    "bigint DEFAULT nextval('numbers'::regclass)": "nextval",
    "int DEFAULT (random() * 10)::int": "random",
    "int DEFAULT CAST(random() AS int)": "random",
    "text DEFAULT md5(random()::text)": "random",
    "text DEFAULT 'x' || random()": "random",
    "float DEFAULT coalesce(random(), 1)": "random",
    "float DEFAULT CASE WHEN now() > '2020-01-01' THEN random() END": "random",
    "float[] DEFAULT ARRAY[random()]": "random",
    "int DEFAULT extract(year FROM clock_timestamp())": "clock_timestamp",
    "text DEFAULT substring(random()::text FROM 1 FOR 3)": "random",
    "timestamptz DEFAULT now() + random() * interval '1 day'": "random",
    "float DEFAULT chance()": "chance",
}
NOT_VOLATILE = [
    *(
        "timestamptz DEFAULT now()",
        "timestamptz DEFAULT CURRENT_TIMESTAMP",
        "date DEFAULT current_date",
        "timestamptz DEFAULT statement_timestamp()",
    ),
    *("timestamp DEFAULT timezone('utc'::text, now())", "timestamp DEFAULT (now() AT TIME ZONE 'utc')", "text DEFAULT current_user"),
    *("int DEFAULT 1 + 2", "text DEFAULT lower('A')", "jsonb DEFAULT jsonb_build_object('a', 1)", "text[] DEFAULT '{}'::text[]"),
    *("int DEFAULT extract(year FROM now())", "date DEFAULT date '2020-01-01' + interval '1 day'", "int DEFAULT steady()"),
    *(
        "uuid DEFAULT uuid('00000000-0000-0000-0000-000000000000')",
        "text DEFAULT current_setting('TimeZone')",
        "int4range DEFAULT int4range(1, 2)",
    ),
]
FUNCTIONS = {Name("chance"): "volatile", Name("steady"): "stable"}


def default_of(column: str) -> Expression:
    (statement,) = read(f"ALTER TABLE t ADD COLUMN c {column}")
    (add,) = statement.operations
    assert isinstance(add, AddColumn)
    assert add.column.default is not None
    return add.column.default


@pytest.mark.parametrize(("column", "function"), VOLATILE.items())
def test_volatile_default_is_found_by_its_call(column: str, function: str) -> None:
    call = is_volatile(default_of(column), FUNCTIONS.get, 17)
    assert call is not None
    assert (str(call.function), call.known) == (function, True)


@pytest.mark.parametrize("column", NOT_VOLATILE)
def test_default_that_is_not_volatile(column: str) -> None:
    assert is_volatile(default_of(column), FUNCTIONS.get, 17) is None


@pytest.mark.parametrize(("default", "name"), [("uuid()", "uuid"), ('"md5"()', "md5"), ("coalesce(date( ), now())", "date")])
def test_call_without_arguments_is_not_a_cast_to_a_type_of_its_name(default: str, name: str) -> None:
    assert is_volatile(default_of(f"text DEFAULT {default}"), FUNCTIONS.get, 17) == VolatileCall(Name(name), known=False)


@pytest.mark.parametrize("default", ["now()", "jsonb_build_object()", "pi()", "version()", "uuid_nil()"])
def test_functions_without_arguments_are_known(default: str) -> None:
    assert is_volatile(default_of(f"text DEFAULT {default}"), FUNCTIONS.get, 17) is None


def test_unknown_function_is_reported_as_unknown() -> None:
    assert is_volatile(default_of("int DEFAULT coalesce(next_number(), now())"), FUNCTIONS.get, 17) == VolatileCall(
        Name("next_number"), known=False
    )
    assert is_volatile(default_of("int DEFAULT next_number() + random()"), FUNCTIONS.get, 17) == VolatileCall(Name("random"))


@pytest.mark.parametrize(
    ("call", "pg_version", "expected"),
    [
        (Name("uuidv7"), 18, "volatile"),
        (Name("uuidv7"), 17, None),
        (Name("uuidv7"), 21, "volatile"),
        (Name("now", "pg_catalog"), 14, "stable"),
        (Name("now", "shop"), 14, None),
        (Name("uuid_generate_v4"), 17, "volatile"),
        (Name("uuid_generate_v4", "extensions"), 17, "volatile"),
        (Name("gen_random_uuid", "extensions"), 17, "volatile"),
        (Name("uuid_generate_v5"), 17, "immutable"),
        (Name("gen_salt"), 17, "volatile"),
        (Name("unaccent"), 17, "stable"),
        (Name("count"), 17, "immutable"),
        (Name("Now"), 17, None),
    ],
)
def test_volatility_of_postgresql_functions(call: Name, pg_version: int, expected: str | None) -> None:
    assert volatility_of(call, pg_version) == expected


# On servers


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as connection:
        yield connection


@pytest.mark.server
def test_only_volatile_defaults_rewrite_the_table(connection: Connection) -> None:
    connection.execute("CREATE SEQUENCE numbers; CREATE TABLE t ()")
    connection.execute("CREATE FUNCTION chance() RETURNS float VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
    connection.execute("CREATE FUNCTION steady() RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
    wrong = []
    for column in (*VOLATILE, *NOT_VOLATILE):
        with connection.transaction(force_rollback=True):
            before = connection.execute("SELECT pg_relation_filenode('t')").fetchone()
            connection.execute(f"ALTER TABLE t ADD COLUMN c {column}")
            if (connection.execute("SELECT pg_relation_filenode('t')").fetchone() != before) != (column in VOLATILE):
                wrong.append(column)
    assert wrong == []


SERVER_FUNCTIONS = """
    SELECT proname, min(CASE provolatile WHEN 'v' THEN 'a volatile' WHEN 's' THEN 'b stable' ELSE 'c immutable' END)
    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind <> 'p'
        AND NOT proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype]::oid[]
        AND prorettype <> ALL (ARRAY['internal', 'cstring', 'trigger', 'event_trigger', 'index_am_handler', 'table_am_handler', 'fdw_handler',
            'tsm_handler', 'language_handler']::regtype[])
    GROUP BY proname
"""
EXTENSION_FUNCTIONS = """
    SELECT proname, min(CASE provolatile WHEN 'v' THEN 'a volatile' WHEN 's' THEN 'b stable' ELSE 'c immutable' END)
    FROM pg_proc JOIN pg_depend ON objid = pg_proc.oid AND classid = 'pg_proc'::regclass AND deptype = 'e'
        AND refobjid IN (SELECT oid FROM pg_extension WHERE extname = ANY (%s))
    WHERE NOT proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype]::oid[]
        AND prorettype <> ALL (ARRAY['internal', 'cstring', 'trigger']::regtype[])
    GROUP BY proname
"""
EXTENSIONS = [
    *("citext", "cube", "earthdistance", "fuzzystrmatch", "hstore", "intarray", "isn", "ltree", "pg_trgm", "pgcrypto", "tablefunc"),
    *("unaccent", "uuid-ossp"),
]


@pytest.mark.server
def test_recorded_volatility_equals_the_server(connection: Connection) -> None:
    version = int(connection.info.server_version) // 10000
    rows = connection.execute(SERVER_FUNCTIONS).fetchall()
    expected = {name: worst.split()[1] for name, worst in rows} | {"timezone": "stable"}  # see volatility_of
    assert sorted(set(volatility._functions(version, "pg_catalog").items()) ^ set(expected.items())) == []


@pytest.mark.server
def test_recorded_volatility_of_extensions_equals_the_server(connection: Connection) -> None:
    version = int(connection.info.server_version) // 10000
    available = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions").fetchall()} & set(EXTENSIONS)
    if not available:
        pytest.skip("the server has no extensions")
    for name in sorted(available):
        connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}" CASCADE')
    recorded = volatility._functions(version, "extensions")
    expected = {name: worst.split()[1] for name, worst in connection.execute(EXTENSION_FUNCTIONS, (sorted(available),)).fetchall()}
    del expected["isn_weak"]  # immutable up to 17, declared volatile since
    assert {name: volatility_on_server for name, volatility_on_server in expected.items() if recorded.get(name) != volatility_on_server} == {}


@pytest.mark.server
def test_recorded_functions_without_arguments_are_those_of_the_server(connection: Connection) -> None:
    rows = connection.execute(
        """SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provolatile <> 'v'
            AND (pronargs = pronargdefaults OR (provariadic <> 0 AND pronargs = 1))
            AND prorettype <> ALL (ARRAY['internal', 'trigger', 'event_trigger']::regtype[])"""
    )
    assert sorted({name for (name,) in rows} - volatility._functions(17, "without_arguments").keys()) == []


@pytest.mark.server
def test_no_operator_or_cast_is_volatile(connection: Connection) -> None:
    volatile = connection.execute(
        """SELECT oprname FROM pg_operator JOIN pg_proc ON pg_proc.oid = oprcode WHERE provolatile = 'v'
           UNION ALL SELECT castsource::regtype::text FROM pg_cast JOIN pg_proc ON pg_proc.oid = castfunc WHERE provolatile = 'v'"""
    )
    assert volatile.fetchall() == []


def test_recorded_functions_are_sorted() -> None:
    text = Path(volatility.__file__).with_suffix(".txt").read_text("utf-8")
    for section in text.split("\n[")[1:]:
        names = section.split("]\n")[1].split()
        assert names == sorted(names)
