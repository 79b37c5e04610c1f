"""`migsafe stats`."""

from pathlib import Path
from typing import Annotated

import typer

from migsafe.cli.console import deliver
from migsafe.cli.options import Output
from migsafe.errors import ConfigError


def stats(
    dsn: Annotated[str | None, typer.Argument(metavar="[DSN]", help="The server: postgresql://… or `host=… dbname=…`.")] = None,
    query: Annotated[bool, typer.Option("--query", help="Print the query instead of running it.")] = False,
    output: Output = None,
) -> None:
    """Count the rows of a database's tables, for `migsafe lint --stats`.

    The counts are PostgreSQL's own estimates. No table is read, in a transaction that cannot write, and for ten seconds at most. What a
    DSN does not say (a password, say) comes from PGPASSWORD, .pgpass and the other places that libpq knows.

    \b
      migsafe stats postgresql://reader@replica/shop --output stats.json
      migsafe stats --query | psql -XAt shop > stats.json
      migsafe lint --stats stats.json migrations/
    """  # noqa: D301  # typer leaves the paragraph after a backspace as it is
    from migsafe.schema.statistics import QUERY, count  # noqa: PLC0415  # the other commands need none of it

    file = Path(output) if output else None
    if query:
        deliver(QUERY, file)
        return
    if dsn is None:
        raise ConfigError("nothing to count", "Name a server, or run `migsafe stats --query | psql -XAt shop > stats.json`.")
    deliver(count(dsn), file)
