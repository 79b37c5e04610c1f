"""golang-migrate: `1_name.up.sql` and `1_name.down.sql`.

Names as in golang-migrate/migrate source/parse.go, ordered by their number. The PostgreSQL driver (database/postgres/postgres.go, Run)
sends a file as one query, so that several statements are one implicit transaction; with x-multi-statement it would send them one by one.
"""

import re

from migsafe.sources.migration import Migration, Transaction, whole
from migsafe.sources.runner import Folder, MigrationFile, Runner
from migsafe.text import Script

_NAME = re.compile(r"(\d+)_(.*?)(?:\.(?:postgres|postgresql|pg|psql))?\.(up|down)\.sql$")


def paired_files(folder: Folder, pattern: re.Pattern[str] = _NAME) -> list[MigrationFile]:
    """The migrations of a folder in which each has an `.up.sql` and perhaps a `.down.sql`, ordered by number.

    Where a script exists both for PostgreSQL alone and for every database, the one for PostgreSQL is taken, as popx does.
    """
    halves: dict[tuple[int, str], dict[str, str]] = {}
    for name in folder.sql_files:
        match = pattern.match(name)
        if match:
            half = halves.setdefault((int(match[1]), match[2]), {})
            if match[3] not in half or len(name) > len(half[match[3]]):
                half[match[3]] = name
    found = []
    for (_, _), half in sorted(halves.items()):
        up = half.get("up")
        down = half.get("down")
        if up is not None:
            found.append(MigrationFile(re.match(r"\d+", up)[0], folder.script(up), _optional(folder, down)))  # type: ignore[index]
    return found


def _optional(folder: Folder, name: str | None) -> Script | None:
    return folder.script(name) if name else None


def read_pair(file: MigrationFile, runner: str, transaction: Transaction) -> list[Migration]:
    """A migration whose halves are files of their own."""
    down = whole(file.down, transaction) if file.down else None
    return [Migration(file.id, runner, whole(file.up, transaction), down)]


GOLANG_MIGRATE = Runner(
    name="golang-migrate",
    title="golang-migrate",
    recognises=lambda folder: any(_NAME.match(name) for name in folder.sql_files),
    files=paired_files,
    read=lambda file: read_pair(file, "golang-migrate", Transaction.QUERY),
    outside="give the statement a migration file of its own",
)
