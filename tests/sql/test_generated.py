"""Generated DDL: what migsafe accepts and reads, compared with PostgreSQL's own grammar."""

import re
from pathlib import Path

import pglast
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from migsafe.sql.statements import read
from tests.sql import oracle

STEADY = settings(derandomize=True, max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LONGEST = 40
"""The number of productions in one statement after which the first alternative of each is used, so that the statement ends soon."""

GRAMMAR = Path(__file__).with_name("generated.grammar")
"""The alternatives of each production, one in a line; <name> is a production or a terminal, ~ is empty."""

PLAIN_TYPES = """int integer bigint smallint text boolean bool uuid jsonb json date timestamptz timestamp time timetz bytea serial
bigserial numeric decimal real float8 varchar char inet xml interval tsvector money bpchar name "char" """.split()
MODIFIED_TYPES = [
    *("varchar(20)", "character varying(5)", "char(3)", "national character varying(4)", "numeric(10)", "numeric(10, 2)", "decimal(5,0)"),
    *("float(10)", "double precision", "bit(3)", "bit varying(8)", "timestamp(3)", "timestamp(0) with time zone", "time with time zone"),
    *("timestamp without time zone", "interval day to second(2)", "interval(3)", "interval year", "geometry(Point, 4326)", "pg_catalog.int4"),
]

_NOT_NAMES = RESERVED | TYPE_OR_FUNCTION_NAME | COLUMN_NAME
_characters = st.characters(codec="utf-8", exclude_characters="\0")
words = st.from_regex(r"[a-zA-Zäßé_][a-zA-Z0-9_$ñ]{0,8}", fullmatch=True).filter(lambda word: word.lower() not in _NOT_NAMES)
TERMINALS: dict[str, st.SearchStrategy[str]] = {
    "word": words,
    "name": st.one_of(
        words,
        st.sampled_from("name type value year data text index key action zone comment owner first nulls partition int between".split()),
        st.text(_characters, min_size=1, max_size=10).map(lambda text: '"' + text.replace('"', '""') + '"'),
        st.sampled_from(['U&"d\\0061ta"', 'U&"\\+0000e9t\\00e9"', 'u&"plain"', '"select"', '"a.b"']),
    ),
    "string": st.one_of(
        st.text(_characters, max_size=8).map(lambda text: "'" + text.replace("'", "''") + "'"),
        st.sampled_from(["'it''s'", "E'a\\n\\'b'", "$$a;b$$", "$tag$ it's $tag$", "N'x'", "U&'\\0061'", "''", "'a'\n'b'"]),
    ),
    "number": st.sampled_from("0 1 42 1.5 .5 1e3 0x1F 1_000".split()),
    "plain type": st.sampled_from(PLAIN_TYPES),
    "modified type": st.sampled_from(MODIFIED_TYPES),
}


def _productions(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        if line.startswith(" "):
            found[next(reversed(found))].append(line.strip())
        else:
            found[line.rstrip(":")] = []
    return found


PRODUCTIONS = _productions(GRAMMAR.read_text())
CHOICES = {kind: st.sampled_from(alternatives) for kind, alternatives in PRODUCTIONS.items()}


@st.composite
def statements(draw: st.DrawFn, *kinds: str) -> str:
    """Generate a statement of one of the kinds from the grammar."""

    made = 0

    def expand(kind: str) -> str:
        nonlocal made
        if kind in TERMINALS:
            return draw(TERMINALS[kind])
        made += 1
        text = PRODUCTIONS[kind][0] if made > LONGEST else draw(CHOICES[kind])
        parts = re.split(r"<([a-z ]+)>", text.replace("~", ""))
        return "".join(expand(part) if odd % 2 else part for odd, part in enumerate(parts))

    return expand(draw(st.sampled_from(kinds))).strip()


def check_agreement(sql: str) -> None:
    """Check that PostgreSQL and migsafe both reject the statement, or read the same from it."""
    try:
        (tree,) = pglast.parse_sql(sql)
    except pglast.parser.ParseError:
        tree = None
    (statement,) = read(sql)
    ours = oracle.of_operations(statement.operations)
    if tree is None:
        assert ours[0][0] == "broken", sql
    else:
        assert oracle.difference(oracle.of_tree(tree.stmt), ours) is None, sql


@given(statements("table"))
@STEADY
def test_create_table(sql: str) -> None:
    check_agreement(sql)


@given(statements("alteration"))
@STEADY
def test_alter_table(sql: str) -> None:
    check_agreement(sql)


@given(statements("index"))
@STEADY
def test_create_index(sql: str) -> None:
    check_agreement(sql)


@given(statements("view", "routine", "drop", "comment"))
@STEADY
def test_other_definitions(sql: str) -> None:
    check_agreement(sql)


@given(statements("rows", "query"))
@STEADY
def test_rows_and_queries(sql: str) -> None:
    check_agreement(sql)


@given(st.lists(statements("table", "alteration", "index", "rows", "routine"), min_size=2, max_size=4))
@STEADY
def test_scripts_are_divided_into_statements(scripted: list[str]) -> None:
    """A script is divided at the end of each statement."""
    text = ";\n".join(scripted)
    assert [text[statement.span.start : statement.span.end] for statement in read(text)] == scripted
