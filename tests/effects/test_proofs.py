"""What CHECKs prove: said here, found without a server, and seen on every PostgreSQL that is found.

A line begins with what is expected: `yes`, PostgreSQL finds the proof and so does migsafe; `no`, neither does; `server`, PostgreSQL finds one
that migsafe does not look for, and warns of a scan that does not happen.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
import pytest
from psycopg import Connection

from migsafe.effects.proofs import proves_bound, proves_default_excludes, proves_not_null
from migsafe.replay.server import Server
from migsafe.sql.operations import AttachPartition, Bound, CreateTable, Expression
from migsafe.sql.statements import read
from migsafe.text import Span
from tests.replay.servers import each_installation

NOT_NULL = """
    yes     x IS NOT NULL
    yes     x IS NOT NULL AND y > 0
    yes     y > 0 AND (x IS NOT NULL AND z > 0)
    yes     (((x IS NOT NULL)))
    yes     x NOTNULL
    yes     X IS NOT NULL
    yes     t.x IS NOT NULL
    yes     NOT x IS NULL
    yes     NOT (x IS NULL OR y > 3)
    yes     NOT NOT x IS NOT NULL
    yes     x IS DISTINCT FROM NULL
    yes     NOT (x IS NOT DISTINCT FROM NULL)
    yes     NULL IS DISTINCT FROM x
    yes     (x IS NOT NULL) = true
    yes     (x IS NULL) = false
    yes     (x IS NULL) <> true
    yes     ROW(x, y) IS NOT NULL
    yes     (x, y) IS NOT NULL
    yes     x IS NOT NULL AND x IN (1, 2)
    yes     x IS NOT NULL OR x IS NOT NULL AND y > 0
    yes     (x IS NOT NULL AND y = 1) OR (x IS NOT NULL AND y = 2)
    yes     x IS NOT NULL OR false
    yes     x IS NOT NULL AND NULL
    no      x > 0
    no      x BETWEEN 1 AND 5
    no      x IN (1, 2, 3)
    no      x = x
    no      x IS NULL
    no      y IS NOT NULL
    no      "X" IS NOT NULL
    no      x IS NOT NULL OR y IS NOT NULL
    no      x IS NOT NULL OR NULL
    no      NOT (x IS NULL AND y IS NULL)
    no      NOT (ROW(x, y) IS NULL)
    no      (x IS NOT NULL) IS TRUE
    no      (x IS NOT NULL) IS NOT FALSE
    no      (x IS NULL) IS FALSE
    no      (x IS NULL) IS NOT DISTINCT FROM false
    no      (x > 0) IS NOT UNKNOWN
    no      CASE WHEN x IS NULL THEN false ELSE true END
    no      coalesce(x, 0) > 0
    no      coalesce(x, NULL) IS NOT NULL
    no      num_nulls(x) = 0
    no      x + 0 IS NOT NULL
    no      x::bigint IS NOT NULL
    server  x::int IS NOT NULL
    server  CASE WHEN true THEN x IS NOT NULL END
    server  x IS NOT NULL OR 1 = 2
"""

JANUARY = "d date NOT NULL, n int | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')"
INTEGERS = "d int NOT NULL, n int | RANGE (d) | FROM (10) TO (20)"
TWO_COLUMNS = "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (3, 20)"
WORDS = "d varchar(10) NOT NULL | LIST (d) | IN ('a', 'b')"

BOUNDS: dict[str, str] = {
    JANUARY: """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01'::date AND d < DATE '2025-02-01'
        yes     ((d >= '2025-01-01'::date) AND (d < '2025-02-01'::date))
        yes     d >= '2025-01-01'; d < '2025-02-01'
        yes     '2025-01-01' <= d AND '2025-02-01' > d
        yes     d >= '2025-01-05' AND d < '2025-01-20' AND n > 0
        yes     d > '2025-01-01' AND d < '2025-02-01'
        yes     d BETWEEN '2025-01-01' AND '2025-01-31'
        yes     d BETWEEN SYMMETRIC '2025-01-31' AND '2025-01-01'
        yes     NOT (d < '2025-01-01' OR d >= '2025-02-01')
        yes     NOT d NOT BETWEEN '2025-01-01' AND '2025-01-31'
        yes     d >= '2025-01-01'::timestamp AND d < '2025-02-01 00:00:00'::timestamp
        yes     d >= '2025-01-01 00:00:00' AND d < '20250201'
        yes     d = '2025-01-15'
        yes     d IN ('2025-01-15', '2025-01-16')
        yes     d = ANY (ARRAY['2025-01-15'::date, '2025-01-16'])
        yes     d = ANY ('{2025-01-15,2025-01-16}')
        yes     d = '2025-01-15' OR d BETWEEN '2025-01-20' AND '2025-01-25'
        yes     n = 1 AND d >= '2025-01-01' AND d < '2025-02-01' OR n = 2 AND d >= '2025-01-01' AND d < '2025-02-01'
        yes     (d >= '2025-01-01' AND d < '2025-02-01') = true
        yes     d::date >= '2025-01-01' AND d::date < '2025-02-01'
        no      d >= '2025-01-01'
        no      d > '2024-12-31' AND d < '2025-02-01'
        no      d BETWEEN '2025-01-01' AND '2025-02-01'
        no      d >= '2025-01-01' AND d < '2025-02-02'
        no      d >= '2025-01-01'::timestamptz AND d < '2025-02-01'::timestamptz
        no      d IN ('2025-01-15', '2025-02-16')
        no      d::timestamp >= '2025-01-01' AND d::timestamp < '2025-02-01'
        no      date_trunc('month', d) = '2025-01-01'
        no      n = 1 OR d >= '2025-01-01' AND d < '2025-02-01'
        no      (d >= '2025-01-01' AND d < '2025-02-01') IS TRUE
        no      d >= '2025-01-01' AND d < '2025-02-01' OR NULL
        no      (d, n) >= ('2025-01-01', 0) AND d < '2025-02-01'
        server  d >= '2025-01-01' AND d < date '2025-01-01' + interval '1 month'
        server  d >= make_date(2025, 1, 1) AND d < make_date(2025, 2, 1)
        server  d >= 'January 1, 2025' AND d < 'February 1, 2025'
    """,
    "d date | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d IS NOT NULL AND d >= '2025-01-01' AND d < '2025-02-01'
        yes     d IS NOT NULL; d >= '2025-01-01' AND d < '2025-02-01'
        no      d >= '2025-01-01' AND d < '2025-02-01'
    """,
    "d date NOT NULL | RANGE (d) | FROM (MINVALUE) TO ('2025-02-01')": """
        yes     d < '2025-02-01'
        yes     d <= '2025-01-31'
        yes     d = '-infinity'
        no      d < '2025-02-02'
        no      d > '2020-01-01'
    """,
    "d date NOT NULL | RANGE (d) | FROM ('2025-02-01') TO (MAXVALUE)": """
        yes     d >= '2025-02-01'
        yes     d >= 'infinity'
        no      d > '2025-01-31'
    """,
    "d date NOT NULL | RANGE (d) | FROM (MINVALUE) TO (MAXVALUE)": "yes     true",
    "d date | RANGE (d) | FROM (MINVALUE) TO (MAXVALUE)": """
        yes     d IS NOT NULL
        no      d > '2020-01-01'
    """,
    "d timestamp NOT NULL | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01 00:00:00'::timestamp without time zone AND d < '2025-02-01 00:00:00'::timestamp without time zone
        yes     d >= '2025-01-01'::date AND d < '2025-02-01'::date
        yes     d >= '2025-01-01 00:00:00+02' AND d < '2025-02-01T00:00:00Z'
        yes     d BETWEEN '2025-01-01' AND '2025-01-31 23:59:59.999999'
        yes     d >= '2025-01-01 00:00' AND d < '2025-01-31 24:00'
        no      d >= '2025-01-01'::timestamptz AND d < '2025-02-01'::timestamptz
        no      d::date >= '2025-01-01' AND d::date < '2025-02-01'
    """,
    "d timestamptz NOT NULL | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01 00:00:00' AND d < '2025-02-01'::timestamp with time zone
        yes     d BETWEEN '2025-01-01' AND '2025-01-31 23:59:59.999999'
        yes     d >= '2025-01-02 00:00:00+00' AND d < '2025-01-31 00:00:00+00'
        no      d >= '2025-01-01 00:00:00+00' AND d < '2025-02-01 00:00:00+00'
        no      d >= '2025-01-01'::date AND d < '2025-02-01'::date
        no      d >= '2025-01-01'::timestamp AND d < '2025-02-01'::timestamp
        server  d >= '2025-01-01 00:00:00+01' AND d < '2025-02-01 00:00:00+01'
    """,
    "d timestamptz NOT NULL | RANGE (d) | FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')": """
        yes     d >= '2025-01-01T00:00:00Z' AND d < '2025-02-01 02:00:00+02:00'
        yes     d >= '2025-01-02' AND d < '2025-01-30'
        no      d >= '2025-01-01' AND d < '2025-02-01'
    """,
    INTEGERS: """
        yes     d >= 10 AND d < 20
        yes     d > 10 AND d <= 19
        yes     d BETWEEN 10 AND 19
        yes     d >= 10::bigint AND d < '20'
        yes     d >= (12) AND d < 20 AND d <> 15
        yes     d IN (11, 12)
        yes     d IN (11)
        yes     d = ANY ('{11,12}'::int[])
        yes     d = ANY (ARRAY[11, 12]::bigint[])
        yes     d NOT IN (1, 2) AND d >= 10 AND d < 20
        yes     d >= 10 AND (d < 15 OR d < 18)
        yes     NOT d < 10 AND NOT d >= 20
        yes     d >= 10 AND d < 20; d <> 15.5
        no      d > 9 AND d < 20
        no      d BETWEEN 10 AND 20
        no      d >= -10 AND d < 20
        no      d >= 10.0 AND d < 20.0
        no      d::bigint >= 10 AND d::bigint < 20
        no      d IN (11, NULL)
        no      d IN (11, 12, n)
        no      d IN (11, 12.0)
        no      d >= n AND d < 20
        no      d >= 10 AND (d < 15 OR n = 3)
        server  d >= 5 + 5 AND d < 20
    """,
    "d numeric NOT NULL | RANGE (d) | FROM (10) TO (20.5)": """
        yes     d >= 10.0 AND d < 20.50
        yes     d > 1e1 AND d < '20'
        yes     d IN (11, 12.5)
        no      d >= 10::float8 AND d < 20
    """,
    "d numeric(10, 2) NOT NULL | RANGE (d) | FROM (10) TO (20.5)": """
        yes     d >= 10.001 AND d < 20.5
        no      d > 9.99 AND d < 20.5
    """,
    "d float8 NOT NULL | RANGE (d) | FROM (10) TO (20.5)": "yes     d >= 10.5 AND d < 20",
    "d text NOT NULL | RANGE (d) | FROM ('b') TO ('m')": """
        yes     d >= 'b' AND d < 'm'
        yes     d > 'b'::varchar AND d < 'm'::text
        no      d >= 'b' COLLATE "POSIX" AND d < 'm' COLLATE "POSIX"
        server  d >= 'c' AND d < 'k'
    """,
    "d text NOT NULL | RANGE (d) | FROM ('2025-01') TO ('2025-04')": "yes     d IN ('2025-02', '2025-03')",
    WORDS: """
        yes     d = 'a'
        yes     d IN ('b', 'a')
        yes     d = 'a'::text OR 'b' = d
        yes     ((d)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))
        yes     (d)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])
        yes     d = ANY ('{a,b}'::text[])
        yes     NOT (d <> ALL (ARRAY['a', 'b']))
        yes     NOT (d <> 'a' AND d <> 'b')
        yes     d = $$a$$
        no      d IN ('a', 'c')
        no      d >= 'a' AND d <= 'a'
        no      lower(d) = 'a'
        no      d LIKE 'a'
        no      d IS NOT DISTINCT FROM 'a'
        no      d = 'a'::bpchar
        server  d = E'a'
    """,
    "d text | LIST (d) | IN ('a', NULL)": """
        yes     d = 'a' OR d IS NULL
        yes     d = 'a'
        yes     d IS NULL
        no      d IN ('a', 'b') OR d IS NULL
        no      d IN ('a', NULL)
    """,
    "d text | LIST (d) | IN (NULL)": """
        yes     NOT d IS NOT NULL
        no      d = 'a'
    """,
    "d char(3) NOT NULL | LIST (d) | IN ('a')": """
        yes     d = 'a  '
        no      d = 'a'::text
    """,
    "d int NOT NULL | LIST (d) | IN (1, 2, 3)": """
        yes     d IN (3, 1)
        yes     NOT d <> 1
        no      d BETWEEN 1 AND 3
        no      d IN (1, 2, 3, 4)
    """,
    "d bool NOT NULL | LIST (d) | IN (true)": """
        yes     d
        yes     d = true
        yes     d <> false
        yes     NOT NOT d
        no      d IS TRUE
        no      NOT d
    """,
    "d uuid NOT NULL | RANGE (d) | FROM ('00000000-0000-0000-0000-000000000000') TO ('80000000-0000-0000-0000-000000000000')": """
        yes     d >= '10000000-0000-0000-0000-000000000000' AND d < '7000000000000000000000000000000A'::uuid
    """,
    "d mood NOT NULL | LIST (d) | IN ('sad')": """
        yes     d = 'sad'
        yes     d = 'sad'::mood
        no      d::text = 'sad'
    """,
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (1, 20)": """
        yes     a = 1 AND b BETWEEN 12 AND 15
        yes     a IN (1) AND b >= 10 AND b < 20
        no      a >= 1 AND a <= 1 AND b >= 10 AND b < 20
    """,
    TWO_COLUMNS: """
        yes     (a > 1 OR (a = 1 AND b >= 10)) AND (a < 3 OR (a = 3 AND b < 20))
        yes     a > 1 OR a = 1 AND b >= 11; a < 3 OR a = 3 AND b < 15
        yes     a = 2
        yes     a = 1 AND b >= 10
        no      (a, b) >= (1, 10) AND (a, b) < (3, 20)
        no      a >= 1 AND b >= 10 AND a < 3
    """,
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, MINVALUE) TO (2, MINVALUE)": "yes     a >= 1 AND a < 2",
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (MINVALUE, MINVALUE) TO (5, 10)": """
        yes     a < 5 OR a = 5 AND b < 10
        no      a <= 5 AND b < 10
    """,
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (5, MAXVALUE) TO (7, MAXVALUE)": """
        yes     a > 5 AND a <= 7
        no      a >= 5 AND a <= 7
    """,
    "a int, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (1, 20)": """
        yes     a = 1 AND b >= 10 AND b < 20 AND a IS NOT NULL
        no      a = 1 AND b >= 10 AND b < 20
    """,
    "n text NOT NULL | LIST (lower(n)) | IN ('a')": """
        yes     LOWER((n)) = 'a' AND lower(n) IS NOT NULL
        no      lower(n) = 'a'
    """,
    "d text NOT NULL | RANGE (d text_pattern_ops) | FROM ('b') TO ('m')": "no      d >= 'b' AND d < 'm'",
    "n int NOT NULL | HASH (n) | WITH (MODULUS 2, REMAINDER 0)": "no      n % 2 = 0",
    f"d int NOT NULL | LIST (d) | IN ({', '.join(map(str, range(120)))})": f"""
        yes     d IN ({", ".join(map(str, range(120)))})
        no      d IN (1, 2)
    """,
}

DEFAULTS: dict[str, str] = {
    JANUARY: """
        yes     d < '2025-01-01' OR d >= '2025-02-01'
        yes     d < '2025-01-01' OR d >= '2025-02-01' OR d IS NULL
        yes     d < '2024-01-01'
        yes     NOT (d >= '2025-01-01' AND d < '2025-02-01')
        yes     d IN ('2024-12-31', '2025-02-01')
        no      d < '2025-01-02'
        no      d <> '2025-01-15'
        no      true
    """,
    WORDS: """
        yes     d NOT IN ('a', 'b')
        yes     d <> 'a' AND d <> 'b' AND d <> 'c'
        yes     d IN ('c', 'd')
        yes     d <> ALL (ARRAY['b', 'c', 'a'])
        no      d <> 'a'
        server  d > 'b'
    """,
    "d int | LIST (d) | IN (0)": """
        yes     d <> 0
        no      d NOT IN (0, 6.5)
    """,
    "d int | LIST (d) | IN (0, NULL)": """
        yes     d <> 0 AND d IS NOT NULL
        no      d <> 0
    """,
    TWO_COLUMNS: """
        yes     a < 1 OR a > 3
        yes     a = 1 AND b < 10
        no      b < 10
    """,
    "a int, b date NOT NULL | RANGE (a, b) | FROM (3, MINVALUE) TO (5, '2025-01-02')": """
        yes     a IN (1, 2) OR b IS NULL
        yes     a = 1 OR a = 6 OR b IS NULL
        no      a IN (1, 6) OR b IS NULL
    """,
}


class Case(NamedTuple):
    partitions: str
    expected: str
    checks: str
    attached: str
    """`partition`: the table with the CHECKs becomes the partition; `default`: it is the default one when that comes; `last`: it becomes the
    default one after that."""

    def __str__(self) -> str:
        return f"{self.partitions[:80]}: {self.checks[:80]}, {self.attached}"


def lines(table: str) -> list[tuple[str, str]]:
    return [(word, rest.strip()) for word, rest in (line.strip().split(maxsplit=1) for line in table.strip().splitlines())]


ALL = [
    *(Case(partitions, word, checks, "partition") for partitions, table in BOUNDS.items() for word, checks in lines(table)),
    *(
        Case(partitions, word, checks, how)
        for how in ("default", "last")
        for partitions, table in DEFAULTS.items()
        for word, checks in lines(table)
    ),
]


def expression(sql: str) -> Expression:
    return Expression(sql, Span(0, len(sql)))


def proved(case: Case) -> bool:
    columns, key, values = case.partitions.split(" | ")
    (create,), (attach,) = (
        next(iter(read(sql))).operations
        for sql in (f"CREATE TABLE parent ({columns}) PARTITION BY {key}", f"ALTER TABLE parent ATTACH PARTITION child FOR VALUES {values}")
    )
    assert isinstance(create, CreateTable)
    assert isinstance(attach, AttachPartition)
    assert attach.bound is not None
    assert create.partition_by is not None
    types = {column.name: column.type for column in create.columns}
    not_null = {column.name for column in create.columns if column.not_null}.__contains__
    checks = [expression(sql) for sql in case.checks.split("; ")]
    if case.attached == "default":
        return proves_default_excludes(checks, not_null, create.partition_by, attach.bound, types=types.get)
    last = case.attached == "last"
    bound, siblings = (Bound("default"), [attach.bound]) if last else (attach.bound, [])
    return proves_bound(checks, not_null, create.partition_by, bound, types=types.get, siblings=siblings)


@pytest.mark.parametrize(("expected", "check"), lines(NOT_NULL))
def test_a_check_proves_not_null(expected: str, check: str) -> None:
    assert proves_not_null(expression(check), "x") == (expected == "yes")


def test_a_composite_column_is_never_proved() -> None:
    assert not proves_not_null(expression("x IS NOT NULL"), "x", composite=True)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_checks_prove_a_partition_s_constraint(case: Case) -> None:
    assert proved(case) == (case.expected == "yes")


def test_under_utc_an_offset_can_be_left_out() -> None:
    (create,), (attach,) = (
        next(iter(read(sql))).operations
        for sql in (
            "CREATE TABLE p (d timestamptz NOT NULL) PARTITION BY RANGE (d)",
            "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM ('2025-01-01') TO (MAXVALUE)",
        )
    )
    assert isinstance(create, CreateTable)
    assert isinstance(attach, AttachPartition)
    assert attach.bound is not None
    assert create.partition_by is not None
    checks = [expression("d >= '2025-01-01 00:00:00+00'")]
    answers = [
        proves_bound(checks, lambda _: True, create.partition_by, attach.bound, types=lambda _: create.columns[0].type, utc=utc)
        for utc in (False, True)
    ]
    assert answers == [False, True]


@pytest.mark.parametrize("check", ["x ~~~ (", "EXISTS (SELECT 1)", "", "((((", "x IS NOT NULL IS NOT NULL", "NOT " * 500 + "x IS NOT NULL"])
def test_what_cannot_be_read_proves_nothing(check: str) -> None:
    assert not proves_not_null(expression(check), "x")


# On servers


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as found:
        found.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b int); SET TimeZone = 'Europe/Berlin'")
        yield found


def messages(connection: Connection, sql: str) -> list[str]:
    """What the server says about its work while it runs a statement."""
    found: list[str] = []
    connection.execute("SET client_min_messages = debug1")
    connection.add_notice_handler(hear := lambda notice: found.append(notice.message_primary or ""))
    try:
        connection.execute(sql.encode())
    finally:
        connection.remove_notice_handler(hear)
    return found


def seen(connection: Connection, case: Case) -> bool:
    """Whether the server proves it, and does not read the table."""
    columns, key, values = case.partitions.split(" | ")
    with connection.transaction(force_rollback=True):
        connection.execute(
            f"CREATE TABLE parent ({columns}) PARTITION BY {key}; CREATE TABLE child (LIKE parent); CREATE TABLE other (LIKE parent)".encode()
        )
        for check in case.checks.split("; "):
            connection.execute(f"ALTER TABLE child ADD CHECK ({check})".encode())
        attach = {
            "partition": ["child FOR VALUES " + values],
            "default": ["child DEFAULT", "other FOR VALUES " + values],
            "last": ["other FOR VALUES " + values, "child DEFAULT"],
        }[case.attached]
        heard = [messages(connection, f"ALTER TABLE parent ATTACH PARTITION {one}") for one in attach][-1]
    said = any('"child" is implied by existing constraints' in message for message in heard)
    assert said != any('verifying table "child"' in message for message in heard) or "HASH" in key
    return said


def test_servers_prove_what_is_said_here(connection: Connection) -> None:
    assert [str(case) for case in ALL if seen(connection, case) != (case.expected != "no")] == []


def test_servers_prove_not_null_from_a_check(connection: Connection) -> None:
    wrong = []
    for expected, check in lines(NOT_NULL):
        with connection.transaction(force_rollback=True):
            connection.execute('CREATE TABLE t (x int, y int, z int, "X" int)')
            connection.execute(f"ALTER TABLE t ADD CHECK ({check})".encode())
            heard = messages(connection, "ALTER TABLE t ALTER x SET NOT NULL")
        if any("sufficient to prove" in message for message in heard) != (expected != "no"):
            wrong.append(check)
    assert wrong == []


def test_servers_do_not_prove_it_of_a_composite_column(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE t (x pair CHECK (x IS NOT NULL))")
        assert messages(connection, "ALTER TABLE t ALTER x SET NOT NULL") == ['verifying table "t"']


class Conditions:
    """Random conditions of the kinds that the proofs know, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.types = {column: self.one("int", "int", "date", "timestamptz", "text", "bool", "numeric") for column in "ab"}

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def constant(self, column: str) -> str:
        n = self.random.randint(0, 6)
        match self.types[column]:
            case "int":
                return self.one(f"{n}", f"{n}", f"'{n}'", f"{n}::bigint", f"-{n}", f"{n}.5")
            case "date" | "timestamptz":
                day = f"2025-01-0{n + 1}"
                return self.one(f"'{day}'", f"'{day}'::date", f"'{day} 10:00'::timestamp", f"'{day}'::timestamptz", f"'{day} 00:00:00+01'")
            case "text":
                return self.one(f"'k{n}'", f"'k{n}'::text", f"'k{n}'::varchar")
            case "bool":
                return self.one("true", "false", "'t'")
        return self.one(f"{n}", f"{n}.50", f"'{n}'", f"{n}::int")

    def comparison(self) -> str:
        column = self.one(*"ab")
        constants = [self.constant(column) for _ in range(self.random.randint(1, 3))]
        return self.one(
            f"{column} IS NULL",
            f"{column} IS NOT NULL",
            f"{column} IN ({', '.join(constants)})",
            f"{column} NOT IN ({', '.join(constants)})",
            f"{column} = ANY (ARRAY[{', '.join(constants)}])",
            f"{column} BETWEEN {constants[0]} AND {constants[-1]}",
            *[f"{column} {self.one('<', '<=', '=', '>=', '>', '<>')} {constants[0]}"] * 6,
        )

    def condition(self, depth: int) -> str:
        if not depth or self.random.random() < 0.3:
            return self.comparison()
        one, other = self.condition(depth - 1), self.condition(depth - 1)
        return self.one(f"({one}) AND ({other})", f"({one}) AND ({other})", f"({one}) OR ({other})", f"NOT ({one})", f"({one}) <> false")

    def value(self, column: str, n: int) -> str:
        by_type = {"date": f"'2025-01-0{n + 1}'", "timestamptz": f"'2025-01-0{n + 1}'", "text": f"'k{n}'", "bool": ("false", "true")[n % 2]}
        return by_type.get(self.types[column], f"{n}")

    def case(self) -> Case:
        columns = ", ".join(f"{column} {self.types[column]}{self.one('', ' NOT NULL')}" for column in "ab")
        first, last = self.random.randint(0, 3), self.random.randint(4, 6)
        if self.types["a"] == "bool" or self.random.random() < 0.5:
            listed = {self.value("a", self.random.randint(0, 6)) for _ in range(2)} | {self.one("NULL", self.value("a", first))}
            key, values = "LIST (a)", f"IN ({', '.join(sorted(listed))})"
        else:
            key, values = "RANGE (a)", f"FROM ({self.value('a', first)}) TO ({self.value('a', last)})"
        checks = "; ".join(self.condition(3) for _ in range(2))
        return Case(f"{columns} | {key} | {values}", "", checks, self.one("partition", "default", "last"))


def test_no_proof_is_claimed_that_servers_do_not_find(connection: Connection) -> None:
    """Random conditions, the same in every run."""
    claimed, wrong, missed = 0, [], 0
    for seed in range(400):
        case = Conditions(seed).case()
        try:
            found = seen(connection, case)
        except psycopg.Error:
            continue  # the types do not go together
        claimed += proved(case)
        if proved(case) and not found:
            wrong.append(str(case))
        missed += found and not proved(case)
    assert wrong == []
    assert claimed > 20
    assert missed < claimed / 4
