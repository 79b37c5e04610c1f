"""Scripts that hold both halves, parted by directive lines."""

import re

from migsafe.text import Span

UP, DOWN = "up", "down"


def sections(text: str, directive: re.Pattern[str]) -> list[tuple[str, re.Match[str], Span]]:
    """The pieces of a text that begin with a directive line: which half, the directive's match, and the piece, directive included.

    The pattern's group `half` matches `up` or `down` in any case. What stands before the first directive is in no piece.
    """
    matches = list(directive.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    return [(match["half"].lower(), match, Span(match.start(), end)) for match, end in zip(matches, ends, strict=True)]
