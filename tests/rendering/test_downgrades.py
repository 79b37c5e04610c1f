"""Downgrades, rendered with the schema after the upgrade."""

import pytest
from msgspec.structs import replace

from migsafe.rendering.renderer import Renderer
from migsafe.sources import Half, Migration, Program, Transaction
from migsafe.sql.operations import Name
from migsafe.text import Script
from tests.rendering.conftest import HEAD, after, called, sent

pytestmark = pytest.mark.process

SCRIPT = f"""{HEAD}

def upgrade():
    op.create_table("notes", sa.Column("id", sa.Integer()))


def downgrade():
    inspector = sa.inspect(op.get_bind())
    if inspector.has_table("notes"):
        op.drop_table("notes")
    if inspector.has_table("orders"):
        op.drop_column("orders", "note")
    if not sa.inspect(op.get_bind()).has_table("notes"):
        op.execute("DROP SEQUENCE notes_seq")
"""


def migration(text: str) -> Migration:
    script = Script("versions/0002_it.py", text)
    up, down = (Half(Script(script.path, ""), (), Transaction.FILE, Program(script, name)) for name in ("upgrade", "downgrade"))
    return Migration("0002", "alembic", up, down)


def test_the_downgrade_is_rendered_after_the_upgrade(renderer: Renderer) -> None:
    history = "CREATE TABLE orders (note text); CREATE TABLE notes (id int); DROP TABLE notes;"
    predictor = after(history)
    there = renderer.render_migration(migration(SCRIPT), predictor)
    assert there.down is not None
    assert sent(there.down) == []
    back = renderer.render_down(there, predictor).down
    assert back is not None
    assert sent(back) == ["DROP TABLE notes;", "ALTER TABLE orders DROP COLUMN note;", "DROP SEQUENCE notes_seq;"]
    assert called(back)[0] == 'op.drop_table("notes")'
    assert predictor.catalog.relation(Name("notes")) is None


def test_a_downgrade_that_ends_the_worker_is_reported(renderer: Renderer) -> None:
    found = renderer.render_down(renderer.render_migration(migration(SCRIPT.replace('op.drop_table("notes")', "exit()")), after("")), after(""))
    assert found.down is not None
    assert sent(found.down)[0].startswith("[it ends the process here, with sys.exit()]")


def test_a_migration_without_downgrade_is_unchanged(renderer: Renderer) -> None:
    one_way = replace(migration(SCRIPT), down=None)
    assert renderer.render_down(one_way, after("")) is one_way
