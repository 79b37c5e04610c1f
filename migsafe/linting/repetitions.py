"""One finding for a call that is made for several objects: in a loop, in a function of the script, or with several columns."""

import re
from collections.abc import Hashable, Iterable, Sequence

from msgspec.structs import replace

from migsafe.linting.finding import Finding

_MOST_NAMED = 5
_WORD = re.compile(r"[^\s,;:()]+|[\s,;:()]+")


def merge_repeated(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings of a program, with those of one rule at one place as one if their messages differ only in the objects that they
    name. It has the relations of all of them, and says how often it holds and for which objects."""
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        key = finding.rule, finding.script.path, finding.span, finding.severity, len(_words(finding.message))
        groups.setdefault(key, []).append(finding)
    return [_merged(group) if len(group) > 1 else group[0] for group in groups.values()]


def _merged(group: Sequence[Finding]) -> Finding:
    first, number = group[0], len(group)
    objects = list(dict.fromkeys(_objects(group)))
    named = ", ".join(objects[:_MOST_NAMED]) + (f" and {len(objects) - _MOST_NAMED} more" if len(objects) > _MOST_NAMED else "")
    how_often = f"; this call does so {number} times, for {named}" if objects else ""
    helps = dict.fromkeys(finding.help for finding in group)
    others = len(helps) - 1
    likewise = f"# for the first of {number}, and likewise for the other{'s' if others > 1 else ''}:"
    return replace(
        first,
        message=first.message + how_often,
        help=_with_line(first.help, likewise) if others and first.help else first.help,
        relations=tuple(dict.fromkeys(relation for finding in group for relation in finding.relations)),
        lock=max((finding.lock for finding in group if finding.lock is not None), key=lambda lock: lock.strength, default=None),
    )


def _with_line(help: str, line: str) -> str:
    """Returns a safe way with a line at its beginning, below the one that says how many deployments it takes."""
    first, _, rest = help.partition("\n")
    return "\n".join((first, line, rest) if "deployments: 1." in first and rest else (line, help))


def _objects(group: Sequence[Finding]) -> Iterable[str]:
    """Yields for each finding the objects in which it differs from others: the relations, or else the first word of its message."""
    common = set.intersection(*(set(finding.relations) for finding in group))
    words = [_words(finding.message) for finding in group]
    position = next((number for number, same in enumerate(zip(*words, strict=True)) if len(set(same)) > 1), None)
    for finding, message in zip(group, words, strict=True):
        own = [relation for relation in finding.relations if relation not in common]
        if own:
            yield from own[:1]
        elif position is not None:
            yield message[position].strip("'\"`")


def _words(message: str) -> list[str]:
    return _WORD.findall(message)
