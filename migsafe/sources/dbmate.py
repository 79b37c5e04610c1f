r"""dbmate: `-- migrate:up` and `-- migrate:down` in one file.

Directives as in amacneil/dbmate pkg/dbmate/migration.go, which allows several pairs in a file and applies each separately; files
`^\d+.*\.sql$` in the order of their names (pkg/dbmate/db.go, FindMigrations). A section is sent as a whole in a transaction; with
`transaction:false` it is sent on the connection itself (db.go, Migrate: `execMigration(sqlDB)`), as one query, which PostgreSQL runs as an
implicit transaction if it contains several statements.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction, whole_script
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, single_file_migrations
from migsafe.sources.sections import UP, sections

_DIRECTIVE = lazy_pattern(r"^--[ \t]*migrate:(?P<half>up|down)(?=\s|\Z)(?P<options>[^\r\n]*)", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    return single_file_migrations(folder, (name for name in folder.sql_files if name[0].isdigit()))


def _read(file: MigrationFile) -> list[Migration]:
    migrations: list[Migration] = []
    for half, directive, span in sections(file.up.text, _DIRECTIVE):
        outside = "transaction:false" in directive["options"].split()
        sent = Half(file.up, (span,), Transaction.QUERY if outside else Transaction.FILE, one_query=True)
        if half == UP:
            migrations.append(Migration(file.id, "dbmate", sent))
        elif migrations:
            migrations[-1] = Migration(file.id, "dbmate", migrations[-1].up, sent)
    # dbmate rejects a file without an upgrade section; its statements are linted all the same.
    return migrations or [Migration(file.id, "dbmate", whole_script(file.up, Transaction.FILE, one_query=True))]


DBMATE = Runner(
    name="dbmate",
    title="dbmate",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside_transaction_advice="begin it with `-- migrate:up transaction:false` and leave only this statement in it",
    one_statement_outside=True,
    keeps_session=True,
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `dbmate up` again",
    unique_versions=True,
    # Applies every pending migration in the order of the numbers, unless `--strict` (amacneil/dbmate issue 159).
    late=LateHandling.APPLIES,
    record_table="CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)",
)
