"""What fixes do to files."""

from msgspec import Struct

from migsafe.fixes.way import Way
from migsafe.linting.finding import Finding
from migsafe.sources import Migration
from migsafe.sources.runner import MigrationFile
from migsafe.sources.source import Source
from migsafe.sql.statements import Statement


class FileChange(Struct, frozen=True):
    """A file with its text before and after; a file that does not exist yet has no text before. `path` is as the user would type it."""

    path: str
    before: str | None
    after: str


class LaterStep(Struct, frozen=True):
    """SQL for a later deployment, which belongs to a fix but must not run with it: `after` says what comes first, as the end of a sentence."""

    sql: str
    after: str


class ChosenFix(Struct, frozen=True):
    """The safe way of a finding, for the statement that it replaces or completes."""

    finding: Finding
    way: Way
    statement: Statement


class NotFixed(Struct, frozen=True):
    """A finding whose fix cannot be applied, and the reason, as the end of a sentence."""

    finding: Finding
    reason: str


class Edits(Struct, frozen=True):
    """What some fixes do to the files of a migration. Fixes that cannot be applied are `refused`; the others are `applied`. `renamed` are new
    files of earlier fixes that make room: their paths now, each with its next one."""

    changes: tuple[FileChange, ...] = ()
    applied: tuple[Finding, ...] = ()
    refused: tuple[NotFixed, ...] = ()
    later: tuple[LaterStep, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


class FixedMigration(Struct, frozen=True):
    """A migration with the place in its history that its fixes need: its file, and the source that contains it. `created` are the paths of the
    files that fixes have created; they are not on the disk yet."""

    migration: Migration
    file: MigrationFile
    source: Source
    created: frozenset[str] = frozenset()
