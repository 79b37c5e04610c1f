"""Judging migrations, for the command line as for programs."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migsafe.configuration import Configuration, configuration
from migsafe.library.planned import dump, planned
from migsafe.library.project import renderer, rulebook
from migsafe.linting.judge import JudgingState, Verdict, judge
from migsafe.linting.rule import Limits
from migsafe.prediction.history import Steps, selected_migrations
from migsafe.sources import RUNNERS, Plan, Source, Step

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory

Track = Callable[[Steps], Iterable[tuple[Source, Step]]]
"""A function that iterates over the steps of a plan and may show the progress."""


def lint(
    paths: Sequence[str] | None = None, *, settings: Configuration | None = None, since: str | None = None, changed: bool = False
) -> Verdict:
    """Judge migrations as `migsafe lint` does: what each would lock, rewrite or break in production, and the safe way to do it.

    `paths` are files and folders; without any, the `migrations` of the settings. Those are the nearest configuration's unless they are given
    (`Configuration(pg_version=16)`, or `read_configuration().overridden(pg_version=16)`). `since` a git revision, or with `changed`, only what
    differs is judged, on the whole history. What a baseline of the settings holds is not among the findings.

    What could not be judged is among the verdict's `problems`. Raises MigsafeError where nothing could be.
    """
    settings = settings or configuration()
    verdict = judged(planned(paths, settings, "lint", since=since, changed=changed), settings)
    if settings.baseline is None:
        return verdict
    from migsafe.linting.baseline import read, subtract_baseline  # noqa: PLC0415  # only those who have one need it

    return subtract_baseline(verdict, read(settings.baseline), settings.baseline)[0]


def judged(plan: Plan, settings: Configuration, memory: "Memory | None" = None, track: Track = iter) -> Verdict:
    """Judge the migrations of a plan. `memory` continues from an earlier run's checkpoint; `track` iterates over the migrations."""
    limits = with_rows(settings)
    runners = [*RUNNERS, *(source.runner for source in plan.sources)]
    if memory is not None:
        memory.rules_follow()
    book, start, so_far = rulebook(settings), dump(settings.schema), JudgingState()
    resumption = None
    if memory is not None:
        # What decides about the report, and not about the findings, need not be the same.
        deciding = replace(settings, migrations=(), fail_on="never", baseline=None, stats=None, start_after=None)
        resumption = memory.checkpoints((deciding, limits, start and start.text), book.rules, so_far)
    rendering = renderer(settings, memory.renderings() if memory is not None else None)
    found = selected_migrations(plan, settings.pg_version, rendering, schema=start, watch=track, resumption=resumption)
    return judge(found, book, settings.pg_version, runners, limits, so_far)


def with_rows(settings: Configuration) -> Limits:
    """The limits of the settings, with the rows that their `stats` tell. Raises MigsafeError."""
    if settings.stats is None:
        return settings.limits
    from migsafe.schema.statistics import read  # noqa: PLC0415  # most have none

    return replace(settings.limits, rows=read(settings.stats))
