"""Postgrator, a library for Node: `001.do.name.sql` and `001.undo.name.sql`.

As in rickbergfalk/postgrator: a name is a number, `do` or `undo`, and a description that may be missing (README.md, Usage); it runs what has
a higher number than the newest that it recorded (postgrator.js, getRunnableMigrations), refuses two files of one number, and an applied file
with another sum (Checksum validation). A file is one query on the connection (lib/PostgresClient.js), so several statements are one implicit
transaction (Preventing partial migrations). Migrations in JavaScript are not read.
"""

import re

from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Transaction
from migsafe.sources.pairs import find_pairs, read_pair
from migsafe.sources.runner import EditHandling, Folder, MigrationFile, Runner

_NAME = r"(?P<number>\d+)\.(?P<half>do|undo)(?P<name>(?:\.[^.]*)?)\.sql$"


def _files(folder: Folder) -> list[MigrationFile]:
    return find_pairs(folder, _NAME, up="do")


POSTGRATOR = Runner(
    name="postgrator",
    title="Postgrator",
    default_transaction=Transaction.QUERY,
    recognises=lambda folder: any(re.match(_NAME, name) for name in folder.sql_files),
    files=_files,
    read=lambda file: read_pair(file, "postgrator", Transaction.QUERY),
    outside_transaction_advice="put the statement into a separate migration file",
    one_statement_outside=True,
    retry_advice="run the migrations again",
    unique_versions=True,
    late=LateHandling.SKIPS,
    edited=EditHandling.REFUSES,
)
