"""Scripts that contain both halves, separated by directive lines."""

import re

from migsafe.text import Span

UP, DOWN = "up", "down"


def sections(text: str, directive: re.Pattern[str]) -> list[tuple[str, re.Match[str], Span]]:
    """Returns the sections of a text, each with its half, the match of the directive line that begins it, and its span, with the directive.

    The pattern's group `half` matches `up` or `down` in any case. Text before the first directive is in no section.
    """
    matches = list(directive.finditer(text))
    ends = [*(match.start() for match in matches), len(text)][1:]
    return [(match["half"].lower(), match, Span(match.start(), end)) for match, end in zip(matches, ends, strict=True)]
