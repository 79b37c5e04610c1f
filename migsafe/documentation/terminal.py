"""Rules as text: a table of all of them, and one explained."""

import re
from collections.abc import Iterator, Sequence
from textwrap import fill

from migsafe.documentation.listed import Listed
from migsafe.documentation.markdown import in_order
from migsafe.documentation.page import Example, Prose, page
from migsafe.linting.finding import Severity
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED

_COLOUR = {Severity.ERROR: RED, Severity.WARNING: MAGENTA, Severity.INFO: BOLD}
_OF_EXAMPLES = {True: BOLD, False: RED, None: BOLD}
_WIDTH_OF_A_FILE = 120
_WIDEST = 100
_COMMENT = re.compile(r"^(?:--|# ).*$", re.MULTILINE)


def table(rules: Sequence[Listed], *, colour: bool = False, width: int | None = None) -> str:
    """A line for each rule, category by category, no wider than `width`."""
    if not rules:
        return "There are no rules.\n"
    by_rule = {listed.rule.name: listed for listed in rules}
    names, categories = (max(map(len, words)) for words in zip(*((it.rule.name, it.rule.category) for it in rules), strict=True))
    lines = []
    for _, of_it in in_order([listed.rule for listed in rules]):
        for rule in of_it:
            listed = by_rule[rule.name]
            before = f"{rule.name:{names}}  {rule.category:{categories}}  {listed.rule.severity.word:7}  {'on ' if listed.on else 'off'}  "
            summary = _cut(rule.summary, width - len(before) if width else None)
            painted = before.replace(listed.rule.severity.word, _paint(listed.rule.severity.word, _COLOUR[listed.rule.severity], colour), 1)
            lines.append(painted + summary if listed.on else _paint(before + summary, DIM, colour))
    on = sum(listed.on for listed in rules)
    return "\n".join((*lines, "", f"{len(rules)} rules, {on} of them on. `migsafe explain RULE` tells more.")) + "\n"


def explained(listed: Listed, *, colour: bool = False, width: int | None = None) -> str:
    """What a rule finds, why that hurts, and the safe way."""
    return "\n".join(_explained(listed, colour, min(width or _WIDTH_OF_A_FILE, _WIDEST))) + "\n"


def _explained(listed: Listed, colour: bool, width: int) -> Iterator[str]:
    rule = listed.rule
    text = page(rule.documentation)
    off = "" if listed.on else " · off"
    severity = _paint(listed.rule.severity.word, _COLOUR[listed.rule.severity], colour)
    yield f"{_paint(rule.name, BOLD, colour)} · {rule.category} · {severity}{off}"
    yield ""
    yield _paint(_filled(text.summary, width), BOLD, colour)
    was_item = False
    for block in text.blocks:
        match block:
            case Prose(text=paragraph, item=item):
                if not (item and was_item):
                    yield ""
                yield _filled(paragraph, width, "- ") if item else _filled(paragraph, width)
                was_item = item
            case Example(heading=heading, code=code):
                yield ""
                if heading:
                    yield _paint(f"{heading}:", _OF_EXAMPLES[block.safe], colour)
                yield from ("    " + _paint_comment(line, colour) if line else "" for line in code.splitlines())
                was_item = False
    yield ""
    yield "Where it is meant, on the statement's line or the line above it, with the reason:"
    in_python = any(isinstance(block, Example) and block.language == "python" for block in text.blocks)
    yield f"    {'#' if in_python else '--'} migsafe: ignore[{rule.name}] why it does no harm here"
    if text.see:
        yield ""
        yield from (f"See: {address}" for address in text.see)


def _filled(text: str, width: int, first: str = "") -> str:
    return fill(text, width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False, break_long_words=False)


def _cut(text: str, width: int | None) -> str:
    """The text in the room that is left of a line; all of it where that is next to nothing."""
    return text if width is None or width < 20 or len(text) <= width else text[: width - 1].rstrip() + "…"


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _paint_comment(line: str, colour: bool) -> str:
    return _COMMENT.sub(lambda comment: _paint(comment[0], DIM, colour), line)
