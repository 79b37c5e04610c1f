"""Parameters of SQL in text() that SQLAlchemy, or PostgreSQL after it, refuses when the script runs.

`op.execute()` makes a text() of a string, in which every `:name` is a parameter, also inside a constant (`'{"days":28}'`); without a value the
call fails. Of `:value::jsonb`, the name is sent as it is, because text() ignores a name that stands before a colon
(`TextClause._bind_params_regex` in SQLAlchemy's sql/elements.py).
"""

from typing import Any

from sqlalchemy import exc
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, TextClause

from migsafe.patterns import lazy_pattern
from migsafe.text import MARK_START

_QUOTED = r"'[^']*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/"
_SENT = lazy_pattern(rf"(?s:{_QUOTED})|(?<![:\w\\\])\"']):(?P<name>[a-zA-Z_]\w*)::")


class ProgrammingError(exc.ProgrammingError):
    """The server's error, without the statement: its call is shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, None, Exception(reason))

    def __str__(self) -> str:
        return str(self.orig)


def check_values(clause: Any) -> None:
    """Raises SQLAlchemy's error if a text() has a parameter without a value, as executing it does; compiling it writes NULL."""
    if not isinstance(clause, TextClause) or MARK_START in clause.text:
        return
    for part in visitors.iterate(clause):
        if isinstance(part, BindParameter) and part.required:
            raise exc.InvalidRequestError(f"A value is required for bind parameter {part.key!r}")


def check_names(clause: Any) -> None:
    """Raises PostgreSQL's error if a text() sends the name of a parameter instead of its value."""
    if not isinstance(clause, TextClause) or "::" not in clause.text or MARK_START in clause.text:
        return
    for match in _SENT.finditer(clause.text):
        name = match["name"]
        if name is not None:
            reason = f'syntax error at or near ":": text() leaves :{name} before "::" as it is; write CAST(:{name} AS …)'
            raise ProgrammingError(reason)
