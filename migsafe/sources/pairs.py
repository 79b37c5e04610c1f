"""Migrations whose two halves are separate files."""

import re

from migsafe.sources.migration import Migration, Transaction, whole_script
from migsafe.sources.runner import Folder, MigrationFile


def find_pairs(folder: Folder, pattern: str, *, up: str = "up") -> list[MigrationFile]:
    """Returns the migrations of a folder in which each has an up file and possibly a down file, ordered by number, then name.

    The pattern's groups are `number`, `name` and `half`, which is `up` for an up file. A down file belongs to the up file of the same number,
    with any name; if several share a number, to the one of the same name.
    """
    matches = [match for name in folder.sql_files if (match := re.match(pattern, name))]
    downs = {match["name"]: match for match in matches if match["half"] != up}
    by_version = {int(match["number"]): match for match in matches if match["half"] != up}
    migrations = []
    for match in sorted((match for match in matches if match["half"] == up), key=lambda match: (int(match["number"]), match[0])):
        down = downs.get(match["name"])
        if down is None or int(down["number"]) != int(match["number"]):
            down = by_version.get(int(match["number"]))
        migrations.append(MigrationFile(match["number"], folder.script(match[0]), folder.script(down[0]) if down else None))
    return migrations


def read_pair(file: MigrationFile, runner: str, transaction: Transaction, *, one_query: bool = False) -> list[Migration]:
    """Returns the one migration of a file, if the runner sends both halves in the same way."""
    down = whole_script(file.down, transaction, one_query=one_query) if file.down else None
    return [Migration(file.id, runner, whole_script(file.up, transaction, one_query=one_query), down)]
