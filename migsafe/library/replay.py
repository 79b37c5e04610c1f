"""Replaying migrations on a disposable server, for the command line and for programs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, read_configuration
from migsafe.library.plan import find_plan, schema_script
from migsafe.library.project import make_renderer
from migsafe.library.project_queries import read_replay_queries
from migsafe.library.replay_facts import Facts, budget_results, is_complete, reasons, rows_at_start
from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.verdict import Verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.queries.index_results import IndexResults
from migsafe.replaying.queries.results import QueryResults, without_repaired
from migsafe.replaying.replay import ReplayedMigration, ReplayOptions
from migsafe.replaying.replay import ReplayRun as Run
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host
from migsafe.replaying.servers.time_limits import Interruption
from migsafe.sources import Plan
from migsafe.sources.git import checked_out_revision

_ROWS = 100_000


class Replay(Struct, frozen=True, kw_only=True):
    """A whole replay: the server, what was recorded of each migration, and the findings.

    `unfilled` are the tables that stayed empty, with the reason; `notes` are sentences about what was changed so that the migrations could
    run. `not_run` are the files of the migrations that did not run, because an earlier one failed. `indexes` are the results of the index
    trials, one for each source, `without_migrations` those for the queries of a release that has no migrations. `interrupted` says that the
    user ended the run before its end. `facts` describe the run and its result.
    """

    host: str
    pg_version: int
    replayed: tuple[ReplayedMigration, ...]
    verdict: Verdict
    unfilled: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    not_run: tuple[str, ...] = ()
    indexes: tuple[IndexResults, ...] = ()
    without_migrations: QueryResults | None = None
    interrupted: bool = False
    facts: Facts = Facts()


def replay(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    server: ServerOptions | None = None,
    options: ReplayOptions | None = None,
    budgets: Budgets | None = None,
    since: str | None = None,
    changed: bool = False,
    upgrade_from: str | None = None,
    on_progress: Callable[[str], None] = lambda text: None,
) -> Replay:
    """Run migrations on a disposable PostgreSQL as `migsafe replay` does, and measure what they lock, which queries they block, and what a
    failure leaves behind.

    `paths` are files and folders; without any, the `migrations` of the settings. Without `settings`, the nearest configuration is read.
    `server` is where to run them (default: a private one), `options` are the rows and experiments (default: 100,000 rows in each touched table,
    and all experiments), `budgets` the limits (default: `slo` of the settings). `since` (a git revision) or `changed` replays only what git
    says changed; `upgrade_from` (a version) replays all that follows it as one upgrade. `on_progress` receives a text about each step.

    What could not be replayed is among the `problems` of its `verdict`. Raises MigsafeError if nothing could be replayed, for example
    because there is no server or no migration.
    """
    settings = settings or read_configuration()
    plan = find_plan(paths, settings, "replay", since=since, changed=changed, upgrade_from=upgrade_from)
    options = options or msgspec.structs.replace(default_options(settings), queries=read_replay_queries(settings, plan))
    with choose_host(server or ServerOptions(), settings.pg_version) as host:
        return replay_plan(plan, host, options, budgets or configured_budgets(settings), on_progress)


def default_options(settings: Configuration) -> ReplayOptions:
    """Returns the options of a replay that programs get without naming any, without queries."""
    return ReplayOptions(
        rows=lambda table: _ROWS,
        schema=schema_script(settings.schema),
        without_extensions=settings.without_extensions,
        renderer=make_renderer(settings, usual()),
    )


def configured_budgets(settings: Configuration) -> Budgets:
    """Returns the budgets that the configuration sets."""
    blocked, hold, _ = settings.slo.budgets
    return Budgets(blocked=blocked, hold=hold)


def replay_plan(
    plan: Plan,
    host: Host,
    options: ReplayOptions,
    budgets: Budgets,
    on_progress: Callable[[str], None] = lambda text: None,
    command: str = "",
    interruption: Interruption | None = None,
) -> Replay:
    """Replay the migrations of a plan on a running server. `on_progress` receives a text about the current step. `command` is the command
    line, for the report. An `interruption` ends the run; the result is then what was measured before."""
    date = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    interruption = interruption or Interruption()
    run = Run(plan, host, options, on_progress, interruption)
    ran = list(run.migrations())
    queries = without_repaired([each.queries for each in ran])
    done = tuple(msgspec.structs.replace(each, queries=its_queries) for each, its_queries in zip(ran, queries, strict=True))
    verdict = replay_verdict(done, budgets, run.problems, host.major, run.indexes)
    not_run = tuple(run.not_run)
    return Replay(
        host=host.title,
        pg_version=host.major,
        replayed=done,
        verdict=verdict,
        unfilled=run.unfilled,
        notes=tuple(_notes(run, done)),
        not_run=not_run,
        indexes=tuple(run.indexes),
        without_migrations=run.without_migrations,
        interrupted=interruption.requested,
        facts=Facts(
            date=date,
            command=command,
            revision=checked_out_revision(str(Path(plan.sources[0].path).absolute().parent)) if plan.sources else "",
            rows=rows_at_start(done, host.origin, run.filled),
            budgets=budget_results(done, budgets, complete=is_complete(done, not_run, verdict)),
            reasons=reasons(done, not_run, verdict, interrupted=interruption.requested),
        ),
    )


def _notes(run: Run, done: Iterable[ReplayedMigration]) -> Iterator[str]:
    """Yields what was changed so that the migrations could run."""
    yield from run.notes
    repairs = run.repairs
    for kind, names in (
        ("Roles", repairs.roles),
        ("Schemas", repairs.schemas),
        ("Extensions", repairs.extensions),
        ("Tables", repairs.record_tables),
    ):
        if names:
            yield f"{kind} that the migrations need but do not create were created: {', '.join(names)}."
    if repairs.has_platform:
        yield "What the migrations use of their platform was created, in short: its schemas, tables and functions. For all of it, use --schema."
    if repairs.denied_extensions:
        yield f"Extensions that only a superuser may create were created by a superuser: {', '.join(repairs.denied_extensions)}."
    scripts = [replayed.migration for replayed in done if replayed.migration.up.program is not None]
    if scripts:
        yield "The SQL that Alembic sends for the scripts was replayed. Code that depends on missing data was left out; its line says so."
    if len(scripts) > 1 and scripts[0].own_transaction_advice is not None and not run.has_shared_transactions:
        advice = scripts[0].own_transaction_advice
        yield (
            f"Each revision ran as an upgrade of its own. One `alembic upgrade` runs several in a single transaction, unless you {advice}. "
            "To replay some in one, name them, or use --since or --upgrade-from."
        )
    for replayed in done:
        if replayed.emptying is not None:
            path = replayed.migration.up.file.path
            tables = ", ".join(sorted(map(str, replayed.emptying.tables)))
            yield f"{path} {replayed.emptying.event} ({replayed.emptying.message}), so it was run again with empty tables: {tables}."
    if run.not_run:
        yield f"Not run, because the replay stopped before: {', '.join(run.not_run)}."
