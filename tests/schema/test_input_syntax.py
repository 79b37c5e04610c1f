"""What the input functions of types refuse, compared with servers: no refusal that is predicted may be wrong."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from migsafe.replaying.servers.server import Server
from migsafe.schema.input_syntax import refused_input
from tests.support.servers import oldest_and_newest

TIMES = [
    "25:00",
    "24:00",
    "24:00:01",
    "12:60",
    "23:59:60",
    "23:59:61",
    "1:02",
    "allballs",
    "12:00 PM",
    "1200",
    " 12:99 ",
    "12:34:56.789",
    "99:99",
]
ADDRESSES = [
    "10.0.0.300",
    "10.0.0.1/33",
    "10.0.0.1",
    "::1",
    "localhost",
    "10.0.0.1/24",
    "fe80::1",
    "1234.1.1.1",
    "::ffff:1.2.3.4",
    "10.0.0.0001",
]
NETWORKS = ["10.0.0.1/24", "10.0.0.0/24", "10", "10.0/8", "192.168.1.5", "10.0.0.0/33", "10.128/9", "0.0.0.0/0", "1.0.0.0/0", "10.0.0.256/24"]
INTERVALS = (
    "3 dys,3 days,1 fortnight,5 minutes ago,P1Y,1 day 2:03,infinity,1 millenium,2 millenniums,1 microseconds,1 milliseconds,1 y 2 m,"
    "@ 1 minute,1-2,1,one day,1 sec,1 secs,1 dayz,2h,2hx,30d,-1 day,1:00:00,1 decade,1 century,1 quarter,today"
).split(",")
VALUES = {
    "time without time zone": TIMES,
    "time with time zone": TIMES,
    "interval": [*INTERVALS, "", "1 day, 2 hours"],
    "inet": [*ADDRESSES, ""],
    "cidr": [*NETWORKS, ""],
    "macaddr": ["08:00:2b:01:02", "08:00:2b:01:02:03", "08-00-2b-01-02-03", "08002b010203", "zz", "8:0:2b:1:2:3", "0800.2b01.0203", ""],
    "bytea": ["\\xZZ", "\\x0", "\\x00", "\\x0 0", "\\x00 11", "abc", "\\x"],
    "bit varying": ["102", "101", "b101", "x1f", "xg", "X1F", "B12", ""],
    "int4range": ["[5,1]", "[1,5]", "5,6", "empty", "(1,1)", "[,5]", "[-3,-5]", "[+1,2]", " [1,2] ", ""],
    "int8range": ["[5,1]", "[1,5]"],
    "numrange": ["5", "[1,2]", "Empty"],
    "daterange": ["2020-01-01", "[2020-01-01,)"],
}
CERTAIN = {
    "time without time zone": "12:60",
    "interval": "3 dys",
    "inet": "10.0.0.300",
    "cidr": "10.0.0.1/24",
    "macaddr": "zz",
    "bytea": "\\xZZ",
    "bit varying": "102",
    "int4range": "[5,1]",
    "numrange": "5",
}


@pytest.fixture(scope="module", params=oldest_and_newest())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as connection:
        yield connection


@pytest.mark.server
def test_each_predicted_refusal_is_the_error_of_the_server(connection: Connection) -> None:
    wrong = []
    for data_type, values in VALUES.items():
        for value in values:
            predicted = refused_input(data_type, value)
            if predicted is not None and predicted != _error(connection, data_type, value):
                wrong.append((data_type, value, predicted))
    assert wrong == []


def _error(connection: Connection, data_type: str, value: str) -> str | None:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"SELECT CAST(%s::text AS {data_type})", (value,))
    except psycopg.Error as error:
        return error.diag.message_primary
    return None


@pytest.mark.parametrize(("data_type", "value"), CERTAIN.items())
def test_what_is_certainly_refused_is_predicted(data_type: str, value: str) -> None:
    assert refused_input(data_type, value) is not None
