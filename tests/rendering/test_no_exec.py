"""Scripts that are read from their syntax tree and not run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from tests.rendering.conftest import after, called, program, script, sent

pytestmark = pytest.mark.process

NOT_RUN = "[the script is not run, and this depends on more than literal values] "


@pytest.fixture(scope="module")
def reader() -> Iterator[Renderer]:
    with Renderer(run=False) as renderer:
        yield renderer


def read(reader: Renderer, body: str, before: str = "") -> tuple[list[str], list[str]]:
    half = reader.render_half(program(script(body, before)), after(""))
    return sent(half), called(half)


def test_calls_with_literal_values_are_read(reader: Renderer) -> None:
    sql_sent, calls = read(
        reader,
        """
        '''What it does.'''
        op.create_table(TABLE, sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("at", sa.DateTime(), server_default=sa.func.now()))
        op.create_index(f"{TABLE}_at_idx", TABLE, ["at"], postgresql_where=sa.text("at IS NOT NULL"))
        for name in ("x", "y"):
            op.drop_column("a", name)
        with op.batch_alter_table("b") as batch:
            batch.add_column(sa.Column("x", JSONB(), nullable=True))
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY i " + "ON a (z)")
        fill("c")
        t = sa.table("d", sa.column("x", sa.Integer))
        op.execute(t.update().where(t.c.x == 1).values(x=2))
        """,
        before="""
        from sqlalchemy.dialects.postgresql import JSONB

        TABLE = "tags"


        def fill(table, value=1):
            op.execute(f"UPDATE {table} SET x = {value}")
        """,
    )
    assert sql_sent == [
        "CREATE TABLE tags ( id BIGSERIAL NOT NULL, at TIMESTAMP WITHOUT TIME ZONE DEFAULT now(), PRIMARY KEY (id) );",
        "CREATE INDEX tags_at_idx ON tags (at) WHERE at IS NOT NULL;",
        "ALTER TABLE a DROP COLUMN x;",
        "ALTER TABLE a DROP COLUMN y;",
        "ALTER TABLE b ADD COLUMN x JSONB;",
        "COMMIT;",
        "CREATE INDEX CONCURRENTLY i ON a (z);",
        "BEGIN;",
        "UPDATE c SET x = 1;",
        "UPDATE d SET x=2 WHERE d.x = 1;",
    ]
    assert calls[1].startswith("op.create_index(")
    assert calls[4] == 'batch.add_column(sa.Column("x", JSONB(), nullable=True))'
    assert calls[5] == "op.get_context().autocommit_block()"


def test_other_calls_are_opaque_at_their_lines(reader: Renderer) -> None:
    body = 'connection = op.get_bind()\nconnection.execute(sa.text("SELECT 1"))\nop.execute(open("x.sql").read())\nop.drop_table("a")'
    sql_sent, calls = read(reader, body)
    sources = ["op.get_bind", 'connection.execute(sa.text("SELECT 1"))', 'op.execute(open("x.sql").read())']
    assert sql_sent == [*(NOT_RUN + source for source in sources), "DROP TABLE a;"]
    assert calls == [*sources, 'op.drop_table("a")']


def test_both_branches_are_read(reader: Renderer) -> None:
    sql_sent, _ = read(reader, "if sa.inspect(op.get_bind()).has_table('a'):\n    op.drop_table('a')\nelse:\n    op.drop_table('b')")
    assert sql_sent == ["? DROP TABLE a;", "? DROP TABLE b;"]


@pytest.mark.parametrize(
    "expression",
    [
        "open(PATH, 'w')",
        "__import__('pathlib').Path(PATH).write_text('x')",
        "op.execute(sa.sql.base.os.system('touch ' + PATH))",
        "op.execute(sa.util.langhelpers.sys.modules)",
        "op.execute(''.__class__.__mro__[1].__subclasses__())",
        "op.execute(sa.text.__globals__['sys'])",
        "op.execute(sa.event.listen)",
        "op.create_table('a', sa.Column('x', sa.create_engine('sqlite:///' + PATH)))",
        "op.run_async(print)",
        "op.execute('{0.__class__}'.format(1))",
    ],
)
def test_nothing_in_the_script_is_run(reader: Renderer, tmp_path: Path, expression: str) -> None:
    created = tmp_path / "created"
    sql_sent, _ = read(reader, expression, before=f"PATH = {str(created)!r}\nopen(PATH, 'w')\nimport os\nos.mkdir(PATH)")
    assert not created.exists()
    assert all(sql.startswith(NOT_RUN) for sql in sql_sent)
    assert sql_sent
