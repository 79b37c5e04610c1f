"""What column-takes-others-along says is to be created again: a server accepts it, and the index is the same without the column."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from tests.support.linted import judge_sql
from tests.support.servers import newest

HISTORY = "CREATE TABLE trips (id bigint PRIMARY KEY, train bigint, day date, note text, seats integer);\n"


@pytest.fixture(scope="module", params=newest())
def connection(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with Server(request.param) as server, server.connect() as connection:
        connection.autocommit = True
        yield connection


def steps(index: str, column: str) -> str:
    findings = judge_sql(f"{HISTORY}{index}\n-- next migration\nALTER TABLE trips DROP COLUMN {column};").findings
    (found,) = [each for each in findings if each.rule == "column-takes-others-along"]
    return found.help.partition("-- first create what you still need:\n")[2]


@pytest.mark.parametrize(
    ("index", "column", "remains"),
    [
        ("CREATE INDEX i ON trips (train, day DESC, note);", "note", "INDEX trips_train_day_idx ON public.trips USING btree (train, day DESC)"),
        (
            "CREATE INDEX i ON trips (train, id DESC) INCLUDE (note, seats);",
            "note",
            "INDEX trips_train_id_seats_idx ON public.trips USING btree (train, id DESC) INCLUDE (seats)",
        ),
        (
            "CREATE UNIQUE INDEX i ON trips (train, day) INCLUDE (note) NULLS NOT DISTINCT;",
            "note",
            "UNIQUE INDEX trips_train_day_idx ON public.trips USING btree (train, day) NULLS NOT DISTINCT",
        ),
        (
            'CREATE INDEX i ON trips (note COLLATE "C" text_pattern_ops, (lower(note)), day NULLS FIRST, train) WHERE seats > 0;',
            "train",
            'INDEX trips_note_lower_day_idx ON public.trips USING btree (note COLLATE "C" text_pattern_ops, lower(note), day NULLS FIRST) '
            "WHERE (seats > 0)",
        ),
        ("CREATE INDEX i ON trips USING brin (id, seats);", "seats", "INDEX trips_id_idx ON public.trips USING brin (id)"),
    ],
)
def test_the_index_is_the_same_without_the_column(connection: psycopg.Connection[Any], index: str, column: str, remains: str) -> None:
    connection.execute(f"DROP TABLE IF EXISTS trips; {HISTORY}{index}")
    connection.execute(steps(index, column))
    connection.execute(f"ALTER TABLE trips DROP COLUMN {column}")
    kept = connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'trips' AND indexname <> 'trips_pkey'").fetchall()
    assert kept == [(f"CREATE {remains}",)]


@pytest.mark.parametrize(
    ("index", "column", "step"),
    [
        # UNIQUE on the train alone would refuse a second day of the same train.
        (
            "CREATE UNIQUE INDEX i ON trips (train, day);",
            "day",
            "-- replace index public.i, if duplicates must still be refused: UNIQUE on its other columns alone refuses more",
        ),
        ("CREATE INDEX i ON trips (day) WHERE note IS NULL;", "note", "-- replace index public.i, if it is still needed"),
        ("CREATE INDEX i ON trips (day, (lower(note)));", "note", "-- replace index public.i, if it is still needed"),
    ],
)
def test_another_index_is_the_authors_decision(index: str, column: str, step: str) -> None:
    assert steps(index, column) == step
