"""The volatility of functions: a volatile default makes ADD COLUMN rewrite the whole table, any other is stored once (PostgreSQL 11).

`volatility.txt` beside this file says it of PostgreSQL's own functions and of those of its extensions; the schema knows the users' own. Only
calls matter: no operator and no cast of PostgreSQL 14 to 18 is implemented by a volatile function (pg_operator and pg_cast against pg_proc),
and what is spelt without parentheses (CURRENT_TIMESTAMP) or with words inside them (EXTRACT, COALESCE, XMLELEMENT) is stable at most. A
default cannot hold a query.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from migsafe import versions
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

    Of several functions of one name the most volatile counts: ts_rewrite. One exception: timezone('utc', now()) is stable at most, only for
    times with a time zone was it volatile up to 14.
    """
    version = min(max(pg_version, versions.OLDEST), versions.NEWEST)
    if call.schema in (None, "pg_catalog"):
        found = _functions(version, "pg_catalog").get(call.name)
        if found is not None:
            return found
        if call.name in BUILT_IN:
            return "stable"  # uuid('…') is a cast to the type, when there is no function of that name
    return None if call.schema == "pg_catalog" else _functions(version, "extensions").get(call.name)


def is_volatile(expression: Expression, user: Callable[[Name], str | None], pg_version: int) -> VolatileCall | None:
    """Returns the call that makes an expression volatile, or else one that may, because the function is unknown; None if there is neither.

    `user` knows the volatility of the functions that the history made, and says None of any other. Where one has the name of a function
    of PostgreSQL's own, which of the two is called depends on the arguments, so the more volatile counts.
    """
    unknown: VolatileCall | None = None
    for call in expression.calls:
        found = {user(call), volatility_of(call, pg_version)}
        if "volatile" in found:
            return VolatileCall(call)
        if found == {None} and unknown is None:
            unknown = VolatileCall(call, known=False)
    return unknown


_SECTION = re.compile(r"^\[(\w+) (\w+)\]\n([^\[]*)", re.MULTILINE)
_ENTRY = re.compile(r"(\w+)(?:>=(\d+))?(?:<(\d+))?")


@cache
def _text() -> str:
    return Path(__file__).with_suffix(".txt").read_text("utf-8")


@lru_cache
def _functions(version: int, owner: str) -> dict[str, Volatility]:
    """Returns the functions of one version, by name."""
    found: dict[str, Volatility] = {}
    for section in _SECTION.finditer(_text()):
        if section[1] != owner:
            continue
        for name, first, end in _ENTRY.findall(section[3]):
            if int(first or 0) <= version < int(end or version + 1):
                found[name] = _LEVELS[section[2]]
    return found
