"""A pre-mortem names the application's queries: which use what a migration locks, which wait, which fail, and which need it."""

import json
import subprocess
from pathlib import Path

import pytest

from migsafe.cli import main

TABLES = "CREATE TABLE tags (id bigint PRIMARY KEY, label text, kind text);\n"
OLD = """-- name: TagLabel :one
SELECT label FROM tags WHERE id = $1;
-- name: AddTag :exec
INSERT INTO tags (id, label) VALUES ($1, $2);
"""
NEW = "-- name: TagColour :one\nSELECT colour FROM tags WHERE id = $1;\n"
CHANGE = "ALTER TABLE tags DROP COLUMN label;\nALTER TABLE tags ADD COLUMN colour text;\nCREATE INDEX tags_kind_idx ON tags (kind);\n"


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The pre-mortem of a migration, compared with the commit before it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_tags.sql").write_text(TABLES)
    (tmp_path / "queries.sql").write_text(OLD)
    (tmp_path / "migsafe.toml").write_text('migrations = ["migrations"]\nqueries = ["queries.sql"]\n')
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    (tmp_path / "migrations" / "0002_colour.sql").write_text(CHANGE)
    (tmp_path / "queries.sql").write_text(OLD + NEW)
    main(["premortem", "--since", "HEAD", "--format", "json"])
    found: dict[str, object] = json.loads(capsys.readouterr().out)["migrations"][0]["queries"]
    return found


def names(queries: object) -> list[str]:
    assert isinstance(queries, list)
    return [query["name"] for query in queries]


def test_the_queries_that_use_wait_fail_and_need(document: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert names(document["using"]) == ["AddTag", "TagLabel"]
    assert names(document["waiting"]) == ["AddTag", "TagLabel"]
    assert names(document["failing"]) == ["TagLabel", "AddTag"]
    assert names(document["new"]) == ["TagColour"]
    main(["premortem", "--since", "HEAD", "--format", "markdown"])
    text = capsys.readouterr().out
    assert "- 1 query reads public.tags: TagLabel (queries.sql:1); 1 query writes it: AddTag (queries.sql:3)" in text
    assert "- 2 of them wait while line 1 holds ACCESS EXCLUSIVE on public.tags: AddTag (queries.sql:3) and TagLabel (queries.sql:1)" in text
    assert "- 1 of them waits while line 3 holds SHARE on public.tags: AddTag (queries.sql:3)" in text
    assert "- 2 queries fail until the running release is replaced: TagLabel (queries.sql:1) and AddTag (queries.sql:3)" in text
    assert "Deploy the new release; the old one may still run. It needs the steps above for TagColour (queries.sql:5)." in text


def test_the_queries_that_lose_their_index(document: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert document["slower"] == []
    index = "CREATE INDEX tags_colour_idx ON tags (colour);\n"
    Path("migrations", "0002_colour.sql").write_text(CHANGE + index)
    Path("queries.sql").write_text("-- name: OfColour :many\nSELECT id FROM tags WHERE colour = $1;\n")
    Path("migrations", "0003_index.sql").write_text("DROP INDEX tags_colour_idx;\n")
    main(["premortem", "--since", "HEAD", "--format", "json"])
    assert names(json.loads(capsys.readouterr().out)["migrations"][1]["queries"]["slower"]) == ["OfColour"]
    main(["premortem", "--since", "HEAD", "--format", "markdown"])
    assert "- 1 query loses the index that serves it: OfColour (queries.sql:1)" in capsys.readouterr().out


def test_a_new_query_without_an_index_is_named(document: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "queries.sql").write_text(OLD + NEW + "-- name: ByColour :many\nSELECT id FROM tags WHERE colour = $1;\n")
    main(["premortem", "--since", "HEAD", "--format", "json"])
    [finding] = json.loads(capsys.readouterr().out)["queries"]
    assert (finding["rule"], finding["path"], finding["start"]["line"]) == ("query-without-index", "queries.sql", 8)
    main(["premortem", "--since", "HEAD", "--format", "markdown"])
    assert "- `queries.sql:8` `query-without-index`: " in capsys.readouterr().out
