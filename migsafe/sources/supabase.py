"""Supabase: `supabase/migrations/<version>_<name>.sql`.

The command line sends a file's statements, with its own note of the version, as one pipeline without BEGIN (supabase/cli
pkg/migration/file.go, ExecBatch): PostgreSQL runs it as one implicit transaction. A statement that refuses a transaction block may only
come first in it, so that it needs a file of its own.
"""

import os

from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner, listed


def _recognises(folder: Folder) -> bool:
    path = os.path.abspath(folder.path)
    return os.path.basename(path) == "migrations" and os.path.basename(os.path.dirname(path)) == "supabase" and bool(folder.sql_files)


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, (name for name in folder.sql_files if name[:1].isdigit()))


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "supabase", whole(file.up, Transaction.QUERY))]


SUPABASE = Runner(
    name="supabase",
    title="Supabase",
    recognises=_recognises,
    files=_files,
    read=_read,
    outside="give the statement a migration file of its own",
)
