"""The files that the users of each kind of runner write for a migration."""

import re
from enum import Enum
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from migsafe.prediction.effects.transaction_blocks import refused_in_transaction_block
from migsafe.schema.catalog import Catalog
from migsafe.sources import RUNNERS, Migration
from migsafe.sources.flyway import FlywayFile
from migsafe.sources.flyway_settings import FlywaySettings
from migsafe.sources.runner import Folder, MigrationFile
from migsafe.sql.operations import Begin, Commit
from migsafe.sql.statements import read, single_statements
from migsafe.text import Script

OUTSIDE = re.compile(r"^-- (?:(?:.*, )?in a migration that runs outside a transaction: |outside a transaction, too:)", re.MULTILINE)
LATEST = Catalog(18)


class Kind(Enum):
    """A kind of runner: the name of one, the name of its files, the first lines of a migration, and those of one outside a transaction. It may
    need a file of its own for each statement outside a transaction."""

    PSQL = ("plain", "{}.sql", "", "", False)
    """No transaction: each statement is one by itself."""
    DBMATE = ("dbmate", "{}_change.sql", "-- migrate:up\n", "-- migrate:up transaction:false\n", True)
    """A transaction for each file, with a directive to leave it."""
    FLYWAY = ("flyway", "V{}__change.sql", "", "", False)
    """A transaction for each file, which a file with settings beside it switches off."""
    PRISMA = ("prisma", "{}_change/migration.sql", "", "", True)
    """Each file is one query, so only a single statement is outside a transaction."""

    @property
    def wraps(self) -> bool:
        """Whether a file with several statements is one transaction."""
        return self is not Kind.PSQL


def leaves_transaction(text: str) -> bool:
    """Whether a help says that its statements run outside a transaction."""
    return OUTSIDE.search(text) is not None


def migrations_of(text: str, kind: Kind, number: int = 1) -> list[Migration]:
    """Returns the migrations that a user of this kind of runner writes for a text: one, or one for each statement outside a transaction."""
    runner, path, heading, outside, alone = kind.value
    texts = [heading + text]
    if leaves_transaction(text) or _must_leave(text):
        texts = [outside + each for each in (single_statements(text) if alone else [text])]
    found = next(each for each in RUNNERS if each.name == runner)
    migrations = []
    for position, each in enumerate(texts):
        version = f"{number}{position:02}"
        file = MigrationFile(version, Script(path.format(version), each))
        if kind is Kind.FLYWAY:
            file = _flyway_file(file, with_lock="postgresql.transactional.lock=false" not in text, outside="executeInTransaction=false" in text)
        migrations += found.read(file)
    return migrations


def _flyway_file(file: MigrationFile, *, with_lock: bool, outside: bool) -> FlywayFile:
    """Returns a file of Flyway's as its user has it: by default with the lock in a transaction, and in a transaction."""
    project = Path(_project().name)
    settings = FlywaySettings(Folder(str(project / ("locked" if with_lock else "unlocked"))))
    return FlywayFile(file.id, file.up, settings_file=Script(str(project / "script.conf")) if outside else None, settings=settings)


@cache
def _project() -> "TemporaryDirectory[str]":
    folder = TemporaryDirectory()
    for name in ("locked", "unlocked"):
        Path(folder.name, name).mkdir()
    Path(folder.name, "unlocked", "flyway.conf").write_text("flyway.postgresql.transactional.lock=false\n")
    Path(folder.name, "script.conf").write_text("executeInTransaction=false\n")
    return folder


def _must_leave(text: str) -> bool:
    """Whether each statement of a migration must run outside a transaction, so that its author has written it so."""
    statements = list(read(text))
    if any(isinstance(statement.operations[0], Begin | Commit) for statement in statements):
        return False
    # The operations of a DO block are in its transaction.
    return any(refused_in_transaction_block(statement.operations[0], LATEST) for statement in statements)
