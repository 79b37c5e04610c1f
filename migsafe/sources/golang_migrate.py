"""golang-migrate: `1_name.up.sql` and `1_name.down.sql`.

Names as in golang-migrate/migrate source/parse.go, ordered by their number. The PostgreSQL drivers (database/postgres/postgres.go and
database/pgx/v5/pgx.go, Run) send a file as one query, so several statements are one implicit transaction
(database/postgres/README.md, Multi-statement mode); with x-multi-statement they send them one by one; configure
`transaction = "statement"` then.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.assumed_transactions import is_named_outside
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Transaction
from migsafe.sources.pairs import find_pairs, read_pair
from migsafe.sources.runner import Folder, PsqlSyntax, Runner

_NAME = r"(?P<number>\d+)_(?P<name>.*)\.(?P<half>up|down)\.sql$"
_NUMBERED = lazy_pattern(r"\d+_.*\.sql$")


def _recognises(folder: Folder) -> bool:
    """Recognises the names; not a folder without down files in which other numbered files have neither suffix, because its runner takes
    every file, nor one with a name that says whether it runs in a transaction, because golang-migrate reads no such names."""
    if any(map(is_named_outside, folder.sql_files)):
        return False
    suffixes = [match["half"] for name in folder.sql_files if (match := re.match(_NAME, name))]
    if not suffixes or "down" in suffixes:
        return bool(suffixes)
    return sum(bool(_NUMBERED.match(name)) for name in folder.sql_files) == len(suffixes)


GOLANG_MIGRATE = Runner(
    name="golang-migrate",
    title="golang-migrate",
    default_transaction=Transaction.QUERY,
    recognises=_recognises,
    files=lambda folder: find_pairs(folder, _NAME),
    read=lambda file: read_pair(file, "golang-migrate", Transaction.QUERY),
    outside_transaction_advice="put the statement into a separate migration file",
    one_statement_outside=True,
    keeps_session=True,
    psql_syntax=PsqlSyntax.SENT_UNLESS_USED,
    retry_advice="the version is marked dirty: `migrate force` the version before it, then `migrate up`",
    unique_versions=True,
    # Applies what follows the one version that it records (migrate.go, readUp: source.Next).
    late=LateHandling.SKIPS,
    # database/postgres/postgres.go, ensureVersionTable.
    record_table="CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",
)
