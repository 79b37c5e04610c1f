"""Statements that a runner recognises as impossible in a transaction, and runs outside one by itself."""

import re
from collections.abc import Iterator

from migsafe.sql.split import RawStatement, split
from migsafe.text import Span

_POSSIBLE = ("concurrently", "vacuum", "cluster", "system", "reindex", "discard", "database", "tablespace", "subscription")

_OUTSIDE = (
    r"(?:create|drop|reindex) .*\bconcurrently\b",
    r"vacuum\b",
    r"(?:create|drop) (?:database|tablespace|subscription)\b",
    r"alter system\b",
)
"""The statements that PostgreSQL refuses in a transaction, for runners that recognise none by themselves."""


def runs_outside(text: str) -> bool:
    """Whether a script has a statement that PostgreSQL refuses in a transaction."""
    return next(find_nontransactional(text, _OUTSIDE), None) is not None


def find_nontransactional(text: str, patterns: tuple[str, ...]) -> Iterator[Span]:
    """Yields the statements whose words, joined with single spaces, begin with a match of one of the patterns.

    Comments and strings are not words: a statement that only mentions VACUUM does not count.
    """
    lowered = text.lower()
    if not any(word in lowered for word in _POSSIBLE):
        return
    for raw in split(text):
        if isinstance(raw, RawStatement):
            words = " ".join(raw.words[:8])
            if any(re.match(pattern, words) for pattern in patterns):
                yield raw.span
