"""What a path through a program assumes."""

from typing import Literal

from msgspec import Struct


class Assumption(Struct, frozen=True):
    """What a path assumes at a place of a program that decides about something unknown.

    `condition` is the source of what is unknown, `line` its line. It `holds` or not; if it is about the `rows` of a query, the query returns
    rows or not. One about a `value` in a row differs from row to row.
    """

    condition: str
    line: int
    holds: bool
    about: Literal["", "rows", "value"] = ""
