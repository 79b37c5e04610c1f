"""What CHECKs prove: as said in proof_cases.py, found without a server, and seen on every PostgreSQL that is found."""

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
    return Expression(sql=sql, span=Span(0, len(sql)))


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
def test_what_cannot_be_read_proves_nothing(check: str) -> None:
    assert not proves_not_null(expression(check), "x")


# On servers


@pytest.fixture(scope="module", params=each_installation())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as found:
        found.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b int); CREATE DOMAIN whole AS int")
        found.execute("SET TimeZone = 'Europe/Berlin'")
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
