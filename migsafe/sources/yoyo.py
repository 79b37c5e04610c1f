"""yoyo: `name.sql` with an optional `name.rollback.sql`.

Order by file name, dependencies first: a comment `-- depends: other` at the top names them (yoyo documentation, Migrations as SQL
scripts). Each migration runs in a transaction; `-- transactional: false` turns it off.
"""

import re

from migsafe.errors import UnreadableError
from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner

_ROLLBACK = ".rollback.sql"
_HEADER = re.compile(r"^--\s*(depends|transactional)\s*:(.*)$", re.MULTILINE | re.IGNORECASE)


def _files(folder: Folder) -> list[MigrationFile]:
    names = [name for name in folder.sql_files if not name.endswith(_ROLLBACK)]
    made = {}
    for name in names:
        stem = name.removesuffix(".sql")
        down = folder.script(stem + _ROLLBACK) if stem + _ROLLBACK in folder.files else None
        made[stem] = MigrationFile(stem, folder.script(name), down)
    ordered: dict[str, MigrationFile] = {}
    waiting: set[str] = set()

    def add(stem: str) -> None:
        if stem in ordered or stem in waiting or stem not in made:
            return
        waiting.add(stem)
        for other in sorted(_header(made[stem]).get("depends", "").split()):
            add(other)
        ordered[stem] = made[stem]

    for stem in made:
        add(stem)
    return list(ordered.values())


def _header(file: MigrationFile) -> dict[str, str]:
    """The directives at the top of a script; none where it cannot be read, which is said when it is read for its statements."""
    try:
        text = file.up.text
    except UnreadableError:
        return {}
    return {match[1].lower(): match[2].strip() for match in _HEADER.finditer(text)}


def _read(file: MigrationFile) -> list[Migration]:
    up = whole(file.up, Transaction.FILE)
    outside = _header(file).get("transactional", "").lower() == "false"
    transaction = Transaction.NONE if outside else Transaction.FILE
    down = whole(file.down, transaction) if file.down else None
    return [Migration(file.id, "yoyo", whole(up.script, transaction), down)]


YOYO = Runner(
    name="yoyo",
    title="yoyo",
    recognises=lambda folder: any(name.endswith(_ROLLBACK) for name in folder.sql_files) or folder.mentions(_HEADER),
    files=_files,
    read=_read,
    outside="begin it with `-- transactional: false`",
)
