"""goose: `-- +goose Up` and `-- +goose Down` in one file.

Directives as in pressly/goose internal/sqlparser/parser.go (extractAnnotation: in any case, no white space before the dashes); files
`<number>_<name>.sql`, order by number (migration.go, NumericComponent). Statements are sent one by one in a transaction;
`-- +goose NO TRANSACTION` anywhere in the file switches it off for both halves. What is between StatementBegin and StatementEnd is sent as one
query, which matters outside a transaction only. These directives and ENVSUB are comments, and stay in the text.
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction, whole_script
from migsafe.sources.runner import Folder, MigrationFile, PsqlSyntax, Runner, number_key, single_file_migrations
from migsafe.sources.sections import DOWN, UP, half_with_blocks, sections
from migsafe.text import Span

_DIRECTIVE = lazy_pattern(r"^--[ \t-]*\+goose[ \t]+(?P<half>up|down)[ \t-]*\r?$", re.MULTILINE | re.IGNORECASE)
_NO_TRANSACTION = lazy_pattern(r"^--[ \t-]*\+goose[ \t]+no transaction[ \t-]*\r?$", re.MULTILINE | re.IGNORECASE)
_BLOCK = lazy_pattern(
    r"^--[ \t-]*\+goose[ \t]+statementbegin\b.*?(?:^--[ \t-]*\+goose[ \t]+statementend\b|\Z)", re.MULTILINE | re.IGNORECASE | re.DOTALL
)


def _files(folder: Folder) -> list[MigrationFile]:
    return single_file_migrations(folder, sorted((name for name in folder.sql_files if re.match(r"\d+_", name)), key=number_key))


def _read(file: MigrationFile) -> list[Migration]:
    text = file.up.text
    transaction = Transaction.NONE if _NO_TRANSACTION.search(text) else Transaction.FILE
    spans: dict[str, list[Span]] = {UP: [], DOWN: []}
    for half, _, span in sections(text, _DIRECTIVE):
        spans[half].append(span)
    if not spans[UP] and not spans[DOWN]:  # goose rejects the file; its statements are linted all the same
        return [Migration(file.id, "goose", whole_script(file.up, transaction))]
    down = half_with_blocks(file.up, spans[DOWN], transaction, _BLOCK, "+goose") if spans[DOWN] else None
    return [Migration(file.id, "goose", half_with_blocks(file.up, spans[UP], transaction, _BLOCK, "+goose"), down)]


GOOSE = Runner(
    name="goose",
    title="goose",
    default_transaction=Transaction.FILE,
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside_transaction_advice="put `-- +goose NO TRANSACTION` at the top of its file",
    own_query_advice="leave out the StatementBegin and StatementEnd around it",
    keeps_session=True,
    own_table="goose_db_version",
    psql_syntax=PsqlSyntax.SENT,
    retry_advice="run `goose up` again",
    unique_versions=True,
    # “found missing migrations before current version”, unless `-allow-missing` (pressly/goose issues 523, 1011).
    late=LateHandling.REFUSES,
)
