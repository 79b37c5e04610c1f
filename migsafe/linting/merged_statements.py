"""The statements of an edited migration that were in it when it was merged."""

from collections.abc import Collection, Mapping

from migsafe.linting.finding import Finding
from migsafe.session import sent_statements
from migsafe.sources import Lineage, Migration

MergedStatements = Mapping[tuple[str, str, int], bool]
"""Statements by the path of their file, their migration and their number; True if others of the migration, or its place in the history, have
changed."""


def merged_statements(migration: Migration, lineage: Lineage) -> MergedStatements:
    """Returns the statements of a migration that its file, or those that it replaces, contained at the revision of git with which it is
    compared."""
    is_changed = lineage.edited is not None or (lineage.merged is not None and bool(lineage.merged.renamed_from or lineage.merged.gone))
    return {
        (migration.up.file.path, migration.id, sent.statement.index): is_changed
        for sent in (sent_statements(migration.up) if lineage.unchanged else ())
        if sent.statement.span.start in lineage.unchanged
    }


def is_about_merged(finding: Finding, merged: MergedStatements, about_file: Collection[str]) -> bool:
    """Whether a finding is only about a statement that was merged before its migration was edited or renamed.

    That statement was judged then, and databases have run it: nothing about it can be changed any more. The edit itself is reported
    (merged-migration-changed, a rule `about_file`), the statements that it has changed are judged, and it may be the reason why PostgreSQL
    refuses one that it has not.
    """
    is_edited = merged.get((finding.script.path, finding.migration, finding.statement))
    return is_edited is not None and finding.rule not in about_file and not (is_edited and finding.category == "failures")
