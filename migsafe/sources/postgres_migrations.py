"""postgres-migrations, a library for Node: `<number>_<name>.sql`, numbered from 1 without gaps.

As in ThomWright/postgres-migrations: a name is a number, `-` or `_` or nothing, and text (file-name-parser.ts); before anything runs, numbers
with gaps and applied files with other sums are refused (validation.ts). A file is sent as one query in a transaction, and outside of one if it
contains `-- postgres-migrations disable-transaction` (run-migration.ts). Migrations in JavaScript are not read. There are no down halves.

The files have no marks of the library, so it is recognised by the package.json above them, and so is postgres-schema-migrations, a fork with
the same names and the same mark (its dist/run-migration.js).
"""

import re

from migsafe.patterns import lazy_pattern
from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Migration, Transaction
from migsafe.sources.pairs import read_pair
from migsafe.sources.project_files import readable_text
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, Runner, number_key

_DIRECTIVE = "-- postgres-migrations disable-transaction"
_OUTSIDE = lazy_pattern(re.escape(_DIRECTIVE))
_NAME = lazy_pattern(r"(\d+)[-_]?.*\.sql", re.IGNORECASE)
_DEPENDENCY = lazy_pattern(r"\"postgres-(?:schema-)?migrations\"\s*:")
_PACKAGE = "package.json"


def _recognises(folder: Folder) -> bool:
    if not folder.sql_files or not all(map(_NAME.fullmatch, folder.sql_files)):
        return False
    if folder.mentions(_OUTSIDE):
        return True
    package = next((above / _PACKAGE for above in folder.self_and_parents() if (above / _PACKAGE).is_file()), None)
    return package is not None and _DEPENDENCY.search(readable_text(package) or "") is not None


def _files(folder: Folder) -> list[MigrationFile]:
    names = sorted((name for name in folder.sql_files if _NAME.fullmatch(name)), key=number_key)
    return [MigrationFile(re.split(r"\D", name)[0], folder.script(name)) for name in names]


def _read(file: MigrationFile) -> list[Migration]:
    outside = _OUTSIDE.search(file.up.text) is not None
    return read_pair(file, "postgres-migrations", Transaction.QUERY if outside else Transaction.FILE, one_query=not outside)


POSTGRES_MIGRATIONS = Runner(
    name="postgres-migrations",
    title="postgres-migrations",
    default_transaction=Transaction.FILE,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice=f"begin it with `{_DIRECTIVE}`, and leave only this statement in it",
    one_statement_outside=True,
    unique_versions=True,
    late=LateHandling.REFUSES,
    edited=EditHandling.REFUSES,
    retry_advice="run the migrations again",
)
