"""What env.py passes to the functions of scripts."""

from pathlib import Path

import pytest

from migsafe.prediction.predictor import Predictor
from migsafe.rendering.renderer import Renderer
from migsafe.sources import find_migrations
from tests.rendering.conftest import sent

pytestmark = pytest.mark.process

ENV = """\
import os
from alembic import context, op
from depot.tables import known
from missing_orm import models
from six import add_metaclass
from abc import ABCMeta, abstractmethod

@add_metaclass(ABCMeta)
class Tester(object):
    @abstractmethod
    def fill(self, table): ...

class Silent(Tester):
    def fill(self, table): ...

class Loud(Tester):
    def fill(self, table):
        op.execute(f"INSERT INTO {table} DEFAULT VALUES")

class Tables(dict):
    __getattr__ = dict.__getitem__

def tester():
    return Loud() if os.environ.get("LOUD", "") == "yes" else Silent()

tables = Tables(known)
context.configure(connection=context.config.attributes["connection"])
context.run_migrations(op=op, tables=tables, tester=tester(), orm=models)
"""
SCRIPT = """\
import sqlalchemy as sa
revision = "a1"
down_revision = None


def upgrade(op, tables, tester, orm):
    op.create_table("crates", sa.Column("id", sa.Integer()))
    tester.fill("crates")
    op.bulk_insert(tables.kinds, [{"name": "a"}])
    op.bulk_insert(tables.others, [{"name": "b"}])
    if orm.is_new:
        op.drop_table("crates2")
"""


def test_arguments_are_evaluated_without_running_env(tmp_path: Path) -> None:
    for name, text in {
        "alembic.ini": "[alembic]\nscript_location = depot/migrations\nprepend_sys_path = .\n",
        "pyproject.toml": "[project]\nname = 'depot'\n",
        "depot/__init__.py": "",
        "depot/tables.py": "import sqlalchemy as sa\nknown = {'kinds': sa.table('kinds', sa.column('name'))}\n",
        "depot/migrations/env.py": ENV,
        "depot/migrations/versions/a1_crates.py": SCRIPT,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    [source] = find_migrations([str(tmp_path)]).sources
    [step] = source.steps()
    with Renderer(seconds=5) as renderer:
        half = renderer.render_migration(step.migration, Predictor(17)).up
    assert sent(half) == [
        "CREATE TABLE crates ( id INTEGER );",
        "INSERT INTO kinds (name) VALUES ('a');",
        """INSERT INTO "⟨tables.others⟩" (name) VALUES ('b');""",
        "? DROP TABLE crates2;",
    ]
