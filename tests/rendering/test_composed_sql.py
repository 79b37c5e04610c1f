"""SQL that scripts compose with the `sql` module of psycopg or psycopg2."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
@pytest.mark.parametrize("context", ["bind", "bind.connection", "bind.connection.cursor()", ""])
def test_a_composed_statement(render: Render, driver: str, context: str) -> None:
    body = f"""
        bind = op.get_bind()
        names = sql.SQL(", ").join(map(sql.Identifier, ["a", 'odd"name']))
        query = sql.SQL("UPDATE {{}} SET ({{columns}}) = ({{}}, %s)").format(sql.Identifier("shop", "items"), "it's", columns=names)
        bind.exec_driver_sql(query.as_string({context or "None"}), (1,))
        bind.connection.cursor().execute(sql.SQL("DELETE FROM t WHERE a = ") + sql.Literal(3))
    """
    if not context and driver == "psycopg2":
        body = body.replace("None", "bind")
    assert sent(render(body, before=f"from {driver} import sql\n")) == [
        """UPDATE "shop"."items" SET ("a", "odd""name") = ('it''s', 1);""",
        "DELETE FROM t WHERE a = 3;",
    ]


def test_a_wrong_format_fails_as_in_the_driver(render: Render) -> None:
    body = 'op.execute(SQL("SELECT {!r}").format("a").as_string(op.get_bind()))'
    assert ["ValueError" in sql for sql in sent(render(body, before="from psycopg2.sql import SQL\n"))] == [True]
