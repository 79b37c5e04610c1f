"""Helping with a misspelt name."""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A question that names the known word nearest to a misspelt one; where none is near, `otherwise`, or all of them."""
    from difflib import get_close_matches  # noqa: PLC0415  # start-up must not pay for what only a mistake needs

    names = sorted(known)
    near = get_close_matches(word.lower(), names, 1)
    return f"Did you mean {near[0]}?" if near else otherwise or f"There are: {', '.join(names)}."
