"""Revision ids that do not fit into alembic_version."""

from pathlib import Path

import pytest

from migsafe.sources.alembic.project import Project
from migsafe.sources.alembic.script import Revision
from migsafe.sources.alembic.version_table import LONGEST_VERSION, first_too_long
from migsafe.text import Script

FITS, LONG, LONGER = "a" * LONGEST_VERSION, "b" * (LONGEST_VERSION + 1), "c" * (LONGEST_VERSION + 2)
REVISIONS = [Revision(version=version) for version in (FITS, LONG, LONGER)]


def test_the_first_id_that_is_too_long() -> None:
    assert first_too_long(REVISIONS, (), Project(())) == LONG
    assert first_too_long(REVISIONS[:1], (), Project(())) is None


def test_a_revision_that_makes_the_column_wider() -> None:
    script = Script("1_wider.py", "op.alter_column('alembic_version', 'version_num', type_=sa.Text())")
    assert first_too_long(REVISIONS, (script,), Project(())) is None


@pytest.mark.parametrize(
    ("name", "text"), [("env.py", "conn.execute(text('ALTER TABLE v ALTER version_num TYPE text'))"), ("wider.py", "version_num")]
)
def test_env_or_a_module_beside_it_makes_the_column_wider(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "env.py").write_text("")
    project = Project((), env=str(tmp_path / "env.py"))
    assert first_too_long(REVISIONS, (), project) == LONG
    (tmp_path / name).write_text(text)
    assert first_too_long(REVISIONS, (), project) is None
