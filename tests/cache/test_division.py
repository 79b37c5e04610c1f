"""A history that several processes judge has the findings that one process makes."""

import sys
from pathlib import Path

import pytest

from migsafe.library.division import parts
from migsafe.prediction.history import Part, Steps
from migsafe.sources import find_migrations
from tests.cache.conftest import Project

pytestmark = pytest.mark.process

BY_NUMBER = (
    "CREATE TABLE t{n} (id int PRIMARY KEY, parent int, note text);",
    "ALTER TABLE t{m} ADD parent_id int REFERENCES t{n} (id);",
    "CREATE INDEX t{m}_note_idx_{n} ON t{m} (note);",
    "-- migsafe: ignore[drop-column] nobody reads it\nALTER TABLE t{m} DROP COLUMN note;",
    "ALTER TABLE t{m} ALTER id TYPE bigint;",
    "-- migsafe: ignore[drop-table] this suppression is unused\nUPDATE t{m} SET parent = 1;",
)
FORK = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


def history(project: Project, files: int = 120) -> None:
    for number in range(1, files + 1):
        statements = [template.format(n=number, m=max(number // 2, 1)) for template in BY_NUMBER[: 1 + number % len(BY_NUMBER)]]
        project.write(f"m/{number + 10:04}_step.sql", "\n".join(statements) + "\n")


def steps_of(folder: Path) -> Steps:
    return [(source, step) for source in find_migrations([str(folder)]).sources for step in source.steps()]


@FORK
def test_the_report_does_not_depend_on_the_number_of_processes(project: Project) -> None:
    history(project)
    alone, divided, more = (project.lint("m", "--no-cache", "--format", "json", "--jobs", jobs) for jobs in ("1", "2", "4"))
    assert "multiprocessing" in divided.modules
    assert "multiprocessing" not in alone.modules
    assert alone.said == divided.said == more.said
    assert alone.code == 1


@FORK
def test_migrations_that_one_transaction_may_contain_are_judged_together_where_a_part_begins(project: Project) -> None:
    names = [f"{number:04}_step" for number in range(100)]
    for number, name in enumerate(names):
        statements = [f"CREATE TABLE t{number} (id bigint PRIMARY KEY, size int)", f"CREATE INDEX t{number}_size_idx ON t{number} (size)"]
        if number > 4:
            statements.append(f"ALTER TABLE t{number - 4} ADD CONSTRAINT positive CHECK (size > 0) NOT VALID")
            statements.insert(0, f"ALTER TABLE t{number - 5} VALIDATE CONSTRAINT positive" if number > 5 else "SELECT 1")
        project.write(f"m/{name}.sql", ";\n--> statement-breakpoint\n".join(statements) + ";\n")
    entries = ", ".join(f'{{"tag": "{name}", "when": {number}}}' for number, name in enumerate(names))
    project.write("m/meta/_journal.json", f'{{"dialect": "postgresql", "entries": [{entries}]}}')
    alone, divided, more = (project.lint("m", "--no-cache", "--format", "json", "--jobs", jobs) for jobs in ("1", "2", "3"))
    assert "multiprocessing" in divided.modules
    assert "the same is true of 93 other migrations" in alone.out  # each VALIDATE, while the lock of NOT VALID is held
    assert alone.said == divided.said == more.said


@FORK
def test_unreadable_files_are_reported_once_each(project: Project) -> None:
    history(project)
    for number in (15, 125):
        (project.folder / f"m/{number:04}_step.sql").write_bytes(b"\xff\xfe\x00")
    alone, divided = (project.lint("m", "--no-cache", "--jobs", jobs) for jobs in ("1", "2"))
    assert alone.said == divided.said
    assert divided.err.count("0015_step") == divided.err.count("0125_step") == 1


@FORK
def test_a_rule_that_fails_in_another_process_is_reported_with_its_place(project: Project) -> None:
    history(project)
    project.write(
        "own/first_only.py",
        '"""Fails at one table."""\n'
        "from migsafe.linting.rule import Context, Severity, rule\n"
        "from migsafe.sql.operations import CreateTable\n\n\n"
        '@rule(category="design", severity=Severity.INFO)\n'
        "def first_only(op: CreateTable, at: Context) -> None:\n"
        '    """Fail."""\n'
        '    if op.table.name == "t3":\n'
        "        raise ValueError(op.table)\n",
    )
    project.write("migsafe.toml", 'rules = "own"\n')
    alone, divided = (project.lint("m", "--no-cache", "--jobs", jobs) for jobs in ("1", "2"))
    assert "0013_step.sql" in alone.err
    assert alone.said == divided.said


@FORK
def test_what_other_processes_looked_at_invalidates_the_cached_answer(project: Project) -> None:
    history(project)
    first = project.lint("m", "--jobs", "2")
    again = project.lint("m", "--jobs", "2")
    assert "multiprocessing" in first.modules
    assert not again.worked
    assert again.said == first.said
    project.write("m/0011_step.sql", "CREATE TABLE t1 (id bigint PRIMARY KEY, parent int, note text);\n")
    assert project.lint("m", "--jobs", "2").said == project.lint("m", "--no-cache", "--jobs", "1").said


@FORK
def test_a_checkpoint_has_the_findings_of_all_processes(project: Project) -> None:
    history(project, 300)
    project.lint("m", "--jobs", "2")
    project.write("m/0310_step.sql", "DROP TABLE t7;\n")
    edited = project.lint("m", "--jobs", "2")
    assert "multiprocessing" not in edited.modules  # it continued from a checkpoint
    assert edited.said == project.lint("m", "--no-cache", "--jobs", "1").said


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_a_number_of_processes_is_a_positive_integer(project: Project, jobs: str) -> None:
    run = project.lint("m", "--jobs", jobs)
    assert run.code == 2
    assert f"--jobs: invalid number of processes: {jobs}" in run.err


def test_parts_take_about_the_same_time(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:03}_a.sql").write_text("CREATE TABLE t (a int); DROP TABLE t; SELECT 1; SELECT 2;")
    steps = steps_of(tmp_path)
    assert parts(steps, 1) == [Part(0, 100)]
    (_, first), (second, end) = parts(steps, 2)
    assert first == second
    assert end == 100
    assert first == pytest.approx(0.3 * first + end - second, abs=2)


def test_a_short_history_is_not_divided(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number:03}_a.sql").write_text("SELECT 1;")
    assert parts(steps_of(tmp_path), 4) == [Part(0, 100)]


def test_bodies_of_functions_count_as_one_statement(tmp_path: Path) -> None:
    body = "DO $$ BEGIN PERFORM 1; PERFORM 2; PERFORM 3; PERFORM 4; PERFORM 5; END $$;"
    for number in range(100):
        (tmp_path / f"{number:03}_a.sql").write_text(body)
    assert len(parts(steps_of(tmp_path), 2)) == 1


def test_a_file_is_not_divided(tmp_path: Path) -> None:
    changesets = "\n".join(f"--changeset ann:{number}\nCREATE TABLE t{number} (a int);" for number in range(500))
    (tmp_path / "log.sql").write_text(f"--liquibase formatted sql\n{changesets}\n")
    steps = steps_of(tmp_path)
    assert len(steps) > 400
    assert parts(steps, 2) == [Part(0, len(steps))]


def test_a_history_of_several_databases_is_not_divided(tmp_path: Path) -> None:
    for database in ("orders", "stock"):
        (tmp_path / database).mkdir()
        for number in range(100):
            (tmp_path / database / f"{number:03}_a.sql").write_text("CREATE TABLE t (a int); DROP TABLE t; SELECT 1; SELECT 2;")
    plan = find_migrations([str(tmp_path / "orders"), str(tmp_path / "stock")])
    steps = [(source, step) for source in plan.sources for step in source.steps()]
    assert parts(steps, 2) == [Part(0, 200)]


@FORK
def test_findings_about_what_another_process_drops_are_resolved(project: Project) -> None:
    history(project)
    project.write("m/0009_scratch.sql", "CREATE TABLE scratch AS SELECT 1 AS a;\n")
    alone, divided = (project.lint("m", "--no-cache", "--format", "json", "--jobs", jobs) for jobs in ("1", "2"))
    assert "scratch has no primary key" in alone.out
    assert alone.said == divided.said
    project.write("m/0999_end.sql", "DROP TABLE scratch;\n")
    alone, divided = (project.lint("m", "--no-cache", "--format", "json", "--jobs", jobs) for jobs in ("1", "2"))
    assert "scratch has no primary key" not in alone.out
    assert alone.said == divided.said
