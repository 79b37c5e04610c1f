"""Findings of one kind in one file: reports show the first ones, and the others as one with their number and their lines."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from msgspec.structs import replace

from migsafe.linting.finding import Finding
from migsafe.patterns import lazy_pattern

_SHOWN = 10
"""How many equal findings of a file are shown before the others are folded."""
_MOST_PLACES = 100
_MOST_LISTED = 10
_FIRST_WORDS = 3
"""The words of a message that say what is done: `CREATE INDEX takes`, `UPDATE without WHERE`."""
_NUMBER = lazy_pattern(r"\d+")


def fold_equal(findings: Sequence[Finding]) -> list[Finding]:
    """Returns the findings of a report; after ten of a kind in a file, the others are one finding at the place of the first of them.

    Equal findings are of one rule and severity, and their messages and safe ways differ only in numbers, such as lines. Of the others, those
    of one rule and severity whose messages begin with the same words are of a kind: a file that creates sixty indexes has the same hazard
    sixty times. Findings about queries each need a decision of their own, and those about what PostgreSQL refuses have causes of their own.
    The folded finding says how many others it stands for, and has the first hundred of their places: a dump may have a million.
    """
    shown = _folded(findings, _equal_kind)
    equal = {_equal_kind(finding) for finding in shown if finding.more}
    return _folded(shown, lambda finding: None if _equal_kind(finding) in equal else _kind(finding))


def _wide_kind(finding: Finding) -> Hashable:
    return finding.rule, finding.script.path, finding.severity


def _equal_kind(finding: Finding) -> Hashable:
    return _wide_kind(finding), _NUMBER.sub("0", finding.message), _NUMBER.sub("0", finding.help)


def _kind(finding: Finding) -> Hashable | None:
    if finding.category in ("queries", "failures", "history"):
        return None
    return _wide_kind(finding), *finding.message.split(maxsplit=_FIRST_WORDS)[:_FIRST_WORDS]


def _folded(findings: Sequence[Finding], kind: Callable[[Finding], Hashable | None]) -> list[Finding]:
    """Returns the findings with the later ones of each kind folded; `kind` returns None for one that stays as it is. Those of one kind are of
    one rule, file and severity: of most there are too few to be folded."""
    numbers = Counter(map(_wide_kind, findings))
    large = {wide for wide, count in numbers.items() if count > _SHOWN} | {_wide_kind(finding) for finding in findings if finding.more}
    groups: dict[Hashable, list[int]] = {}
    for number, finding in enumerate(findings) if large else ():
        if _wide_kind(finding) in large and (key := kind(finding)) is not None:
            groups.setdefault(key, []).append(number)
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
    are_equal = len({_equal_kind(finding) for finding in group}) == 1
    last = max((finding.places or (finding.span,))[-1].start if finding.more else finding.span.start for finding in group)
    places = [place for finding in group[:_MOST_PLACES] for place in finding.places or (finding.span,)]
    findings = f"{more:,} more finding{'' if more == 1 else 's'}"
    if are_equal:
        message = f"{first.message}; {findings} like this one, up to line {first.script.position(last).line}"
    else:
        message = f"{first.message}; {findings} of this rule: {_listed(group)}"
    return replace(first, message=message, places=tuple(places[:_MOST_PLACES]), more=more)


def _listed(group: Sequence[Finding]) -> str:
    """Returns the lines of the findings after the first, with their relations if these are others."""
    first = group[0]
    relation = next(iter(first.relations), "")
    others = [(next(iter(finding.relations), ""), finding.script.position(finding.span.start).line) for finding in group[1:]]
    listed = list(dict.fromkeys(f"line {line}" if other == relation else f"{other} (line {line})" for other, line in others))
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return ", ".join(listed[:_MOST_LISTED]) + more
