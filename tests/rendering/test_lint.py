"""Alembic projects, linted from the command line."""

import json
from pathlib import Path

import pytest

from migsafe.cli import main

pytestmark = pytest.mark.process

ENV = "from alembic import context\ncontext.configure(connection=None)\n"
FIRST = """\
from alembic import op
import sqlalchemy as sa

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("qty", sa.Integer()))


def downgrade():
    op.drop_table("orders")
"""
SECOND = """\
from alembic import op
import sqlalchemy as sa

revision = "b2"
down_revision = "a1"


def upgrade():
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
    if "qty" in columns:
        op.create_index(
            "orders_qty_idx",
            "orders",
            ["qty"],
        )


def downgrade():
    op.drop_index("orders_qty_idx")
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    (versions / "a1_first.py").write_text(FIRST)
    (versions / "b2_second.py").write_text(SECOND)
    return versions


def lint(capsys: pytest.CaptureFixture[str], *options: str) -> list[tuple[object, ...]]:
    main(["lint", "migrations/versions/b2_second.py", "--format", "json", "--no-cache", *options])
    report = json.loads(capsys.readouterr().out)
    return [(finding["rule"], finding["path"], finding["start"]["line"], finding["end"]["line"]) for finding in report["findings"]]


def test_findings_are_at_the_call(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "--select", "index-not-concurrent,opaque-code") == [
        ("index-not-concurrent", "migrations/versions/b2_second.py", 11, 15)
    ]


def test_no_exec_runs_no_script(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lint(capsys, "--select", "index-not-concurrent,opaque-code", "--no-exec") == [
        ("opaque-code", "migrations/versions/b2_second.py", 9, 9),
        ("index-not-concurrent", "migrations/versions/b2_second.py", 11, 15),
    ]


def test_an_invalid_duration_in_the_configuration_is_an_error(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("migsafe.toml").write_text('script-timeout = "soon"\n')
    assert main(["lint", "migrations/versions"]) == 2
    assert "script-timeout: invalid duration: soon" in capsys.readouterr().err
