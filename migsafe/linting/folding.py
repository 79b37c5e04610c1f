"""Equal findings of one file: reports show the first ones, and the others as one with their number."""

from collections.abc import Hashable, Sequence

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.patterns import lazy_pattern

_SHOWN = 10
"""How many equal findings of a file are shown before the others are folded."""
_MOST_PLACES = 100
_NUMBER = lazy_pattern(r"\d+")


def fold_equal(findings: Sequence[Finding]) -> list[Finding]:
    """Returns the findings of a report; after ten equal ones in a file, the others are one finding at the place of the first of them.

    Findings are equal if they are of one rule and severity, and their messages and safe ways differ only in numbers, such as lines. The folded
    finding says how many others it stands for, and has the first hundred of their places: a dump may have a million.
    """
    groups: dict[Hashable, list[int]] = {}
    for number, finding in enumerate(findings):
        kind = finding.rule, finding.script.path, finding.severity, _NUMBER.sub("0", finding.message), _NUMBER.sub("0", finding.help)
        groups.setdefault(kind, []).append(number)
    folded = {
        group[begin]: group[begin:] for group in groups.values() if (begin := _first_folded([findings[each] for each in group])) is not None
    }
    left_out = {number for group in folded.values() for number in group[1:]}
    return [
        _one_of([findings[each] for each in folded[number]]) if number in folded else finding
        for number, finding in enumerate(findings)
        if number not in left_out
    ]


def _first_folded(group: Sequence[Finding]) -> int | None:
    """Returns the number of the first finding of a group that is folded; None for none. One that stands for others already is folded, too."""
    if len(group) > _SHOWN + 1:
        return _SHOWN
    return next((number for number, finding in enumerate(group) if finding.more), None)


def _one_of(group: Sequence[Finding]) -> Finding:
    first, more = group[0], sum(1 + finding.more for finding in group) - 1
    last = max((finding.places or (finding.span,))[-1].start if finding.more else finding.span.start for finding in group)
    last_line = first.script.position(last).line
    places = [place for finding in group[:_MOST_PLACES] for place in finding.places or (finding.span,)]
    message = f"{first.message}; {more:,} more finding{'' if more == 1 else 's'} like this one, up to line {last_line}"
    return replace(first, message=message, places=tuple(places[:_MOST_PLACES]), more=more)
