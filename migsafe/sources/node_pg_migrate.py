"""node-pg-migrate, its migrations in SQL: `-- Up Migration` and `-- Down Migration` in one file.

As in salsita/node-pg-migrate src/sqlMigration.ts: each half begins at its comment and ends at the other one, and a file without them is an
upgrade; a half is one query (src/migration.ts, pgm.sql), in a transaction, which only migrations in JavaScript can switch off. By default, all
migrations of a run share one transaction (docs/api.md, singleTransaction). Order by the number that the name begins with; a new migration
before one that has run is refused (src/runner.ts, checkOrder).
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, number_key
from migsafe.sources.sections import DOWN, UP
from migsafe.text import Span

_UP = lazy_pattern(r"^\s*--[\s-]*up\s+migration", re.IGNORECASE | re.MULTILINE)
_DOWN = lazy_pattern(r"^\s*--[\s-]*down\s+migration", re.IGNORECASE | re.MULTILINE)
_ADVICE = "run node-pg-migrate with `--no-single-transaction`"


def _files(folder: Folder) -> list[MigrationFile]:
    return [MigrationFile(name.removesuffix(".sql"), folder.script(name)) for name in sorted(folder.sql_files, key=number_key)]


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    starts = {half: match.start() for half, pattern in ((UP, _UP), (DOWN, _DOWN)) if (match := pattern.search(text)) is not None}

    def half(name: str) -> Half:
        start = starts.get(name, 0)
        end = min((other for other in starts.values() if other > start), default=len(text))
        return Half(file.up, (Span(start, end),), Transaction.FILE, one_query=True)

    up = half(UP) if UP in starts or DOWN not in starts else Half(file.up, (Span(0, len(text)),), Transaction.FILE, one_query=True)
    return [Migration(file.id, "node-pg-migrate", up, half(DOWN) if DOWN in starts else None, own_transaction_advice=_ADVICE)]


NODE_PG_MIGRATE = Runner(
    name="node-pg-migrate",
    title="node-pg-migrate",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: folder.mentions(_UP),
    files=_files,
    read=_read,
    outside_transaction_advice="write it in JavaScript, with `pgm.noTransaction()`",
    late=LateHandling.REFUSES,
    keeps_session=True,
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `node-pg-migrate up` again",
    record_table="CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
)
