"""What `lint --fix --unsafe-fixes` makes of revisions in several rounds."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from migsafe.library.fix import fix
from tests.fixes.alembic.edited import HEAD, OWN_TRANSACTIONS, Project, upgrade_of
from tests.rules.followed_scripts import OpenRenderer

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("one_renderer")]


@pytest.fixture
def own_project(tmp_path: Path) -> Project:
    return Project(tmp_path, OpenRenderer(), OWN_TRANSACTIONS)


def fixed(project: Project, upgrade: str, *rules: str) -> str:
    """Returns the body of upgrade() after the fixes; with `rules` only theirs."""
    indexes = 'op.create_index("ix_note", "orders", ["note"])\nop.create_index("ix_customer", "orders", ["customer"])'
    second = HEAD.replace("'aaaaaaaaaaaa'", "'abababababab'")
    first = HEAD.replace("'bbbbbbbbbbbb'", "'abababababab'")
    project.add("abababababab.py", f"{first}\n\ndef upgrade():\n{indent(indexes, '    ')}\n\n\ndef downgrade():\n    pass\n")
    path = project.add_change(upgrade, head=second)
    result = fix([str(path)], unsafe=True, wanted=lambda finding: not rules or finding.rule in rules)
    [change] = [change for change in result.changes if change.path == str(path)]
    again = change.after
    path.write_text(again)
    assert fix([str(path)], unsafe=True, wanted=lambda finding: not rules or finding.rule in rules).changes == ()
    return upgrade_of(again)


def test_an_index_is_dropped_after_its_replacement_is_built(own_project: Project) -> None:
    text = fixed(
        own_project,
        """
        with op.get_context().autocommit_block():
            # too narrow
            op.drop_index("ix_note", postgresql_concurrently=True, if_exists=True)
        with op.get_context().autocommit_block():
            # for the search
            op.create_index(
                "ix_note_customer",
                "orders",
                ["note", "customer"],
                postgresql_concurrently=True,
            )
        """,
        "index-replaced-too-early",
    )
    assert (
        text
        == dedent("""
        with op.get_context().autocommit_block():
            # for the search
            op.drop_index("ix_note_customer", postgresql_concurrently=True, if_exists=True)
            op.create_index(
                "ix_note_customer",
                "orders",
                ["note", "customer"],
                postgresql_concurrently=True,
            )
            op.drop_index("ix_note", postgresql_concurrently=True, if_exists=True)
    """).strip()
    )


def test_alters_that_read_the_rows_become_one(own_project: Project) -> None:
    text = fixed(
        own_project,
        """
        op.execute("ALTER TABLE orders ALTER COLUMN note TYPE varchar(10)")
        op.execute("ALTER TABLE orders ALTER COLUMN customer TYPE integer")
        """,
        "combine-alter-tables",
    )
    assert text.count("ALTER TABLE") == 1
    assert "ALTER COLUMN note TYPE varchar(10),\n" in text


def test_settings_of_several_fixes_are_not_repeated(own_project: Project) -> None:
    text = fixed(
        own_project,
        """
        op.execute("DROP INDEX ix_customer")
        op.create_index("ix_both", "orders", ["note", "id"])
        op.create_index("ix_three", "orders", ["id", "note", "customer"])
        """,
    )
    assert (
        text
        == dedent("""
        with op.get_context().autocommit_block():
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_customer")
            op.drop_index("ix_both", postgresql_concurrently=True, if_exists=True)
            op.create_index("ix_both", "orders", ["note", "id"], postgresql_concurrently=True)
            op.create_index("ix_three", "orders", ["id", "note", "customer"], postgresql_concurrently=True)
    """).strip()
    )


def test_an_index_with_a_suppression_is_kept(own_project: Project) -> None:
    text = fixed(
        own_project,
        """
        # migsafe: ignore[redundant-index] the search needs it
        op.create_index("ix_note_too", "orders", ["note"])
        """,
    )
    assert (
        text
        == dedent("""
        with op.get_context().autocommit_block():
            # migsafe: ignore[redundant-index] the search needs it
            op.create_index("ix_note_too", "orders", ["note"], postgresql_concurrently=True)
    """).strip()
    )


def test_a_setting_outside_a_transaction_is_one_of_the_session(own_project: Project) -> None:
    text = fixed(
        own_project,
        """
        with op.get_context().autocommit_block():
            op.execute("SET LOCAL lock_timeout = '2s'")
            op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS place text")
        """,
    )
    assert (
        text
        == dedent("""
        with op.get_context().autocommit_block():
            op.execute("SET lock_timeout = '2s'")
            op.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS place text")
        op.execute("RESET lock_timeout")
    """).strip()
    )


def test_several_columns_are_set_not_null_without_a_lock_during_the_checks(own_project: Project) -> None:
    path = own_project.add_change(
        """
        op.alter_column("orders", "note", nullable=False)
        op.alter_column("orders", "customer", nullable=False)
        """,
        """
        op.alter_column("orders", "customer", nullable=True)
        op.alter_column("orders", "note", nullable=True)
        """,
    )
    result = fix([str(path)], unsafe=True)
    (new,) = [change for change in result.changes if change.before is None]
    assert (
        upgrade_of(new.after)
        == dedent("""
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_note_not_null")
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_not_null")
        op.execute("SET LOCAL lock_timeout = '2s'")
        op.alter_column("orders", "note", nullable=False)
        op.alter_column("orders", "customer", nullable=False)
        op.drop_constraint("orders_note_not_null", "orders")
        op.drop_constraint("orders_customer_not_null", "orders")
    """).strip()
    )
    result.write()
    assert fix([str(path), new.path], unsafe=True).changes == ()
    assert not [finding.rule for finding in result.verdict.findings if finding.script.path == new.path]
