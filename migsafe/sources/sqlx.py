"""sqlx: `<version>_<name>.sql`, or the pair `.up.sql` and `.down.sql`.

Names as in launchbadge/sqlx sqlx-core/src/migrate/source.rs, ordered by version. A migration is sent as a whole in a transaction
(sqlx-postgres/src/migrate.rs, apply); a first line `-- no-transaction` leaves it the one query that it is.
"""

import os
import re

from migsafe.sources.golang_migrate import paired_files
from migsafe.sources.migration import Half, Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner, by_number, listed
from migsafe.text import Script

_NO_TRANSACTION = re.compile(r"\A--\s?no-transaction\b")
_NAME = re.compile(r"\d+_.*\.sql$")


def _recognises(folder: Folder) -> bool:
    if not any(_NAME.match(name) for name in folder.sql_files):
        return False
    return folder.mentions(_NO_TRANSACTION) or _in_rust_project(folder)


def _in_rust_project(folder: Folder) -> bool:
    """Whether the migrations stand in a crate, as sqlx's do."""
    path = os.path.abspath(folder.path)
    for _ in range(3):
        if os.path.isfile(os.path.join(path, "Cargo.toml")):
            return True
        path = os.path.dirname(path)
    return False


def _files(folder: Folder) -> list[MigrationFile]:
    pairs = paired_files(folder)
    simple = [name for name in folder.sql_files if _NAME.match(name) and not name.endswith((".up.sql", ".down.sql"))]
    found = pairs + listed(folder, simple)
    return sorted(found, key=lambda file: by_number(os.path.basename(file.up.path)))


def _half(script: Script) -> Half:
    return whole(script, Transaction.QUERY if _NO_TRANSACTION.match(script.text) else Transaction.FILE)


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "sqlx", _half(file.up), _half(file.down) if file.down else None)]


SQLX = Runner(
    name="sqlx",
    title="sqlx",
    recognises=_recognises,
    files=_files,
    read=_read,
    outside="make `-- no-transaction` its first line, and give it this one statement",
)
