"""The queries of a project: answers depend on them, and files that are unchanged are not read again."""

import subprocess
from pathlib import Path

import pytest

from migsafe.cache.queries import ReadQueries
from migsafe.cache.store import Store
from migsafe.workload.reading import read_workload
from tests.cache.conftest import Project

QUERY = "-- name: {name} :one\nSELECT id FROM orders WHERE note = $1;\n"


@pytest.mark.process
def test_an_answer_depends_on_the_queries_and_on_git(project: Project) -> None:
    (project.folder / ".git").rmdir()
    project.write("migsafe.toml", 'migrations = ["m"]\nqueries = ["q"]\n')
    project.write("q/orders.sql", QUERY.format(name="a"))
    for command in (["init", "-q"], ["add", "."], ["-c", "user.email=a@b.c", "-c", "user.name=a", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=project.folder, check=True)
    project.write("m/0003_index.sql", "ALTER TABLE orders DROP note;")
    first = project.lint("--since", "HEAD")
    assert first.worked
    assert "orders.sql" in first.out
    again = project.lint("--since", "HEAD")
    assert not again.worked
    assert again.said == first.said
    project.write("q/orders.sql", "-- name: a :one\nSELECT id FROM orders")
    assert project.lint("--since", "HEAD").worked


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.sql").write_text(QUERY.format(name=name))
    (tmp_path / "c.py").write_text('db.execute("SELECT id FROM orders")\ndb.execute(f"SELECT {x} FROM orders")\n')
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)

    def read() -> object:
        kept = ReadQueries(Store(str(cache)), str(tmp_path))
        workload = read_workload([str(tmp_path)], str(tmp_path), kept=kept)
        kept.keep()
        return workload

    first = read()
    with monkeypatch.context() as broken:
        broken.setattr("migsafe.workload.sources.found.normal_text", None)
        assert read() == first
    (tmp_path / "b.sql").write_text("-- name: b :one\nSELECT note FROM orders")
    assert read() != first
