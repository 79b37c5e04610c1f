"""sql-migrate: `-- +migrate Up` and `-- +migrate Down` in one file.

Directives as in rubenv/sql-migrate sqlparse/sqlparse.go; statements are sent one by one in a transaction (migrate.go, applyMigrations),
`notransaction` after Up or Down turns it off for that half; order by the number that the name begins with (migrate.go, Less).
"""

import re

from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.runner import Folder, MigrationFile, Runner, by_number, listed
from migsafe.sources.sections import DOWN, UP, sections

_DIRECTIVE = re.compile(r"^-- \+migrate (?P<half>Up|Down)\b(?P<options>[^\r\n]*)$", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, sorted(folder.sql_files, key=by_number))


def _read(file: MigrationFile) -> list[Migration]:
    halves: dict[str, Half] = {}
    for half, directive, span in sections(file.up.text, _DIRECTIVE):
        outside = "notransaction" in directive["options"].split()
        before = halves[half].chunks if half in halves else ()
        outside = outside or (half in halves and halves[half].transaction is Transaction.NONE)
        halves[half] = Half(file.up, (*before, span), Transaction.NONE if outside else Transaction.FILE)
    up = halves.get(UP) or Half(file.up, (), Transaction.FILE)
    return [Migration(file.id, "sql-migrate", up, halves.get(DOWN))]


SQL_MIGRATE = Runner(
    name="sql-migrate",
    title="sql-migrate",
    recognises=lambda folder: folder.mentions(_DIRECTIVE),
    files=_files,
    read=_read,
    outside="begin it with `-- +migrate Up notransaction`",
)
