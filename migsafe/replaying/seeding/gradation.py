"""How nearly a row satisfies a CHECK: a condition with many parts shows no way to its solution if only the whole counts."""

import re
from functools import lru_cache

from migsafe.patterns import lazy_pattern

_TOKEN = lazy_pattern(r"'[^']*+(?:''[^']*+)*+'|\"(?:[^\"]|\"\")*\"|[()\[\]]|\bAND\b|\bOR\b|\bCASE\b|\bEND\b|.", re.DOTALL)
_OPENING = ("(", "[", "CASE")
_CLOSING = (")", "]", "END")


@lru_cache(maxsize=1024)
def gradation(condition: str) -> str:
    """Returns an expression for a condition as PostgreSQL prints it: 1 if it is not false, else the satisfied share of its parts, which is
    less; of alternatives, the nearest one counts."""
    condition = _without_parentheses(condition.strip())
    for word, form in (("OR", "greatest({})"), ("AND", "")):
        parts = _split(condition, word)
        if len(parts) > 1:
            graded = [gradation(part) for part in parts]
            return form.format(", ".join(graded)) if form else f"(({' + '.join(graded)}) / {len(graded)}.0)"
    return f"(({condition}) IS NOT FALSE)::int4"


def _without_parentheses(condition: str) -> str:
    while condition.startswith("(") and condition.endswith(")") and not _split_at_depth_zero(condition):
        condition = condition[1:-1].strip()
    return condition


def _split_at_depth_zero(condition: str) -> bool:
    """Whether the first parenthesis is closed before the end."""
    depth = 0
    for match in _TOKEN.finditer(condition):
        depth += _step(match[0])
        if depth == 0 and match.end() < len(condition):
            return True
    return False


def _split(condition: str, word: str) -> list[str]:
    """Splits a condition at a word outside parentheses."""
    parts, start, depth = [], 0, 0
    for match in _TOKEN.finditer(condition):
        depth += _step(match[0])
        if depth == 0 and match[0] == word:
            parts.append(condition[start : match.start()])
            start = match.end()
    return [*parts, condition[start:]]


def _step(token: str) -> int:
    return (token in _OPENING) - (token in _CLOSING)
