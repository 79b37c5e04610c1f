"""`migsafe replay`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.completion import choices
from migsafe.cli.help import CHECK, REPORT, SERVER
from migsafe.cli.options import (
    EXPERIMENTS,
    Changed,
    Config,
    FailOnOption,
    Output,
    Paths,
    RunnerName,
    Schema,
    Since,
    TransactionHabit,
    format_option,
)
from migsafe.cli.results import FAILED, INTERRUPTED, exit_code, left_out
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
from migsafe.errors import ConfigError
from migsafe.reports.replay import FORMATS, replay_reporter
from migsafe.terminal.output import check_output, show_error, write_whole


def replay(  # noqa: PLR0913, PLR0917  # an argument for each option
    paths: Paths = None,
    format: Annotated[str, format_option(FORMATS, "The format of the report.")] = "text",
    output: Output = None,
    report: Report = None,
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
    queries: RunningQueries = None,
    explain: Annotated[
        str | None,
        typer.Option(metavar="FILE.json", rich_help_panel=REPORT, help="Write the queries' plans before and after each migration to a file."),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(EXPERIMENTS),
            autocompletion=choices((*EXPERIMENTS, "none")),
            rich_help_panel=CHECK,
            help="Only these experiments, or `none`. [default: all]",
        ),
    ] = None,
    load: Load = "0",
    queue: Annotated[
        str,
        typer.Option(metavar="TIME", rich_help_panel=SERVER, help="Before each migration, let a long query hold each table for this time."),
    ] = "0",
    max_blocked: MaxBlocked = None,
    max_hold: MaxHold = None,
    max_wal: MaxWal = None,
    statement_limit: StatementLimit = "10min",
    run_limit: RunLimit = "1h",
    without_extension: WithoutExtension = None,
    superuser: Superuser = False,
    since: Since = None,
    changed: Changed = False,
    upgrade_from: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", rich_help_panel=CHECK, help="All migrations after this one, as one upgrade; `base` means all. For Alembic."
        ),
    ] = None,
    fail_on: FailOnOption = None,
    runner: RunnerName = None,
    transaction: TransactionHabit = None,
    config: Config = None,
) -> None:
    """Run migrations on a disposable PostgreSQL, and measure what they lock, which queries they block, and what a failure leaves behind.

    migsafe starts a private server, applies the history before the migrations, and fills the tables. Then each migration runs as the
    runner would run it, while other sessions send queries as an application does. Your databases are not touched.

    With --server DSN, migsafe creates databases on a server that you consider disposable, and drops them afterwards. With --from DSN, it
    copies a primary or a standby with pg_basebackup and runs on the copy. With --server dblab:URL, it gets a thin clone from a Database
    Lab Engine (the token is in DBLAB_TOKEN).

    \b
      migsafe replay migrations/0042_orders.sql          one migration
      migsafe replay --since origin/main                 what this branch adds
      migsafe replay --rows 1000000 --max-blocked 200ms  more rows, a budget

    \b
    Exit code 0: the migrations ran within the budgets.
    Exit code 1: a migration failed, exceeded a budget, or failed an experiment.
    Exit code 2: an error, or some migrations could not be replayed; the others
                 are shown.
    Exit code 130: a signal ended the run; what was measured is shown.
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.cli.running_host import running_host  # noqa: PLC0415
    from migsafe.replaying.servers.selection import ServerOptions  # noqa: PLC0415
    from migsafe.replaying.servers.time_limits import Interruption  # noqa: PLC0415

    settings = read_configuration(Path(config) if config else None).overridden(fail_on=fail_on, runner=runner, transaction=transaction)
    write = replay_reporter(format)
    write_page = replay_reporter("html") if report else None
    check_output(output, report, explain)
    where = ServerOptions(server, copy_of, template, in_place, pg_bin, pg_version, superuser, loaded=load != "0")
    interruption = Interruption()
    with running_host(where, settings.pg_version, interruption.request) as wait_for_host:
        from msgspec.structs import replace  # noqa: PLC0415

        from migsafe.cli.replay_options import (  # noqa: PLC0415
            budgets,
            command_line,
            experiments,
            sessions,
            time,
            usual_options,
            write_reports,
        )
        from migsafe.library.plan import find_plan  # noqa: PLC0415
        from migsafe.library.project_queries import read_replay_queries  # noqa: PLC0415
        from migsafe.library.replay import configured_budgets, replay_plan  # noqa: PLC0415

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
        plan = find_plan(paths, settings, "replay", since=since, changed=changed, upgrade_from=upgrade_from)
        project_queries = None if queries == ["none"] else read_replay_queries(settings, plan, queries or ())
        if explain is not None and project_queries is None:
            raise ConfigError("--explain needs the application's queries", "Name them with --queries, or as `queries` in the configuration.")
        options = replace(
            options,
            experiments=experiments(check),
            reader_seconds=time("queue", queue) / 1000,
            queries=project_queries,
            keep_plans=explain is not None,
            load=sessions(load, project_queries is not None),
        )
        host, show = wait_for_host()
        result = replay_plan(plan, host, options, limits, show, command_line(), interruption)
    write_reports(result, write, output, write_page, report)
    if explain is not None:
        from migsafe.reports.replay.plans_json import plans_document  # noqa: PLC0415  # only with --explain

        write_whole(plans_document(result), explain)
    problems = result.verdict.problems
    for problem in (*problems, *left_out(plan)):
        show_error(problem)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(FAILED if problems else exit_code(result.verdict.worst(), settings))
