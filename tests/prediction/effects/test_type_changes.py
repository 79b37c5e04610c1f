"""The predicted effects of ALTER COLUMN TYPE. test_type_changes_on_servers.py compares the same tables with servers."""

import re
from typing import NamedTuple

import pytest

from migsafe.prediction.effects.type_changes import Domain, TypeChange, UserType, change_of_type
from migsafe.sql.operations import AddColumn, AlterColumnType, TypeName
from migsafe.sql.statements import read

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
    """Returns the lines of a table; two or more spaces separate the words."""
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
        ("varchar(20)", "varchar(10)", "", "every value must be converted from character varying(20) to character varying(10)"),
        ("integer", "positive", "", "every value is checked against the domain positive"),
        (
            "timestamp",
            "timestamptz",
            "",
            "the conversion from timestamp without time zone to timestamp with time zone shifts every value",
        ),
        ("text", "text", "trim(c)", "USING computes every value"),
        ("varchar(10)", "text", "", "every character varying(10) is stored as the same text"),
        ("text", "integer", "", 'column "c" cannot be cast automatically to type integer'),
        ("integer", "uuid", "c::uuid", "cannot cast type integer to uuid"),
        ("geometry", "text", "", "every value may have to be converted from geometry to text"),
        ("text", "geometry", "", "every value may have to be converted from text to geometry"),
    ],
)
def test_a_prediction_says_why(old: str, new: str, using: str, why: str) -> None:
    assert predicted(old, new, using).why.startswith(why)


def test_an_unknown_type_may_be_rewritten() -> None:
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
    integer[] to varchar(10); integer to boolean; text to uuid; text to mood; varchar(10)[] to varchar(5)[]; mood to varchar(62)
"""
NO_NARROWER = """
    varchar(10) to varchar(20); varchar(10) to text; char(3) to char(5); integer to bigint; smallint to numeric(5,0); date to timestamp;
    numeric(10,2) to numeric(12,2); integer to double precision; real to double precision; timestamp to timestamptz; timestamptz to timestamp;
    timestamp(0) to timestamp; json to jsonb; cidr to inet; integer to text; integer to varchar(11); uuid to varchar(36); mood to text;
    mood to varchar(63);
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
