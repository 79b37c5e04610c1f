"""Statements that a runner knows to refuse a transaction, and runs outside one by itself."""

import re
from collections.abc import Iterator

from migsafe.sql.split import RawStatement, split
from migsafe.text import Span

_PERHAPS = re.compile(r"\b(?:concurrently|vacuum|cluster|system|reindex|discard|database|tablespace|subscription)\b", re.IGNORECASE)


def find_nontransactional(text: str, patterns: tuple[str, ...]) -> Iterator[Span]:
    """Where the statements stand whose words, put together with single spaces, one of the patterns matches from the first on.

    Comments and strings are no words, so that what merely mentions VACUUM does not count.
    """
    if not _PERHAPS.search(text):
        return
    for raw in split(text):
        if isinstance(raw, RawStatement):
            words = " ".join(raw.words[:8])
            if any(re.match(pattern, words) for pattern in patterns):
                yield raw.span
