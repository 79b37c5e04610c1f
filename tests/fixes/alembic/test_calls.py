"""Calls in a script are edited where they are; everything else in the script stays as it is written."""

from textwrap import dedent

import pytest

from tests.fixes.alembic.edited import HEAD, Project, downgrade_of, upgrade_of

pytestmark = pytest.mark.process

INDEX = {"ix_note": "CREATE INDEX CONCURRENTLY ix_note ON orders (note);"}
CHECK = {
    "positive": """
    ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
    -- next migration
    -- without blocking reads and writes:
    ALTER TABLE orders VALIDATE CONSTRAINT positive;
    """
}


def test_a_call_gets_an_argument_and_a_block_and_keeps_its_format_and_comments(project: Project) -> None:
    text, edits = project.change(
        """
        # for the search
        op.create_index(
            op.f('ix_note'),  # its name
            'orders', ['note'])  # is slow
        op.execute("SELECT 'é'")
        with op.get_context().autocommit_block():
            op.drop_index("gone")
        # for the list
        op.create_index("ix_customer", "orders", ["customer"], if_not_exists=True)
        """,
        {
            "ix_note": "DROP INDEX CONCURRENTLY IF EXISTS ix_note;\nCREATE INDEX CONCURRENTLY ix_note ON orders (note);",
            "gone": "DROP INDEX CONCURRENTLY gone;",
            "ix_customer": "CREATE INDEX CONCURRENTLY ix_customer ON orders (customer);",
        },
    )
    assert (edits.refused, len(edits.applied), len(edits.changes)) == ((), 3, 1)
    assert (
        upgrade_of(text)
        == dedent("""
        # for the search
        with op.get_context().autocommit_block():
            op.drop_index("ix_note", postgresql_concurrently=True, if_exists=True)
            op.create_index(
                op.f('ix_note'),  # its name
                'orders', ['note'], postgresql_concurrently=True)  # is slow
        op.execute("SELECT 'é'")
        with op.get_context().autocommit_block():
            op.drop_index("gone", postgresql_concurrently=True)
            # for the list
            op.create_index("ix_customer", "orders", ["customer"], if_not_exists=False, postgresql_concurrently=True)
    """).strip()
    )


def test_one_of_several_statements_in_a_text_becomes_a_call_of_its_own(project: Project) -> None:
    text, _ = project.change(
        '''
        op.execute(sa.text("""
            UPDATE orders SET note = '' WHERE id = 1;
            -- for the search
            CREATE INDEX ix_note ON orders (note);
            -- last
            UPDATE orders SET note = 'a' WHERE id = 1;
        """))
        ''',
        INDEX,
    )
    assert (
        upgrade_of(text)
        == dedent('''
        op.execute(sa.text("""
            UPDATE orders SET note = '' WHERE id = 1;"""))
        with op.get_context().autocommit_block():
            # for the search
            op.execute("CREATE INDEX CONCURRENTLY ix_note ON orders (note)")
        op.execute(sa.text("""
            -- last
            UPDATE orders SET note = 'a' WHERE id = 1;"""))
    ''').strip()
    )


def test_a_batch_is_divided_at_the_call(project: Project) -> None:
    text, _ = project.change(
        """
        with op.batch_alter_table("orders", schema=None) as batch_op:
            batch_op.add_column(sa.Column("total", sa.Integer()))
            # for the search
            batch_op.create_index(batch_op.f("ix_note"), ["note"], unique=False)
            batch_op.create_check_constraint("positive", "id > 0")  # last
        """,
        INDEX | {"positive": CHECK["positive"].partition("-- next")[0]},
    )
    assert (
        upgrade_of(text)
        == dedent("""
        with op.batch_alter_table("orders", schema=None) as batch_op:
            batch_op.add_column(sa.Column("total", sa.Integer()))
        with op.get_context().autocommit_block():
            with op.batch_alter_table("orders", schema=None) as batch_op:
                # for the search
                batch_op.create_index(batch_op.f("ix_note"), ["note"], unique=False, postgresql_concurrently=True)
        with op.batch_alter_table("orders", schema=None) as batch_op:
            batch_op.create_check_constraint("positive", "id > 0", postgresql_not_valid=True)  # last
    """).strip()
    )


def test_statements_are_added_around_a_call_and_at_the_end(project: Project) -> None:
    text, _ = project.change(
        """
        # migsafe: ignore[many-tables-locked] no other transaction locks both
        op.add_column("orders", sa.Column("total", sa.Integer()))
        op.drop_column("orders", "note")
        # the end
        """,
        {
            "total": "-- before this statement:\nSET lock_timeout = '2s';\n-- at the end of the migration:\nRESET lock_timeout;",
            "note": "-- after this statement:\nANALYZE orders;",
        },
    )
    assert (
        upgrade_of(text)
        == dedent("""
        op.execute("SET lock_timeout = '2s'")
        # migsafe: ignore[many-tables-locked] no other transaction locks both
        op.add_column("orders", sa.Column("total", sa.Integer()))
        op.drop_column("orders", "note")
        op.execute("ANALYZE orders")
        op.execute("RESET lock_timeout")
        # the end
    """).strip()
    )


def test_names_of_imports_are_those_of_the_script(project: Project) -> None:
    head = HEAD.replace("import op\nimport sqlalchemy as sa", "import op as operations")
    path = project.add_change('operations.execute("SELECT 1")\noperations.create_index("ix_note", "orders", ["note"])', head=head)
    ways = {"ix_note": "CREATE INDEX CONCURRENTLY ix_note2 ON orders (note) WHERE id > 0;"}
    (change,) = project.edit(path, ways).changes
    assert "from alembic import op as operations\nimport sqlalchemy as sa\n" in change.after
    assert (
        upgrade_of(change.after)
        == dedent("""
        operations.execute("SELECT 1")
        with operations.get_context().autocommit_block():
            operations.create_index(
                "ix_note2",
                "orders",
                ["note"],
                postgresql_concurrently=True,
                postgresql_where=sa.text("id > 0"),
            )
    """).strip()
    )


def test_a_call_of_several_statements_is_divided_or_gets_statements_around_it(project: Project) -> None:
    text, edits = project.change(
        """
        op.alter_column("orders", "note", type_=sa.String(),
                        nullable=False, server_default="")
        """,
        {
            "SET NOT NULL": "ALTER TABLE orders ADD CONSTRAINT note_set CHECK (note IS NOT NULL) NOT VALID;",
            "TYPE": "-- after this statement:\nANALYZE orders (note);",
            "DEFAULT": "-- before this statement:\nSET lock_timeout = '2s';",
        },
    )
    assert edits.refused == ()
    assert (
        upgrade_of(text)
        == dedent("""
        op.execute("SET lock_timeout = '2s'")
        op.alter_column("orders", "note", type_=sa.String(),
                        existing_nullable=True, server_default="")
        op.create_check_constraint("note_set", "orders", "note IS NOT NULL", postgresql_not_valid=True)
        op.execute("ANALYZE orders (note)")
    """).strip()
    )


@pytest.mark.parametrize(
    ("upgrade", "reason"),
    [
        ('for name in ["ix_note"]:\n    op.create_index(name, "orders", ["note"])', "the call is in a loop"),
        (
            'if op.get_bind().scalar(sa.text("SELECT 1")):\n    op.create_index("ix_note", "orders", ["note"])',
            "it is not certain that the script makes the call",
        ),
        ('result = op.create_index("ix_note", "orders", ["note"])', "the result of the call is used"),
        ('op.create_index("ix_note", "orders", ["note"]); op.execute("SELECT 1")', "it shares its line with another statement"),
        ('table = "orders"\nop.execute(f"CREATE INDEX ix_note ON {table} (note)")', "the statement is built from values of the script"),
        (
            'op.add_column("orders", sa.Column("ix_note", sa.Integer(), sa.ForeignKey("customers.id")))',
            "the call sends several statements",
        ),
        (
            'with op.batch_alter_table("orders", table_kwargs={}) as batch:\n    batch.create_index("ix_note", ["note"])',
            "the batch may create its table again",
        ),
        (
            'op.execute(" ".join(["CREATE INDEX ix_note ON orders (note);", "SELECT 1"]))',
            "it is one of several statements in a text that is not a plain string",
        ),
    ],
)
def test_a_call_that_cannot_be_edited_is_refused_with_the_reason(project: Project, upgrade: str, reason: str) -> None:
    _, edits = project.change(upgrade, INDEX)
    assert (edits.changes, [refused.reason for refused in edits.refused]) == ((), [reason])


def test_a_call_in_a_function_of_the_script_is_refused(project: Project) -> None:
    head = HEAD + '\n\ndef add_index():\n    op.create_index("ix_note", "orders", ["note"])\n'
    edits = project.edit(project.add_change("add_index()", head=head), INDEX)
    assert [refused.reason for refused in edits.refused] == ["the call is in another function than upgrade()"]


def test_nothing_is_undone_twice(project: Project) -> None:
    text, _ = project.change(
        'op.execute("ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0)")', CHECK, 'op.drop_constraint("positive", "orders")'
    )
    assert downgrade_of(text) == 'op.drop_constraint("positive", "orders")'


def test_a_suppression_moves_with_its_statement(project: Project) -> None:
    again = {"ix_note": "DROP INDEX CONCURRENTLY IF EXISTS ix_note;\nCREATE INDEX CONCURRENTLY ix_note ON orders (note);"}
    text, _ = project.change(
        """
        # for the search
        # migsafe: ignore[redundant-index] wanted
        op.create_index(
            "ix_note",
            "orders",
            ["note"],
        )
        """,
        again,
    )
    assert (
        upgrade_of(text)
        == dedent("""
        with op.get_context().autocommit_block():
            op.drop_index("ix_note", postgresql_concurrently=True, if_exists=True)
            # for the search
            # migsafe: ignore[redundant-index] wanted
            op.create_index(
                "ix_note",
                "orders",
                ["note"],
                postgresql_concurrently=True,
            )
    """).strip()
    )
    text, _ = project.change(
        '''
        op.execute("""
            -- migsafe: ignore[redundant-index] wanted
            CREATE INDEX ix_note ON orders (note);
            UPDATE orders SET note = 'a' WHERE id = 1;
        """)
        ''',
        again,
    )
    assert (
        upgrade_of(text).partition('op.execute("""')[0]
        == dedent("""
        with op.get_context().autocommit_block():
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_note")
            # migsafe: ignore[redundant-index] wanted
            op.execute("CREATE INDEX CONCURRENTLY ix_note ON orders (note)")
    """).lstrip()
    )


REMOVED = {"ix_note": "-- without this statement"}


def test_a_batch_without_other_statements_is_removed_with_its_comments(project: Project) -> None:
    text, _ = project.change(
        """
        with op.batch_alter_table("orders") as batch_op:
            # for the search
            batch_op.create_index("ix_note", ["note"])
        op.drop_table("customers")
        """,
        REMOVED,
    )
    assert upgrade_of(text) == 'op.drop_table("customers")'


def test_a_batch_that_another_fix_divides_keeps_a_call_that_is_removed_later(project: Project) -> None:
    batch = """
        with op.batch_alter_table("orders") as batch_op:
            batch_op.create_index("ix_note", ["note"])
            batch_op.create_check_constraint("positive", "id > 0")
        """
    text, edits = project.change(batch, REMOVED | {"positive": CHECK["positive"].partition("-- next")[0]})
    assert [finding.subject for finding in edits.applied] == ["positive"]
    assert 'batch_op.create_index("ix_note", ["note"])' in text


def test_a_column_becomes_nullable_where_it_is_added(project: Project) -> None:
    text, _ = project.change(
        """
        op.add_column("orders", sa.Column(
            "code", sa.Text(),  # of the shop
            nullable=False))
        with op.batch_alter_table("orders") as batch_op:
            batch_op.add_column(sa.Column("shop", sa.Text(), nullable=False))
        """,
        {"code": "ALTER TABLE orders ADD COLUMN code text;", "shop": "ALTER TABLE orders ADD COLUMN shop text;"},
    )
    assert (
        upgrade_of(text)
        == dedent("""
        op.add_column("orders", sa.Column(
            "code", sa.Text(),  # of the shop
            nullable=True))
        with op.batch_alter_table("orders") as batch_op:
            batch_op.add_column(sa.Column("shop", sa.Text(), nullable=True))
    """).strip()
    )


def test_a_column_whose_nullable_is_a_value_of_the_script_is_not_edited(project: Project) -> None:
    _, edits = project.change(
        'required = True\nop.add_column("orders", sa.Column("code", sa.Text(), nullable=not required))',
        {"code": "ALTER TABLE orders ADD COLUMN code text;"},
    )
    assert [refused.reason for refused in edits.refused] == ["the statement is built from values of the script"]
