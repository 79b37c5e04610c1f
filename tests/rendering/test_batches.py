"""Batches that create their table again, as on a server with Alembic 1.20 and PostgreSQL 15."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

CHANGE = '    batch.alter_column("a", nullable=False)\n    batch.drop_column("b")'
COPY = [
    "INSERT INTO _alembic_tmp_x (id, a) SELECT x.id, x.a FROM x;",
    "DROP TABLE x;",
    "ALTER TABLE _alembic_tmp_x RENAME TO x;",
]


def test_a_given_table_is_created_again(render: Render) -> None:
    before = 'x = sa.Table("x", sa.MetaData(), sa.Column("id", sa.Integer()), sa.Column("a", sa.Text()), sa.Column("b", sa.Integer()))'
    head = 'with op.batch_alter_table("x", recreate="always", copy_from=x, table_args=(sa.CheckConstraint("id > 0", name="c"),)) as batch:'
    assert sent(render(f"{head}\n{CHANGE}", before=before)) == [
        "CREATE TABLE _alembic_tmp_x ( id INTEGER, a TEXT NOT NULL, CONSTRAINT c CHECK (id > 0) );",
        *COPY,
    ]


def test_the_table_in_the_schema_is_created_again(render: Render) -> None:
    history = "CREATE TABLE x (id serial PRIMARY KEY, a text, b int, CONSTRAINT c CHECK (id > 0)); CREATE INDEX x_a ON x (a);"
    assert sent(render(f'with op.batch_alter_table("x", recreate="always") as batch:\n{CHANGE}', history=history)) == [
        "ALTER TABLE x DROP CONSTRAINT c;",
        "ALTER TABLE x DROP CONSTRAINT x_pkey;",
        "CREATE TABLE _alembic_tmp_x ( id SERIAL NOT NULL, a TEXT NOT NULL, CONSTRAINT x_pkey PRIMARY KEY (id), CONSTRAINT c CHECK (id > 0) );",
        *COPY,
        "CREATE INDEX x_a ON x (a);",
    ]


def test_a_table_that_is_not_in_the_schema_is_reported(render: Render) -> None:
    (statement,) = sent(render(f'with op.batch_alter_table("x", recreate="always") as batch:\n{CHANGE}'))
    assert "NoSuchTableError" in statement
