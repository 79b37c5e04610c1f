"""PostgreSQL does what is predicted for ALTER COLUMN TYPE."""

import re
from collections.abc import Iterator

import pytest
from psycopg import Connection

from migsafe.prediction.effects.type_changes import change_of_type, is_utc
from migsafe.replaying.servers.server import Server
from migsafe.schema.casts import BUILT_IN, RANGES, Cast, cast
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateIndex
from migsafe.sql.statements import read
from tests.prediction.effects.test_type_changes import ALL, SETUP, USER_TYPES, predicted, summary
from tests.support.servers import FOUND, oldest_and_newest

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=oldest_and_newest())
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with Server(request.param) as server, server.connect() as found:
        found.execute(SETUP)
        yield found


def version(connection: Connection) -> int:
    return int(connection.info.server_version) // 10000


MEASURE = """
    CREATE OR REPLACE FUNCTION pg_temp.measured(old text, change text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        heap oid; tree oid;
    BEGIN
        EXECUTE format('CREATE TABLE t (c %s, d text)', old);
        BEGIN
            CREATE INDEX i ON t (c);
        EXCEPTION WHEN undefined_object THEN NULL;  -- json and its like have no order
        END;
        heap := pg_relation_filenode('t'); tree := pg_relation_filenode(to_regclass('i'));
        EXECUTE 'ALTER TABLE t ALTER COLUMN c TYPE ' || change;
        RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = CASE
            WHEN heap <> pg_relation_filenode('t') THEN 'rewrite'
            WHEN tree <> pg_relation_filenode(to_regclass('i')) THEN 'index'
            WHEN tree IS NULL THEN 'kept' ELSE 'free' END;
    EXCEPTION
        WHEN SQLSTATE 'ZZ001' THEN RETURN SQLERRM;
        WHEN undefined_object THEN RETURN CASE WHEN SQLERRM LIKE '%operator class%' THEN 'kept' ELSE SQLERRM END;
        WHEN OTHERS THEN RETURN SQLERRM;
    END $$
"""


def differences(connection: Connection, tried: list[tuple[str, str, str]], timezone: str) -> list[str]:
    """Returns where a server differs from the prediction. If the column can have no index, only the rewrite is compared."""
    connection.execute(MEASURE)
    connection.execute("SELECT set_config('TimeZone', %s, false)", (timezone,))
    olds = [old for old, _, _ in tried]
    alters = [new + (f" USING {using}" if using else "") for _, new, using in tried]
    query = "SELECT pg_temp.measured(old, change) FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS x (old, change, n) ORDER BY n"
    found = []
    for (old, new, using), (seen,) in zip(tried, connection.execute(query, (olds, alters)).fetchall(), strict=True):
        change = predicted(old, new, using, timezone, version(connection))
        said = change.refused or summary(change)
        if said != seen and not (seen == "kept" and said in ("free", "index", "rewrite")):
            found.append(f"{old} to {new} {using}: predicted {said}, seen {seen}")
    return found


def test_servers_do_what_the_table_says(connection: Connection) -> None:
    for timezone in ("Europe/Berlin", "UTC"):
        assert differences(connection, [(one.old, one.new, one.using) for one in ALL if one.timezone == timezone], timezone) == []


MATRIX = """
    int2;int4;int8;numeric;numeric(10,2);float8;text;varchar(10);varchar(20);char(5);bpchar;name;"char";bytea;bool;date;time(3);timestamp;timestamp(3);
    timestamptz;interval(3);uuid;jsonb;inet;cidr;varbit(5);oid;regclass;int4range;int4[];varchar(10)[];mood;positive;short;feeling
"""


def test_servers_agree_on_every_pair(connection: Connection) -> None:
    types = [name.strip() for name in MATRIX.split(";")]
    every = [(old, new, using) for old in types for new in types for using in ("", f"c::{new}")]
    # Half of them on the newest server, the others on the oldest: the versions hardly differ.
    half = int(version(connection) == FOUND[-1].major)
    assert differences(connection, every[half::2], "Europe/Berlin") == []


def test_the_table_of_casts_is_that_of_the_server(connection: Connection) -> None:
    rows = connection.execute(
        """SELECT format_type(castsource, NULL), format_type(casttarget, NULL), castcontext::text, castmethod::text
           FROM pg_cast WHERE castsource <> casttarget AND oid < 16384"""
    ).fetchall()
    listed = {(source.strip('"'), target.strip('"')): (context, method) for source, target, context, method in rows}
    known = (BUILT_IN | RANGES) - {"pg_node_tree"}
    wrong = []
    for (source, target), (context, method) in listed.items():
        if not {source, target} <= known:
            continue
        found = cast(source, target, explicit=True, pg_version=version(connection))
        if (found is Cast.RELABELLED) != (method == "b") or found is None:
            wrong.append(f"{source} to {target} is {method} on the server")
        if (cast(source, target, explicit=False, pg_version=version(connection)) is None) != (context == "e"):
            wrong.append(f"{source} to {target} is {context} on the server")
    assert wrong == []
    relabelled = {
        (one, two) for one in known for two in known if one != two and cast(one, two, explicit=True, pg_version=17) is Cast.RELABELLED
    }
    assert relabelled <= listed.keys()


def test_the_utc_zones_are_those_of_the_server(connection: Connection) -> None:
    names = [name for (name,) in connection.execute("SELECT name FROM pg_timezone_names").fetchall() if name != "localtime"]
    names += ["utc", "Etc/utc", "UTC0", "0", "+00", "<+00>-00", "XYZ0", "00:00", "UTC+0", "1", "UTC1", "<UTC>-1", "UTC0:30"]
    connection.execute("DROP TABLE IF EXISTS clock; CREATE TABLE clock (c timestamp)")
    wrong = []
    for name in names:
        with connection.transaction(force_rollback=True):
            connection.execute("SELECT set_config('TimeZone', %s, true)", (name,))
            before = connection.execute("SELECT pg_relation_filenode('clock')").fetchone()
            connection.execute("ALTER TABLE clock ALTER COLUMN c TYPE timestamptz")
            after = connection.execute("SELECT pg_relation_filenode('clock')").fetchone()
            if (before == after) != is_utc(name):
                wrong.append(name)
    assert wrong == []


INDEXES = """
    CREATE INDEX i ON t (c)                              varchar(10)          text                     kept
    CREATE INDEX i ON t (d, c)                           varchar(10)          text                     kept
    CREATE INDEX i ON t (c text_pattern_ops)             varchar(10)          text                     kept
    CREATE INDEX i ON t (c)                              varchar(10)          text COLLATE "C"         built
    CREATE INDEX i ON t (c COLLATE "C")                  varchar(10)          text COLLATE "POSIX"     kept
    CREATE INDEX i ON t (c COLLATE "default")            varchar(10)          text COLLATE "C"         built
    CREATE INDEX i ON t (c COLLATE "C")                  text COLLATE "C"     text                     built
    CREATE INDEX i ON t (c)                              text COLLATE "C"     varchar                  built
    CREATE INDEX i ON t (c)                              text COLLATE "C"     varchar COLLATE "C"      kept
    CREATE INDEX i ON t USING hash (c)                   varchar(10)          text                     kept
    CREATE INDEX i ON t USING brin (c)                   varchar(10)          text                     kept
    CREATE INDEX i ON t (lower(c))                       varchar(10)          text                     built
    CREATE INDEX i ON t (c)                              bit(3)               varbit                   built
    CREATE INDEX i ON t (c)                              integer              oid                      built
    CREATE INDEX i ON t USING hash (c)                   integer              oid                      built
    CREATE INDEX i ON t (c)                              whole                integer                  kept
    CREATE INDEX i ON t USING gist (c inet_ops)          cidr                 inet                     kept
"""


def test_an_index_is_kept_or_rebuilt(connection: Connection) -> None:
    wrong = []
    for index, old, new, happens in (re.split(r"\s{2,}", line.strip()) for line in INDEXES.strip().splitlines()):
        (column,), (made,), (op,) = (
            next(iter(read(sql))).operations for sql in (f"ALTER TABLE t ADD COLUMN c {old}", index, f"ALTER TABLE t ALTER COLUMN c TYPE {new}")
        )
        assert isinstance(column, AddColumn)
        assert isinstance(made, CreateIndex)
        assert isinstance(op, AlterColumnType)
        assert column.column.type is not None
        change = change_of_type(
            *(column.column.type, op.type),
            column="c",
            user_types=lambda found: USER_TYPES.get(found.name),
            pg_version=version(connection),
            old_collation=column.column.collation,
            new_collation=op.collation,
        )
        said = "built" if change.rebuilds(made.elements[-1], column.column.collation) else "kept"
        with connection.transaction(force_rollback=True):
            connection.execute(f"CREATE TABLE t (c {old}, d int)")
            connection.execute(index)
            before = connection.execute("SELECT pg_relation_filenode('i')").fetchone()
            connection.execute(f"ALTER TABLE t ALTER COLUMN c TYPE {new}")
            seen = "kept" if connection.execute("SELECT pg_relation_filenode('i')").fetchone() == before else "built"
        if not said == seen == happens:
            wrong.append(f"{index}, {old} to {new}: {happens} is expected, {said} predicted, {seen} seen")
    assert wrong == []


RECHECKED = [
    *(("varchar(10)", "varchar(20)"), ("varchar(10)", "text"), ("text", "varchar(10)"), ("integer", "bigint"), ("oid", "regclass")),
    *(("text", "bpchar"), ("numeric(10,2)", "numeric(12,2)"), ("integer", "whole"), ("integer", "positive"), ("bit(3)", "varbit")),
    *(("timestamp", "timestamptz"), ("cidr", "inet"), ("integer", "integer")),
]


def messages(connection: Connection, sql: str) -> list[str]:
    """Returns the messages of the server while it runs a statement."""
    found: list[str] = []
    connection.execute("SET client_min_messages = debug1")
    connection.add_notice_handler(hear := lambda notice: found.append(notice.message_primary))
    connection.execute(sql)
    connection.remove_notice_handler(hear)
    connection.execute("SET client_min_messages = error")
    return found


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "UTC"])
def test_foreign_keys_are_checked_again_if_predicted_and_checks_always(connection: Connection, timezone: str) -> None:
    wrong = []
    for old, new in RECHECKED:
        change = predicted(old, new, timezone=timezone, pg_version=version(connection))
        for altered, said in (("child", change.rechecks_foreign_keys), ("parent", change.rechecks_referencing)):
            with connection.transaction(force_rollback=True):
                connection.execute("SELECT set_config('TimeZone', %s, true)", (timezone,))
                connection.execute(f"CREATE TABLE parent (c {old} PRIMARY KEY)")
                connection.execute(f"CREATE TABLE child (c {old} REFERENCES parent CHECK (c IS NOT NULL))")
                heard = messages(connection, f"ALTER TABLE {altered} ALTER COLUMN c TYPE {new}")
            if any(message.startswith("validating foreign key") for message in heard) != said:
                wrong.append(f"{old} to {new} of the {altered}: predicted {said}")
            if altered == "child" and any(message.startswith("verifying table") for message in heard) == change.rewrite:
                wrong.append(f"{old} to {new}: the CHECK")
    assert wrong == []
