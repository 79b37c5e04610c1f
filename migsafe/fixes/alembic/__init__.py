"""Fixes of Alembic scripts, which are edited as Python.

The places of statements are found with LibCST; the text between them, its comments and its format stay. LibCST is imported when the first
script is edited.
"""

from collections.abc import Sequence

from migsafe.fixes.edits import ChosenFix, Edits, FixedMigration
from migsafe.schema.catalog import Catalog


def edit_scripts(fixed: FixedMigration, chosen: Sequence[ChosenFix], catalog: Catalog) -> Edits:
    """Returns what fixes do to the script of a revision, to the revisions that follow it, and which new revisions they need.

    The migration is rendered, and so is its downgrade, if it has one; `catalog` is the database that the statements are for. A fix that cannot
    be applied in whole is refused with its reason; of several that replace one statement, only the first is applied. The changes are for the
    texts of the files as `fixed.source` has them: after one revision was fixed, another one must be read again first.
    """
    from migsafe.fixes.alembic.editing import edit_revision  # noqa: PLC0415  # LibCST takes long to import

    return edit_revision(fixed, chosen, catalog)
