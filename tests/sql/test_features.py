"""The features of releases: each case of features.sql is read as a use of its feature, and PostgreSQL accepts it from its release on."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from migsafe.replaying.servers.server import Server
from migsafe.sql import features
from migsafe.sql.features import Feature
from migsafe.sql.keywords import RECENT_COLUMN_NAME
from migsafe.sql.operations import FeatureUse
from migsafe.sql.statements import read
from tests.support.servers import each_installation

CASES = [case.split("\n", 1) for case in (Path(__file__).parent / "features.sql").read_text().strip().split("\n\n")]
HEAD = re.compile(r"-- (\d+): (.*?)(?= -- |$)")
SETUP = """
CREATE ROLE reader; CREATE ROLE writer; CREATE ROLE owner; GRANT owner TO reader;
CREATE TABLE item (id int PRIMARY KEY, note text);
CREATE TABLE other (id int, qty int, parent int CONSTRAINT other_parent_fkey REFERENCES item);
CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE computed (id int, double int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE parts (a int) PARTITION BY RANGE (a);
CREATE SEQUENCE item_seq;
CREATE DOMAIN label AS text;
CREATE VIEW notes AS SELECT note FROM item;
CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
CREATE OPERATOR === (FUNCTION = same, LEFTARG = int, RIGHTARG = int);
CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing;
CREATE SUBSCRIPTION s CONNECTION 'dbname=model' PUBLICATION p WITH (connect = false);
"""
SETUP_18 = """
CREATE TABLE named (note text, CONSTRAINT named_note NOT NULL note);
CREATE TABLE spans (id int4range, span int4range, PRIMARY KEY (id, span WITHOUT OVERLAPS));
"""
SETUP_19 = """
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
"""
NOT_PREPARED = (
    *("does not support subscription connections", "not allowed for disabled subscriptions", "recovery is not in progress"),
    *('relation "shop" does not exist', "function postgres_fdw_connection(oid, oid, internal) does not exist"),
)
"""Errors of statements that PostgreSQL knows, on a server that lacks what they need."""
WITHOUT_CASE = {"a subscription", "CREATE DATABASE", "CREATE COLLATION"}
"""Kinds of objects of which not every option has a case, because it needs a publisher a cluster of a certain kind, or ICU."""


def found(sql: str) -> list[Feature]:
    return [operation.feature for statement in read(sql) for operation in statement.operations if isinstance(operation, FeatureUse)]


def uses(sql: str) -> set[tuple[int, str]]:
    return {(feature.release, feature.text) for feature in found(sql)}


def stated(head: str) -> set[tuple[int, str]]:
    return {(int(release), text) for release, text in HEAD.findall(head)}


@pytest.mark.parametrize(("head", "sql"), CASES, ids=[f"{sql[:60]}" for _, sql in CASES])
def test_a_use_is_read(head: str, sql: str) -> None:
    read_uses = uses(sql)
    assert stated(head) <= read_uses
    assert max(release for release, _ in read_uses) == max(release for release, _ in stated(head))


def test_every_feature_has_a_case() -> None:
    known = {value.text for value in vars(features).values() if isinstance(value, Feature)}
    known |= {feature.text for feature in features.JSON_FUNCTIONS.values()}
    for kind, options in features._OPTIONS.items():
        if kind not in WITHOUT_CASE:
            known |= {f"the option {option} of {kind}" for option, release in options.items() if release < 19}
    assert known - {text for head, _ in CASES for _, text in stated(head)} == {features.NUMBER_FORMATS.text}


@pytest.fixture(scope="module", params=each_installation())
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with Server(request.param) as server:
        server.create_database("model")
        with server.connect("model") as connection:
            connection.execute(SETUP.encode().split(b"CREATE SUBSCRIPTION")[0])
            connection.execute(b"CREATE SUBSCRIPTION" + SETUP.encode().split(b"CREATE SUBSCRIPTION")[1])
            if server.major >= 18:
                connection.execute(SETUP_18.encode())
            if server.major >= 19:
                connection.execute(SETUP_19.encode())
        yield server


@pytest.mark.server
def test_postgresql_accepts_a_feature_from_its_release_on(server: Server) -> None:
    wrong = []
    for head, sql in CASES:
        release = max(stated(head))[0]
        refused = refusal(server, sql)
        known = refused is None or any(error in refused for error in NOT_PREPARED)
        if known != (server.major >= release):
            wrong.append(f"{head}: {sql}: {refused}")
    assert "\n".join(wrong) == ""


@pytest.mark.server
def test_syntax_is_refused_in_a_branch_of_a_block_that_never_runs(server: Server) -> None:
    refused = [sql for _, sql in CASES if any(feature.is_syntax and feature.release > server.major for feature in found(sql))]
    assert [sql for sql in refused if refusal(server, f"DO $do$BEGIN IF false THEN {sql}; END IF; END$do$") is None] == []


@pytest.mark.server
def test_functions_settings_and_roles_exist_from_their_release_on(server: Server) -> None:
    for query, releases in (
        ("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace", features._FUNCTION_RELEASES),
        ("SELECT name FROM pg_settings", features._SETTING_RELEASES),
        ("SELECT rolname FROM pg_roles", features.PREDEFINED_ROLES),
    ):
        with server.connect("model") as connection:
            existing = {row[0] for row in connection.execute(query.encode())}
        assert {name for name in releases if name in existing} == {name for name, release in releases.items() if server.major >= release}


REMOVED_NAMES = [
    ("CREATE FUNCTION f() RETURNS TABLE (json text) LANGUAGE sql RETURN '1'", ["json"]),
    ("CREATE FUNCTION f(json json, qty int) RETURNS int LANGUAGE sql RETURN 1", ["json"]),
    ("CREATE FUNCTION f(IN json_object text) RETURNS int LANGUAGE sql RETURN 1", ["json_object"]),
    ("CREATE FUNCTION json_value(json) RETURNS int LANGUAGE sql RETURN 1", ["json_value"]),
    ("CREATE FUNCTION f(json, text) RETURNS json LANGUAGE sql RETURN $1", []),
    ('CREATE FUNCTION f("json" json) RETURNS int LANGUAGE sql RETURN 1', []),
    ("CREATE TABLE json (json json, json_object int)", []),
]


@pytest.mark.parametrize(("sql", "words"), REMOVED_NAMES)
def test_names_before_they_were_key_words_are_read(sql: str, words: list[str]) -> None:
    assert found(sql) == [features.NAMES_BEFORE_KEY_WORDS[word] for word in words]


@pytest.mark.server
def test_names_are_valid_before_they_are_key_words(server: Server) -> None:
    for sql, words in REMOVED_NAMES:
        refused = any(server.major >= features.NAMES_BEFORE_KEY_WORDS[word].release for word in words)
        assert (refusal(server, sql) is not None) == refused, sql


@pytest.mark.server
def test_recent_key_words_are_those_of_the_server(server: Server) -> None:
    with server.connect("model") as connection:
        words = {word for (word,) in connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode = 'C'")}
    assert {word for word, release in RECENT_COLUMN_NAME.items() if server.major >= release} == words & RECENT_COLUMN_NAME.keys()


@pytest.mark.server
def test_numbers_in_other_formats(server: Server) -> None:
    accepted = refusal(server, "SELECT 0x1F") is None
    assert accepted == (server.major >= features.NUMBER_FORMATS.release or server.major < features.NUMBER_FORMATS.refused_from)
    assert uses("SELECT 0x1F") == {(16, features.NUMBER_FORMATS.text)}


def refusal(server: Server, sql: str) -> str | None:
    """The error with which PostgreSQL refuses a statement; None if it accepts it."""
    with server.connect("model") as connection:
        try:
            connection.execute(b"BEGIN")
            try:
                if sql.startswith("COPY") and "STDOUT" in sql:
                    with connection.cursor().copy(sql.encode()) as copy:
                        list(copy)
                else:
                    connection.execute(sql.encode())
                connection.execute(b"ROLLBACK")
            except psycopg.errors.ActiveSqlTransaction:
                connection.execute(b"ROLLBACK")
                connection.execute(sql.encode())
        except psycopg.Error as error:
            return str(error).partition("\n")[0]
    return None
