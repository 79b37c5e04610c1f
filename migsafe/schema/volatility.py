"""The volatility of functions: a volatile default makes ADD COLUMN rewrite the whole table, any other is stored once (PostgreSQL 11).

`volatility.txt` in this directory has the volatility of PostgreSQL's own functions and of its extensions' functions; the catalogue has that of
the users' functions. Only calls matter: no operator and no cast of PostgreSQL 14 to 19 is implemented by a volatile function (pg_operator and
pg_cast against pg_proc), and functions that are written without parentheses (CURRENT_TIMESTAMP) or with keywords inside them (EXTRACT,
COALESCE, XMLELEMENT) are at most stable. A default cannot contain a query.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from migsafe import versions
from migsafe.patterns import lazy_pattern
from migsafe.schema.casts import BUILT_IN
from migsafe.sql.operations import Expression, Name

Volatility = Literal["immutable", "stable", "volatile"]

_LEVELS: dict[str, Volatility] = {"immutable": "immutable", "stable": "stable", "volatile": "volatile"}


class VolatileCall(Struct, frozen=True):
    """A call that makes an expression volatile, or may do so: `known` is False if the function is unknown."""

    function: Name
    known: bool = True


def volatility_of(call: Name, pg_version: int) -> Volatility | None:
    """Returns the volatility of a function of PostgreSQL or of its extensions; None for any other function.

    Of several functions of one name (ts_rewrite), the most volatile counts. The one exception is timezone('utc', now()), which is at most
    stable: up to 14, only the function for `time with time zone` was volatile.
    """
    version = min(max(pg_version, versions.OLDEST), versions.NEWEST)
    if call.schema in (None, "pg_catalog"):
        volatility = _functions(version, "pg_catalog").get(call.name)
        if volatility is not None:
            return volatility
        if call.name in BUILT_IN:
            return "stable"  # uuid('…') is a cast to the type if there is no function of that name
    return None if call.schema == "pg_catalog" else _functions(version, "extensions").get(call.name)


_SOMETIMES_IMMUTABLE = frozenset(
    """age date date_add date_part date_subtract date_trunc extract generate_series in_range json_to_tsvector jsonb_to_tsvector length numeric
    overlaps phraseto_tsquery plainto_tsquery quote_literal quote_nullable time timestamp timestamptz timetz timezone to_timestamp to_tsquery
    to_tsvector ts_headline ts_parse ts_rewrite ts_token_type websearch_to_tsquery""".split()
)
"""The functions of which one is immutable, and another of the same name is not."""


def is_never_immutable(call: Name, pg_version: int) -> bool:
    """Whether no function of this name is immutable: neither of PostgreSQL's, nor of its extensions."""
    if call.name in BUILT_IN or call.name in _SOMETIMES_IMMUTABLE:
        return False
    return volatility_of(call, pg_version) in ("stable", "volatile")


def is_volatile(expression: Expression, user_volatility: Callable[[Name], str | None], pg_version: int) -> VolatileCall | None:
    """Returns the call that makes an expression volatile, or else one that may, because the function is unknown; None if there is no such call.

    `user_volatility` returns the volatility of a function that a migration has created, and None for any other. If a user's function has the
    name of one of PostgreSQL's functions, the arguments decide which of the two is called, so the more volatile one counts.
    """
    unknown: VolatileCall | None = None
    for call in expression.calls:
        built_in = None if _lacks_arguments(expression.sql, call, pg_version) else volatility_of(call, pg_version)
        volatilities = {user_volatility(call), built_in}
        if "volatile" in volatilities:
            return VolatileCall(call)
        if volatilities == {None} and unknown is None:
            unknown = VolatileCall(call, known=False)
    return unknown


def _lacks_arguments(sql: str, call: Name, pg_version: int) -> bool:
    """Whether PostgreSQL has no function of this name without arguments: then uuid() calls a function of the user's instead of casting."""
    if call.name in _functions(pg_version, "without_arguments") or volatility_of(call, pg_version) == "volatile":
        return False
    is_built_in = call.name in BUILT_IN or call.name in _functions(pg_version, "pg_catalog")
    return is_built_in and re.search(rf'\b{re.escape(call.name)}"?\s*\(\s*\)', sql, re.IGNORECASE) is not None


_SECTION = lazy_pattern(r"^\[(\w+) (\w+)\]\n([^\[]*)", re.MULTILINE)
_ENTRY = lazy_pattern(r"(\w+)(?:>=(\d+))?(?:<(\d+))?")


@cache
def _text() -> str:
    return Path(__file__).with_suffix(".txt").read_text("utf-8")


@lru_cache
def _functions(version: int, owner: str) -> dict[str, Volatility]:
    """Returns the functions of one version, by name."""
    functions: dict[str, Volatility] = {}
    for section in _SECTION.finditer(_text()):
        if section[1] != owner:
            continue
        for name, first, end in _ENTRY.findall(section[3]):
            if int(first or 0) <= version < int(end or version + 1):
                functions[name] = _LEVELS[section[2]]
    return functions
