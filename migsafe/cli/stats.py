"""`migsafe stats`."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from migsafe.cli.options import Output
from migsafe.errors import ConfigError
from migsafe.terminal.output import show_error, write_output


def stats(
    dsn: Annotated[str | None, typer.Argument(metavar="[DSN]", help="The server: postgresql://… or `host=… dbname=…`.")] = None,
    query: Annotated[bool, typer.Option("--query", help="Print the query instead of running it.")] = False,
    queries: Annotated[bool, typer.Option("--queries", help="Add the application's queries, from pg_stat_statements.")] = False,
    output: Output = None,
) -> None:
    """Get the row counts of a database's tables, for the option --stats of other commands.

    The counts are PostgreSQL's own estimates. The query reads only the system catalogues, in a read-only transaction with a time limit of
    ten seconds. What the DSN does not contain (the password, for example) comes from PGPASSWORD, .pgpass and the other places that libpq
    reads.

    With --queries the file also has the queries of the database that pg_stat_statements knows, how often each ran, and its mean time.
    Values in them are masked. Name the file in `queries` of the configuration. A role sees the queries of other roles only as a member of
    pg_read_all_stats.

    \b
      migsafe stats postgresql://reader@replica/shop --output stats.json
      migsafe stats --query | psql -XAt shop > stats.json
      migsafe stats --query --queries | psql -XAt shop > stats.json
      migsafe lint --stats stats.json migrations/
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.schema.statistics import QUERY, fetch_row_counts  # noqa: PLC0415  # the other commands do not need it

    file = Path(output) if output else None
    if query:
        write_output(_with_queries().QUERY_WITH_STATEMENTS if queries else QUERY, file)
        return
    if dsn is None:
        raise ConfigError("no server is named", "Name a server, or run `migsafe stats --query | psql -XAt shop > stats.json`.")
    if not queries:
        write_output(fetch_row_counts(dsn), file)
        return
    fetched = _with_queries().fetch_statistics(dsn)
    write_output(fetched.text, file)
    if fetched.hidden:
        statements = "1 statement" if fetched.hidden == 1 else f"{fetched.hidden:,} statements"
        show_error(f"note: {statements} of other roles cannot be seen\n  To see them: GRANT pg_read_all_stats TO the role.")


def _with_queries() -> ModuleType:
    from migsafe.workload import production  # noqa: PLC0415  # only needed with --queries

    return production
