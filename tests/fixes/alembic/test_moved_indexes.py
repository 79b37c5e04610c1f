"""What of a revision runs after it, although other statements of the revision change the same table."""

from textwrap import dedent

import pytest

from migsafe.library.fix import fix
from tests.fixes.alembic.edited import Project, upgrade_of

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("one_renderer")]


def index(name: str, column: str, *, unique: bool = False) -> str:
    """Returns the safe way of an index that may exist already."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    return (
        f"DROP INDEX CONCURRENTLY IF EXISTS {name};\n-- next migration\n"
        f"DROP INDEX CONCURRENTLY IF EXISTS {name};\nCREATE {kind} CONCURRENTLY {name} ON orders ({column});"
    )


@pytest.mark.parametrize(
    "later",
    [
        "CREATE INDEX ix_customer ON orders (customer)",
        "ALTER TABLE orders ADD COLUMN place text",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0) NOT VALID",
        "INSERT INTO orders VALUES (1, 2, 'three')",
    ],
)
def test_an_index_moves_behind_statements_that_do_not_need_it(project: Project, later: str) -> None:
    _, edits = project.change(
        f'op.execute("CREATE INDEX IF NOT EXISTS ix_note ON orders (note)")\nop.execute("{later}")', {"ix_note": index("ix_note", "note")}
    )
    assert (len(edits.changes), edits.refused) == (2, ())


@pytest.mark.parametrize(
    ("later", "unique"),
    [
        ("COMMENT ON INDEX ix_note IS 'for the search of orders'", False),
        ("CLUSTER orders USING ix_note", False),
        ("ALTER TABLE orders ALTER COLUMN note TYPE varchar(10)", False),
        ("ALTER TABLE orders RENAME COLUMN note TO remark", False),
        ("INSERT INTO orders VALUES (1, 2, 'three') ON CONFLICT (note) DO NOTHING", True),
        ("ALTER TABLE orders ADD CONSTRAINT one_note FOREIGN KEY (note) REFERENCES orders (note)", True),
    ],
)
def test_an_index_that_a_later_statement_may_need_does_not_move(project: Project, later: str, unique: bool) -> None:
    kind = "UNIQUE INDEX" if unique else "INDEX"
    _, edits = project.change(
        f'op.execute("CREATE {kind} IF NOT EXISTS ix_note ON orders (note)")\nop.execute("{later}")',
        {"ix_note": index("ix_note", "note", unique=unique)},
    )
    assert (edits.changes, [refused.reason.startswith("a later statement of the revision may depend on") for refused in edits.refused]) == (
        (),
        [True],
    )


def test_a_fix_is_tried_again_when_another_one_has_moved_what_was_in_its_way(project: Project) -> None:
    project.add(
        "abababababab.py",
        dedent("""
        from alembic import op

        revision = "abababababab"
        down_revision = "aaaaaaaaaaaa"


        def upgrade():
            op.execute("CREATE TABLE notes (note text, customer bigint)")


        def downgrade():
            op.execute("DROP TABLE notes")
        """),
    )
    path = project.add_change(
        """
        op.execute("ALTER TABLE notes ALTER COLUMN note SET NOT NULL")
        op.execute("ALTER TABLE notes ADD CONSTRAINT notes_pkey PRIMARY KEY (note)")
        """,
        """
        op.execute("ALTER TABLE notes DROP CONSTRAINT notes_pkey")
        op.execute("ALTER TABLE notes ALTER COLUMN note DROP NOT NULL")
        """,
    )
    path.write_text(path.read_text().replace("down_revision = 'aaaaaaaaaaaa'", "down_revision = 'abababababab'"))
    first = fix([str(path)], unsafe=True)
    assert first.refused == ()
    new = [change.after for change in first.changes if change.before is None]
    (sets,) = [text for text in new if "nullable=False" in text]
    (key,) = [text for text in new if "PRIMARY KEY USING INDEX" in text]
    version = sets.partition("revision = '")[2].partition("'")[0]
    assert "down_revision = 'bbbbbbbbbbbb'" in sets
    assert f"down_revision = '{version}'" in key
    first.write()
    assert "CREATE UNIQUE INDEX CONCURRENTLY notes_pkey" in upgrade_of(path.read_text())
    assert fix([str(path)], unsafe=True).changes == ()
