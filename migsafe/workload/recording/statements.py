"""From the text that a driver gets to the queries that are recorded: which statements are queries, and what their placeholders are."""

import re
from collections.abc import Iterator

from migsafe.sql.lexer import END, pattern_for
from migsafe.workload.normal_text import NormalText, normal_text

_SKIPPED = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*+"
# SELECT set_config(…) is another form of SET: Django sends it when it connects.
_QUERY = re.compile(
    rf"{_SKIPPED}(?:select(?!\s+(?:pg_catalog\.)?set_config\s*\([^()]*\)\s*;?\s*$)|insert|update|delete|merge|with|values|table)\b",
    re.IGNORECASE | re.DOTALL,
)
_DEFINITION = re.compile(rf"{_SKIPPED}(?:create|alter|drop|comment|grant|revoke|truncate|refresh|reindex)\b", re.IGNORECASE | re.DOTALL)

_FORMAT = re.compile(r"%(?:%|\(([^)]*)\)[sbt]|[sbt])")
_TUPLE = re.compile(r"\bIN\s+(\$\d+)", re.IGNORECASE)  # psycopg2 writes a tuple as a list in parentheses
_QUOTED = r"'[^']*+(?:''[^']*+)*+'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
_QUESTION_MARK = re.compile(rf"{_QUOTED}|(\?)(\d*)", re.DOTALL)
_NAMED = re.compile(rf"{_QUOTED}|::|:([a-zA-Z_]\w*)", re.DOTALL)

LONGEST = 1_000_000
"""Texts with more characters are not recorded: they carry data."""
_LONGEST_NORMAL = 100_000
"""So are queries that are longer without their data. A line of the file has room for them."""


def read_queries(text: str, style: str) -> tuple[NormalText, ...]:
    """Returns the queries of a text that a driver was called with, in their normal forms.

    There are none if the text controls transactions or settings, defines objects, or cannot be read. `style` is the form of its placeholders,
    as PEP 249 (`paramstyle`) calls it; `numeric` are those of PostgreSQL.
    """
    if len(text) > LONGEST:
        return ()
    if ";" not in text.rstrip("; \t\r\n"):
        parts = [text] if _QUERY.match(text) else []
    else:
        parts = list(_split(text))
        if any(_DEFINITION.match(part) for part in parts):
            return ()
        parts = [part for part in parts if _QUERY.match(part)]
    queries = (normal_text(_numbered(part, style)) for part in parts)
    return tuple(query for query in queries if query.complete and len(query.text) <= _LONGEST_NORMAL)


def _split(text: str) -> Iterator[str]:
    """Yields the statements of a text."""
    start = 0
    pattern = pattern_for(text)
    position = 0
    while (token := pattern.match(text, position)) is not None and token.end() > position:
        position = token.end()
        if token.group(token.lastindex or END) == ";":
            yield text[start : token.start()]
            start = position
    yield text[start:]


def _numbered(text: str, style: str) -> str:
    """Returns a text with PostgreSQL's parameters instead of a driver's placeholders."""
    numbers: dict[str, int] = {}

    def number(name: str | None) -> str:
        # The space keeps `$1,$2` and `$1$2` apart; a placeholder without a name differs from all others.
        return f"${numbers.setdefault(name or f'%{len(numbers)}', len(numbers) + 1)} "

    match style:
        case "pyformat" | "format":
            return _TUPLE.sub(r"IN (\1)", _FORMAT.sub(lambda found: "%" if found.group() == "%%" else number(found.group(1)), text))
        case "qmark":
            return _QUESTION_MARK.sub(lambda found: number(found.group(2)) if found.group(1) else found.group(), text)
        case "named":
            return _NAMED.sub(lambda found: number(found.group(1)) if found.group(1) else found.group(), text)
        case _:
            return text


_VALUE = re.compile(
    r"""("[^"]*")|'[^']*+(?:''[^']*+)*+'|%\(\w+\)s|%s|\$\d+|(?<![\w.])\d+(?:\.\d+)?(?!\w)|--[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
_IN_LIST = re.compile(r"\bIN \(\?(?:::\w+)?(?:, ?\?(?:::\w+)?)+\)", re.IGNORECASE)
_ROWS = re.compile(r"\bVALUES ?(\([^()]*\))(?:, ?\1)+", re.IGNORECASE)


def may_be_query(text: str) -> bool:
    """Returns False for a text that is certainly not recorded, such as SAVEPOINT with a name that no other has."""
    return _QUERY.match(text) is not None or ";" in text


_CATALOGUE = re.compile(r"\b(?:FROM|JOIN)\s+(?:pg_catalog\.|information_schema\.|\()", re.IGNORECASE)
_RELATION = re.compile(r"\b(?:FROM|JOIN)\s+[\w\"(]", re.IGNORECASE)


def reads_catalogue(text: str) -> bool:
    """Whether a query reads only the system catalogues, as SQLAlchemy does to find out which tables exist. Such queries need no index."""
    if "pg_catalog." not in text and "information_schema." not in text:
        return False
    return _QUERY.match(text) is not None and len(_CATALOGUE.findall(text)) == len(_RELATION.findall(text))


def outline(text: str) -> str | None:
    """Returns a text that is equal for texts which differ in values, comments, and the lengths of lists; None if it cannot be told quickly.

    Such texts have one normal form. The outline takes a tenth of the time, which matters to a library that writes values into its texts.
    """
    if "\\" in text or "$$" in text:
        return None
    return _ROWS.sub(r"VALUES \1", _IN_LIST.sub("IN (?)", _VALUE.sub(r"\1?", text)))
