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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("for n, (a, b) in enumerate([(1, 2), (3, 4)]):\n    op.execute(f'SELECT {n}, {a + b:02d}')", ["SELECT 0, 03;", "SELECT 1, 07;"]),
        ("for k, v in {'a': 1, 'b': 2}.items():\n    op.execute('SELECT %s, %d' % (k, v))", ["SELECT a, 1;", "SELECT b, 2;"]),
        ("for n in range(1, 3):\n    if n == 2:\n        op.execute('SELECT {}'.format(n))", ["SELECT 2;"]),
        ("op.execute(' '.join(['SELECT', NAMES['x'][1]]))", ["SELECT b;"]),
        ("op.execute('SELECT {}, {x}'.format(models.a(), x='b'))", ['SELECT "⟨shop.models.a()⟩", b;']),
        ("op.execute(quoted('a', suffix='!'))", ["SELECT 'a!';"]),
        ("op.execute(sa.text('SELECT :x').bindparams(x='y'))", ["SELECT 'y';"]),
        ("n = 1\nn += 2\nop.execute(f'SELECT {n}' if n > 2 else 'SELECT')", ["SELECT 3;"]),
        ("op.create_table('n', *[sa.Column(c, sa.Text()) for c in NAMES['x'] if c != 'a'])", ["CREATE TABLE n ( b TEXT );"]),
        ("op.drop_constraint(op.f('a_key'), **{'table_name': 'a'})", ["ALTER TABLE a DROP CONSTRAINT a_key;"]),
        ("conn = op.get_bind()\nconn.execute(sa.text('SELECT :x'), {'x': 1})\nconn.exec_driver_sql('SELECT 2')", ["SELECT 1;", "SELECT 2;"]),
        ("op.get_bind().execute(sa.text('SELECT 1')).fetchall()\nprint('x')\nlogger.info('x')", ["SELECT 1;"]),
        ("if op.get_bind().dialect.name == 'postgresql':\n    op.execute('SELECT 1')\nelse:\n    op.execute('SELECT 2')", ["SELECT 1;"]),
        ("with orm.Session(bind=op.get_bind()) as s:\n    s.execute(sa.text('SELECT 1'))\n    s.commit()", ["SELECT 1;"]),
        ("op.add_column('a', sa.Column('x', models.Money(3)))", ['ALTER TABLE a ADD COLUMN x "⟨shop.models.Money()⟩";']),
        (
            "for row in op.get_bind().execute(sa.text('SELECT id FROM a')):\n    op.execute(f'DELETE FROM b WHERE id = {row.id}')",
            ["SELECT id FROM a;", '? DELETE FROM b WHERE id = "⟨row[…].id⟩";'],
        ),
        ("while True:\n    r = op.get_bind().execute(sa.text('DELETE FROM a'))\n    if not r.rowcount:\n        break", ["? DELETE FROM a;"]),
        ("try:\n    op.execute('SELECT 1')\nexcept Exception:\n    op.execute('SELECT 2')", ["SELECT 1;", "? SELECT 2;"]),
    ],
)
def test_expressions_on_plain_values_are_evaluated(reader: Renderer, body: str, expected: list[str]) -> None:
    before = """
    import logging
    from sqlalchemy import orm
    from shop import models

    NAMES = {"x": ("a", "b")}
    logger = logging.getLogger(__name__)


    def quoted(text, *, suffix=""):
        return f"SELECT '{text + suffix}'"
    """
    assert read(reader, body, before)[0] == expected


@pytest.mark.parametrize(
    "body",
    ["while True:\n    while True:\n        pass", "for a in range(9999):\n    for b in range(9999):\n        x = a", "x = 'a' * 9**9 * 9**9"],
)
def test_reading_ends(reader: Renderer, body: str) -> None:
    assert read(reader, f"op.drop_table('a')\n{body}")[0][0] == "DROP TABLE a;"


def test_other_calls_are_opaque_at_their_lines(reader: Renderer) -> None:
    body = 'models.create_all(op.get_bind())\nfill("x")\nop.execute(open("x.sql").read())\nop.drop_table("a")'
    sql_sent, calls = read(reader, body, before="from shop import fill, models\n")
    sources = ["models.create_all(op.get_bind())", 'fill("x")', 'op.execute(open("x.sql").read())']
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
