"""Models of an application whose base comes from Flask-SQLAlchemy or SQLModel, which are not installed."""

from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from migsafe.sources.alembic.import_path import import_path
from tests.rendering.conftest import after, program, script, sent

pytestmark = pytest.mark.process

FLASK = """
from flask_sqlalchemy import SQLAlchemy
from absent_users import UserMixin

db = SQLAlchemy()


class CustomerOrder(db.Model, UserMixin):
    id = db.Column(db.Integer, primary_key=True)
    note = db.Column(db.Text)
    customer_id = db.Column(db.ForeignKey("customers.id"))
    customer = db.relationship("AbsentCustomer")


class Rush(CustomerOrder):
    pass


class Parcel(db.Model):
    __tablename__ = "parcels"
    id = db.Column(db.Integer, primary_key=True)
"""
SQL_MODEL = """
from datetime import datetime

from sqlmodel import Field, Relationship, SQLModel


class Timestamps(SQLModel):
    at: datetime | None = Field(default=None)


class CustomerOrder(Timestamps, table=True):
    __tablename__ = "orders"
    id: int | None = Field(default=None, primary_key=True)
    note: str = Field(max_length=20)
    lines: list["Line"] = Relationship(back_populates="order")


class Line(SQLModel, table=True):
    id: int = Field(primary_key=True)
    order_id: int = Field(foreign_key="orders.id")
"""


def render_in(folder: Path, models: str, body: str, before: str) -> list[str]:
    """Returns what a script sends whose project has these models."""
    (folder / "alembic.ini").write_text("[alembic]\n")
    (folder / "models.py").write_text(models)
    versions = folder / "versions"
    versions.mkdir(exist_ok=True)
    imports = import_path(str(versions), None, None)
    with Renderer(seconds=10) as renderer:
        return sent(renderer.render_half(program(script(body, before), path=str(versions / "0002_it.py"), imports=imports), after("")))


def test_models_of_flask_sqlalchemy_have_their_tables(tmp_path: Path) -> None:
    body = """
        CustomerOrder.query.filter(CustomerOrder.id == 7).delete()
        db.session.execute(db.update(Rush).where(Rush.id == 2).values(note="late"))
        db.session.query(Parcel).filter_by(id=1).update({"id": 2})
        db.session.commit()
    """
    assert render_in(tmp_path, FLASK, body, "from models import db, CustomerOrder, Parcel, Rush") == [
        "DELETE FROM customer_order WHERE customer_order.id = 7;",
        "UPDATE customer_order SET note='late' WHERE customer_order.id = 2;",
        "UPDATE parcels SET id=2 WHERE parcels.id = 1;",
    ]


def test_a_relationship_to_an_unknown_class_is_unknown(tmp_path: Path) -> None:
    body = """
        session = sa.orm.Session(op.get_bind())
        for order in session.query(CustomerOrder):
            if order.customer.name:
                op.execute(sa.update(CustomerOrder).where(CustomerOrder.id == order.id).values(note="a"))
    """
    found = render_in(tmp_path, FLASK, body, "import sqlalchemy.orm\nfrom models import CustomerOrder")
    assert found[0].endswith(" FROM customer_order;")
    assert "UPDATE customer_order SET note='a'" in found[1]
    assert not [sql for sql in found if "fails here" in sql]


def test_an_object_may_reference_an_unknown_table(tmp_path: Path) -> None:
    body = 'db.session.add(CustomerOrder(id=1, note="n"))\ndb.session.commit()'
    found = render_in(tmp_path, FLASK, body, "from models import db, CustomerOrder")
    assert found == ["INSERT INTO customer_order (id, note, customer_id) VALUES (1, 'n', NULL);"]


def test_models_of_sqlmodel_have_the_columns_of_their_annotations(tmp_path: Path) -> None:
    body = """
        with Session(op.get_bind()) as session:
            for order in session.exec(select(CustomerOrder).where(CustomerOrder.note == "x")):
                order.note = "y"
            session.exec(delete(Line).where(col(Line.order_id) == 3))
        sqlmodel.SQLModel.metadata.create_all(op.get_bind())
    """
    before = "import sqlmodel\nfrom sqlmodel import Session, col, delete, select\nfrom models import CustomerOrder, Line"
    assert [sql.removeprefix("? ") for sql in render_in(tmp_path, SQL_MODEL, body, before)] == [
        "SELECT orders.at, orders.id, orders.note FROM orders WHERE orders.note = 'x';",
        "UPDATE orders SET note='y' WHERE orders.id = '⟨row.id⟩';",
        "DELETE FROM line WHERE line.order_id = 3;",
        "CREATE TABLE orders ( at TIMESTAMP WITHOUT TIME ZONE, id SERIAL NOT NULL, note VARCHAR(20) NOT NULL, PRIMARY KEY (id) ) ;",
        "CREATE TABLE line ( id SERIAL NOT NULL, order_id INTEGER NOT NULL, PRIMARY KEY (id), FOREIGN KEY(order_id) REFERENCES orders (id) ) ;",
    ]


def test_reading_and_writing_single_objects_of_a_class_with_an_unknown_base_is_not_opaque(tmp_path: Path) -> None:
    models = "from absent_orm import Base\n\n\nclass Order(Base):\n    pass\n"
    body = """
        session = sa.orm.Session(op.get_bind())
        order = session.query(Order).filter_by(id=1).first()
        session.add(Order(id=2))
        op.drop_table("a")
    """
    found = render_in(tmp_path, models, body, "import sqlalchemy.orm\nfrom models import Order")
    assert [sql for sql in found if "fails here" in sql] == []
    assert found[-1].endswith("DROP TABLE a;")
