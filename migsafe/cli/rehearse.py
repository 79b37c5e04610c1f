"""`migsafe rehearse`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.options import Changed, Config, FailOnOption, Output, Paths, RunnerName, Schema, Since, TransactionHabit, format_option
from migsafe.cli.results import FAILED, FOUND, INTERRUPTED, left_out
from migsafe.cli.server_options import (
    CopyOf,
    InPlace,
    Load,
    MaxBlocked,
    MaxHold,
    MaxRows,
    MaxWal,
    PgBin,
    Report,
    Rows,
    RunLimit,
    RunningQueries,
    SeedAll,
    SeedLimit,
    Server,
    ServerVersion,
    StatementLimit,
    StatsForRows,
    Superuser,
    Template,
    WithoutExtension,
)
from migsafe.configuration import read_configuration
from migsafe.reports.rehearsal import FORMATS, rehearsal_reporter
from migsafe.terminal.output import check_output, show_error


def rehearse(  # noqa: PLR0913, PLR0917  # an argument for each option
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the report; steps is for scripts.")] = "text",
    output: Output = None,
    report: Report = None,
    queries: RunningQueries = None,
    server: Server = "local",
    copy_of: CopyOf = None,
    template: Template = None,
    in_place: InPlace = None,
    pg_bin: PgBin = None,
    pg_version: ServerVersion = None,
    schema: Schema = None,
    rows: Rows = "100000",
    stats: StatsForRows = None,
    max_rows: MaxRows = None,
    seed_all: SeedAll = False,
    seed_limit: SeedLimit = "1min",
    load: Load = "0",
    max_blocked: MaxBlocked = None,
    max_hold: MaxHold = None,
    max_wal: MaxWal = None,
    statement_limit: StatementLimit = "10min",
    run_limit: RunLimit = "1h",
    without_extension: WithoutExtension = None,
    superuser: Superuser = False,
    since: Since = None,
    changed: Changed = False,
    fail_on: FailOnOption = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    config: Config = None,
) -> None:
    """Rehearse the rollout of a release: migrations, deployment and clean-up, with the queries of the releases that run in each phase.

    The phases are those that `migsafe premortem` proposes: expand, with the running release; deploy, with both releases, as during a
    canary; backfill and validate; contract, with the new release only. The migrations run once, in their order, on a disposable PostgreSQL,
    as in `migsafe replay`. Each phase passes, names what fails, or was not tried.

    The queries of the new release are those of the configuration (`queries`), those of the running release are read at --since, or from
    the files of --queries.

    \b
      migsafe rehearse --since v41                   with the queries at v41
      migsafe rehearse --queries queries-v41.jsonl   with recorded queries
      migsafe rehearse --since v41 --report page.html

    \b
    Exit code 0: every phase passed.
    Exit code 1: a phase failed.
    Exit code 2: no phase failed, but something was not tried; or an error.
    Exit code 130: a signal ended the run; what was tried is shown.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.cli.running_host import running_host  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions  # noqa: PLC0415
    from migsafe.replaying.servers.time_limits import Interruption  # noqa: PLC0415

    settings = read_configuration(Path(config) if config else None).overridden(
        stats=stats, schema=schema, fail_on=fail_on, runner=runner, transaction=transaction
    )
    write = rehearsal_reporter(format)
    write_page = rehearsal_reporter("html") if report else None
    check_output(output, report)
    where = ServerOptions(server, copy_of, template, in_place, pg_bin, pg_version, superuser, loaded=load != "0")
    interruption = Interruption()
    with running_host(where, settings.pg_version, interruption.request) as wait_for_host:
        from msgspec.structs import replace  # noqa: PLC0415

        from migsafe.cli.replay_options import budgets, command_line, sessions, usual_options, write_reports  # noqa: PLC0415
        from migsafe.library.rehearse import rehearse_plan, release_plan, release_queries  # noqa: PLC0415
        from migsafe.library.replay import configured_budgets  # noqa: PLC0415

        limits = budgets(max_blocked, max_hold, max_wal, configured_budgets(settings))
        options = usual_options(
            settings,
            rows=rows,
            max_rows=max_rows,
            stats=stats,
            seed_all=seed_all,
            seed_limit=seed_limit,
            schema=schema,
            statement_limit=statement_limit,
            run_limit=run_limit,
            without_extension=without_extension,
        )
        plan = release_plan(paths, settings, since=since, changed=changed)
        project_queries = None if queries == ["none"] else release_queries(settings, plan, queries or ())
        options = replace(options, experiments=(), queries=project_queries, load=sessions(load, project_queries is not None))
        host, show = wait_for_host()
        result = rehearse_plan(plan, host, options, limits, settings, show, command_line(), interruption)
    write_reports(result, write, output, write_page, report)
    for problem in (*result.replay.verdict.problems, *left_out(plan)):
        show_error(problem)
    if result.replay.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit({True: 0, False: FOUND, None: FAILED}[result.passed])
