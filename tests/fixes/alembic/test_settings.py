"""Settings that fixes add and that have no effect are removed; what the author wrote stays."""

from textwrap import dedent

import pytest

from migsafe.fixes.alembic.settings import without_dead_settings

HEAD = "def upgrade():\n"


def body(text: str) -> str:
    return HEAD + "".join(f"    {line}\n" for line in dedent(text).strip().splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            """
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = 0")
                with op.batch_alter_table("t") as batch_op:
                    batch_op.create_index("a", ["a"], postgresql_concurrently=True)
                op.execute("SET lock_timeout = 0")
                with op.batch_alter_table("t") as batch_op:
                    batch_op.create_index("b", ["b"], postgresql_concurrently=True)
            """,
            """
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = 0")
                with op.batch_alter_table("t") as batch_op:
                    batch_op.create_index("a", ["a"], postgresql_concurrently=True)
                with op.batch_alter_table("t") as batch_op:
                    batch_op.create_index("b", ["b"], postgresql_concurrently=True)
            """,
        ),
        (
            """
            op.execute("SET LOCAL lock_timeout = '2s'")
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = '2s'")
                op.execute("SET lock_timeout = 0")
                op.drop_index("a", postgresql_concurrently=True)
                op.execute("SET lock_timeout = '2s'")
                op.execute("SET lock_timeout = 0")
                op.create_index("a", "t", ["a"], postgresql_concurrently=True)
                op.execute("SET lock_timeout = '2s'")
            op.execute("SET LOCAL lock_timeout = '2s'")
            op.drop_table("b")
            """,
            """
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = 0")
                op.drop_index("a", postgresql_concurrently=True)
                op.create_index("a", "t", ["a"], postgresql_concurrently=True)
                op.execute("SET lock_timeout = '2s'")
            op.execute("SET LOCAL lock_timeout = '2s'")
            op.drop_table("b")
            """,
        ),
        (
            """
            op.drop_table("b")
            op.execute("SET lock_timeout = '2s'")
            op.execute("RESET lock_timeout")
            """,
            """
            op.drop_table("b")
            op.execute("RESET lock_timeout")
            """,
        ),
        (
            """
            op.execute("SET lock_timeout = '2s'")
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = 0")
                op.create_index("a", "t", ["a"], postgresql_concurrently=True)
                op.execute("SET lock_timeout = '2s'")
            op.execute("RESET lock_timeout")
            """,
            """
            with op.get_context().autocommit_block():
                op.execute("SET lock_timeout = 0")
                op.create_index("a", "t", ["a"], postgresql_concurrently=True)
            op.execute("RESET lock_timeout")
            """,
        ),
    ],
)
def test_settings_without_effect_are_removed(text: str, expected: str) -> None:
    assert without_dead_settings(body(text), "") == body(expected)
    assert without_dead_settings(body(text), body(text)) == body(text)


@pytest.mark.parametrize(
    "text",
    [
        # A SET outlasts the transaction of the SET LOCAL after it.
        """
        op.execute("SET lock_timeout = '2s'")
        op.execute("SET LOCAL lock_timeout = '1s'")
        op.drop_table("b")
        """,
        """
        op.execute("SET lock_timeout = 0")
        with op.batch_alter_table("b") as batch_op:
            limit_again(batch_op, "lock_timeout")
        op.execute("SET lock_timeout = 0")
        op.drop_table("b")
        """,
        """
        op.execute("SET lock_timeout = 0")
        limit_again()
        op.execute("SET lock_timeout = 0")
        op.drop_table("b")
        """,
        """
        op.execute("SET lock_timeout = 0")
        op.execute("SELECT set_config('lock_timeout', '1s', false)")
        op.execute("SET lock_timeout = 0")
        op.drop_table("b")
        """,
        """
        op.execute("SET LOCAL lock_timeout = '2s'")
        with op.batch_alter_table("b") as batch_op:
            batch_op.drop_column("c")
        """,
        """
        op.execute("SET LOCAL lock_timeout = '2s'")
        op.execute("SET LOCAL statement_timeout = '2s'")
        op.drop_table("b")
        """,
    ],
)
def test_settings_with_an_effect_stay(text: str) -> None:
    assert without_dead_settings(body(text), "") == body(text)


def test_a_function_that_only_had_settings_does_nothing() -> None:
    assert without_dead_settings(body("op.execute(\"SET LOCAL lock_timeout = '2s'\")"), "") == body("pass")


def test_a_line_of_the_author_that_a_fix_repeats_is_counted() -> None:
    own = body("""
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.drop_table("b")
    """)
    text = own + '    op.execute("SET LOCAL lock_timeout = \'2s\'")\n    op.execute("RESET lock_timeout")\n'
    assert without_dead_settings(text, own) == own + '    op.execute("RESET lock_timeout")\n'
