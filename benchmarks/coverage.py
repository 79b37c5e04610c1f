"""How much of Alembic histories migsafe can render, without running a server.

    python benchmarks/coverage.py FOLDER… [--no-exec] [--list]

Each history is rendered from its first revision, without a cache. A revision is rendered in full if the SQL of each of its calls is known,
partly if that of some calls is not, and not at all if that of none is. A type, value or condition that is unknown (because the application is
not installed) does not change that; such revisions are counted separately. --list shows every call whose SQL is unknown. The memory is the
largest of the worker processes so far.
"""

import argparse
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from migsafe.configuration import Configuration
from migsafe.errors import MigsafeError
from migsafe.library.plan import find_plan
from migsafe.prediction.history import selected_migrations
from migsafe.rendering.renderer import Renderer
from migsafe.sources import Migration

_DETAIL = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"|\([^)]*\)|⟨[^⟩]*⟩|\S*[._]\S*|\d+")
_SHOWN_CAUSES = 12


class History:
    """The counts for one history."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.degrees: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.qualified = 0
        self.seconds: list[float] = []
        self.unknown_calls: list[str] = []

    def add(self, migration: Migration, seconds: float) -> None:
        """Counts one revision, which took `seconds` to render."""
        assert migration.up.program is not None
        self.seconds.append(seconds)
        calls = [call for call in migration.up.program.calls if not call.by_runner]
        opaque = [call for call in calls if call.opaque]
        self.degrees["full" if not opaque else "partly" if len(opaque) < len(calls) else "not"] += 1
        if not opaque:
            self.qualified += any(call.unknown_part or not call.certain for call in calls)
            return
        self.causes.update({_DETAIL.sub("…", call.opaque) for call in opaque})
        for call in opaque:
            place = migration.up.file.position(call.file_span.start)
            self.unknown_calls.append(f"{migration.up.file.path}:{place.line}: {call.opaque}")

    def add_unreadable(self, error: MigsafeError) -> None:
        """Counts a revision that cannot be read at all."""
        self.degrees["not"] += 1
        self.causes[_DETAIL.sub("…", str(error))] += 1
        self.unknown_calls.append(str(error))


def measure(path: str, *, run: bool, seconds: float) -> History:
    """Renders a history. Raises MigsafeError if it cannot be found."""
    history = History(path)
    settings = Configuration()
    renderer = Renderer(run=run, seconds=seconds)
    began = time.perf_counter()
    for selected in selected_migrations(find_plan([path], settings, "look at"), settings.pg_version, renderer):
        if isinstance(selected, MigsafeError):
            history.add_unreadable(selected)
        elif selected.migration.up.program is not None:
            history.add(selected.migration, time.perf_counter() - began)
            selected.predictor.apply(selected.migration.up)
        began = time.perf_counter()
    return history


def show(history: History, *, every_call: bool) -> None:
    """Prints the counts of one history."""
    total = sum(history.degrees.values())
    median, longest, whole = 0.0, 0.0, sum(history.seconds)
    if history.seconds:
        ordered = sorted(history.seconds)
        median, longest = ordered[len(ordered) // 2], ordered[-1]
    share = 100 * history.degrees["full"] / max(total, 1)
    print(f"{history.path}: {total} revisions, {share:.1f} % in full (of these {history.qualified} with something unknown)", end="; ")
    print(f"{history.degrees['partly']} partly, {history.degrees['not']} not", end="; ")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{whole:.1f} s, a revision {1000 * median:.1f} ms (median), {longest:.1f} s (longest); {memory} MiB", flush=True)
    for cause, count in history.causes.most_common(_SHOWN_CAUSES):
        print(f"    {count:4} {cause}")
    if every_call:
        print(*(f"        {call}" for call in history.unknown_calls), sep="\n")


def measured(paths: list[str], *, run: bool, seconds: float) -> Iterator[History]:
    """Yields the histories that can be found."""
    for path in paths:
        try:
            yield measure(path, run=run, seconds=seconds)
        except MigsafeError as error:
            print(f"{path}: {error}")


def main() -> int:
    """Measures the histories, and prints the sum of all."""
    parser = argparse.ArgumentParser(description="How much of Alembic histories migsafe can render.")
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--no-exec", action="store_true", help="read the scripts from their syntax trees")
    parser.add_argument("--list", action="store_true", help="show every call whose SQL is unknown")
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of a script (default: 10)")
    arguments = parser.parse_args()
    totals: Counter[str] = Counter()
    for history in measured(arguments.folders, run=not arguments.no_exec, seconds=arguments.seconds):
        show(history, every_call=arguments.list)
        totals.update(history.degrees)
    whole = sum(totals.values())
    print(f"all: {whole} revisions, {100 * totals['full'] / max(whole, 1):.2f} % in full, {totals['partly']} partly, {totals['not']} not")
    return 0


if __name__ == "__main__":
    sys.exit(main())
