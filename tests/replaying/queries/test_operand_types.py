"""What the linter says of the types of operands, as a server says it."""

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from tests.rules.queries.test_values_and_types import NO_LONGER, RETYPED, STILL, TYPED


@pytest.mark.server
def test_the_answers_about_types_are_those_of_a_server(any_server: Server) -> None:
    any_server.create_database("types")
    with any_server.connect("types") as connection:
        connection.execute(f"{TYPED} {RETYPED}".encode())
        for query, message in NO_LONGER:
            with pytest.raises(psycopg.Error) as error:
                connection.execute(f"PREPARE broken AS {query}".encode())
            assert str(error.value).splitlines()[0] == message
        for number, query in enumerate(STILL):
            connection.execute(f"PREPARE still{number} AS {query}".encode())
    any_server.drop_database("types")
