"""Scripts in the forms of SQLAlchemy 1, which SQLAlchemy 2 refuses."""

import pytest

from migsafe.rendering.worker.older_sqlalchemy import distilled
from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

ITEMS = 'items = sa.table("items", sa.column("id"), sa.column("name"))\nbind = op.get_bind()\n'

BOUND = """
from sqlalchemy.ext.declarative import declarative_base
from sqlalchemy.orm import joinedload, mapper, relation, sessionmaker

Base = declarative_base(bind=sa.create_engine(None, convert_unicode=True))


class Item(Base):
    __tablename__ = "items"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(30, convert_unicode=True))
    boxes = relation("Box")


class Box(Base):
    __tablename__ = "boxes"
    id = sa.Column(sa.Integer, primary_key=True)
    item = sa.Column(sa.ForeignKey("items.id"))


class Plain:
    pass


mapper(Plain, sa.Table("plain", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)))
"""


@pytest.mark.parametrize(
    ("statement", "sql"),
    [
        (
            'items.update().values(name=sa.case([(items.c.id == 1, "a")], else_="b"))',
            "UPDATE items SET name=CASE WHEN (items.id = 1) THEN 'a' ELSE 'b' END;",
        ),
        (
            "sa.select([items.c.id], items.c.id > 3, order_by=items.c.id, limit=1)",
            "SELECT items.id FROM items WHERE items.id > 3 ORDER BY items.id LIMIT 1;",
        ),
        ("sa.select(columns=[items.c.id], whereclause=items.c.id == 1, use_labels=True)", "SELECT items.id FROM items WHERE items.id = 1;"),
        ("sa.select([sa.func.count()], from_obj=[items], distinct=True)", "SELECT DISTINCT count(*) AS count_1 FROM items;"),
        ("sa.select([items.c.name], group_by=[items.c.name], for_update=True)", "SELECT items.name FROM items GROUP BY items.name FOR UPDATE;"),
        ("sa.exists([items.c.id]).where(items.c.id == 1).select()", "SELECT EXISTS (SELECT items.id FROM items WHERE items.id = 1) AS anon_1;"),
        ('sa.text("UPDATE items SET name = :n", bindparams=[sa.bindparam("n", "v")])', "UPDATE items SET name = 'v';"),
        ('sa.schema.CreateTable(sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer)), bind=bind)', "CREATE TABLE t ( a INTEGER ) ;"),
    ],
)
def test_older_arguments(render: Render, statement: str, sql: str) -> None:
    assert [" ".join(each.split()) for each in sent(render(ITEMS + f"bind.execute({statement})"))] == [sql]


@pytest.mark.parametrize(
    ("call", "sql"),
    [
        ('bind.execute("UPDATE items SET name = %s WHERE id = %s", "a", 1)', ["UPDATE items SET name = 'a' WHERE id = 1;"]),
        ('bind.execute("UPDATE items SET name = %(n)s", n="a")', ["UPDATE items SET name = 'a';"]),
        ('bind.execute("DELETE FROM items WHERE id = %s", (1,), (2,))', ["DELETE FROM items WHERE id = 1;", "DELETE FROM items WHERE id = 2;"]),
        (
            'bind.execute(items.delete().where(items.c.id == sa.bindparam("i")), {"i": 1}, {"i": 2})',
            ["DELETE FROM items WHERE items.id = 1;", "DELETE FROM items WHERE items.id = 2;"],
        ),
        ('bind.engine.execute("DELETE FROM items")', ["DELETE FROM items;"]),
        ('bind.connect().execute("DELETE FROM items")', ["DELETE FROM items;"]),
        ('bind.contextual_connect().execute("DELETE FROM items")', ["DELETE FROM items;"]),
        ('bind.run_callable(lambda each: each.execute("DELETE FROM items"))', ["DELETE FROM items;"]),
        ('sa.DDL("DROP TABLE items").execute(bind)', ["DROP TABLE items;"]),
        ('sa.text("DELETE FROM items").execute(bind=bind)', ["DELETE FROM items;"]),
        ('sa.Table("items", sa.MetaData(bind=bind), sa.Column("id", sa.Integer)).delete().execute()', ["DELETE FROM items;"]),
        ('sa.Table("items", sa.MetaData(bind=bind), sa.Column("id", sa.Integer)).drop()', ["DROP TABLE items;"]),
        ('bind.engine.has_table("absent") and bind.execute("DROP TABLE items")', []),
    ],
)
def test_older_ways_to_execute(render: Render, call: str, sql: list[str]) -> None:
    history = "CREATE TABLE items (id int, name text);"
    assert [" ".join(each.split()) for each in sent(render(ITEMS + call, history=history))] == sql


def test_older_models_and_sessions(render: Render) -> None:
    body = """
        session = sessionmaker(autocommit=True)(bind=op.get_bind())
        session.query(Item).options(joinedload("boxes")).filter(Item.id == 1).update({"name": "m"}, synchronize_session=False)
        session.query(Plain).delete(synchronize_session=False)
        Item.__table__.drop()
    """
    assert sent(render(body, before=BOUND)) == [
        "UPDATE items SET name='m' WHERE items.id = 1;",
        "DELETE FROM plain;",
        "DROP TABLE items;",
    ]


@pytest.mark.parametrize(
    ("arguments", "named", "parameters"),
    [
        ((), {}, None),
        ((), {"a": 1}, {"a": 1}),
        ((1, 2), {}, (1, 2)),
        (("x",), {}, ("x",)),
        (([1, 2],), {}, (1, 2)),
        (([(1,), (2,)],), {}, [(1,), (2,)]),
        (((1,), (2,)), {}, [(1,), (2,)]),
        (({"a": 1}, {"a": 2}), {}, [{"a": 1}, {"a": 2}]),
    ],
)
def test_parameters_as_sqlalchemy_1_distilled_them(arguments: tuple[object, ...], named: dict[str, object], parameters: object) -> None:
    assert distilled(arguments, named) == parameters


@pytest.mark.parametrize(
    ("call", "sql"),
    [
        ('op.drop_constraint("c", "t", type="foreignkey")', "ALTER TABLE t DROP CONSTRAINT c;"),
        ('op.drop_index(name="i", tablename="t")', "DROP INDEX i;"),
        ('op.create_index("i", tablename="t", columns=["a"])', "CREATE INDEX i ON t (a);"),
        (
            'op.create_foreign_key(name="c", source="t", referent="u", local_cols=["a"], remote_cols=["b"])',
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY(a) REFERENCES u (b);",
        ),
        ('op.create_unique_constraint(name="c", source="t", columns=["a"])', "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);"),
        ('op.create_index("i", "t", ["a"], "s", True)', "CREATE UNIQUE INDEX i ON s.t (a);"),
        ('op.create_index("i", "t", ["a"], "s", unique=False)', "CREATE INDEX i ON s.t (a);"),
        ('op.drop_index("i", "t", "s")', "DROP INDEX s.i;"),
        ('op.drop_column("t", "a", "s")', "ALTER TABLE s.t DROP COLUMN a;"),
        ('op.drop_constraint("c", "t", "check", "s")', "ALTER TABLE s.t DROP CONSTRAINT c;"),
        ('op.alter_column("t", "a", False)', "ALTER TABLE t ALTER COLUMN a SET NOT NULL;"),
        ('op.rename_table("t", "u", "s")', "ALTER TABLE s.t RENAME TO u;"),
        ('with op.batch_alter_table("t") as t:\n    t.alter_column("a", True)', "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;"),
        ('op.alter_column("t", "a", name="b")', "ALTER TABLE t RENAME a TO b;"),
    ],
)
def test_older_names_of_alembic(render: Render, call: str, sql: str) -> None:
    assert sent(render(call)) == [sql]
