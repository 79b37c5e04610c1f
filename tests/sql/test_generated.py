"""Generated DDL: what migsafe accepts and reads, compared with PostgreSQL's own grammar."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from string import ascii_letters, digits

import pglast
import pytest

from migsafe.sql.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from migsafe.sql.statements import read
from tests.sql import oracle

EXAMPLES = 200
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
_HARD_WORDS = "name type value year data text index key action zone comment owner first nulls partition int between".split()
_HARD_NAMES = ['U&"d\\0061ta"', 'U&"\\+0000e9t\\00e9"', 'u&"plain"', '"select"', '"a.b"']
_HARD_STRINGS = ["'it''s'", "E'a\\n\\'b'", "$$a;b$$", "$tag$ it's $tag$", "N'x'", "U&'\\0061'", "''", "'a'\n'b'"]


def _word(random: Random) -> str:
    while True:
        first, rest = random.choice(ascii_letters + "äßé_"), random.choices(ascii_letters + digits + "_$ñ", k=random.randrange(9))
        word = first + "".join(rest)
        if word.lower() not in _NOT_NAMES:
            return word


def _quoted(random: Random, quote: str, shortest: int, longest: int) -> str:
    """Returns any text in quotes, half of it in characters that have a meaning in SQL."""
    number = random.randint(shortest, longest)
    characters = (random.choice("'\"\\$;-/*%\n ") if random.random() < 0.5 else _character(random) for _ in range(number))
    return quote + "".join(characters).replace(quote, quote * 2) + quote


def _character(random: Random) -> str:
    code = random.choice((random.randrange(1, 0x80), random.randrange(0x80, 0xD800), random.randrange(0xE000, 0x110000)))
    return chr(code)


def _name(random: Random) -> str:
    return random.choice((_word(random), random.choice(_HARD_WORDS), _quoted(random, '"', 1, 10), random.choice(_HARD_NAMES)))


TERMINALS: dict[str, Callable[[Random], str]] = {
    "word": _word,
    "name": _name,
    "string": lambda random: random.choice((_quoted(random, "'", 0, 8), random.choice(_HARD_STRINGS))),
    "number": lambda random: random.choice("0 1 42 1.5 .5 1e3 0x1F 1_000".split()),
    "plain type": lambda random: random.choice(PLAIN_TYPES),
    "modified type": lambda random: random.choice(MODIFIED_TYPES),
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


def statement_of(random: Random, *kinds: str) -> str:
    """Returns a statement of one of the kinds from the grammar."""

    made = 0

    def expand(kind: str) -> str:
        nonlocal made
        if kind in TERMINALS:
            return TERMINALS[kind](random)
        made += 1
        text = PRODUCTIONS[kind][0] if made > LONGEST else random.choice(PRODUCTIONS[kind])
        parts = re.split(r"<([a-z ]+)>", text.replace("~", ""))
        return "".join(expand(part) if odd % 2 else part for odd, part in enumerate(parts))

    return expand(random.choice(kinds)).strip()


def statements(*kinds: str) -> Iterator[str]:
    """Yields statements of these kinds, always the same ones."""
    random = Random(" ".join(kinds))
    yield from (statement_of(random, *kinds) for _ in range(EXAMPLES))


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


@pytest.mark.parametrize("kinds", ["table", "alteration", "index", "view routine drop comment", "rows query"])
def test_both_read_the_same(kinds: str) -> None:
    for sql in statements(*kinds.split()):
        check_agreement(sql)


def test_scripts_are_divided_into_statements() -> None:
    """A script is divided at the end of each statement."""
    random = Random(1)
    for _ in range(EXAMPLES):
        scripted = [statement_of(random, "table", "alteration", "index", "rows", "routine") for _ in range(random.randint(2, 4))]
        text = ";\n".join(scripted)
        assert [text[statement.span.start : statement.span.end] for statement in read(text)] == scripted
