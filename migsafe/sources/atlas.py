"""Atlas: `<version>_<name>.sql` beside an `atlas.sum`.

Order by file name (ariga/atlas sql/migrate/dir.go). Each file runs in a transaction; `-- atlas:txmode none` in the file's header turns it
off, and statements are sent one by one (atlasgo.io, Versioned Migrations, Transaction Configuration).
"""

import re

from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner, listed

_TXMODE = re.compile(r"^--\s*atlas:txmode\s+(\w+)\s*$", re.MULTILINE)


def _files(folder: Folder) -> list[MigrationFile]:
    return listed(folder, folder.sql_files)


def _read(file: MigrationFile) -> list[Migration]:
    mode = _TXMODE.search(file.up.text)
    transaction = Transaction.NONE if mode and mode[1] == "none" else Transaction.FILE
    return [Migration(file.id, "atlas", whole(file.up, transaction))]


ATLAS = Runner(
    name="atlas",
    title="Atlas",
    recognises=lambda folder: "atlas.sum" in folder.files or folder.mentions(_TXMODE),
    files=_files,
    read=_read,
    outside="begin it with `-- atlas:txmode none`",
)
