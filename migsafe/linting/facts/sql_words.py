"""The words of SQL texts."""

import re

_WORD = re.compile(r"\w+")


def words_of(text: str) -> set[str]:
    """Returns the words of an SQL text, in lower case."""
    return set(_WORD.findall(text.lower()))
