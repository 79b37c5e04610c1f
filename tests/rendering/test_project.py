"""The project around a script: its own code, and what a script must not reach."""

from pathlib import Path

import pytest

from migsafe.rendering.messages import Answer, Question, RenderResult
from migsafe.rendering.renderer import MemoryStore, Renderer, Rendering
from migsafe.sources import Half
from migsafe.sources.alembic.import_path import import_path
from tests.rendering.conftest import after, program, script, sent

pytestmark = pytest.mark.process


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Returns the folder of a project with its own code; one of its modules cannot be loaded."""
    (tmp_path / "alembic.ini").write_text("[alembic]\n")
    (tmp_path / "shopcode").mkdir()
    (tmp_path / "shopcode" / "__init__.py").write_text("")
    (tmp_path / "shopcode" / "tables.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n\n"
        "class Money(sa.types.TypeDecorator):\n    impl = sa.Numeric(12, 2)\n    cache_ok = True\n\n\n"
        "def add_money(table):\n    op.add_column(table, sa.Column('price', Money()))\n"
    )
    (tmp_path / "shopcode" / "settings.py").write_text("raise LookupError('no settings here')\n")
    (tmp_path / "versions").mkdir()
    return tmp_path


def in_project(shop: Path, body: str, before: str) -> Half:
    versions = shop / "versions"
    return program(script(body, before), path=str(versions / "0002_it.py"), imports=import_path(str(versions), None, None))


def test_code_of_the_project_runs(shop: Path, renderer: Renderer) -> None:
    half = renderer.render_half(in_project(shop, "add_money('a')", "from shopcode.tables import add_money"), after(""))
    assert sent(half) == ["ALTER TABLE a ADD COLUMN price NUMERIC(12, 2);"]
    assert half.program is not None
    assert half.program.script.text[slice(*half.program.calls[0].file_span)] == "add_money('a')"
    half = renderer.render_half(in_project(shop, "op.drop_table(NAME)\nop.drop_table('b')", "from shopcode.settings import NAME"), after(""))
    assert [sql.rpartition("] ")[2] for sql in sent(half)] == ['DROP TABLE "⟨shopcode.settings.NAME⟩";', "DROP TABLE b;"]
    assert "LookupError: no settings here" in sent(half)[0]
    again = renderer.render_half(in_project(shop, "op.drop_table(NAME)", "from shopcode.settings import NAME"), after(""))
    assert sent(again) == sent(half)[:1]


def test_a_module_of_the_project_makes_no_folders_and_logs(shop: Path, renderer: Renderer) -> None:
    (shop / "shopcode" / "logs.py").write_text(
        f"import logging, os\nFOLDER = {str(shop / 'logs')!r}\nos.makedirs(FOLDER, exist_ok=True)\n"
        f"logging.getLogger('shop').addHandler(logging.FileHandler({str(shop / 'shop.log')!r}))\nTABLE = 'a'\n"
    )
    half = renderer.render_half(in_project(shop, "op.drop_table(TABLE)", "from shopcode.logs import TABLE"), after(""))
    assert sent(half) == ["DROP TABLE a;"]
    assert not (shop / "logs").exists()
    assert not (shop / "shop.log").exists()


def test_a_stored_rendering_is_used_only_with_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    body = 'if not sa.inspect(op.get_bind()).has_table("a"):\n    op.create_table("a", sa.Column("id", sa.Integer()))'
    history = "CREATE TABLE a (id int); DROP TABLE a;"
    with Renderer(store=store) as renderer:
        first = renderer.render_half(program(script(body)), after(history))
        assert sent(first) == ["CREATE TABLE a ( id INTEGER );"]
        monkeypatch.setattr(Renderer, "_render_in_worker", lambda *_: RenderResult(()))
        assert sent(renderer.render_half(program(script(body)), after(history))) == sent(first)
        assert sent(renderer.render_half(program(script(body)), after("CREATE TABLE a (id int);"))) == []


def test_a_store_asks_the_questions_of_a_rendering_again() -> None:
    store = MemoryStore()
    question = Question("has table", ("a", None), ())
    request = Renderer().request(program(script("pass")), 17)
    store.store(request, Rendering(RenderResult(()), ((question, Answer(value=True)),)))
    assert store.look_up(request, lambda _: Answer(value=True)) == RenderResult(())
    assert store.look_up(request, lambda _: Answer(value=False)) is None


def test_drivers_cannot_connect(renderer: Renderer) -> None:
    half = renderer.render_half(program(script("import psycopg\npsycopg.connect('host=127.0.0.1 connect_timeout=1')")), after(""))
    assert sent(half)[0].startswith("[it fails here with Forbidden: the network")
    half = renderer.render_half(program(script("sa.create_engine('postgresql+psycopg://127.0.0.1/shop').connect()")), after(""))
    assert sent(half)[0].startswith("[it fails here with Forbidden: the network")


def test_a_script_reads_files_beside_it(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "data.sql").write_text("SELECT 'a'")
    (tmp_path / "data.json").write_text("[1, 2]")
    (tmp_path / "data.csv").write_text("x\n3\n")
    text = """
import csv, json, os, time
from pathlib import Path
from alembic import op

HERE = Path(__file__).parent


def upgrade():
    op.execute((HERE / "data.sql").read_text())
    with open(os.path.join(os.path.dirname(__file__), "data.json")) as file:
        rows = json.load(file)
    with open(HERE / "data.csv", newline="") as file:
        rows += [row["x"] for row in csv.DictReader(file)]
    for row in rows:
        time.sleep(1000)
        op.execute(f"SELECT {row}")
    (HERE / "log.txt").write_text("done")
    op.execute("SELECT 4")
"""
    path = tmp_path / "a1.py"
    path.write_text(text)
    statements = sent(renderer.render_half(program(text, path=str(path)), after("")))
    assert statements[:4] == ["SELECT 'a';", "SELECT 1;", "SELECT 2;", "SELECT 3;"]
    assert statements[4].startswith("[it fails here with Forbidden: file changes (open) are not allowed here]")
    assert statements[5:] == ["SELECT 4;"]
    assert not (tmp_path / "log.txt").exists()
