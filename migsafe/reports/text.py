"""What a person reads: each finding with the line it stands on, what happens and the safe way; at the end, what it comes to."""

import re
from collections.abc import Callable, Iterator
from textwrap import fill

from migsafe.errors import UnreadableError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.judge import Verdict
from migsafe.reports import Look
from migsafe.reports.excerpt import excerpt, visible
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED

_WIDTH_OF_A_FILE = 120
_WIDEST_PROSE = 100
_COLOUR = {Severity.ERROR: RED, Severity.WARNING: MAGENTA, Severity.INFO: BOLD}
_CODE = re.compile(r"`[^`]*`")
_NO_BREAK = "\xa0"


def report(verdict: Verdict, look: Look) -> str:
    """Every finding, then one line that sums up."""
    findings = findings_text(verdict, look)
    return "\n".join((*([findings] if findings else []), closing(verdict, look) + "\n"))


def findings_text(verdict: Verdict, look: Look) -> str:
    """Every finding, an empty line between two."""
    return "\n".join("\n".join(_finding(finding, look)) + "\n" for finding in verdict.findings)


def _finding(finding: Finding, look: Look) -> Iterator[str]:
    colour = _COLOUR[finding.severity]
    place = finding.script.position(finding.span.start)
    where = paint(f"{visible(finding.script.path)}:{place.line}:{place.column}", BOLD, look)
    yield f"{where} {paint(finding.severity.word, colour, look)} {paint(finding.rule, BOLD, look)}"
    yield from excerpt(finding.script, finding.span, look.width or _WIDTH_OF_A_FILE, _painter(colour, look), _painter(DIM, look))
    yield _prose(visible(finding.message), look)
    if finding.help:
        yield f"  {paint('Safe:', BOLD, look)}"
        yield from (_help_line(visible(line), look) for line in finding.help.splitlines())


def closing(verdict: Verdict, look: Look) -> str:
    """What it comes to, in one line."""
    summary = verdict.summary
    unread = [f"{_count(summary.unparsed, 'statement')} could not be read"] if summary.unparsed else []
    missing = sum(isinstance(problem, UnreadableError) for problem in verdict.problems)
    unread += [paint(f"{_count(missing, 'file')} could not be read", _COLOUR[Severity.ERROR], look)] if missing else []
    unread = [*_left_out(verdict), *unread]
    found = [
        paint(_count(number, severity.word), _COLOUR[severity], look)
        for severity, number in (
            (Severity.ERROR, summary.errors),
            (Severity.WARNING, summary.warnings),
            (Severity.INFO, summary.infos),
        )
        if number
    ]
    nothing = "Nothing found" if summary.unparsed or missing else paint("Nothing found", BOLD, look)
    extent = f"{', '.join(found) or nothing} in {_count(summary.files, 'file')}, {_count(summary.statements, 'statement')}"
    return "; ".join((extent, *unread)) + "."


def _left_out(verdict: Verdict) -> list[str]:
    """What was found and is not reported."""
    suppressed = verdict.summary.suppressed - verdict.baselined
    said = [(suppressed, f"{suppressed} suppressed"), (verdict.baselined, f"{verdict.baselined} in the baseline")]
    return [words for number, words in said if number]


def _prose(text: str, look: Look) -> str:
    """Wrapped on a terminal; one line elsewhere, so that it can be searched for."""
    if look.width is None:
        return f"  {text}"
    return fill(text, min(look.width, _WIDEST_PROSE), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _help_line(line: str, look: Look) -> str:
    """A line to paste: SQL stays as it is, a comment is wrapped on a terminal."""
    if look.width is None or not line.startswith("--"):
        return f"    {line}".rstrip()
    # What stands between backticks is to be copied, and stays on one line.
    kept = _CODE.sub(lambda code: code[0].replace(" ", _NO_BREAK), line)
    wrapped = fill(kept, min(look.width, _WIDEST_PROSE), initial_indent="    ", subsequent_indent="    -- ", break_on_hyphens=False)
    return wrapped.replace(_NO_BREAK, " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def paint(text: str, code: str, look: Look) -> str:
    """A text in a colour, where the place shows colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if look.colour and code else text


def _painter(code: str, look: Look) -> Callable[[str], str]:
    return lambda text: paint(text, code, look)
