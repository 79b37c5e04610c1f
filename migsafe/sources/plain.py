"""Plain .sql files, run in the order of their numbers as `psql -f` does: each statement its own transaction.

A name that ends in `.down.sql`, `.undo.sql` or `.rollback.sql` (`_down.sql`…) is the way back of the migration whose name is otherwise the
same.
"""

import re

from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner, by_number, version_of
from migsafe.text import Script


_HALF = re.compile(r"(.*?)[._-](up|down|undo|rollback|revert)\.sql$", re.IGNORECASE)


def _files(folder: Folder) -> list[MigrationFile]:
    ups: list[str] = []
    downs: dict[str, str] = {}
    for name in sorted(folder.sql_files, key=by_number):
        half = _HALF.match(name)
        if half and half[2].lower() != "up":
            downs[half[1]] = name
        else:
            ups.append(name)
    return [MigrationFile(version_of(name), folder.script(name), _down(folder, downs, name)) for name in ups]


def _down(folder: Folder, downs: dict[str, str], name: str) -> Script | None:
    half = _HALF.match(name)
    down = downs.get(half[1] if half else name.removesuffix(".sql"))
    return folder.script(down) if down else None


def _read(file: MigrationFile) -> list[Migration]:
    down = whole(file.down, Transaction.STATEMENT) if file.down else None
    return [Migration(file.id, "plain", whole(file.up, Transaction.STATEMENT), down)]


PLAIN = Runner(
    name="plain",
    title="plain SQL, as psql -f runs it",
    recognises=lambda folder: bool(folder.sql_files),
    files=_files,
    read=_read,
    outside="leave out BEGIN and COMMIT",
)
