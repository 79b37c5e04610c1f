"""Statements with a token deleted, doubled, moved or replaced: migsafe rejects exactly those that PostgreSQL's grammar rejects.

The known differences are listed below with their reasons. There are no others.
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
from migsafe.sql.operations import Broken, FeatureUse, Unparsed
from migsafe.sql.split import RawStatement, split
from migsafe.sql.statements import Statement, read
from tests.sql import oracle

FILES = sorted((Path(__file__).parent / "statements").glob("*.sql"))
MUTATIONS = 3
"""The number of mutations of each statement."""

STRANGERS = """SELECT FROM WHERE TABLE COLUMN NOT NULL DEFAULT CHECK ( ) [ ] , . ; = * + :: 1 2.5 'x' "y" name type IF EXISTS ONLY AS ON TO
SET WITH USING ALL IN CASCADE CONSTRAINT PRIMARY KEY INDEX VALUES ORDER BY ROW ADD DROP ALTER CREATE public begin END AND OR""".split()

LENIENCIES = {
    "only the first words of these are read": r"""(?x)
        ALTER\ (EXTENSION|SUBSCRIPTION|SERVER|TABLESPACE|STATISTICS|COLLATION|DATABASE|GROUP|OPERATOR|EVENT\ TRIGGER|FOREIGN\ DATA|TEXT\ SEARCH)
        |CREATE\ (OPERATOR\ CLASS|EVENT|DATABASE|SUBSCRIPTION|TRANSFORM|TEXT|LANGUAGE|TRUSTED)""",
    "any word is accepted as an option of a role, while PostgreSQL knows their names": r"(CREATE|ALTER) (ROLE|USER|GROUP)",
    "functions with key words between their arguments": r"""(?xs)
        .*\b(XMLTABLE|JSON_TABLE|xml\w+|json\w*|extract|overlay|substring|trim|normalize|position)\b""",
    "the arguments of an aggregate may be missing": r".*AGGREGATE",
    "a setting's value may be missing, or any word": r"SET (LOCAL |SESSION )*(ROLE|SCHEMA|SESSION|XML|NAMES|TIME|AUTHORIZATION)",
    "of the actions of a rule and the body of a routine only the ends are searched": r"CREATE (OR REPLACE )?(RULE|FUNCTION|PROCEDURE)",
    "RESTART WITH without a number": r".*\bRESTART WITH\b",
    "the older words of COPY, whatever their order": r"COPY\b",
}
"""Statements that PostgreSQL rejects and migsafe accepts, by their beginning."""

NOT_READ = re.compile(
    r"""(?xis).*(
        \b(WITH|SET|RESET|OPTIONS|VACUUM|ANALYZE|EXPLAIN|REINDEX|CLUSTER|TYPE|RANGE|AGGREGATE|COLLATION|OPERATOR|DATABASE)\b.*
        |\b(numeric|decimal|dec|varchar|char|character|varying|bit|float|time|timestamp|timestamptz|timetz|interval|geometry)\s*
    )$"""
)
"""The text before a parenthesis whose content migsafe reads only up to the next comma: options, and the modifiers of a type."""

SEVERITIES = {
    "DO accepts a list of strings and LANGUAGEs, and checks them when it runs": r"DO\b",
    "a key word is the name": r"(RELEASE|ROLLBACK|DEALLOCATE|FETCH|MOVE|SET LOCAL|REVOKE|WITH RECURSIVE AS|COMMENT ON CONSTRAINT)\b",
    "END closes the body anywhere, as in psql": r"CREATE .*BEGIN ATOMIC .* END ",
    "an attribute without a constraint before it is rejected later": r".*\b(DEFERRABLE|INITIALLY|ENFORCED)\b",
}
"""Statements that PostgreSQL's grammar accepts and migsafe rejects, by their beginning. PostgreSQL rejects most of them later."""


@cache
def tokens_of(path: Path) -> list[list[str]]:
    """Return the text of the tokens of each statement of a file."""
    statements = []
    for text in path.read_text().splitlines() if path.stem == "copy" else [path.read_text()]:
        for raw in split(text):
            assert isinstance(raw, RawStatement)
            count = len(raw.words) - lexer.LOOK_AHEAD
            statements.append([text[raw.starts[i] : raw.end_of(i)] for i in range(count)])
    return statements


def mutations(path: Path) -> Iterator[str]:
    """Yield the statements of a file with one change each, the same ones in every run."""
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
    """Return the text before the innermost open parenthesis at an offset; empty where none is open."""
    closed = 0
    for start in range(at - 1, -1, -1):
        closed += {")": 1, "(": -1}.get(sql[start], 0)
        if closed < 0:
            return sql[:start]
    return ""


def is_newer_than_oracle(statements: list[Statement]) -> bool:
    """Whether a statement uses a feature that the release of the other grammar does not have."""
    oracle_release = pglast.get_postgresql_version()[0]
    uses = (operation for statement in statements for operation in statement.operations if isinstance(operation, FeatureUse))
    return any(use.feature.release > oracle_release for use in uses)


def is_known_leniency(sql: str, refusal: str) -> bool:
    """Whether it is a known difference that migsafe accepts a statement that PostgreSQL rejects for this reason.

    PostgreSQL finds errors other than syntax errors while it builds the tree: conflicting options, numbers out of range.
    """
    if any(re.match(pattern, sql) for pattern in LENIENCIES.values()) or not refusal.startswith("syntax error"):
        return True
    place = refusal.rpartition(", at index ")[2]
    return NOT_READ.match(before_parenthesis(sql, int(place) if place.isdigit() else len(sql))) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_grammars_reject_the_same_statements(path: Path) -> None:
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
            if not is_known_leniency(sql, refusal) and not is_newer_than_oracle(statements):
                accepted.append((sql, refusal))
        elif not refusal and broken:
            if not any(re.match(pattern, sql) for pattern in SEVERITIES.values()):
                refused.append(sql)
        elif not refusal and len(trees) == len(statements) == 1:
            difference = oracle.difference(oracle.of_tree(trees[0].stmt), oracle.of_operations(statements[0].operations))
            if difference is not None:
                different.append((sql, difference))
    assert (refused, different, accepted) == ([], [], [])
