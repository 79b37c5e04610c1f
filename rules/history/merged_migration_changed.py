"""A migration that has been merged is changed, renamed or removed.

Databases that have applied it do not apply it again and keep the old schema, so new databases differ from them. Flyway, sqlx and Liquibase
compare checksums, and refuse to run anything. A renamed migration is a new one for a runner that records names, versions or, as Liquibase,
paths: it runs a second time. A changeset of Liquibase that its file has no more is reported at the first one that is left. Leave merged
migrations as they are, and change the schema with a new one. Comments, white space and repeatable migrations may change.

The rule compares with a revision of git: `migsafe lint --since origin/main`, or `--changed`. Only what the current branch has changed since it
left that revision is reported. If one migration replaces many, or many are removed, this is one finding. Other rules judge only the statements
of an edited migration that were not in it, or not in those that it replaces: databases have run the others.

Unsafe:
    -- 0042_order_notes.sql at the revision
    ALTER TABLE orders ADD COLUMN note varchar(100);
    -- 0042_order_notes.sql now
    ALTER TABLE orders ADD COLUMN note varchar(200);

Safe:
    -- 0042_order_notes.sql at the revision
    ALTER TABLE orders ADD COLUMN note varchar(100);
    -- 0042_order_notes.sql now
    -- The note of the customer.
    ALTER TABLE orders
        ADD COLUMN note varchar(100);
    -- 0043_longer_order_notes.sql now
    ALTER TABLE orders ALTER COLUMN note TYPE varchar(200);
"""

from collections.abc import Iterator, Sequence

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sources import MergedState, MigrationReference

_SHOWN = 3


@rule(
    category="history",
    severity=Severity.ERROR,
    about_file=True,
    needs="revision",
    no_fix="only the author knows which changes must move to a new migration",
)
def merged_migration_changed(op: MigrationEnd, at: Context) -> Iterator[Finding]:
    """Report the first statement that differs, or the first one of a migration that was renamed or that replaces others; at the first migration
    of a file, those that the file has lost."""
    merged = at.lineage.merged
    if merged is None:
        return
    if merged.lost and merged.first == at.migration.id:
        message, help = _removed(merged, merged.lost)
        yield at.finding(at.past[0] if at.past else op, message, help=help)
    finding = _changed(op, at, merged)
    if finding is not None:
        yield finding


def _changed(op: MigrationEnd, at: Context, merged: MergedState) -> Finding | None:
    beginning = at.past[0] if at.past else op
    if merged.gone:
        message, help = _replaced(merged) if at.migration.up.chunks or at.past else _removed(merged, merged.gone)
        return at.finding(beginning, message, help=help)
    if merged.renamed_from:
        old, new = merged.renamed_from, at.migration.up.file.path
        # Under the old name, other SQL would be an edit of a merged migration.
        has_other_sql = not merged.before
        help = f"-- restore {old}, and put the change into a new migration" if has_other_sql else f"git mv {new} {old}"
        became = f"has become {new}, with other SQL" if has_other_sql else f"has become {new}"
        return at.finding(beginning, f"{old}, which stands at {merged.revision}, {became}: {_renamed(merged)}", help=help)
    if at.lineage.edited is None or at.migration.may_change:
        return None
    message = f"{at.migration.id} stands at {merged.revision} with other SQL: {_edited(merged)}"
    return at.finding(at.place_in_file(at.lineage.edited) or op, message, help="-- restore it, and put the change into a new migration")


def _edited(merged: MergedState) -> str:
    if merged.refuses:
        return f"{merged.runner} compares checksums, and refuses to run on a database that has applied it"
    return "a database that has applied it does not apply it again, and keeps the old schema"


def _renamed(merged: MergedState) -> str:
    if merged.refuses:
        return f"{merged.runner} refuses to run on a database that has applied it under the old name"
    if merged.runs_again:
        return f"{merged.runner} applies it a second time to a database that has applied it under the old name"
    return "a database that has applied it under the old name applies it a second time, or its runner refuses to run"


def _subject(merged: MergedState, gone: Sequence[MigrationReference]) -> str:
    paths = [reference.version if gone is merged.lost else reference.path for reference in gone]
    if len(paths) == 1:
        return f"{paths[0]}, which stands at {merged.revision}, no longer exists"
    names = ", ".join(paths) if len(paths) <= _SHOWN else f"{paths[0]} to {paths[-1]}"
    return f"{len(paths)} migrations that stand at {merged.revision} no longer exist ({names})"


def _them(gone: Sequence[MigrationReference]) -> str:
    return "it" if len(gone) == 1 else "them"


def _replaced(merged: MergedState) -> tuple[str, str]:
    """Returns the message and the help for migrations that one migration replaces."""
    them = _them(merged.gone)
    return (
        f"{_subject(merged, merged.gone)}, and this one replaces {them}: a database that has applied {them} applies this one as well",
        f"-- before the next deployment, record this one as applied on every database that has applied {them}",
    )


def _removed(merged: MergedState, gone: Sequence[MigrationReference]) -> tuple[str, str]:
    """Returns the message and the help for migrations that are gone."""
    them = _them(gone)
    refuses = merged.refuses and gone is merged.gone
    effect = f"{merged.runner} refuses to run" if refuses else "keeps the changes, and new databases do not get them"
    consequence = f"on a database that has applied {them}, {effect}" if refuses else f"a database that has applied {them} {effect}"
    return f"{_subject(merged, gone)}: {consequence}", f"-- restore {them}, and undo the changes in a new migration"
