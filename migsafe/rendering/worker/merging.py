"""The calls of several runs of one script, merged into one list.

The time and memory are proportional to the number of calls: a script may make thousands.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from migsafe.assumption import Assumption
from migsafe.rendering.messages import RenderedCall, RenderedPath
from migsafe.rendering.worker.loops import steers_session

_CONSTANT = re.compile(r"'[^']*+(?:''[^']*+)*+'|⟨[^⟩]*⟩|\b\d+\b")

_Key = tuple[int, int, str, str]
_Keyed = tuple[tuple[_Key, int], RenderedCall]


class MergedCalls(NamedTuple):
    """The calls of all runs; `runs` are the numbers of the calls that each run made, in ascending order, `uncertain` those of the calls that
    are uncertain in each run that makes them."""

    calls: list[RenderedCall]
    runs: list[tuple[int, ...]]
    uncertain: frozenset[int]

    def paths(self, assumptions: Sequence[Mapping[Any, Assumption]]) -> tuple[RenderedPath, ...]:
        """Returns the paths that the runs took, if there are several; `assumptions` are those of each run. Runs with the same calls are one
        path, which assumes what they have in common."""
        by_calls: dict[tuple[int, ...], dict[Any, Assumption]] = {}
        for calls, assumed in zip(self.runs, assumptions, strict=True):
            common = by_calls.get(calls)
            by_calls[calls] = dict(assumed) if common is None else dict(common.items() & assumed.items())
        if len(by_calls) == 1:
            return ()
        return tuple(
            RenderedPath(calls, tuple(sorted(assumed.values(), key=_line)), tuple(self.uncertain.intersection(calls)))
            for calls, assumed in by_calls.items()
        )


def _line(assumption: Assumption) -> int:
    return assumption.line


def merge_runs(runs: Sequence[list[RenderedCall]]) -> MergedCalls:
    """Returns the calls of several runs in an order that agrees with each run. A call is certain if all runs made it; a call that two runs made
    in different orders is there twice."""
    merged: list[_Keyed] = []
    numbers: list[list[int]] = []
    for calls in runs:
        keyed = _keyed(_once(calls))
        slots = _slots(merged, keyed)
        merged, moved, own = _inserted(merged, keyed, slots)
        numbers = [[moved[number] for number in earlier] for earlier in numbers]
        numbers.append(own)
    made = [0] * len(merged)
    for number in (number for each in numbers for number in each):
        made[number] += 1
    certain = [replace(call, certain=call.certain and made[number] == len(runs)) for number, (_, call) in enumerate(merged)]
    uncertain = frozenset(number for number, (_, call) in enumerate(merged) if not call.certain)
    return MergedCalls(certain, [tuple(each) for each in numbers], uncertain)


def _slots(merged: Sequence[_Keyed], keyed: Sequence[_Keyed]) -> list[int | None]:
    """Returns for each call of a run the number of the same call in the merged ones, if that follows the call before it; otherwise None. Calls
    of one place whose texts differ in constants are the same only if the other run has neither text at this place."""
    by_text: dict[_Key, list[int]] = {}
    by_key: dict[tuple[_Key, int], list[int]] = {}
    own = {_exact(call) for _, call in keyed}
    for number, (key, call) in enumerate(merged):
        by_text.setdefault(_exact(call), []).append(number)
        if _exact(call) not in own:
            by_key.setdefault(key, []).append(number)
    last = -1
    slots: list[int | None] = []
    for key, call in keyed:
        numbers = by_text.get(_exact(call)) or by_key.get(key, [])
        at = bisect_right(numbers, last)
        slots.append(numbers[at] if at < len(numbers) else None)
        last = last if at == len(numbers) else numbers[at]
    return slots


def _inserted(merged: Sequence[_Keyed], keyed: Sequence[_Keyed], slots: Sequence[int | None]) -> tuple[list[_Keyed], dict[int, int], list[int]]:
    """Returns the merged calls with those of a run that have no slot; the new numbers of the merged calls, by their old ones; and the numbers
    of the run's calls. Between two calls that both have, the calls are in the order of the script."""
    result: list[_Keyed] = []
    moved: dict[int, int] = {}
    own: list[int] = []
    copied = 0

    def copy(number: int) -> None:
        moved[number] = len(result)
        result.append(merged[number])

    for entry, end in zip(keyed, _next_slots(slots, len(merged)), strict=True):
        slot = slots[len(own)]
        while copied < end and (slot is not None or merged[copied][1].start <= entry[1].start):
            copy(copied)
            copied += 1
        own.append(len(result))
        if slot is None:
            result.append(entry)
        else:
            copy(slot)
            if entry[1].repeated and not result[-1][1].repeated:
                result[-1] = result[-1][0], replace(result[-1][1], repeated=entry[1].repeated)
            copied = slot + 1
    for number in range(copied, len(merged)):
        copy(number)
    return result, moved, own


def _next_slots(slots: Sequence[int | None], end: int) -> list[int]:
    """Returns for each slot the first one from there on that is not None, or else the end."""
    following: list[int] = []
    for slot in reversed(slots):
        end = end if slot is None else slot
        following.append(end)
    return following[::-1]


def _keyed(calls: Sequence[RenderedCall]) -> list[_Keyed]:
    """Returns the calls with a key: their place and text, without constants, which may be the time, and a number for repeated ones."""
    seen: dict[_Key, int] = {}
    keyed = []
    for call in calls:
        key = _key(call)
        seen[key] = seen.get(key, 0) + 1
        keyed.append(((key, seen[key]), call))
    return keyed


def _exact(call: RenderedCall) -> _Key:
    return call.start, call.end, call.sql, call.opaque


def _key(call: RenderedCall) -> _Key:
    return call.start, call.end, _CONSTANT.sub("?", call.sql), call.opaque


def _once(calls: Sequence[RenderedCall]) -> list[RenderedCall]:
    """Returns the calls without repeated uncertain ones, which come from loops of unknown length."""
    seen: set[_Key] = set()
    kept = []
    for call in calls:
        is_uncertain = not call.certain or call.opaque or call.unknown_marks
        if is_uncertain and _key(call) in seen and not steers_session(call.sql):
            continue
        seen.add(_key(call))
        kept.append(call)
    return kept
