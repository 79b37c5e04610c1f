"""The division of a long history among processes, which judge a part of it each.

A migration is judged on the database that the migrations before it leave, so each process follows the history up to its part. That takes a
third of the time of judging it (`benchmarks/speed.py`), so the first process has the longest part, and this one, the last, has the shortest.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Rule
from migsafe.patterns import lazy_pattern
from migsafe.prediction.history import Part, Steps
from migsafe.sources import Half

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from migsafe.cache.watch import Watch

MOST_PROCESSES = 4
"""More processes save little: each follows the history before its part."""

_FOLLOWING = 0.3
"""The time for following a migration, in relation to that for judging it."""

_WORTH = 150
"""How many statements a part must have, so that it saves more time than a process takes to start and to send its findings."""

_LAST = 9
"""How many migrations at least this process judges: it stores the checkpoints near the end, which need the state after them."""

_BODY = lazy_pattern(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)

JudgePart = Callable[[Part], JudgingState]


class DivisionError(Exception):
    """Another process could not judge its part."""


def usable_processors() -> int:
    """Returns how many processors this process may use, at most MOST_PROCESSES; 1 where processes cannot be forked safely."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSES) if hasattr(os, "sched_getaffinity") else 1


class Division:
    """Divides the steps of a plan among `processes`. `judge_part` judges a part; the findings are put into `state`.

    `watch` is told what the other processes looked at.
    """

    def __init__(self, processes: int, judge_part: JudgePart, state: JudgingState, rules: Sequence[Rule], watch: "Watch | None" = None) -> None:
        self._number = processes
        self._judge_part = judge_part
        self._state = state
        self._rules: Mapping[str, Rule] = {rule.name: rule for rule in rules}
        self._watch = watch
        self._running: list[tuple[BaseProcess, Connection[Any, Any]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for process, receiver in self._running:
            process.kill()
            process.join()
            receiver.close()
        self._running = []

    def begin(self, steps: Steps) -> Part:
        """Starts a process for each part but the last; returns the last."""
        *others, last = parts(steps, self._number if hasattr(os, "fork") else 1)
        if others:
            with self._watch.paused() if self._watch is not None else nullcontext():
                self._start(others)
        return last

    def _start(self, others: Sequence[Part]) -> None:
        from multiprocessing import get_context  # noqa: PLC0415  # only long histories are divided

        context = get_context("fork")
        for part in others:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=self._run, args=(part, sender), daemon=True)
            process.start()
            sender.close()
            self._running.append((process, receiver))

    def _run(self, part: Part, sender: "Connection[Any, Any]") -> None:
        """Judges a part in a process of its own, and sends what it found; nothing if that is not possible."""
        import signal  # noqa: PLC0415

        from migsafe.cache.pickling import pickled  # noqa: PLC0415

        # The first process is interrupted as well, and ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        position = self._watch.position if self._watch is not None else 0
        try:
            state = self._judge_part(part)
        except Exception:  # the first process judges the part again, and meets the error
            return
        if not state.failures:
            seen = self._watch.record(position) if self._watch is not None else None
            sender.send_bytes(pickled((state, seen)) or b"")

    def complete(self) -> None:
        """Takes over what the other processes found. Raises DivisionError if one of them could not judge its part."""
        from migsafe.cache.pickling import unpickled  # noqa: PLC0415

        while self._running:
            process, receiver = self._running.pop()
            try:
                data = receiver.recv_bytes()
                state, seen = unpickled(data, self._rules)
            except (EOFError, OSError) as error:
                raise DivisionError from error
            finally:
                receiver.close()
                process.kill()
                process.join()
            self._state.put_before(state)
            if self._watch is not None:
                self._watch.include(seen)


def parts(steps: Steps, processes: int) -> list[Part]:
    """Returns the parts of the steps that processes take about the same time for, in order; one part if it is not worth more.

    A part ends where the next one depends on it only through the database: not inside a transaction, and not inside a file. Programs, which
    another process renders, are not divided, nor are histories of several databases: a finding is resolved in the database that it is about.
    """
    whole = [Part(0, len(steps))]
    judged = [_statements(step.migration.up) if step.selected else 0 for _, step in steps]
    processes = min(processes, sum(judged) // _WORTH)
    if processes < 2 or not all(source is steps[0][0] and step.migration.up.program is None for source, step in steps):
        return whole
    ends = _possible_ends(steps)
    # Each part takes share * all, of which following takes a part: share = following * begin + (end - begin).
    share = _FOLLOWING / (1 - (1 - _FOLLOWING) ** processes) * sum(judged)
    begins, done, wanted = [0], 0, share
    for number, size in enumerate(judged, 1):
        done += size
        if done >= wanted and number in ends and len(begins) < processes:
            begins.append(number)
            wanted = done * (1 - _FOLLOWING) + share
    return [Part(begin, end) for begin, end in zip(begins, [*begins[1:], len(steps)], strict=True)]


def _statements(half: Half) -> int:
    """Returns the approximate number of statements of an upgrade, which determines how long judging it takes."""
    return sum(_BODY.sub("", half.script.text[chunk.start : chunk.end]).count(";") + 1 for chunk in half.chunks)


def _possible_ends(steps: Steps) -> set[int]:
    """Returns the numbers of the steps after which a part may end."""
    last = {step.migration.up.file.path: number for number, (_, step) in enumerate(steps)}
    ends, file_end = set(), 0
    for number, (_, step) in enumerate(steps):
        file_end = max(file_end, last[step.migration.up.file.path])
        if file_end <= number < len(steps) - _LAST and not step.transaction_continues:
            ends.add(number + 1)
    return ends
