"""Statements with a token deleted, doubled, moved or replaced: migsafe refuses what PostgreSQL's grammar refuses, and nothing else.

Where the two still part, the reason stands below: nothing else may be accepted or refused wrongly.
"""

import random
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pglast
import pytest

from migsafe.sql import lexer
from migsafe.sql.operations import Broken, Unparsed
from migsafe.sql.split import RawStatement, split
from migsafe.sql.statements import read
from tests.sql import oracle

FILES = sorted((Path(__file__).parent / "statements").glob("*.sql"))
MUTATIONS = 3
"""Of each statement."""

STRANGERS = """SELECT FROM WHERE TABLE COLUMN NOT NULL DEFAULT CHECK ( ) [ ] , . ; = * + :: 1 2.5 'x' "y" name type IF EXISTS ONLY AS ON TO
SET WITH USING ALL IN CASCADE CONSTRAINT PRIMARY KEY INDEX VALUES ORDER BY ROW ADD DROP ALTER CREATE public begin END AND OR""".split()

LENIENCIES = {
    "what follows the first words of these is not read": r"""(?x)
        ALTER\ (EXTENSION|SUBSCRIPTION|SERVER|TABLESPACE|STATISTICS|COLLATION|DATABASE|GROUP|OPERATOR|EVENT\ TRIGGER|FOREIGN\ DATA|TEXT\ SEARCH)
        |CREATE\ (OPERATOR\ CLASS|EVENT|DATABASE|SUBSCRIPTION|TRANSFORM|TEXT|LANGUAGE|TRUSTED)""",
    "any word is taken for a role's option, which PostgreSQL knows by name": r"(CREATE|ALTER) (ROLE|USER|GROUP)",
    "functions with a grammar of their own: the words between their arguments": r"""(?xs)
        .*\b(XMLTABLE|JSON_TABLE|xml\w+|json\w*|extract|overlay|substring|trim|normalize|position)\b""",
    "an aggregate may stand without arguments": r".*AGGREGATE",
    "a setting's value may be missing, or any word": r"SET (LOCAL |SESSION )*(ROLE|SCHEMA|SESSION|XML|NAMES|TIME|AUTHORIZATION)",
    "a rule's actions and a routine's body are looked through for their ends": r"CREATE (OR REPLACE )?(RULE|FUNCTION|PROCEDURE)",
    "RESTART WITH without a number": r".*\bRESTART WITH\b",
    "the older words of COPY, whatever their order": r"COPY\b",
}
"""By how a statement begins: what PostgreSQL refuses and migsafe does not."""

NOT_READ = re.compile(
    r"""(?xis).*(
        \b(WITH|SET|RESET|OPTIONS|VACUUM|ANALYZE|EXPLAIN|REINDEX|CLUSTER|TYPE|RANGE|AGGREGATE|COLLATION|OPERATOR|DATABASE)\b.*
        |\b(numeric|decimal|dec|varchar|char|character|varying|bit|float|time|timestamp|timestamptz|timetz|interval|geometry)\s*
    )$"""
)
"""What stands before a parenthesis whose inside migsafe reads only up to the next comma: options, and the modifiers of a type."""

SEVERITIES = {
    "DO takes a list of strings and LANGUAGEs, and looks at them when it runs": r"DO\b",
    "a key word is the name": r"(RELEASE|ROLLBACK|DEALLOCATE|FETCH|MOVE|SET LOCAL|REVOKE|WITH RECURSIVE AS|COMMENT ON CONSTRAINT)\b",
    "END closes the body wherever it stands, as psql has it": r"CREATE .*BEGIN ATOMIC .* END ",
    "an attribute without a constraint before it is refused later": r".*\b(DEFERRABLE|INITIALLY|ENFORCED)\b",
}
"""By how a statement begins: what PostgreSQL's grammar takes and migsafe does not. PostgreSQL refuses most of them later."""


@cache
def tokens_of(path: Path) -> list[list[str]]:
    """The tokens of each statement of a file, as written."""
    found = []
    for text in path.read_text().splitlines() if path.stem == "copy" else [path.read_text()]:
        for raw in split(text):
            assert isinstance(raw, RawStatement)
            count = len(raw.words) - lexer.LOOK_AHEAD
            found.append([text[raw.starts[i] : raw.end_of(i)] for i in range(count)])
    return found


def mutations(path: Path) -> Iterator[str]:
    """Statements of a file with one thing changed, the same ones every time."""
    for tokens in tokens_of(path):
        chance = random.Random(zlib.crc32(" ".join(tokens).encode()))
        for _ in range(MUTATIONS):
            changed = list(tokens)
            at = chance.randrange(len(changed))
            match chance.choice(("delete", "double", "swap", "replace", "insert")):
                case "delete":
                    del changed[at]
                case "double":
                    changed.insert(at, changed[at])
                case "swap":
                    other = min(at + 1, len(changed) - 1)
                    changed[at], changed[other] = changed[other], changed[at]
                case "replace":
                    changed[at] = chance.choice(STRANGERS)
                case "insert":
                    changed.insert(at, chance.choice(STRANGERS))
            if changed:
                yield " ".join(changed)


def before_parenthesis(sql: str, at: int) -> str:
    """What stands before the innermost parenthesis that is open at a place; nothing where none is."""
    closed = 0
    for start in range(at - 1, -1, -1):
        closed += {")": 1, "(": -1}.get(sql[start], 0)
        if closed < 0:
            return sql[:start]
    return ""


def is_known_leniency(sql: str, refusal: str) -> bool:
    """Whether migsafe is known to take what PostgreSQL refuses for this reason.

    A reason other than a syntax error is one that PostgreSQL finds while it builds the tree: conflicting options, numbers out of range.
    """
    if any(re.match(pattern, sql) for pattern in LENIENCIES.values()) or not refusal.startswith("syntax error"):
        return True
    place = refusal.rpartition(", at index ")[2]
    return NOT_READ.match(before_parenthesis(sql, int(place) if place.isdigit() else len(sql))) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_verdicts(path: Path) -> None:
    accepted: list[tuple[str, str]] = []
    refused: list[str] = []
    different: list[tuple[str, tuple[str, str]]] = []
    for sql in mutations(path):
        trees: tuple[Any, ...] = ()
        refusal = ""
        try:
            trees = pglast.parse_sql(sql)
        except pglast.parser.ParseError as error:
            refusal = str(error)
        statements = list(read(sql))
        broken = any(isinstance(operation, Broken | Unparsed) for statement in statements for operation in statement.operations[:1])
        if refusal and not broken:
            if not is_known_leniency(sql, refusal):
                accepted.append((sql, refusal))
        elif not refusal and broken:
            if not any(re.match(pattern, sql) for pattern in SEVERITIES.values()):
                refused.append(sql)
        elif not refusal and len(trees) == len(statements) == 1:
            difference = oracle.difference(oracle.of_tree(trees[0].stmt), oracle.of_operations(statements[0].operations))
            if difference is not None:
                different.append((sql, difference))
    assert (refused, different, accepted) == ([], [], [])
