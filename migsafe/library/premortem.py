"""Writing a pre-mortem of migrations, for the command line and for programs."""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from migsafe.assessment.assembly import JudgedMigration, assemble_premortem
from migsafe.assessment.gate import Budget
from migsafe.assessment.operation_facts import OperationFacts, fact_collector, merge_path_facts, project_findings, unsuppressed
from migsafe.assessment.premortem import Premortem
from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, read_configuration
from migsafe.errors import MigsafeError
from migsafe.library.lint import Track, judging_limits
from migsafe.library.plan import find_plan, schema_script
from migsafe.library.project import load_rulebook, make_renderer
from migsafe.library.project_queries import read_project_queries
from migsafe.linting.finding import Finding
from migsafe.linting.judge import judge
from migsafe.linting.rule import Limits, Need
from migsafe.linting.rulebook import Rulebook, shipped_rules
from migsafe.prediction.history import HistoryEnd, SelectedMigration, selected_migrations
from migsafe.replaying.replay import ReplayedMigration, ReplayOptions
from migsafe.replaying.replay import ReplayRun as Run
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host
from migsafe.schema.statistics import read_statistics
from migsafe.sources import RUNNERS, Migration, Plan

_ROWS = 100_000
_STATEMENT_SECONDS, _RUN_SECONDS = 600.0, 3600.0
"""The time limits of a replay, as in `migsafe replay`."""


def premortem(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    since: str | None = None,
    changed: bool = False,
    server: ServerOptions | None = None,
    options: ReplayOptions | None = None,
) -> Premortem:
    """Assess how a deployment of migrations can fail, as `migsafe premortem` does.

    `paths` are files and folders; without any, the `migrations` of the settings. Without `settings`, the nearest configuration is read.
    `since` (a git revision) or `changed` restricts the assessment to what git says changed. With a `server` or `options` the migrations are
    also replayed there, and the assessment contains the measurements.

    What could not be done is among the pre-mortem's `problems`. Raises MigsafeError if nothing could be assessed.
    """
    settings = settings or read_configuration()
    plan = find_plan(paths, settings, "look at", since=since, changed=changed)
    if options is not None:
        server = server or ServerOptions()
    return assess_plan(plan, settings, server, options)


def assess_plan(
    plan: Plan,
    settings: Configuration,
    server: ServerOptions | None = None,
    options: ReplayOptions | None = None,
    track: Track = iter,
    tell: Callable[[str], None] = lambda note: None,
) -> Premortem:
    """Write the pre-mortem of a plan's migrations; with a `server`, replay them there. `track` iterates over the migrations and may show the
    progress. `tell` gets the server's notes: which version it has, what was removed or remains of this run and of killed ones."""
    limits = judging_limits(settings)
    judged, problems, findings = _judge(plan, settings, limits, track)
    replayed_on = ""
    if server is not None:
        chosen = choose_host(server, settings.pg_version)
        try:
            with chosen as host:
                replayed, errors = _replay(plan, host, options or _usual_options(settings, limits))
                replayed_on = host.title
        finally:
            for note in chosen.notes:
                tell(note)
        problems += [error for error in errors if error not in problems]
        judged = [replace(migration, replayed=replayed.get(_key(migration.migration))) for migration in judged]
    return replace(
        assemble_premortem(
            judged, settings.pg_version, with_rows=bool(limits.rows), slo=Budget(*settings.slo.budgets), replayed_on=replayed_on
        ),
        problems=tuple(problems),
        queries=project_findings(tuple(finding for finding in findings if not finding.migration)),
    )


def _key(migration: Migration) -> tuple[str, str]:
    return migration.up.file.path, migration.id


def _judge(
    plan: Plan, settings: Configuration, limits: Limits, track: Track
) -> tuple[list[JudgedMigration], list[MigsafeError], list[Finding]]:
    """Judge the migrations with the project's rules and with all shipped ones, and collect what the pre-mortem needs of each operation. Returns
    the migrations, the problems and all findings."""
    observed: dict[tuple[str, str], list[OperationFacts]] = {}
    queries = read_project_queries(settings, plan)
    provided: list[Need] = ["queries"] if queries is not None else []
    book = Rulebook((*load_rulebook(settings, provided).rules, *map(unsuppressed, shipped_rules()), fact_collector(observed)))
    migrations: list[Migration] = []

    def walk() -> Iterator[SelectedMigration | HistoryEnd | MigsafeError]:
        rendering = make_renderer(settings, usual())
        schema = schema_script(settings.schema)
        for selected in selected_migrations(
            plan, settings.pg_version, rendering, schema=schema, watch=track, with_downgrades=True, with_ends=True
        ):
            if isinstance(selected, SelectedMigration):
                migrations.append(selected.migration)
            yield selected

    verdict = judge(walk(), book, settings.pg_version, [*RUNNERS, *(source.runner for source in plan.sources)], limits, queries=queries)
    judged = [
        JudgedMigration(
            migration,
            tuple(finding for finding in verdict.findings if (finding.script.path, finding.migration) == _key(migration)),
            _facts(migration, observed.get(_key(migration), [])),
        )
        for migration in migrations
    ]
    return judged, verdict.problems, verdict.findings


def _facts(migration: Migration, observed: list[OperationFacts]) -> tuple[OperationFacts, ...]:
    program = migration.up.program
    return merge_path_facts(observed) if program is not None and program.paths else tuple(observed)


def _replay(plan: Plan, host: Host, options: ReplayOptions) -> tuple[dict[tuple[str, str], ReplayedMigration], list[MigsafeError]]:
    """Replay the migrations; returns them by path and version, and what could not be replayed."""
    run = Run(plan, host, options, lambda _: None)
    return {_key(replayed.migration): replayed for replayed in run.migrations()}, run.problems


def _usual_options(settings: Configuration, limits: Limits) -> ReplayOptions:
    return ReplayOptions(
        rows=lambda table: _ROWS,
        schema=schema_script(settings.schema),
        statement_limit=_STATEMENT_SECONDS,
        run_limit=_RUN_SECONDS,
        production_rows=limits.rows,
        production_columns=read_statistics(settings.stats).columns if settings.stats is not None else {},
    )
