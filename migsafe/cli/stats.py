"""`migsafe stats`."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from migsafe.cli.help import DATABASE
from migsafe.cli.options import Output
from migsafe.errors import ConfigError
from migsafe.terminal.output import show_error, write_output

if TYPE_CHECKING:
    from migsafe.schema.statistics import FetchedStatistics


def stats(
    dsn: Annotated[str | None, typer.Argument(metavar="DSN", help="The server: postgresql://… or `host=… dbname=…`.")] = None,
    query: Annotated[bool, typer.Option("--query", rich_help_panel=DATABASE, help="Print the query instead of running it.")] = False,
    queries: Annotated[
        bool, typer.Option("--queries", rich_help_panel=DATABASE, help="Add the application's queries, from pg_stat_statements.")
    ] = False,
    output: Output = None,
) -> None:
    """Get statistics of a database's tables, for the option --stats of other commands.

    They are PostgreSQL's own estimates: the rows of each table, and for each column the share of NULLs, the number of distinct values, the
    frequencies of the most common ones, the correlation with the order of the rows, and the average width. The file contains no values.

    The query reads only the system catalogues, in a read-only transaction with a time limit of ten seconds. The role needs no rights for the
    row counts, and SELECT on a table for the statistics of its columns. What the DSN does not contain (the password, for example) comes
    from PGPASSWORD, .pgpass and the other places that libpq reads.

    With --queries the file also has the queries of the database that pg_stat_statements knows, how often each ran, and its mean time.
    Values in them are masked. Name the file in `queries` of the configuration. A role sees the queries of other roles only as a member of
    pg_read_all_stats.

    \b
      migsafe stats postgresql://reader@replica/shop --output stats.json
      migsafe stats --query | psql -XAt shop > stats.json
      migsafe stats --query --queries | psql -XAt shop > stats.json
      migsafe lint --stats stats.json migrations/
      migsafe replay --stats stats.json migrations/
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.schema.statistics import QUERY, fetch_statistics  # noqa: PLC0415  # the other commands do not need it

    file = Path(output) if output else None
    if query:
        write_output(_with_queries().QUERY_WITH_STATEMENTS if queries else QUERY, file)
        return
    if dsn is None:
        raise ConfigError("no server is named", "Name a server, or run `migsafe stats --query | psql -XAt shop > stats.json`.")
    fetched: FetchedStatistics = _with_queries().fetch_statistics(dsn) if queries else fetch_statistics(dsn)
    write_output(fetched.text, file)
    if fetched.unreadable_tables:
        tables = "1 table" if fetched.unreadable_tables == 1 else f"{fetched.unreadable_tables:,} tables"
        show_error(
            f"note: the role may not read {tables}, so the file has only the number of rows there\n"
            "  To add the statistics of the columns: GRANT pg_read_all_data TO the role."
        )
    if fetched.hidden_statements:
        statements = "1 statement" if fetched.hidden_statements == 1 else f"{fetched.hidden_statements:,} statements"
        show_error(f"note: {statements} of other roles cannot be seen\n  To see them: GRANT pg_read_all_stats TO the role.")


def _with_queries() -> ModuleType:
    from migsafe.workload import production  # noqa: PLC0415  # only needed with --queries

    return production
