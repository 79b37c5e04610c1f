"""What ALTER COLUMN TYPE does: said here, predicted without a server, and seen on every PostgreSQL that is found."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from psycopg import Connection

from migsafe.effects.casts import BUILT_IN, RANGES, Cast, cast
from migsafe.effects.type_changes import Domain, TypeChange, UserType, change_of_type, is_utc
from migsafe.replay.server import Server
from migsafe.sql.operations import AddColumn, AlterColumnType, CreateIndex, TypeName
from migsafe.sql.statements import read
from tests.replay.servers import each_installation

SETUP = """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN whole AS int;
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE DOMAIN given AS int NOT NULL;
    CREATE DOMAIN over_positive AS positive;
    CREATE DOMAIN short AS varchar(10);
    CREATE DOMAIN long AS varchar(20);
    CREATE DOMAIN shorts AS varchar(10)[];
    CREATE DOMAIN feeling AS mood;
"""

CHANGES = """
    -- Texts: only a shorter limit costs, and char(n) always does.
    varchar(10)                 varchar(20)                 free
    varchar(10)                 varchar                     free
    varchar(10)                 text                        free
    varchar                     text                        free
    text                        varchar                     free
    text                        varchar(10)                 rewrite
    varchar                     varchar(10)                 rewrite
    varchar(20)                 varchar(10)                 rewrite
    text                        text                        free
    char(5)                     char(10)                    rewrite
    char(5)                     varchar(5)                  rewrite
    char(5)                     text                        rewrite
    char(5)                     bpchar                      free
    varchar(10)                 char(10)                    rewrite
    text                        bpchar                      index
    text                        name                        rewrite
    name                        text                        rewrite
    "char"                      text                        rewrite
    text                        bytea                       refused

    -- Numbers: the same bytes only where a numeric gets more digits before its point.
    smallint                    integer                     rewrite
    integer                     bigint                      rewrite
    bigint                      integer                     rewrite
    integer                     numeric                     rewrite
    numeric(10,2)               numeric(12,2)               free
    numeric(10,2)               numeric                     free
    numeric(10)                 numeric(12,0)               free
    numeric(10,2)               numeric(12,4)               rewrite
    numeric(12,2)               numeric(10,2)               rewrite
    numeric                     numeric(10,2)               rewrite
    real                        double precision            rewrite
    integer                     oid                         index
    oid                         integer                     index
    oid                         regclass                    free
    integer                     regclass                    index
    integer                     text                        rewrite
    text                        integer                     refused
    integer                     boolean                     refused
    money                       integer                     refused

    -- Times: more digits of the second are free, and time zones are where the TimeZone is UTC.
    timestamp                   timestamp(6)                free
    timestamp(3)                timestamp                   free
    timestamp(3)                timestamp(5)                free
    timestamp                   timestamp(3)                rewrite
    timestamptz(0)              timestamptz(3)              free
    time(3)                     time                        free
    timetz                      timetz(0)                   rewrite
    timestamp                   timestamptz                 rewrite
    timestamptz                 timestamp                   rewrite
    date                        timestamp                   rewrite
    timestamp                   date                        rewrite
    interval                    interval(6)                 free
    interval                    interval(3)                 rewrite
    interval                    interval second             free
    interval                    interval day                rewrite
    interval year to month      interval day to second      free
    interval day to second(3)   interval second(2)          rewrite
    interval                    time                        rewrite
    time                        interval                    rewrite

    -- The rest.
    json                        jsonb                       rewrite
    jsonb                       json                        rewrite
    text                        jsonb                       refused
    cidr                        inet                        free
    inet                        cidr                        rewrite
    macaddr                     macaddr8                    rewrite
    bit(3)                      varbit                      index
    bit(3)                      varbit(5)                   rewrite
    varbit(3)                   varbit(5)                   free
    bit(3)                      bit(5)                      rewrite
    uuid                        text                        rewrite
    text                        uuid                        refused
    int4range                   int8range                   refused
    text                        xml                         refused
    integer                     serial                      refused
    integer                     pair                        refused
    pair                        text                        rewrite

    -- Arrays: as their elements, but any other element type or limit writes them anew.
    varchar(10)[]               varchar[]                   free
    varchar(10)[]               varchar(20)[]               rewrite
    varchar[]                   text[]                      rewrite
    integer[]                   bigint[]                    rewrite
    integer[]                   integer[][]                 free
    integer[]                   text                        rewrite
    integer                     integer[]                   refused
    whole[]                     integer[]                   rewrite

    -- Enums and domains: a domain is free without constraints, and loses the length of what it is over.
    mood                        text                        rewrite
    text                        mood                        refused
    mood                        feeling                     index
    feeling                     mood                        index
    integer                     whole                       free
    whole                       integer                     free
    integer                     positive                    rewrite
    integer                     given                       rewrite
    integer                     over_positive               rewrite
    positive                    integer                     free
    positive                    whole                       free
    positive                    positive                    free
    varchar(10)                 short                       free
    varchar(10)                 long                        free
    short                       long                        rewrite
    short                       varchar(20)                 rewrite
    short                       text                        free
    varchar(10)[]               shorts                      index

    -- USING: a cast of the column is a cast, and everything else computes.
    varchar(10)   varchar(20)   free      c
    varchar(10)   varchar(20)   free      (c)::varchar(20)
    varchar(10)   varchar(20)   rewrite   t.c::varchar
    varchar(10)   varchar       free      t.c::varchar
    varchar(10)   varchar(20)   free      CAST(c AS varchar(15))
    varchar(10)   varchar(20)   rewrite   c::text
    varchar(10)   varchar(20)   rewrite   c::text::varchar(20)
    text          text          free      "c" COLLATE "C"
    text          text          rewrite   d
    text          text          rewrite   trim(c)
    text          text          rewrite   'x'
    text          integer       rewrite   c::integer
    text          integer       refused   c
    text          integer       rewrite   nullif(c, '')::int
    text          mood          rewrite   c::mood
    integer       boolean       rewrite   c::boolean
    integer       boolean       rewrite   c <> 0
    integer       oid           index     c::oid
    integer       uuid          refused   c::uuid
    positive      positive      rewrite   c::int::positive
    timestamp     timestamptz   rewrite   c AT TIME ZONE 'UTC'
    timestamptz   timestamptz   rewrite   c::timestamp
"""

IN_UTC = """
    timestamp                   timestamptz                 index
    timestamptz                 timestamp                   index
    timestamp(3)                timestamptz(6)              index
    timestamp(3)                timestamptz(3)              rewrite
    timestamp[]                 timestamptz[]               rewrite
    timestamptz   timestamptz   free      c::timestamp
    timestamp     timestamptz   index     c::timestamptz
    timestamp     timestamptz   rewrite   c AT TIME ZONE 'UTC'
"""


class Change(NamedTuple):
    old: str
    new: str
    happens: str
    using: str = ""
    timezone: str = "Europe/Berlin"


def changes(table: str, timezone: str = "Europe/Berlin") -> list[Change]:
    """The lines of a table; words are parted by two spaces or more."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines() if line.strip() and not line.strip().startswith("--")]
    return [Change(row[0], row[1], row[2], row[3] if len(row) > 3 else "", timezone) for row in rows]


ALL = [*changes(CHANGES), *changes(IN_UTC, "UTC")]


def type_of(written: str) -> TypeName:
    (statement,) = read(f"ALTER TABLE t ADD COLUMN c {written}")
    (add,) = statement.operations
    assert isinstance(add, AddColumn)
    assert add.column.type is not None
    return add.column.type


USER_TYPES: dict[str, Domain | UserType] = {
    "mood": UserType.ENUM,
    "pair": UserType.COMPOSITE,
    "whole": Domain(type_of("int")),
    "positive": Domain(type_of("int"), constrained=True),
    "given": Domain(type_of("int"), constrained=True),
    "over_positive": Domain(type_of("positive")),
    "short": Domain(type_of("varchar(10)")),
    "long": Domain(type_of("varchar(20)")),
    "shorts": Domain(type_of("varchar(10)[]")),
    "feeling": Domain(type_of("mood")),
}


def predicted(old: str, new: str, using: str = "", timezone: str | None = None, pg_version: int = 17) -> TypeChange:
    (statement,) = read(f"ALTER TABLE t ALTER COLUMN c TYPE {new}" + (f" USING {using}" if using else ""))
    (op,) = statement.operations
    assert isinstance(op, AlterColumnType)
    return change_of_type(
        type_of(old),
        op.type,
        column="c",
        user_types=lambda found: USER_TYPES.get(found.name),
        pg_version=pg_version,
        using=op.using,
        timezone=timezone,
        new_collation=op.collation,
    )


def summary(change: TypeChange) -> str:
    if change.refused is not None:
        return "refused"
    return "rewrite" if change.rewrite else "index" if change.rebuilds_indexes else "free"


@pytest.mark.parametrize("change", ALL, ids=lambda change: f"{change.old} to {change.new} {change.using} {change.timezone}")
def test_a_change_is_predicted(change: Change) -> None:
    assert summary(predicted(change.old, change.new, change.using, change.timezone)) == change.happens


@pytest.mark.parametrize(
    ("old", "new", "using", "why"),
    [
        ("varchar(20)", "varchar(10)", "", "character varying(20) to character varying(10) computes every value"),
        ("integer", "positive", "", "every value is checked against the domain positive"),
        ("timestamp", "timestamptz", "", "timestamp without time zone to timestamp with time zone moves every value by the session's TimeZone"),
        ("text", "text", "trim(c)", "USING computes every value"),
        ("varchar(10)", "text", "", "every character varying(10) is stored as the same text"),
        ("text", "integer", "", 'column "c" cannot be cast automatically to type integer'),
        ("integer", "uuid", "c::uuid", "cannot cast type integer to uuid"),
        ("geometry", "text", "", "geometry to text"),
        ("text", "geometry", "", "text to geometry is not known to be free"),
    ],
)
def test_a_prediction_says_why(old: str, new: str, using: str, why: str) -> None:
    assert predicted(old, new, using).why.startswith(why)


def test_what_nobody_knows_is_not_free() -> None:
    unknown = change_of_type(None, type_of("text"), column="c", user_types=lambda _: None, pg_version=17)
    assert (unknown.rewrite, unknown.refused) == (True, None)
    assert predicted("geometry", "geography").rewrite
    assert predicted("geometry", "geography").refused is None
    assert summary(predicted("geometry", "geometry")) == "free"


NARROWER = """
    text to varchar(10); varchar(20) to varchar(10); char(5) to char(3); text to integer; integer to smallint; bigint to integer;
    integer to numeric(9,0); numeric(10,2) to numeric(10,1); numeric(10,2) to numeric(10,4); numeric to numeric(10,2); numeric to integer;
    integer to real; double precision to real; timestamp to date; timestamptz to date; timestamp to timestamp(0); interval to interval day;
    inet to cidr; integer to positive; bit(5) to bit(3); bit(5) to varbit(3); bigint to varchar(10); bigint[] to integer[]; jsonb to integer;
    integer[] to varchar(10); integer to boolean; text to uuid; text to mood; varchar(10)[] to varchar(5)[]
"""
NO_NARROWER = """
    varchar(10) to varchar(20); varchar(10) to text; char(3) to char(5); integer to bigint; smallint to numeric(5,0); date to timestamp;
    numeric(10,2) to numeric(12,2); integer to double precision; real to double precision; timestamp to timestamptz; timestamptz to timestamp;
    timestamp(0) to timestamp; json to jsonb; cidr to inet; integer to text; integer to varchar(11); uuid to varchar(36); mood to text;
    positive to integer; positive to positive; bit(3) to varbit(3); integer[] to bigint[]; integer[] to text; boolean to integer;
    integer to oid; int4range to int4multirange; varchar(10)[] to varchar[]
"""


def pairs(table: str) -> list[list[str]]:
    return [pair.strip().split(" to ") for pair in table.split(";")]


@pytest.mark.parametrize(("old", "new"), pairs(NARROWER))
def test_a_change_that_can_refuse_or_cut_values(old: str, new: str) -> None:
    assert predicted(old, new, using=f"c::{new}").narrows


@pytest.mark.parametrize(("old", "new"), pairs(NO_NARROWER))
def test_a_change_that_keeps_every_value(old: str, new: str) -> None:
    assert not predicted(old, new).narrows


# On servers


@pytest.fixture(scope="module", params=each_installation())
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
    """Where a server does something else than is predicted. Where the column can have no index, only the rewrite is compared."""
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


def test_servers_do_what_is_said_here(connection: Connection) -> None:
    for timezone in ("Europe/Berlin", "UTC"):
        assert differences(connection, [(one.old, one.new, one.using) for one in ALL if one.timezone == timezone], timezone) == []


MATRIX = """
    int2;int4;int8;numeric;numeric(10,2);float8;text;varchar(10);varchar(20);char(5);bpchar;name;"char";bytea;bool;date;time(3);timestamp;timestamp(3);
    timestamptz;interval(3);uuid;jsonb;inet;cidr;varbit(5);oid;regclass;int4range;int4[];varchar(10)[];mood;positive;short;feeling
"""


def test_servers_agree_on_every_pair(connection: Connection) -> None:
    types = [name.strip() for name in MATRIX.split(";")]
    every = [(old, new, using) for old in types for new in types for using in ("", f"c::{new}")]
    # A third of them on each server: four seconds are enough, and the versions hardly differ.
    assert differences(connection, every[version(connection) % 3 :: 3], "Europe/Berlin") == []


def test_the_table_of_casts_is_the_server_s(connection: Connection) -> None:
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


def test_utc_is_what_the_server_takes_for_it(connection: Connection) -> None:
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


def test_an_index_is_kept_or_built(connection: Connection) -> None:
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
    """What the server says about its work while it runs a statement."""
    found: list[str] = []
    connection.execute("SET client_min_messages = debug1")
    connection.add_notice_handler(hear := lambda notice: found.append(notice.message_primary))
    connection.execute(sql)
    connection.remove_notice_handler(hear)
    connection.execute("SET client_min_messages = error")
    return found


@pytest.mark.parametrize("timezone", ["Europe/Berlin", "UTC"])
def test_foreign_keys_are_proved_again_and_checks_always(connection: Connection, timezone: str) -> None:
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
