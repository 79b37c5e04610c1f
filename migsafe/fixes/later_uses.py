"""Whether later migrations need what a fix leaves out."""

import re

from migsafe.errors import MigsafeError
from migsafe.fixes.creations import created_by
from migsafe.fixes.edits import ChosenFix, FixedMigration


def later_use(fixed: FixedMigration, fix: ChosenFix) -> str:
    """Returns why what a statement creates cannot be left out, as the end of a sentence: a later migration of the history names it, for example
    to drop it. Empty if none does."""
    names = {re.escape(creation.name.name) for creation in created_by(fix.statement.operations)}
    if not fix.way.removes or not names:
        return ""
    named = re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)")
    paths = [file.up.path for file in fixed.source.files]
    own = fixed.file.up.path
    for file in fixed.source.files[paths.index(own) + 1 if own in paths else len(paths) :]:
        try:
            if file.up.path != own and named.search(file.up.text):
                return f"a later migration, {file.id}, names what it creates"
        except MigsafeError:
            continue
    return ""
