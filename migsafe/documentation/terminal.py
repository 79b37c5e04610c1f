"""Rules as text: a table of all rules, and the explanation of one."""

import re
from collections.abc import Iterator, Sequence
from textwrap import fill, wrap

from migsafe.documentation.fix import fix_counts, fix_kind, fix_sentence
from migsafe.documentation.markdown import in_order
from migsafe.documentation.page import Example, Prose, page
from migsafe.library.project import ListedRule
from migsafe.linting.finding import Severity
from migsafe.patterns import lazy_pattern
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.width import WIDEST_PROSE, WIDTH_OF_A_FILE

_COLOURS = {Severity.ERROR: RED, Severity.WARNING: MAGENTA, Severity.INFO: BOLD}
_OF_EXAMPLES = {True: BOLD, False: RED, None: BOLD}
_FIXES = {"safe": "fix", "unsafe": "unsafe fix", "none": ""}
_COMMENT = lazy_pattern(r"^(?:--|# ).*$", re.MULTILINE)


def table(rules: Sequence[ListedRule], display: Display) -> str:
    """Returns a line for each rule, category by category, no wider than the display."""
    if not rules:
        return "There are no rules.\n"
    by_rule = {listed.rule.name: listed for listed in rules}
    names, categories = (max(map(len, words)) for words in zip(*((listed.rule.name, listed.rule.category) for listed in rules), strict=True))
    lines = []
    for _, rules_of_category in in_order([listed.rule for listed in rules]):
        for rule in rules_of_category:
            listed = by_rule[rule.name]
            about = f"{listed.rule.severity.word:7}  {'on ' if listed.on else 'off'}  {_FIXES[fix_kind(rule)]:10}"
            before = f"{rule.name:{names}}  {rule.category:{categories}}  {about}  "
            summary = _cut(rule.summary, display.width - len(before) if display.width else None)
            painted = before.replace(listed.rule.severity.word, display.paint(listed.rule.severity.word, _COLOURS[listed.rule.severity]), 1)
            lines.append(painted + summary if listed.on else display.paint(before + summary, DIM))
    on = sum(listed.on for listed in rules)
    end = f"{len(rules)} rules, {on} of them on; {fix_counts([listed.rule for listed in rules])}. `migsafe explain RULE` explains a rule."
    return "\n".join((*lines, "", *wrap(end, display.width or WIDTH_OF_A_FILE, break_on_hyphens=False))) + "\n"


def explained(listed: ListedRule, display: Display) -> str:
    """Returns what a rule finds, why that is harmful, and the safe way."""
    return "\n".join(_explained(listed, display, min(display.width or WIDTH_OF_A_FILE, WIDEST_PROSE))) + "\n"


def _explained(listed: ListedRule, display: Display, width: int) -> Iterator[str]:
    rule = listed.rule
    text = page(rule.documentation)
    off = "" if listed.on else " · off"
    severity = display.paint(listed.rule.severity.word, _COLOURS[listed.rule.severity])
    yield f"{display.paint(rule.name, BOLD)} · {rule.category} · {severity}{off}"
    yield ""
    yield display.paint(_filled(text.summary, width), BOLD)
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
                    yield display.paint(f"{heading}:", _OF_EXAMPLES[block.safe])
                yield from ("    " + _paint_comment(line, display) if line else "" for line in code.splitlines())
                was_item = False
    yield ""
    yield _filled(f"Fix: {fix_sentence(rule)}", width)
    yield ""
    yield "To accept a finding, write a comment with the reason on the statement's line or the line above:"
    in_python = any(isinstance(block, Example) and block.language == "python" for block in text.blocks)
    yield f"    {'#' if in_python else '--'} migsafe: ignore[{rule.name}] why it is safe here"
    if text.see:
        yield ""
        yield from (f"See: {address}" for address in text.see)


def _filled(text: str, width: int, first: str = "") -> str:
    return fill(text, width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False, break_long_words=False)


def _cut(text: str, width: int | None) -> str:
    """Returns the text, cut to a width; the whole text if the width is very small."""
    return text if width is None or width < 20 or len(text) <= width else text[: width - 1].rstrip() + "…"


def _paint_comment(line: str, display: Display) -> str:
    return _COMMENT.sub(lambda comment: display.paint(comment[0], DIM), line)
