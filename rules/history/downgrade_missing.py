"""A revision cannot be downgraded.

When a release fails in production, `alembic downgrade -1` is the usual reaction. Without a downgrade() it fails. With an empty downgrade()
Alembic records the revision as reverted while its changes remain, and the next upgrade may fail because they already exist. If the data
cannot be restored, revert the schema anyway, or explain in a suppression why nothing needs to be done. A revision whose upgrade() does
nothing, such as a merge, needs no downgrade. The downgrade() of a revision that only validates constraints, only drops (IF EXISTS) indexes
that no migration has created, or only adds enum values IF NOT EXISTS, may be empty: PostgreSQL cannot remove the value, and the next upgrade
finds it. The severity is info if the three revisions before it cannot be downgraded either, because the project writes no downgrades, and if
upgrade() only updates or deletes rows: no schema remains, and the values that the rows had cannot be computed from those that they have.

Unsafe:
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        pass

Safe:
    # 5b1_order_notes.py
    from alembic import op

    revision = "5b1"
    down_revision = None

    def upgrade():
        op.execute("ALTER TABLE orders ADD COLUMN note text")

    def downgrade():
        op.execute("ALTER TABLE orders DROP COLUMN note")
"""

from msgspec import Struct

from migsafe.linting.rule import Context, Finding, MigrationEnd, Severity, rule
from migsafe.sql.operations import AddEnumValue, Delete, Drop, Operation, Select, SessionControl, Update, ValidateConstraint

_ROWS = (Update, Delete, Select)
"""What changes no schema, and can run again."""


class _State(Struct):
    in_vain: set[int] = set()
    """The positions of the operations that drop indexes which no migration has created: they remove what a failed build may have left."""


@rule(category="history", severity=Severity.WARNING, about_file=True, no_fix="only the author can write the down migration")
def downgrade_missing(op: Drop | MigrationEnd, at: Context) -> Finding | None:
    """Report downgrade(), or upgrade() if there is no downgrade()."""
    if not at.lineage.irreversible_reason:
        return None
    in_vain = at.state(_State).in_vain
    if isinstance(op, Drop):
        if op.kind == "index" and op.if_exists and all(at.catalog.is_free(at.catalog.in_first_schema(name)) for name in op.names):
            in_vain.add(at.position)
        return None
    done = [past.operation for number, past in enumerate(at.past) if number not in in_vain and not isinstance(past.operation, SessionControl)]
    if (in_vain or done) and not at.lineage.downgrade_fails and all(map(_may_stay, done)):
        return None
    changes_rows = any(isinstance(operation, Update | Delete) for operation in done) and not at.lineage.downgrade_fails
    only_rows = changes_rows and all(isinstance(operation, _ROWS) or _may_stay(operation) for operation in done)
    severity = Severity.INFO if at.lineage.without_downgrades or only_rows else None
    return at.finding(at.place_in_file(at.lineage.downgrade_span) or op, at.lineage.irreversible_reason, severity=severity)


def _may_stay(done: Operation) -> bool:
    """Whether nothing needs to be taken back: a constraint goes with the revision that has added it, and to validate it again does nothing;
    an enum value cannot be dropped."""
    return isinstance(done, ValidateConstraint) or (isinstance(done, AddEnumValue) and done.if_not_exists)
