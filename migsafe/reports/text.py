"""The report for people: each finding with its line, what happens and the safe way; then the counts."""

from collections.abc import Callable, Iterator
from textwrap import fill

from migsafe.errors import UnreadableError
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.patterns import lazy_pattern
from migsafe.reports.excerpt import excerpt
from migsafe.terminal.colours import BOLD, DIM, MAGENTA, RED
from migsafe.terminal.display import Display
from migsafe.terminal.width import WIDEST_PROSE, WIDTH_OF_A_FILE, visible

COLOURS = {Severity.ERROR: RED, Severity.WARNING: MAGENTA, Severity.INFO: BOLD}
_CODE = lazy_pattern(r"`[^`]*`")
_NO_BREAK = "\xa0"


def report(verdict: Verdict, display: Display) -> str:
    """Returns every finding, then a line with the counts, and one that says how many findings `lint --fix` can resolve."""
    findings = findings_text(verdict, display)
    return "\n".join((*([findings] if findings else []), closing(verdict, display) + "\n")) + _fixable(verdict)


def findings_text(verdict: Verdict, display: Display) -> str:
    """Returns every finding, with an empty line between two."""
    return "\n".join("\n".join(_finding(finding, display)) + "\n" for finding in verdict.findings)


def _finding(finding: Finding, display: Display) -> Iterator[str]:
    colour = COLOURS[finding.severity]
    position = finding.script.position(finding.span.start)
    where = display.paint(f"{visible(finding.script.path)}:{position.line}:{position.column}", BOLD)
    yield f"{where} {display.paint(finding.severity.word, colour)} {display.paint(finding.rule, BOLD)}"
    yield from excerpt(finding.script, finding.span, display.width or WIDTH_OF_A_FILE, _painter(colour, display), _painter(DIM, display))
    yield _prose(visible(finding.message), display)
    if finding.help:
        yield f"  {display.paint('Safe:', BOLD)}"
        yield from (_help_line(visible(line), display) for line in finding.help.splitlines())


def closing(verdict: Verdict, display: Display) -> str:
    """Returns the counts, in one line."""
    summary = verdict.summary
    unread = [f"{_count(summary.unparsed, 'statement')} could not be read"] if summary.unparsed else []
    missing = sum(isinstance(problem, UnreadableError) for problem in verdict.problems)
    unread += [display.paint(f"{_count(missing, 'file')} could not be read", COLOURS[Severity.ERROR])] if missing else []
    unread = [*_left_out(verdict), *unread]
    counts = [
        display.paint(_count(number, severity.word), COLOURS[severity])
        for severity, number in (
            (Severity.ERROR, summary.errors),
            (Severity.WARNING, summary.warnings),
            (Severity.INFO, summary.infos),
        )
        if number
    ]
    nothing = "Nothing found" if summary.unparsed or missing else display.paint("Nothing found", BOLD)
    extent = f"{', '.join(counts) or nothing} in {_count(summary.files, 'file')}, {_count(summary.statements, 'statement')}"
    return "; ".join((extent, *unread)) + "."


def _fixable(verdict: Verdict) -> str:
    """Returns a line with the numbers of the findings that have a fix; empty if there are none, or if the migrations must stay as they are."""
    fixable = [finding for finding in verdict.findings if finding.is_fixable] if verdict.editable else []
    safe = sum(finding.fix_is_safe for finding in fixable)
    with_fix = f"{_count(safe, 'finding')} can be fixed with `--fix`"
    if safe == len(fixable):
        return f"{with_fix}.\n" if safe else ""
    unsafe = len(fixable) - safe
    return (f"{with_fix}, {unsafe} more" if safe else f"{_count(unsafe, 'finding')} can be fixed") + " with `--fix --unsafe-fixes`.\n"


def _left_out(verdict: Verdict) -> list[str]:
    """Returns the counts of findings that are not reported."""
    suppressed = verdict.summary.suppressed - verdict.baselined
    counts = [(suppressed, f"{suppressed} suppressed"), (verdict.baselined, f"{verdict.baselined} in the baseline")]
    return [words for number, words in counts if number]


def _prose(text: str, display: Display) -> str:
    """Returns the text wrapped on a terminal; elsewhere on one line, so that it can be searched."""
    if display.width is None:
        return f"  {text}"
    return fill(text, min(display.width, WIDEST_PROSE), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _help_line(line: str, display: Display) -> str:
    """Returns a line to paste: SQL is unchanged, a comment is wrapped on a terminal."""
    if display.width is None or not line.startswith("--"):
        return f"    {line}".rstrip()
    # Code between backticks is to be copied, so it stays on one line.
    kept = _CODE.sub(lambda code: code[0].replace(" ", _NO_BREAK), line)
    wrapped = fill(kept, min(display.width, WIDEST_PROSE), initial_indent="    ", subsequent_indent="    -- ", break_on_hyphens=False)
    return wrapped.replace(_NO_BREAK, " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _painter(code: str, display: Display) -> Callable[[str], str]:
    return lambda text: display.paint(text, code)
