"""sqlx: `<version>_<name>.sql`, or the pair `.up.sql` and `.down.sql`.

Names as in launchbadge/sqlx sqlx-core/src/migrate/source.rs, ordered by version; a file that begins with `-- no-transaction` is sent
outside a transaction. A migration is sent as a whole in a transaction (sqlx-postgres/src/migrate.rs, apply: conn.execute of the script, a
simple query); without that transaction, the query is an implicit one if it contains several statements.

Its pairs look like golang-migrate's. They are recognised as sqlx's if a folder above contains a Cargo.toml that mentions sqlx, a
`.sqlx` folder or an `sqlx.toml`, or if a sampled file says `-- no-transaction`.
"""

import os
import re

from migsafe.errors import UnreadableError
from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction, whole_script
from migsafe.sources.pairs import find_pairs
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, PsqlSyntax, Runner, number_key, single_file_migrations
from migsafe.text import Script, read_text

_NO_TRANSACTION = lazy_pattern(r"\A-- no-transaction")
_TEMPLATE = lazy_pattern(r"^-- Add (?:up |down )?migration script here", re.MULTILINE)
"""What `sqlx migrate add` writes into a new file (sqlx-cli/src/migrate.rs)."""
_NAME = lazy_pattern(r"\d+_.*\.sql$")
_PAIR = r"(?P<number>\d+)_(?P<name>.*)\.(?P<half>up|down)\.sql$"


def _recognises(folder: Folder) -> bool:
    return any(_NAME.match(name) for name in folder.sql_files) and (
        folder.mentions(_NO_TRANSACTION) or folder.mentions(_TEMPLATE) or _is_in_sqlx_project(folder)
    )


def _is_in_sqlx_project(folder: Folder) -> bool:
    if folder.requested_file == "-":
        return False
    for above in folder.self_and_parents():
        if os.path.isdir(above / ".sqlx") or os.path.isfile(above / "sqlx.toml"):
            return True
        try:
            if os.path.isfile(above / "Cargo.toml") and "sqlx" in read_text(str(above / "Cargo.toml")):
                return True
        except UnreadableError:
            continue
    return False


def _files(folder: Folder) -> list[MigrationFile]:
    simple = [name for name in folder.sql_files if _NAME.match(name) and not name.endswith((".up.sql", ".down.sql"))]
    migrations = find_pairs(folder, _PAIR) + single_file_migrations(folder, simple)
    return sorted(migrations, key=lambda file: number_key(file.up.path.rpartition("/")[2]))


def _half(script: Script) -> Half:
    return whole_script(script, Transaction.QUERY if _NO_TRANSACTION.match(script.text) else Transaction.FILE, one_query=True)


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "sqlx", _half(file.up), _half(file.down) if file.down else None)]


SQLX = Runner(
    name="sqlx",
    title="sqlx",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="make `-- no-transaction` its first line, and leave only this statement in it",
    one_statement_outside=True,
    keeps_session=True,
    own_table="_sqlx_migrations",
    psql_syntax=PsqlSyntax.SENT_UNLESS_USED,
    retry_advice="run `sqlx migrate run` again",
    unique_versions=True,
    # Applies what is not recorded, and compares checksums (migrate/migrator.rs, run; launchbadge/sqlx issue 869).
    late=LateHandling.APPLIES,
    edited=EditHandling.REFUSES,
    record_table="""CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)""",
)
