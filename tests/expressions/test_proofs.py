"""What CHECKs prove: the expectations of proof_cases.py, without a server and on each PostgreSQL that is installed."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from psycopg import Connection

from migsafe.expressions import proves_bound, proves_default_excludes, proves_not_null
from migsafe.replaying.servers.server import Server
from migsafe.sql.operations import AttachPartition, Bound, CreateTable, Expression
from migsafe.sql.statements import read
from migsafe.text import Span
from tests.expressions.proof_cases import BOUNDS, DEFAULTS, NOT_NULL
from tests.support.servers import each_installation


class Case(NamedTuple):
    partitions: str
    expected: str
    checks: str
    attached: str
    """`partition`: the table with the CHECKs becomes the partition. `default`: it is the default partition when the other one is attached.
    `last`: it becomes the default partition after the other one."""

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
    return Expression(sql=sql, span=Span(0, len(sql)))


def is_proved(case: Case) -> bool:
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
    assert is_proved(case) == (case.expected == "yes")


def test_a_constant_needs_no_offset_under_utc() -> None:
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


UNREADABLE = {
    "nonsense": "x ~~~ (",
    "query": "EXISTS (SELECT 1)",
    "nothing": "",
    "parentheses": "((((",
    "twice": "x IS NOT NULL IS NOT NULL",
    "many NOTs": "NOT " * 501 + "x IS NOT NULL",
    "many casts": "x" + "::int" * 2000 + " IS NOT NULL",
    "many ORs": " OR ".join(["x IS NOT NULL"] * 2000) + " OR y > 0",
}


@pytest.mark.parametrize("check", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_check_proves_nothing(check: str) -> None:
    assert not proves_not_null(expression(check), "x")


# On servers


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b int); CREATE DOMAIN whole AS int")
        connection.execute("SET TimeZone = 'Europe/Berlin'")
        yield connection


def messages(connection: Connection, sql: str) -> list[str]:
    """Return the messages of the server about its work on a statement."""
    received: list[str] = []
    connection.execute("SET client_min_messages = debug1")
    connection.add_notice_handler(handler := lambda notice: received.append(notice.message_primary or ""))
    try:
        connection.execute(sql.encode())
    finally:
        connection.remove_notice_handler(handler)
    return received


def is_proved_by_server(connection: Connection, case: Case) -> bool:
    """Whether the server proves the constraint and does not scan the table."""
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
        received = [messages(connection, f"ALTER TABLE parent ATTACH PARTITION {partition}") for partition in attach][-1]
    is_proved = any('"child" is implied by existing constraints' in message for message in received)
    assert is_proved != any('verifying table "child"' in message for message in received) or "HASH" in key
    return is_proved


@pytest.mark.server
def test_servers_prove_what_the_cases_expect(connection: Connection) -> None:
    assert [str(case) for case in ALL if is_proved_by_server(connection, case) != (case.expected != "no")] == []


@pytest.mark.server
def test_servers_prove_not_null_from_a_check(connection: Connection) -> None:
    wrong = []
    for expected, check in lines(NOT_NULL):
        with connection.transaction(force_rollback=True):
            connection.execute('CREATE TABLE t (x int, y int, z int, "X" int)')
            connection.execute(f"ALTER TABLE t ADD CHECK ({check})".encode())
            received = messages(connection, "ALTER TABLE t ALTER x SET NOT NULL")
        if any("sufficient to prove" in message for message in received) != (expected != "no"):
            wrong.append(check)
    assert wrong == []


@pytest.mark.server
def test_servers_do_not_prove_it_of_a_composite_column(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE t (x pair CHECK (x IS NOT NULL))")
        assert messages(connection, "ALTER TABLE t ALTER x SET NOT NULL") == ['verifying table "t"']
