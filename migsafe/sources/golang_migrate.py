"""golang-migrate: `1_name.up.sql` and `1_name.down.sql`.

Names as in golang-migrate/migrate source/parse.go, ordered by their number. The PostgreSQL drivers (database/postgres/postgres.go and
database/pgx/v5/pgx.go, Run) send a file as one query, so several statements are one implicit transaction
(database/postgres/README.md, Multi-statement mode); with x-multi-statement they send them one by one; configure
`transaction = "statement"` then.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.assumed_transactions import is_named_outside
from migsafe.sources.lineage import LateHandling, Lineage
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.pairs import find_pairs, read_pair
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner

_NAME = r"(?P<number>\d+)_(?P<name>.*)\.(?P<half>up|down)\.sql$"
_TIME_DIGITS = 8
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


def _files(folder: Folder) -> list[MigrationFile]:
    """Returns the pairs, and a down file whose number is above all others: golang-migrate takes that for a migration without SQL, whose number
    it records (source/migration.go, Next; migrate.go, newMigration). After a time as a number, the next one is larger anyway."""
    pairs = find_pairs(folder, _NAME)
    last = max((int(file.id) for file in pairs), default=None)
    downs = [match for name in folder.sql_files if (match := re.match(_NAME, name)) and match["half"] == "down"]
    alone = [match for match in downs if last is not None and int(match["number"]) > last and len(match["number"].lstrip("0")) < _TIME_DIGITS]
    pairs += [MigrationFile(match["number"], folder.script(match[0]), lineage=Lineage(without_up=True)) for match in alone]
    return pairs


def _read(file: MigrationFile) -> list[Migration]:
    if file.lineage.without_up:
        return [Migration(file.id, "golang-migrate", Half(file.up, (), Transaction.QUERY))]
    return read_pair(file, "golang-migrate", Transaction.QUERY)


GOLANG_MIGRATE = Runner(
    name="golang-migrate",
    title="golang-migrate",
    default_transaction=Transaction.QUERY,
    recognises=_recognises,
    files=_files,
    read=_read,
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
