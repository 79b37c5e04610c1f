"""sql-migrate: `-- +migrate Up` and `-- +migrate Down` in one file.

Directives as in rubenv/sql-migrate sqlparse/sqlparse.go (a line begins with exactly `-- +migrate `; Up and Down may be repeated, and are
concatenated); statements are sent one by one in a transaction, and `notransaction` after Up or Down switches it off for that half; what is
between StatementBegin and StatementEnd is one query. Order by the number that the name begins with, names without one last (migrate.go, Less);
the recorded id is the file's name.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction, whole_script
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, number_key
from migsafe.sources.sections import DOWN, UP, half_with_blocks, sections
from migsafe.text import Span

_DIRECTIVE = lazy_pattern(r"^-- \+migrate [ \t]*(?P<half>Up|Down)(?=\s|\Z)(?P<options>[^\r\n]*)", re.MULTILINE)
_BLOCK = lazy_pattern(r"^-- \+migrate [ \t]*StatementBegin\b.*?(?:^-- \+migrate [ \t]*StatementEnd\b|\Z)", re.MULTILINE | re.DOTALL)


def _files(folder: Folder) -> list[MigrationFile]:
    return [MigrationFile(name, folder.script(name)) for name in sorted(folder.sql_files, key=number_key)]


def _read(file: MigrationFile) -> list[Migration]:
    spans: dict[str, list[Span]] = {UP: [], DOWN: []}
    transaction = {UP: Transaction.FILE, DOWN: Transaction.FILE}
    for half, directive, span in sections(file.up.text, _DIRECTIVE):
        spans[half].append(span)
        if "notransaction" in directive["options"].split():
            transaction[half] = Transaction.NONE
    if not spans[UP] and not spans[DOWN]:  # sql-migrate rejects the file; its statements are linted all the same
        return [Migration(file.id, "sql-migrate", whole_script(file.up, Transaction.FILE))]
    up, down = (half_with_blocks(file.up, spans[half], transaction[half], _BLOCK, "+migrate") for half in (UP, DOWN))
    return [Migration(file.id, "sql-migrate", up, down if spans[DOWN] else None)]


SQL_MIGRATE = Runner(
    name="sql-migrate",
    title="sql-migrate",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside_transaction_advice="begin it with `-- +migrate Up notransaction`",
    # Applies missing migrations first (migrate.go, ToCatchup).
    late=LateHandling.APPLIES,
    own_query_advice="leave out the StatementBegin and StatementEnd around it",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `sql-migrate up` again",
    connection_advice="in dbconfig.yml, `datasource: … options='-c lock_timeout=2s'`",
    record_table="CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz)",
)
