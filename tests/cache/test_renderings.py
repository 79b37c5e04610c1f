"""What scripts in Python came to: kept for as long as all that they went by is as it was."""

import marshal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from migsafe.cache.store import Store
from tests.cache.conftest import Project, Run

pytestmark = pytest.mark.process

HEAD = "import os\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = {revision!r}\ndown_revision = {down!r}\n\n\n"
ORDERS = "def upgrade():\n    op.create_table('orders', sa.Column('id', sa.BigInteger(), primary_key=True), sa.Column('qty', sa.Integer()))\n"
TALKATIVE = "def upgrade():\n    op.create_index('orders_qty_idx', 'orders', ['qty'])\n"
WORKER = "migsafe.rendering.process"


@pytest.fixture
def alembic(project: Project) -> Project:
    """An Alembic project of two revisions beside the SQL."""
    project.write("alembic.ini", "[alembic]\nscript_location = scripts\n")
    project.write("scripts/env.py", "")
    revision(project, "a1", None, ORDERS)
    revision(project, "b2", "a1", TALKATIVE)
    return project


def revision(project: Project, name: str, down: str | None, body: str) -> Path:
    return project.write(f"scripts/versions/{name}.py", HEAD.format(revision=name, down=down) + body)


def lint(project: Project, *arguments: str) -> Run:
    return project.lint("scripts/versions", "--format", "github", *arguments)


def test_a_history_that_was_rendered_needs_no_process(alembic: Project) -> None:
    first = lint(alembic)
    assert WORKER in first.modules
    assert "orders_qty_idx" in first.out
    again = lint(alembic)
    assert not again.worked
    assert again.said == first.said
    other = lint(alembic, "--ignore", "downgrade-missing")
    assert other.worked
    assert not {WORKER, "alembic", "sqlalchemy"} & other.modules
    assert lint(alembic, "--ignore", "downgrade-missing", "--no-cache").said == other.said


def test_other_commands_go_by_the_same_renderings(alembic: Project) -> None:
    lint(alembic)
    locks = alembic.run("locks", "scripts/versions")
    assert WORKER not in locks.modules
    assert "orders_qty_idx" in locks.out


def test_only_what_is_new_is_rendered(alembic: Project) -> None:
    lint(alembic)
    revision(alembic, "c3", "b2", "def upgrade():\n    op.drop_column('orders', 'qty')\n")
    grown = lint(alembic)
    assert WORKER in grown.modules
    assert grown.said == lint(alembic, "--no-cache").said
    assert not lint(alembic).worked


HELPER = "from alembic import op\n\n\ndef change():\n    op.drop_column('orders', '{}')\n"
HELPED = "from shop.helper import change\n\n\ndef upgrade():\n    change()\n"
READING = (
    "from pathlib import Path\n\n\ndef upgrade():\n    for path in sorted(Path('sql').iterdir()):\n        op.execute(path.read_text())\n"
    "    if os.path.exists('big'):\n        op.drop_table('orders')\n"
)
GUARDED = "def upgrade():\n    if not sa.inspect(op.get_bind()).has_table('notes'):\n        op.drop_table('orders')\n"

CHANGES: dict[str, tuple[str, dict[str, str], Callable[[Project], object]]] = {
    "the code of a helper": (
        HELPED,
        {"shop/__init__.py": "", "shop/helper.py": HELPER.format("qty")},
        lambda shop: shop.write("shop/helper.py", HELPER.format("quantity")),
    ),
    "a helper that was not there": (HELPED, {}, lambda shop: shop.write("shop/helper.py", HELPER.format("qty"))),
    "a helper in a package that lacked it": (HELPED, {"shop/__init__.py": ""}, lambda shop: shop.write("shop/helper.py", HELPER.format("qty"))),
    "a helper that could not be loaded": (
        HELPED,
        {"shop/helper.py": "raise LookupError\n"},
        lambda shop: shop.write("shop/helper.py", HELPER.format("qty")),
    ),
    "a file that a script reads": (
        READING,
        {"sql/1.sql": "DROP TABLE orders;"},
        lambda shop: shop.write("sql/1.sql", "ALTER TABLE orders DROP qty;"),
    ),
    "a folder that a script lists": (
        READING,
        {"sql/1.sql": "UPDATE orders SET qty = 1;"},
        lambda shop: shop.write("sql/2.sql", "ALTER TABLE orders DROP qty;"),
    ),
    "a file that a script asks for": (READING, {"sql/1.sql": "UPDATE orders SET qty = 1;"}, lambda shop: shop.write("big", "")),
    "the schema that a script asks": (
        GUARDED,
        {},
        lambda shop: revision(shop, "a1", None, ORDERS + "    op.create_table('notes', sa.Column('id', sa.Integer()))\n"),
    ),
    "the environment": (
        "def upgrade():\n    op.execute('ALTER TABLE orders DROP ' + os.environ['TZ'].strip('/'))\n",
        {},
        lambda shop: shop.environment.update(TZ="Europe/Paris"),
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_script_goes_by_is_noticed(alembic: Project, what: str) -> None:
    body, files, change = CHANGES[what]
    alembic.environment["TZ"] = "UTC"
    for name, content in files.items():
        alembic.write(name, content)
    revision(alembic, "c3", "b2", body)
    first = lint(alembic)
    assert {"answer", "renderings"} <= {entry.name.partition("-")[0] for entry in alembic.entries}
    change(alembic)
    changed = lint(alembic)
    assert changed.said == lint(alembic, "--no-cache").said
    assert changed.out != first.out


FLEETING = {
    "the time": "import time\n\n\ndef upgrade():\n    if time.time() > 0:\n        op.drop_table('orders')\n",
    "a function that goes by the time": (
        "from datetime import datetime\n\n\ndef late():\n    now = datetime.now()\n    return now\n\n\n"
        "def upgrade():\n    if late().year > 2000:\n        op.drop_table('orders')\n"
    ),
    "another folder": "def upgrade():\n    os.chdir('/')\n",
    "the process": "def upgrade():\n    open('/proc/self/stat').read()\n    op.drop_table('orders')\n",
}


@pytest.mark.parametrize("what", FLEETING)
def test_what_may_be_otherwise_the_next_time_is_not_kept(alembic: Project, what: str) -> None:
    alembic.write("migsafe.toml", 'script-timeout = "1s"\n')
    revision(alembic, "c3", "b2", FLEETING[what])
    first = lint(alembic)
    assert not [entry for entry in alembic.entries if entry.name.startswith("answer")]
    again = lint(alembic)
    assert WORKER in again.modules
    assert again.said == first.said


def test_a_script_that_reaches_its_time_limit_is_not_run_again(alembic: Project) -> None:
    alembic.write("migsafe.toml", 'script-timeout = "1s"\n')
    revision(alembic, "c3", "b2", "def upgrade():\n    while True:\n        pass\n")
    first = lint(alembic)
    again = lint(alembic)
    assert not again.worked
    assert again.said == first.said
    alembic.write("migsafe.toml", 'script-timeout = "2s"\n')
    assert WORKER in lint(alembic).modules


def test_values_that_are_new_each_time_are_kept(alembic: Project) -> None:
    body = (
        "import random\nimport uuid\nfrom datetime import datetime\n\n\ndef upgrade():\n"
        "    orders = sa.table('orders', sa.column('id'), sa.column('qty'), sa.column('at'))\n"
        "    op.bulk_insert(orders, [{'id': str(uuid.uuid4()), 'qty': random.randint(1, 9), 'at': datetime.now()}])\n"
        "    op.execute(sa.update(orders).values(at=sa.func.now()))\n"
    )
    revision(alembic, "c3", "b2", body)
    lint(alembic)
    assert not lint(alembic).worked


def test_an_entry_that_makes_no_sense_is_none(alembic: Project) -> None:
    first = lint(alembic)
    for entry in alembic.entries:
        entry.write_bytes(b"\0" * 100)
    assert lint(alembic).said == first.said


def test_a_rendering_in_the_form_of_another_version_is_none(alembic: Project) -> None:
    lint(alembic)
    store = Store(str(alembic.cache))
    (name,) = (name for name in store.names() if name.startswith("renderings-"))
    key, traces, renderings = marshal.loads(store.read(name) or b"")
    older = {script: [(numbers, msgspec.msgpack.encode({})) for numbers, _ in stored] for script, stored in renderings.items()}
    store.write(name, marshal.dumps((key, traces, older)))
    again = lint(alembic, "--ignore", "downgrade-missing")
    assert WORKER in again.modules
    assert again.said == lint(alembic, "--ignore", "downgrade-missing", "--no-cache").said
