"""Scripts that define models, or use forms of SQLAlchemy that newer releases refuse."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

MODELS = """
from sqlalchemy import orm
from sqlalchemy.ext.mutable import MutableDict

Base = orm.declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = sa.Column(sa.Integer, primary_key=True)
    kind = sa.Column(sa.String)
    settings = sa.Column(MutableDict.as_mutable(sa.JSON))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "item"}


class Box(Item):
    __mapper_args__ = {"polymorphic_identity": "box"}
"""


def test_an_object_of_an_unknown_kind_with_a_mutable_value_is_read(render: Render) -> None:
    body = """
        session = orm.Session(bind=op.get_bind())
        for item in session.query(Item):
            if item.settings["a"]:
                session.execute(sa.text("DELETE FROM items WHERE id = :id"), {"id": item.id})
        op.drop_table("items")
    """
    statements = sent(render(body, before=MODELS))
    assert statements[-1] == "DROP TABLE items;"
    assert not [sql for sql in statements if "fails here" in sql]


def test_a_new_object_is_refreshed(render: Render) -> None:
    body = "session = orm.Session(bind=op.get_bind())\nitem = Item(id=1)\nsession.add(item)\nsession.commit()\nsession.refresh(item)"
    assert not [sql for sql in sent(render(body, before=MODELS)) if "fails here" in sql]


def test_the_last_of_two_columns_with_one_name_counts(render: Render) -> None:
    body = "op.create_table('a', sa.Column('id', sa.Integer()), sa.Column('id', sa.Binary()), sa.Column('n', sa.Integer()))"
    assert sent(render(body)) == ["CREATE TABLE a ( id BYTEA, n INTEGER );"]


@pytest.mark.parametrize("url", ["postgresql+psycopg://None:None@None:None/shop", ""])
def test_an_engine_for_an_unknown_url_is_that_of_the_migrated_database(render: Render, url: str) -> None:
    body = f"""
        engine = sa.engine_from_config({{"sqlalchemy.url": {url!r}}}, prefix="sqlalchemy.")
        if not sa.inspect(engine).has_table("gone"):
            op.execute("SELECT 1")
    """
    assert "SELECT 1;" in [sql.removeprefix("? ") for sql in sent(render(body))]


def test_conditions_of_selects_in_the_form_of_sqlalchemy_1(render: Render) -> None:
    body = """
        jars, lids = sa.table("jars", sa.column("id")), sa.table("lids", sa.column("jar"))
        op.get_bind().execute(jars.select(jars.c.id == 1).with_only_columns([jars.c.id]))
        op.get_bind().execute(jars.join(lids, jars.c.id == lids.c.jar).select(lids.c.jar == 2))
    """
    first, second = sent(render(body))
    assert first == "SELECT jars.id FROM jars WHERE jars.id = 1;"
    assert second.endswith("WHERE lids.jar = 2;")
