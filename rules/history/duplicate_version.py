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

from migsafe.rule import Context, Finding, MigrationEnd, Severity, rule


@rule(category="history", severity=Severity.ERROR)
def duplicate_version(op: MigrationEnd, at: Context) -> Finding | None:
    """Report the migration, where it begins."""
    if at.twin is None:
        return None
    first = at.past[0] if at.past else op
    return at.finding(first, f"the version {at.migration.id} is also that of {at.twin}: the runner refuses both, or never runs one of them")
