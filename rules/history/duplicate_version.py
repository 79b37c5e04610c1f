"""Two migrations have the same version.

It happens when two branches each add the next one. goose, Flyway, golang-migrate and Supabase refuse to run anything then; dbmate and sqlx
record versions too, and take the second migration for one that has run, so that it never does where the first one came earlier. Which one
that is differs from database to database. Give the one that came later the next version.

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


@rule(category="history", severity=Severity.ERROR)
def duplicate_version(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the migration, where its file says its version, or where it begins."""
    twin = at.lineage.duplicate
    if twin is None:
        return None
    said = f"the version {at.migration.id} is also that of {twin.path}: the runner refuses both, or never runs one of them"
    return at.finding(at.place_in_file(at.lineage.version_span) or (at.past[0] if at.past else op), said)
