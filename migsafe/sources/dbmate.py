"""dbmate: `-- migrate:up` and `-- migrate:down` in one file.

Directives as in amacneil/dbmate pkg/dbmate/migration.go; order by file name (pkg/dbmate/db.go, FindMigrations). A section runs in a
transaction; with `transaction:false` it is sent as one query (db.go, Migrate: `tx.Exec(section.Up)` on the bare connection), which
PostgreSQL makes an implicit transaction when it holds several statements.
"""

import re

from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, listed
from migsafe.sources.sections import UP, sections

_DIRECTIVE = re.compile(r"^--\s*migrate:(?P<half>up|down)(?P<options>[^\r\n]*)$", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, (name for name in folder.sql_files if name[:1].isdigit()))


def _read(file: MigrationFile) -> list[Migration]:
    ups: list[Half] = []
    downs: list[Half] = []
    for half, directive, span in sections(file.up.text, _DIRECTIVE):
        outside = "transaction:false" in directive["options"].split()
        made = Half(file.up, (span,), Transaction.QUERY if outside else Transaction.FILE)
        (ups if half == UP else downs).append(made)
    return [Migration(file.id, "dbmate", up, downs[i] if i < len(downs) else None) for i, up in enumerate(ups)]


DBMATE = Runner(
    name="dbmate",
    title="dbmate",
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside="begin it with `-- migrate:up transaction:false` and give it this one statement",
)
