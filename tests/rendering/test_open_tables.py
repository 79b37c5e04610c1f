"""Tables that a script reflects, and of which the history does not know all columns."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process


@pytest.mark.parametrize("how", ["autoload_with=bind", "autoload=True, autoload_with=bind"])
def test_the_columns_that_a_script_names_exist(render: Render, how: str) -> None:
    half = render(
        f"""
        bind = op.get_bind()
        crates = sa.Table("crates", sa.MetaData(), {how})
        for row in bind.execute(sa.select(crates.c.id, crates.c["note"]).where(crates.c.size > 3)):
            bind.execute(crates.update().where(crates.c.id == row.id).values(label=row.note))
        bind.execute(crates.insert(), [{{"kind": "a"}}])
        """
    )
    assert sent(half) == [
        "SELECT crates.id, crates.note FROM crates WHERE crates.size > 3;",
        "? UPDATE crates SET label='⟨row.note⟩' WHERE crates.id = '⟨row.id⟩';",
        "INSERT INTO crates (kind) VALUES ('a');",
    ]


def test_a_known_table_has_its_columns(render: Render) -> None:
    half = render(
        """
        crates = sa.Table("crates", sa.MetaData(), autoload_with=op.get_bind())
        op.execute(f"SELECT {[column.name for column in crates.c]}")
        op.execute(f"SELECT {'other' in crates.c}")
        """,
        history="CREATE TABLE crates (id int, note text);",
    )
    assert sent(half) == ["SELECT ['id', 'note'];", "SELECT False;"]


def test_a_table_that_was_dropped_cannot_be_reflected(render: Render) -> None:
    half = render('sa.Table("crates", sa.MetaData(), autoload_with=op.get_bind())', history="CREATE TABLE crates (id int); DROP TABLE crates;")
    assert "NoSuchTableError" in sent(half)[0]
