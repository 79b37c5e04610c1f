"""Whether later statements need what a fix leaves out, or puts off to a later deployment."""

import re
from collections.abc import Iterator

from migsafe.errors import MigsafeError
from migsafe.fixes.creations import created_by
from migsafe.fixes.edits import ChosenFix, FixedMigration
from migsafe.session import sent_statements
from migsafe.sources.runner import MigrationFile
from migsafe.sql.operations import AlterColumnType
from migsafe.sql.statements import read


def later_use(fixed: FixedMigration, fix: ChosenFix) -> str:
    """Returns why a statement cannot be left out or put off, as the end of a sentence: a later migration of the history names what it creates,
    for example to drop it, or a later statement the column whose type it changes. Empty if none does."""
    return _use_of_creation(fixed, fix) or _use_of_changed_column(fixed, fix)


def _use_of_creation(fixed: FixedMigration, fix: ChosenFix) -> str:
    names = {creation.name.name for creation in created_by(fix.statement.operations)}
    if not fix.way.removes or not names:
        return ""
    used = next((file.id for file in _later_files(fixed) if any(_names(file.up.text, name) for name in names)), None)
    return f"a later migration, {used}, names what it creates" if used is not None else ""


def _use_of_changed_column(fixed: FixedMigration, fix: ChosenFix) -> str:
    """Until the later deployment, statements that are written for the new type find the old one, and what they add belongs to a column that is
    dropped."""
    up = fixed.migration.up
    for op in _postponed(fix):
        for sent in sent_statements(up):
            if sent.statement.index > fix.statement.index and _names(up.script.text[slice(*sent.statement.span)], op.column):
                return f"a later statement names {op.column}, which would still have its old type there"
        table = op.target.name.name
        used = next((file.id for file in _later_files(fixed) if _names(file.up.text, op.column) and _names(file.up.text, table)), None)
        if used is not None:
            return f"a later migration, {used}, names {op.column}, which would still have its old type there"
    return ""


def _postponed(fix: ChosenFix) -> Iterator[AlterColumnType]:
    """Yields the changes of types that the fix replaces by a new column."""
    changes = [op for op in fix.statement.operations if isinstance(op, AlterColumnType)]
    parts = (*fix.way.before, *fix.way.instead, *fix.way.after)
    if not changes or not any(part.after for part in parts):
        return
    kept = {
        op.column
        for part in parts
        for text in part.statements
        for each in read(text)
        for op in each.operations
        if isinstance(op, AlterColumnType)
    }
    yield from (op for op in changes if op.column not in kept)


def _later_files(fixed: FixedMigration) -> Iterator[MigrationFile]:
    """Yields the files after that of the migration which can be read."""
    paths = [file.up.path for file in fixed.source.files]
    own = fixed.file.up.path
    for file in fixed.source.files[paths.index(own) + 1 if own in paths else len(paths) :]:
        try:
            if file.up.path != own and file.up.text:
                yield file
        except MigsafeError:
            continue


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
