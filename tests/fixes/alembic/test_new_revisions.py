"""What must come later goes to new revisions after the edited one, and each revision still undoes what it does."""

import re
from collections.abc import Callable
from textwrap import dedent

import pytest

from tests.fixes.alembic.edited import OWN_TRANSACTIONS, Project, downgrade_of, upgrade_of

pytestmark = pytest.mark.process

NOT_NULL = """
ALTER TABLE orders ADD CONSTRAINT note_set CHECK (note IS NOT NULL) NOT VALID;
-- next migration
-- without blocking reads and writes:
ALTER TABLE orders VALIDATE CONSTRAINT note_set;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT note_set;
"""
UNIQUE = """
DROP INDEX CONCURRENTLY IF EXISTS one_note;
CREATE UNIQUE INDEX CONCURRENTLY one_note ON orders (note);
-- next migration
ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE USING INDEX one_note;
"""
MERGE = """\"\"\"merge

Revises: bbbbbbbbbbbb, cccccccccccc
\"\"\"
revision = "dddddddddddd"
down_revision = ("bbbbbbbbbbbb", 'cccccccccccc')  # both
branch_labels = ("main",)


def upgrade():
    pass
"""


def test_a_revision_is_inserted_and_calls_of_the_downgrade_move_to_it(make_project: Callable[..., Project]) -> None:
    project = make_project(OWN_TRANSACTIONS)
    project.add("cccccccccccc.py", 'revision = "cccccccccccc"\ndown_revision = "aaaaaaaaaaaa"\n\n\ndef upgrade():\n    pass\n')
    project.add("dddddddddddd.py", MERGE)
    text, edits = project.change(
        'op.alter_column("orders", "note", existing_type=sa.Text(), nullable=False)',
        {"SET NOT NULL": NOT_NULL},
        '# as it was\nop.alter_column("orders", "note", nullable=True)',
    )
    assert upgrade_of(text) == 'op.create_check_constraint("note_set", "orders", "note IS NOT NULL", postgresql_not_valid=True)'
    assert downgrade_of(text) == '# as it was\nop.drop_constraint("note_set", "orders")'
    _, new, merge = edits.changes
    version = new.path.rpartition("/")[2].partition("_")[0]
    assert new.path == str(project.versions / f"{version}_change_orders_step_2.py")
    assert new.after == dedent(f'''\
        """change orders, step 2

        Revision ID: {version}
        Revises: bbbbbbbbbbbb
        Create Date: 2026-01-02 10:01:00.123456

        """
        from alembic import op
        import sqlalchemy as sa

        # revision identifiers, used by Alembic.
        revision = '{version}'
        down_revision = 'bbbbbbbbbbbb'


        def upgrade():
            op.execute("ALTER TABLE orders VALIDATE CONSTRAINT note_set")
            op.alter_column("orders", "note", nullable=False)
            op.drop_constraint("note_set", "orders")


        def downgrade():
            op.create_check_constraint("note_set", "orders", "note IS NOT NULL", postgresql_not_valid=True)
            op.alter_column("orders", "note", nullable=True)
        ''')
    assert merge.after == MERGE.replace("bbbbbbbbbbbb", version)
    assert project.edit(project.versions / "bbbbbbbbbbbb_change.py", {"SET NOT NULL": NOT_NULL}).changes == edits.changes


def test_in_a_shared_transaction_a_new_revision_commits_those_before_it(project: Project) -> None:
    _, edits = project.change(
        'op.create_unique_constraint("one_note", "orders", ["note"])', {"one_note": UNIQUE}, 'op.drop_constraint("one_note", "orders")'
    )
    edited, new = edits.changes
    assert downgrade_of(edited.after) == dedent("""\
        with op.get_context().autocommit_block():
            op.drop_index("one_note", postgresql_concurrently=True)""")
    assert upgrade_of(new.after) == dedent("""\
        with op.get_context().autocommit_block():
            pass  # commits the revisions before this one
        op.execute("ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE USING INDEX one_note")""")
    assert downgrade_of(new.after) == dedent("""\
        op.drop_constraint("one_note", "orders")
        with op.get_context().autocommit_block():
            op.create_index("one_note", "orders", ["note"], unique=True, postgresql_concurrently=True)""")


NUMBERED = """
revision = "{version}"
down_revision = "aaaaaaaaaaaa"

import sqlalchemy as sa
from alembic import op


def upgrade():
    op.create_unique_constraint("one_note", "orders", ["note"])
"""


@pytest.mark.parametrize(
    ("name", "version", "new_name", "new_version"),
    [
        pytest.param("0007_one_note.py", "0007", "0008_0007_step_2.py", "0008", id="only a number"),
        pytest.param("0007_one_note.py", "0007_one_note", "0008_one_note_step_2.py", "0008_one_note_step_2", id="with words"),
        pytest.param(
            "0099_a_note_for_one_order_only.py",
            "0099_a_note_for_one_order_only",
            "0100_a_note_for_one_order_step_2.py",
            "0100_a_note_for_one_order_step_2",
            id="as long as the column of the version allows",
        ),
    ],
)
def test_numbers_of_a_project_continue(project: Project, name: str, version: str, new_name: str, new_version: str) -> None:
    path = project.add(name, NUMBERED.format(version=version))
    _, new = project.edit(path, {"one_note": UNIQUE}).changes
    assert new.path == str(project.versions / new_name)
    assert f'revision = "{new_version}"\ndown_revision = "{version}"\n' in new.after


@pytest.mark.parametrize("later", ["0008", "20240102030405"])
def test_numbers_of_a_project_do_not_continue_in_its_middle_and_dates_are_no_numbers(project: Project, later: str) -> None:
    version = "0007" if later == "0008" else later
    if later == "0008":
        project.add("0008.py", f"revision = '0008'\ndown_revision = '{version}'\n\n\ndef upgrade():\n    pass\n")
    path = project.add(f"{version}_one_note.py", NUMBERED.format(version=version))
    new = project.edit(path, {"one_note": UNIQUE}).changes[1]
    assert re.fullmatch(r"[0-9a-f]{12}_\w+_step_2\.py", new.path.rpartition("/")[2])


def test_file_names_and_headers_follow_the_project(project: Project) -> None:
    (project.folder / "alembic.ini").write_text("[alembic]\nscript_location = .\nfile_template = %%(year)d_%%(month).2d_%%(day).2d-%%(slug)s\n")
    head = '''\
"""make note unique"""
import enum
from collections.abc import Sequence

import alembic.op

release = "2.1"
revision: str = "bbbbbbbbbbbb"
down_revision: str | Sequence[str] = "aaaaaaaaaaaa"
KIND = enum.Enum("Kind", "a b")
'''
    upgrade = 'def upgrade() -> None:\n    alembic.op.create_unique_constraint("one_note", "orders", ["note"])\n'
    path = project.add("2026_02_03-change.py", f"{head}\n\n{upgrade}")
    _, new = project.edit(path, {"one_note": UNIQUE}).changes
    version = new.after.partition('revision: str = "')[2].partition('"')[0]
    assert new.path == str(project.versions / "2026_02_03-make_note_unique_step_2.py")
    assert new.after == dedent(f'''\
        """make note unique, step 2"""
        from collections.abc import Sequence

        import alembic.op

        release = "2.1"
        revision: str = "{version}"
        down_revision: str | Sequence[str] = "bbbbbbbbbbbb"


        def upgrade() -> None:
            with alembic.op.get_context().autocommit_block():
                pass  # commits the revisions before this one
            alembic.op.execute("ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE USING INDEX one_note")


        def downgrade() -> None:
            alembic.op.drop_constraint("one_note", "orders")
            with alembic.op.get_context().autocommit_block():
                alembic.op.create_index("one_note", "orders", ["note"], unique=True, postgresql_concurrently=True)
        ''')


@pytest.mark.parametrize(
    ("upgrade", "downgrade", "reason"),
    [
        (
            'op.alter_column("orders", "note", nullable=False)\nop.drop_column("orders", "note")',
            "pass",
            "a later statement of the revision may depend on",
        ),
        ('if True:\n    op.alter_column("orders", "note", nullable=False)', "pass", "it depends on a condition"),
        (
            'op.alter_column("orders", "note", nullable=False)',
            'for name in ["note", "customer"]:\n    op.alter_column("orders", name, nullable=True)',
            "the call in downgrade() that undoes it cannot be moved: the call is in a loop",
        ),
    ],
)
def test_a_fix_is_refused_if_a_part_of_it_is_not_possible(project: Project, upgrade: str, downgrade: str, reason: str) -> None:
    _, edits = project.change(upgrade, {"SET NOT NULL": NOT_NULL}, downgrade)
    assert (edits.changes, [refused.reason.startswith(reason) for refused in edits.refused]) == ((), [True]), edits.refused


def test_a_following_revision_that_cannot_be_edited_is_a_reason(project: Project) -> None:
    project.add("c.py", 'revision = "cccccccccccc"\nbefore = "bbbbbbbbbbbb"\ndown_revision = before\n\n\ndef upgrade():\n    pass\n')
    _, edits = project.change('op.alter_column("orders", "note", nullable=False)', {"SET NOT NULL": NOT_NULL})
    assert [refused.reason for refused in edits.refused] == [
        f"down_revision of the revision cccccccccccc ({project.versions}/c.py), which follows it, is not written as a string"
    ]


def test_a_transaction_of_env_py_is_a_reason(make_project: Callable[..., Project]) -> None:
    project = make_project(OWN_TRANSACTIONS.replace("connectable.connect()", "connectable.begin()"))
    index = {"ix_note": "CREATE INDEX CONCURRENTLY ix_note ON orders (note);"}
    _, edits = project.change('op.create_index("ix_note", "orders", ["note"])', index)
    (refused,) = edits.refused
    assert refused.reason.startswith("env.py begins the transaction itself, so that autocommit_block() fails: first ")


def test_several_fixes_share_new_revisions(project: Project) -> None:
    _, edits = project.change(
        """
        op.alter_column("orders", "note", existing_type=sa.Text(), nullable=False)
        op.create_check_constraint("positive", "orders", "id > 0")
        """,
        {
            "SET NOT NULL": NOT_NULL,
            "positive": "ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;\n"
            "-- next migration\nALTER TABLE orders VALIDATE CONSTRAINT positive;",
        },
    )
    assert len(edits.applied) == len(edits.changes) == 2
    assert upgrade_of(edits.changes[1].after) == dedent("""\
        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE orders VALIDATE CONSTRAINT note_set")
            op.execute("ALTER TABLE orders VALIDATE CONSTRAINT positive")
            op.alter_column("orders", "note", nullable=False)
        op.drop_constraint("note_set", "orders")""")


def test_an_index_that_is_built_at_the_end_has_a_revision_of_its_own(project: Project) -> None:
    index = "-- at the end of the migration:\nCREATE INDEX CONCURRENTLY orders_code_idx ON orders (code);"
    text, edits = project.change(
        'op.add_column("orders", sa.Column("code", sa.Integer()))', {"code": index}, 'op.drop_column("orders", "code")'
    )
    new = edits.changes[-1].after
    assert upgrade_of(text) == 'op.add_column("orders", sa.Column("code", sa.Integer()))'
    assert upgrade_of(new) == dedent("""\
        with op.get_context().autocommit_block():
            op.create_index("orders_code_idx", "orders", ["code"], postgresql_concurrently=True)""")
    assert downgrade_of(new) == dedent("""\
        with op.get_context().autocommit_block():
            op.drop_index("orders_code_idx", postgresql_concurrently=True)""")
