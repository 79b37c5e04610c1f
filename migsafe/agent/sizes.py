"""The sizes of arguments and results: an agent pays for each character that it reads."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from msgspec import Meta

from migsafe.errors import MigsafeError

SQL_CHARACTERS = 100_000
"""The most characters of SQL that a call may contain."""
_MOST_ENTRIES = 200
_STATEMENT, _PROSE = 400, 2_000
"""The most characters of a statement and of a message in a result."""

_Item = TypeVar("_Item")

Limit = Annotated[int, Meta(ge=1, le=_MOST_ENTRIES, description=f"The most entries to return, at most {_MOST_ENTRIES}.")]
Offset = Annotated[int, Meta(ge=0, description="How many entries to leave out at the start: continues a list that was cut.")]


def check_sql(text: str | None) -> str | None:
    """Returns SQL that a call contains. Raises MigsafeError if it is too long, or not text."""
    if text is None:
        return None
    if len(text) > SQL_CHARACTERS:
        raise MigsafeError(
            f"sql: {len(text):,} characters are more than the {SQL_CHARACTERS:,} that a call may contain",
            "Write the SQL to a file, and pass its name in `paths`.",
        )
    if "\0" in text:
        raise MigsafeError("sql: is not text", "It contains a NUL character.")
    return text


def page_of(items: Sequence[_Item], limit: int, offset: int) -> tuple[Sequence[_Item], int]:
    """Returns the entries that a result shows, and the number of those after them."""
    return items[offset : offset + limit], max(len(items) - offset - limit, 0)


def continuation(left_out: int, noun: str, limit: int, offset: int) -> str:
    """Returns a sentence about entries that were left out, and how to get them; empty if there are none."""
    return f"{left_out} more {noun}: call the tool again with offset={offset + limit}." if left_out else ""


def short_statement(sql: str) -> str:
    """Returns the beginning of a statement."""
    return _shortened(sql.strip(), _STATEMENT)


def short_prose(text: str) -> str:
    """Returns a message, cut if it is unusually long."""
    return _shortened(text, _PROSE)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} … ({len(text) - most:,} more characters)"
