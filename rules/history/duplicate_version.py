"""Two migrations have the same version.

This happens when two branches each add the next migration. goose, Flyway, golang-migrate and Supabase then refuse to run anything. dbmate
and sqlx record versions too, and consider the second migration as applied if the first one was applied earlier, so it never runs. The
migration that never runs may differ between databases. Give the later migration the next version.

Unsafe, two files of a goose project:
    -- 0042_order_notes.sql
    ALTER TABLE orders ADD COLUMN note text;
    -- next migration
    -- 0042_order_flags.sql
    ALTER TABLE orders ADD COLUMN flag boolean;

Safe:
    -- 0042_order_notes.sql
    ALTER TABLE orders ADD COLUMN note text;
    -- next migration
    -- 0043_order_flags.sql
    ALTER TABLE orders ADD COLUMN flag boolean;
"""

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.ERROR, about_file=True, no_fix="only the author knows which of the migrations has run anywhere")
def duplicate_version(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the migration at the version in its file, or at its first statement."""
    duplicate = at.lineage.duplicate
    if duplicate is None:
        return None
    message = f"the version {at.migration.id} is also the version of {duplicate.path}: the runner refuses both, or never runs one of them"
    return at.finding(at.place_in_file(at.lineage.version_span) or (at.past[0] if at.past else op), message)
