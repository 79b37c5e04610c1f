"""`migsafe stats`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.options import Output
from migsafe.errors import ConfigError
from migsafe.terminal.output import write_output


def stats(
    dsn: Annotated[str | None, typer.Argument(metavar="[DSN]", help="The server: postgresql://… or `host=… dbname=…`.")] = None,
    query: Annotated[bool, typer.Option("--query", help="Print the query instead of running it.")] = False,
    output: Output = None,
) -> None:
    """Get the row counts of a database's tables, for the option --stats of other commands.

    The counts are PostgreSQL's own estimates. The query reads only the system catalogues, in a read-only transaction with a time limit of
    ten seconds. What the DSN does not contain (the password, for example) comes from PGPASSWORD, .pgpass and the other places that libpq
    reads.

    \b
      migsafe stats postgresql://reader@replica/shop --output stats.json
      migsafe stats --query | psql -XAt shop > stats.json
      migsafe lint --stats stats.json migrations/
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.schema.statistics import QUERY, fetch_row_counts  # noqa: PLC0415  # the other commands do not need it

    file = Path(output) if output else None
    if query:
        write_output(QUERY, file)
        return
    if dsn is None:
        raise ConfigError("no server is named", "Name a server, or run `migsafe stats --query | psql -XAt shop > stats.json`.")
    write_output(fetch_row_counts(dsn), file)
