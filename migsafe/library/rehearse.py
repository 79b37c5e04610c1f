"""Rehearsing the rollout of a release, for the command line and for programs."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from migsafe.assessment.phases import RolledOut, batched_backfills, judge_phases
from migsafe.assessment.rehearsal import PhaseResult, passed
from migsafe.assessment.release_states import untried_queries
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import ConfigError
from migsafe.library.plan import find_plan
from migsafe.library.premortem import assess_plan
from migsafe.library.project_queries import read_replay_queries
from migsafe.library.replay import Replay, configured_budgets, default_options, replay_plan
from migsafe.linting.finding import Severity
from migsafe.linting.queries.project_queries import ProjectQueries
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.queries.results import UntriedQuery
from migsafe.replaying.replay import ReplayOptions
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host
from migsafe.replaying.servers.time_limits import Interruption
from migsafe.sources import Plan


class Rehearsal(Struct, frozen=True, kw_only=True):
    """The rehearsal of a rollout.

    `phases` are those that have a migration, and the deployment, in their order. `replay` is the replay that it is based on. `untried` are the
    queries of which nothing is known, `unread` is how many could not be read. `running` and `new` are how many queries each release sends;
    `compared` says whether those of the running release are known.
    """

    phases: tuple[PhaseResult, ...]
    replay: Replay
    untried: tuple[UntriedQuery, ...] = ()
    unread: int = 0
    running: int = 0
    new: int = 0
    compared: bool = False

    @property
    def passed(self) -> bool | None:
        """Whether no phase fails; None if none does, but something was not tried."""
        result = passed(self.phases)
        return None if result and self.replay.verdict.problems else result


def rehearse(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    server: ServerOptions | None = None,
    options: ReplayOptions | None = None,
    budgets: Budgets | None = None,
    since: str | None = None,
    changed: bool = False,
) -> Rehearsal:
    """Rehearse the rollout of a release as `migsafe rehearse` does: the phases that the pre-mortem proposes, with the queries of the releases
    that run in each.

    The arguments are those of `replay`; without `options`, no experiments are made. What could not be replayed is among the problems of the
    replay's verdict. Raises MigsafeError if nothing could be rehearsed.
    """
    settings = settings or read_configuration()
    plan = release_plan(paths, settings, since=since, changed=changed)
    options = options or replace(default_options(settings), experiments=(), queries=release_queries(settings, plan))
    with choose_host(server or ServerOptions(), settings.pg_version) as host:
        return rehearse_plan(plan, host, options, budgets or configured_budgets(settings), settings)


def release_plan(paths: Sequence[str] | None, settings: Configuration, *, since: str | None, changed: bool) -> Plan:
    """Returns the migrations of a release. Raises ConfigError if nothing says which they are, or if they are those of several databases."""
    if not (paths or since is not None or changed or settings.start_after is not None):
        raise ConfigError(
            "it is not known which migrations belong to the release",
            "Use --since with the revision that runs now, or name the migrations.",
        )
    plan = find_plan(paths, settings, "rehearse", since=since, changed=changed)
    histories = [source.path for source in plan.sources]
    if len(histories) > 1:
        raise ConfigError(
            f"a rehearsal is that of one database, and there are {len(histories)} histories: {', '.join(histories)}",
            "Name the migrations of one of them.",
        )
    return plan


def release_queries(settings: Configuration, plan: Plan, running: Sequence[str] = ()) -> ProjectQueries | None:
    """Returns the queries of both releases, as for a replay. If only files of the `running` release are given, those of the new one are not
    known. Raises MigsafeError."""
    found = read_replay_queries(settings, plan, running)
    if found is None or not running or settings.queries:
        return found
    return ProjectQueries(replace(found.workload, queries=(), compared=True), settings.folder, running[0])


def rehearse_plan(
    plan: Plan,
    host: Host,
    options: ReplayOptions,
    budgets: Budgets,
    settings: Configuration,
    on_progress: Callable[[str], None] = lambda text: None,
    command: str = "",
    interruption: Interruption | None = None,
) -> Rehearsal:
    """Rehearse the rollout of a plan's migrations on a running server. `on_progress` receives a text about the current step. `command` is the
    command line, for the report; an `interruption` ends the run."""
    on_progress("finding the phases")
    premortem = assess_plan(plan, settings)
    options = replace(options, batched=batched_backfills(premortem.assessments))
    replay = replay_plan(plan, host, options, budgets, on_progress, command, interruption)
    replayed = {(each.migration.up.file.path, each.migration.id): each for each in replay.replayed}
    migrations = [RolledOut(assessment, replayed.get((assessment.path, assessment.migration.id))) for assessment in premortem.assessments]
    least = Severity[settings.fail_on.upper()] if settings.fail_on != "never" else Severity.ERROR
    findings = [finding for finding in replay.verdict.findings if finding.severity >= least]
    queries = options.queries
    alone = replay.without_migrations
    results = [each for each in (*(migration.queries for migration in replay.replayed), alone) if each is not None]
    return Rehearsal(
        phases=judge_phases(migrations, queries, findings, alone, only_errors=least is Severity.ERROR),
        replay=replay,
        untried=tuple(untried_queries(results).values()),
        unread=len(queries.workload.unread) if queries is not None else 0,
        running=len(queries.running) if queries is not None else 0,
        new=len(queries.current) if queries is not None else 0,
        compared=queries is not None and queries.workload.compared,
    )
