"""Replaying migrations on a disposable server, for the command line as for programs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from migsafe.cache.renderings import usual
from migsafe.configuration import Configuration, configuration
from migsafe.library.planned import dump, planned
from migsafe.library.project import renderer
from migsafe.library.replay_verdict import replay_verdict
from migsafe.linting.judge import Verdict
from migsafe.replaying.budgets import Budgets
from migsafe.replaying.replay import ReplayedMigration, ReplayOptions
from migsafe.replaying.replay import ReplayRun as Run
from migsafe.replaying.servers.host import Host
from migsafe.replaying.servers.selection import ServerOptions, choose_host
from migsafe.sources import Plan

_ROWS = 100_000


class Replay(Struct, frozen=True, kw_only=True):
    """A whole replay: the server, what was recorded of each migration, and the findings.

    `unfilled` are the tables that stayed empty, with the reason; `notes` are sentences about what was changed so that the migrations could
    run.
    """

    host: str
    pg_version: int
    replayed: tuple[ReplayedMigration, ...]
    verdict: Verdict
    unfilled: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def replay(
    paths: Sequence[str] | None = None,
    *,
    settings: Configuration | None = None,
    place: ServerOptions | None = None,
    options: ReplayOptions | None = None,
    budgets: Budgets | None = None,
    since: str | None = None,
    changed: bool = False,
) -> Replay:
    """Run migrations on a disposable PostgreSQL as `migsafe replay` does, and measure what they lock, whom they stop, and what a failure leaves
    behind.

    `paths` are files and folders; without any, the `migrations` of the settings, which are the nearest configuration's unless they are given.
    `place` says where (a private server), `options` how (with 100,000 rows in each table, and all experiments), `budgets` what it may cost
    (what `slo` of the settings says). `since` a git revision, or with `changed`, only what differs is replayed.

    What could not be done is among the verdict's `problems`. Raises MigsafeError where nothing could be: there is no server, or no migration.
    """
    settings = settings or configuration()
    plan = planned(paths, settings, "replay", since=since, changed=changed)
    options = options or ReplayOptions(rows=lambda table: _ROWS, schema=dump(settings.schema), renderer=renderer(settings, usual()))
    with choose_host(place or ServerOptions()) as host:
        return replayed(plan, host, options, budgets or budgeted(settings))


def budgeted(settings: Configuration) -> Budgets:
    """What a migration may cost by the configuration."""
    blocked, hold, _ = settings.slo.budgets
    return Budgets(blocked=blocked, hold=hold)


def replayed(plan: Plan, host: Host, options: ReplayOptions, budgets: Budgets, progress: Callable[[str], None] = lambda words: None) -> Replay:
    """Replay what a plan asks for on a server that runs. `progress` is told what it is at."""
    run = Run(plan, host, options, progress)
    done = tuple(run.migrations())
    return Replay(
        host=host.title,
        pg_version=host.major,
        replayed=done,
        verdict=replay_verdict(done, budgets, run.problems, host.major),
        unfilled=run.unfilled,
        notes=tuple(_notes(run, done)),
    )


def _notes(run: Run, done: Iterable[ReplayedMigration]) -> Iterator[str]:
    """What was done so that the migrations could run at all."""
    if run.created_roles:
        yield f"Roles were made that the migrations take for granted: {', '.join(run.created_roles)}."
    scripts = [one.migration for one in done if one.migration.up.program is not None]
    if scripts:
        yield "Scripts were replayed as what Alembic sends for them. What is decided by what is not here was left out, as it says at its line."
    if len(scripts) > 1 and scripts[0].own_transaction_advice is not None:
        yield f"Each revision ran in a transaction of its own. In one upgrade they share one, unless you {scripts[0].own_transaction_advice}."
    for one in done:
        if one.emptied_because:
            path = one.migration.up.file.path
            yield f"{path} failed on rows that were made up ({one.emptied_because}), and was run with its tables empty."
