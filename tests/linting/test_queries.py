"""The application's queries while migrations are judged: files, runs that are compared, continued or divided, scripts with several paths."""

import subprocess
from pathlib import Path

import pytest

from migsafe import lint
from migsafe.cli import main
from migsafe.configuration import Configuration
from migsafe.linting.finding import Finding, Severity
from migsafe.linting.verdict import Verdict
from migsafe.reports.json import finding_object
from migsafe.workload import Query

TABLES = """CREATE TABLE tags (id bigint PRIMARY KEY, label text, slug text);
CREATE INDEX tags_label_idx ON tags (label);
"""
QUERIES = "-- name: TagByLabel :one\nSELECT id FROM tags WHERE label = $1;\n"


def judged(folder: Path, migrations: list[str], queries: str = QUERIES, *, complete: bool = False, **settings: object) -> Verdict:
    """Returns the verdict on migrations in a folder, with the queries of a file."""
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "db").mkdir(exist_ok=True)
    for number, sql in enumerate(migrations, 1):
        (folder / "migrations" / f"V{number}__change.sql").write_text(sql)
    (folder / "db" / "queries.sql").write_text(queries)
    configuration = Configuration(queries=(str(folder / "db"),), queries_complete=complete, folder=str(folder), lock_timeout="2s")
    return lint([str(folder / "migrations")], settings=configuration, **settings)  # type: ignore[arg-type]


def of_queries(verdict: Verdict) -> list[Finding]:
    assert verdict.problems == []
    return [finding for finding in verdict.findings if finding.category == "queries"]


def test_a_finding_is_at_the_query_s_file_and_line(tmp_path: Path) -> None:
    finding, *others = of_queries(judged(tmp_path, [TABLES], QUERIES.replace("WHERE label", "WHERE slug")))
    assert others == []
    assert (finding.rule, Path(finding.script.path).name, finding.migration) == ("query-without-index", "queries.sql", "")
    assert finding.script.position(finding.span.start) == (2, 1)
    assert finding.script.text[finding.span.start : finding.span.end] == "SELECT id FROM tags WHERE slug = $1;"


def test_a_query_that_cannot_be_assessed_prevents_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(assessor: object, query: Query, catalog: object) -> None:
        raise RecursionError(query.text)

    monkeypatch.setattr("migsafe.workload.assessment.Assessor.assess", fail)
    verdict = judged(tmp_path, [TABLES, "DROP TABLE tags;"])
    assert verdict.problems == []
    assert {finding.rule for finding in verdict.findings} == {"drop-table"}


def test_json_names_the_queries(tmp_path: Path) -> None:
    finding, *_ = of_queries(judged(tmp_path, [TABLES], QUERIES.replace("WHERE label", "WHERE slug")))
    document = finding_object(finding)
    assert (document["migration"], document["statement"], document["start"]) == ("", 1, {"line": 2, "column": 1})
    assert [(query["name"], query["line"]) for query in document["queries"]] == [("TagByLabel", 1)]


def test_a_query_that_cannot_be_read_may_use_what_its_file_names(tmp_path: Path) -> None:
    unread = "-- name: sorted\nSELECT id FROM tags ORDER BY :i:column, {};\n"
    migrations = [TABLES, "ALTER TABLE tags DROP COLUMN slug;"]

    def drop(name: str) -> Finding:
        verdict = judged(tmp_path, migrations, unread.format(name), complete=True)
        (finding,) = (each for each in verdict.findings if each.rule == "drop-column")
        return finding

    assert (drop("label").severity, drop("slug").severity) == (Severity.INFO, Severity.ERROR)
    assert drop("slug").message.endswith("; a query that could not be read may use it (" + str(tmp_path / "db" / "queries.sql") + ":1)")


def test_a_comment_in_the_query_s_file_suppresses_a_finding(tmp_path: Path) -> None:
    queries = f"-- migsafe: ignore[query-without-index] ten rows\n{QUERIES.replace('WHERE label', 'WHERE slug')}"
    verdict = judged(tmp_path, [TABLES], queries)
    assert (verdict.findings, verdict.summary.suppressed) == ([], 1)
    unused = judged(tmp_path, [TABLES], queries.replace("WHERE slug", "WHERE label")).findings
    assert [(finding.rule, Path(finding.script.path).name) for finding in unused] == [("suppression-unused", "queries.sql")]


def test_a_comment_in_python_suppresses_a_finding(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    comment = "    # migsafe: ignore[query-without-index] ten rows\n"
    code = 'def tags(connection, slug):\n{}    return connection.execute("SELECT id FROM tags WHERE slug = %s", (slug,))\n'
    (tmp_path / "db" / "tags.py").write_text(code.format(""))
    assert [finding.rule for finding in of_queries(judged(tmp_path, [TABLES]))] == ["query-without-index"]
    (tmp_path / "db" / "tags.py").write_text(code.format(comment))
    assert judged(tmp_path, [TABLES]).findings == []


def test_compared_with_a_revision_only_what_is_new_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old = f"{QUERIES}-- name: TagBySlug :one\nSELECT label FROM tags WHERE slug = $1;\n"
    judged(tmp_path, [TABLES], old)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    assert of_queries(judged(tmp_path, [TABLES], old, since="HEAD")) == []
    new = f"{old}-- name: OthersOfSlug :many\nSELECT id FROM tags WHERE slug = $1 AND id <> $2;\n"
    assert [(each.rule, each.queries[0].name) for each in of_queries(judged(tmp_path, [TABLES], new, since="HEAD"))] == [
        ("query-without-index", "OthersOfSlug")
    ]
    suppressed = old.replace("-- name: TagBySlug", "-- migsafe: ignore[query-without-index] ten rows\n-- name: TagBySlug") + new.removeprefix(
        old
    )
    assert [each.rule for each in judged(tmp_path, [TABLES], suppressed, since="HEAD").findings] == ["query-without-index"]
    assert not any(path.endswith("queries.sql") for path in judged(tmp_path, [TABLES], new, since="HEAD").paths)
    # The running release still sends the query that the new one has no more.
    dropped = judged(tmp_path, [TABLES, "ALTER TABLE tags DROP COLUMN slug;"], QUERIES, since="HEAD")
    assert [(each.rule, each.queries[0].name) for each in of_queries(dropped)] == [("query-breaks", "TagBySlug")]
    assert "the running release sends" in of_queries(dropped)[0].message


def test_a_table_without_the_index_that_a_running_query_needs_is_reported_at_its_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = "-- name: OfTag :many\nSELECT id FROM labels WHERE tag = $1;\n"
    judged(tmp_path, [TABLES], known)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    create = "SELECT 1;\nCREATE TABLE labels (id bigint PRIMARY KEY, tag bigint);"
    (finding,) = of_queries(judged(tmp_path, [TABLES, create], known, since="HEAD"))
    assert (finding.rule, Path(finding.script.path).name, finding.span.start) == (
        "query-without-index",
        "V2__change.sql",
        create.index("CREATE"),
    )
    assert finding.queries[0].name == "OfTag"
    index = "CREATE INDEX labels_tag_idx ON labels (tag);"
    assert of_queries(judged(tmp_path, [TABLES, create + index], known, since="HEAD")) == []
    assert of_queries(judged(tmp_path, [TABLES, create, index], known, since="HEAD")) == []


def test_a_script_with_two_paths_says_on_which_the_query_breaks(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "queries.sql").write_text(QUERIES)
    (tmp_path / "versions").mkdir()
    head = 'from alembic import context, op\nrevision = "{}"\ndown_revision = {}\n\ndef upgrade():\n'
    first = "".join(f'    op.execute("{statement.strip()}")\n' for statement in TABLES.split(";") if statement.strip())
    (tmp_path / "versions" / "aa_tables.py").write_text(head.format("aa", None) + first)
    second = '    if context.get_x_argument(as_dictionary=True).get("label"):\n        op.drop_column("tags", "label")\n'
    (tmp_path / "versions" / "bb_label.py").write_text(head.format("bb", '"aa"') + second)
    settings = Configuration(queries=(str(tmp_path / "db"),), folder=str(tmp_path), lock_timeout="2s")
    findings = of_queries(lint([str(tmp_path / "versions")], settings=settings))
    assert [finding.rule for finding in findings] == ["query-breaks"]


def test_processes_and_checkpoints_change_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    filler = [f"CREATE TABLE t{n} (id int);\n" + "".join(f"ALTER TABLE t{n} ADD c{k} int;\n" for k in range(40)) for n in range(8)]
    migrations = [TABLES, *filler, "DROP INDEX tags_label_idx;", *(f"CREATE TABLE u{n} (id int);" for n in range(9))]
    judged(tmp_path, migrations)
    (tmp_path / "migsafe.toml").write_text('migrations = ["migrations"]\nqueries = ["db"]\nlock-timeout = "2s"\n')
    reports = []
    for options in (["--no-cache", "--jobs", "1"], ["--no-cache", "--jobs", "3"], ["--jobs", "1"], ["--jobs", "1", "--fail-on", "never"]):
        main(["lint", "--select", "query-loses-index,query-without-index", *options])
        reports.append(capsys.readouterr().out)
    assert "query-loses-index" in reports[0]
    assert "query-without-index" not in reports[0]
    assert reports == [reports[0]] * len(reports)
