"""The calls of several runs of one script, merged into one list."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec.structs import replace

from migsafe.rendering.messages import RenderedCall

_CONSTANT = re.compile(r"'(?:[^']|'')*'|⟨[^⟩]*⟩|\b\d+\b")

_Key = tuple[int, int, str, str]


def merge_runs(runs: Sequence[list[RenderedCall]]) -> list[RenderedCall]:
    """Returns the calls of several runs, in an order that agrees with each run as far as possible. A call is certain if all runs made it."""
    if len(runs) == 1:
        return _once(runs[0])
    counts: dict[tuple[_Key, int], int] = {}
    merged: list[tuple[tuple[_Key, int], RenderedCall]] = []
    for calls in runs:
        keyed = _keyed(_once(calls))
        for key, _ in keyed:
            counts[key] = counts.get(key, 0) + 1
        merged = _merge(merged, keyed)
    return _once([replace(call, certain=call.certain and counts[key] == len(runs)) for key, call in merged])


def _merge(
    first: list[tuple[tuple[_Key, int], RenderedCall]], second: list[tuple[tuple[_Key, int], RenderedCall]]
) -> list[tuple[tuple[_Key, int], RenderedCall]]:
    matcher = SequenceMatcher(None, [key for key, _ in first], [key for key, _ in second], autojunk=False)
    merged = []
    known = {key for key, _ in first}
    for change, start, end, second_start, second_end in matcher.get_opcodes():
        merged += first[start:end]
        if change in ("insert", "replace"):
            merged += [(key, call) for key, call in second[second_start:second_end] if key not in known]
    return merged


def _keyed(calls: Sequence[RenderedCall]) -> list[tuple[tuple[_Key, int], RenderedCall]]:
    """Returns the calls with a key: their place and text, without constants, which may be the time, and a number for repeated ones."""
    seen: dict[_Key, int] = {}
    keyed = []
    for call in calls:
        key = _key(call)
        seen[key] = seen.get(key, 0) + 1
        keyed.append(((key, seen[key]), call))
    return keyed


def _key(call: RenderedCall) -> _Key:
    return call.start, call.end, _CONSTANT.sub("?", call.sql), call.opaque


def _once(calls: Sequence[RenderedCall]) -> list[RenderedCall]:
    """Returns the calls without repeated uncertain ones, which come from loops of unknown length."""
    seen: set[_Key] = set()
    kept = []
    for call in calls:
        is_uncertain = not call.certain or call.opaque or call.unknown_marks
        if is_uncertain and _key(call) in seen:
            continue
        seen.add(_key(call))
        kept.append(call)
    return kept
