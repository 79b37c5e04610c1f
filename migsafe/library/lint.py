"""Judging migrations, for the command line and for programs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import MigsafeError
from migsafe.library.division import Division, DivisionError
from migsafe.library.plan import find_plan, has_only_new_migrations, schema_script
from migsafe.library.project import load_rulebook, make_renderer
from migsafe.library.project_queries import read_project_queries
from migsafe.linting.judge import judge, judge_part
from migsafe.linting.judging_state import JudgingState
from migsafe.linting.rule import Limits, Need
from migsafe.linting.verdict import Verdict
from migsafe.prediction.history import HistoryEnd, Part, Resumption, SelectedMigration, Steps, selected_migrations
from migsafe.prediction.predictor import Predictor
from migsafe.sources import RUNNERS, Migration, Plan, Source, Step

if TYPE_CHECKING:
    from migsafe.cache.memory import Memory
    from migsafe.library.followed_history import FollowedHistory
    from migsafe.rendering.renderer import RenderingStore

Track = Callable[[Steps], Iterable[tuple[Source, Step]]]
"""A function that iterates over the steps of a plan and may show the progress."""


def lint(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    since: str | None = None,
    changed: bool = False,
    downgrades: bool = False,
    text: str | None = None,
) -> Verdict:
    """Judge migrations as `migsafe lint` does: what each would lock, rewrite or break in production, and the safe way to do it.

    `paths` are files and folders; without any, the `migrations` of the settings. `text` is SQL to judge instead, as `migsafe lint -` does; its
    path is `-`. Without `settings`, the nearest configuration is read;
    `Configuration(pg_version=16)` or `read_configuration().overridden(pg_version=16)` are others. `since` (a git revision) or `changed`
    judges only what git says changed, with the whole history before it. `downgrades` also judges whether the
    migrations can be undone. Findings in the settings' baseline are left out.

    Migrations that could not be judged are the verdict's `problems`. Raises MigsafeError if nothing could be judged.
    """
    settings = settings or read_configuration()
    verdict = judge_plan(find_plan(paths, settings, "lint", since=since, changed=changed, text=text), settings, downgrades=downgrades)
    return without_baseline(verdict, settings)


def without_baseline(verdict: Verdict, settings: Configuration) -> Verdict:
    """Returns the verdict without the findings in the settings' baseline, if there is one. Raises MigsafeError if it cannot be read."""
    if settings.baseline is None:
        return verdict
    from migsafe.linting.baseline import read, subtract_baseline  # noqa: PLC0415  # only needed with a baseline

    return subtract_baseline(verdict, read(settings.baseline), settings.baseline)[0]


def judge_plan(
    plan: Plan,
    settings: Configuration,
    memory: "Memory | None" = None,
    track: Track = iter,
    *,
    downgrades: bool = False,
    processes: int = 1,
    on_migration: Callable[[Migration], None] | None = None,
    renderings: "RenderingStore | None" = None,
    history: "FollowedHistory | None" = None,
) -> Verdict:
    """Judge the migrations of a plan, and their `downgrades`. `memory` continues from an earlier run's checkpoint; `track` iterates over the
    migrations and may show the progress; `on_migration` is called with each judged migration, once it is rendered. Without a memory,
    `renderings` may keep what several judgements render, and `history` the database before the judged migrations. A long history is divided
    among up to this number of `processes`, but not with `on_migration`, nor with downgrades, which are tried out."""
    judge_with = partial(
        _judge_divided,
        *(plan, settings, memory, track),
        downgrades=downgrades,
        on_migration=on_migration,
        renderings=renderings,
        history=history,
    )
    try:
        return judge_with(processes=1 if downgrades or on_migration is not None else processes)
    except DivisionError:
        return judge_with(processes=1)


def _judge_divided(
    plan: Plan,
    settings: Configuration,
    memory: "Memory | None",
    track: Track,
    *,
    downgrades: bool,
    processes: int,
    on_migration: Callable[[Migration], None] | None = None,
    renderings: "RenderingStore | None" = None,
    history: "FollowedHistory | None" = None,
) -> Verdict:
    limits = judging_limits(settings)
    runners = [*RUNNERS, *(source.runner for source in plan.sources)]
    if memory is not None:
        memory.begin_rules()
    queries = read_project_queries(settings, plan, memory)
    if memory is not None and queries is not None:
        queries.use_shapes(memory.query_shapes())
    provided: list[Need] = [
        *(("revision",) if plan.compared else ()),
        *(("downgrades",) if downgrades else ()),
        *(("queries",) if queries is not None else ()),
    ]
    book, schema, state = load_rulebook(settings, provided), schema_script(settings.schema), JudgingState()
    resumption: Resumption | None = history.begin(book.rules, state) if history is not None else None
    if memory is not None:
        # Settings that change the report but not the findings do not invalidate a checkpoint.
        relevant = replace(settings, migrations=(), fail_on="never", baseline=None, stats=None, start_after=None)
        resumption = memory.checkpoints((relevant, limits, schema and schema.text, provided, queries and queries.digest), book.rules, state)
    select = partial(
        selected_migrations,
        plan,
        settings.pg_version,
        schema=schema,
        with_downgrades=downgrades,
        with_neighbours=True,
        with_ends=queries is not None,
    )

    def judge_alone(part: Part) -> JudgingState:
        found = JudgingState()
        judge_part(select(make_renderer(settings, None), part=part), book, settings.pg_version, runners, limits, found, queries)
        return found

    division = Division(processes, judge_alone, state, book.rules, memory.watch if memory is not None else None) if processes > 1 else None
    renderer = make_renderer(settings, memory.renderings() if memory is not None else renderings)
    selected = select(renderer, watch=track, resumption=resumption, division=division)
    if on_migration is not None:
        selected = _noting(selected, on_migration)
    removed = (SelectedMigration(migration, Predictor(settings.pg_version), lineage) for migration, lineage in plan.removed)
    verdict = judge(chain(selected, removed), book, settings.pg_version, runners, limits, state, queries)
    verdict = replace(verdict, editable=has_only_new_migrations(plan, settings) and "-" not in verdict.paths)
    if queries is None:
        return verdict
    return replace(verdict, queries=len(queries.workload.queries), unread_queries=len(queries.workload.unread))


def _noting(
    selected: Iterable[SelectedMigration | HistoryEnd | MigsafeError], on_migration: Callable[[Migration], None]
) -> Iterator[SelectedMigration | HistoryEnd | MigsafeError]:
    for each in selected:
        if isinstance(each, SelectedMigration) and each.judged:
            on_migration(each.migration)
        yield each


def judging_limits(settings: Configuration) -> Limits:
    """Returns the limits of the settings, with the row counts of their `stats` file. Raises MigsafeError."""
    if settings.stats is None:
        return settings.limits
    from migsafe.schema.statistics import read_row_counts  # noqa: PLC0415  # only needed with a stats file

    return replace(settings.limits, rows=read_row_counts(settings.stats))
