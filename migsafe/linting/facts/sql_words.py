"""The words of SQL texts."""

from migsafe.patterns import lazy_pattern

_WORD = lazy_pattern(r"\w+")


def words_of(text: str) -> set[str]:
    """Returns the words of an SQL text, in lower case."""
    return set(_WORD.findall(text.lower()))
